"""One sealed document of the real layout, and the authority that sealed it."""

import datetime as dt
from pathlib import Path

import pytest

from apps.document import layout
from seal.draw import round_seal
from tests.pdf.authority import Authority
from yinxin import pdf
from yinxin.crypto.suite import INTL

SAMPLE = Path(layout.__file__).parent / "samples" / "notice.md"
ATTACHED = (
    pdf.Attachment("content.json", "application/json", "签发内容", b'{"title":"x"}'),
    pdf.Attachment("sign-off.p7s", "application/pkcs7-signature", "签发签名", bytes(range(256))),
)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority(INTL)


@pytest.fixture(scope="session")
def notice() -> layout.Layout:
    draft = layout.read_draft(SAMPLE.read_bytes(), SAMPLE.name)
    elements = layout.Elements(
        kind=layout.Kind.NOTICE,
        organ_mark="河源省人民政府文件",
        number=layout.DocumentNumber("河政", 2026, 12),
        title=draft.title,
        body=draft.blocks,
        signing_organ="河源省人民政府",
        date=dt.date(2026, 11, 22),
        main_recipients=draft.main_recipients,
        attachments=draft.attachments,
        notes=draft.notes,
    )
    return layout.render(elements)


@pytest.fixture(scope="session")
def place(notice) -> pdf.Place:
    box = notice.seal
    return pdf.Place(box.page, box.x_mm, box.y_mm, box.size_mm)


@pytest.fixture(scope="session")
def picture(place) -> bytes:
    return round_seal("河源省人民政府", round(place.size_mm))


@pytest.fixture(scope="session")
def sealed(authority, notice, place, picture) -> bytes:
    return authority.seal_pdf(notice.pdf, place=place, picture=picture, attachments=ATTACHED)
