"""One document's evidence, made once."""

import datetime as dt

import pytest

from apps.document import layout
from tests.evidence.case import Case
from tests.pdf.authority import Authority
from yinxin.crypto.suite import INTL, SM


@pytest.fixture(scope="session")
def case() -> Case:
    notice = layout.Elements(
        kind=layout.Kind.NOTICE,
        organ_mark="河源省人民政府文件",
        number=layout.DocumentNumber("河政", 2026, 12),
        title="关于开展政务信息系统安全检查的通知",
        body=tuple(layout.Paragraph("现将有关事项通知如下。" * 20) for _ in range(4)),
        signing_organ="河源省人民政府",
        date=dt.date(2026, 11, 22),
        main_recipients=("各市、县人民政府",),
    )
    return Case(Authority(INTL), Authority(SM), layout.render(notice).pdf)


@pytest.fixture(scope="session")
def bundle(case):
    return case.bundle()


@pytest.fixture(scope="session")
def packed(case, bundle):
    return case.pack(bundle)
