"""A sealed OFD of the real layout, and the authority behind its seal."""

import datetime as dt
from datetime import timedelta
from functools import partial

import pytest

from apps.document.layout import DocumentNumber, Elements, Kind, Paragraph, render
from tests.pdf.authority import AT, Authority
from yinxin import ofd
from yinxin.crypto import seal as seals
from yinxin.crypto.suite import SM

YEAR = timedelta(days=365)
#: one transparent pixel
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)
RARE = "镕喆堃昇䶮𬱖"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority(SM)


@pytest.fixture(scope="session")
def maker(authority):
    return authority.seal_maker()


@pytest.fixture(scope="session")
def layout():
    return render(
        Elements(
            kind=Kind.NOTICE,
            organ_mark="河源省人民政府文件",
            number=DocumentNumber("河政", 2026, 12),
            title="关于开展政务信息系统安全检查的通知",
            body=(Paragraph(f"现将有关事项通知如下：{RARE}，2026年 abc 完成。" * 30),),
            signing_organ="河源省人民政府",
            date=dt.date(2026, 11, 22),
            main_recipients=("各市、县人民政府", "省政府各部门"),
        )
    )


def made_seal(authority, maker, **given) -> seals.Seal:
    """The organ's seal as its maker made it."""
    usual = {
        "id": "41000000000001",
        "type": seals.Kind.UNIT,
        "name": "河源省人民政府",
        "users": (authority.seal.certificate,),
        "picture": seals.Picture("PNG", PNG, 42, 42),
        "created": AT,
        "valid_from": AT,
        "valid_until": AT + YEAR,
    }
    return seals.make(maker, **(usual | given))


def proofs(authority) -> tuple[ofd.Attachment, ...]:
    """Certificates and lists that the seal is judged by, as the document application puts them in."""
    certificates = (authority.issuing.certificate, authority.tsa.certificate)
    crls = (authority.crl(authority.root), authority.crl(authority.issuing))
    return (
        *(ofd.Attachment(f"proof-{n:02}.cer", each.der) for n, each in enumerate(certificates, 1)),
        *(ofd.Attachment(f"proof-{n:02}.crl", each) for n, each in enumerate(crls, 1)),
    )


@pytest.fixture(scope="session")
def put_on(authority, maker, layout):
    """Put the organ's seal on the page, or another one on another."""
    box = layout.seal
    return partial(
        _put_on,
        authority,
        layout.ofd,
        made_seal(authority, maker),
        stamps=(ofd.Stamp(box.page, box.x_mm, box.y_mm, box.size_mm, box.size_mm),),
    )


def _put_on(authority, data, seal, *, stamps, more=(), **given):
    usual = {"at": AT, "timestamp": authority.token}
    attachments = (*proofs(authority), *more)
    return ofd.seal(data, seal, authority.seal, stamps=stamps, attachments=attachments, **(usual | given))


@pytest.fixture(scope="session")
def sealed(put_on) -> bytes:
    return put_on(more=(ofd.Attachment("content.json", b'{"title":"x"}'),))
