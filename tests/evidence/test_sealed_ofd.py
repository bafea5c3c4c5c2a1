"""A sealed OFD checked by itself: seal, content and sign-off; and what does not fit together."""

import datetime as dt

import pytest

from tests.evidence.case import Case, digests
from tests.ofd.conftest import made_seal, proofs
from tests.pdf.authority import AT
from yinxin import evidence, ofd
from yinxin.evidence import EvidenceMismatch
from yinxin.ofd import package


@pytest.fixture(scope="module")
def page() -> bytes:
    bars = ofd.Page((ofd.Bar(10, 10, 50, 1),))
    return ofd.write(ofd.Document("通知", "河源省人民政府", dt.date(2026, 11, 22), [bars]))


def sealed(case: Case, page: bytes, *, content: bytes | None = None, by=None, maker=None) -> bytes:
    """The page with the leader's sign-off inside; `content` in the place of what she signed, `by` in that of the organ, `maker` in that of the seal maker."""
    body = {"revision": 1, "title": case.title, "content": digests(case.content())}
    signed = case.signed("p-leader", "document.sign-off", body)
    intl = (case.intl.issuing.certificate, case.intl.tsa.certificate)
    lists = (case.intl.crl(case.intl.root), case.intl.crl(case.intl.issuing))
    user = by or case.sm.seal
    attached = (
        ofd.Attachment("content.json", content or case.content()),
        ofd.Attachment("sign-off.json", signed.statement),
        ofd.Attachment("sign-off.p7s", signed.cms),
        *(ofd.Attachment(f"more-{number}.cer", each.der) for number, each in enumerate(intl)),
        *(ofd.Attachment(f"more-{number}.crl", each) for number, each in enumerate(lists)),
        *proofs(case.sm),
    )
    seal = made_seal(case.sm, maker or case.sm.seal_maker(), users=(user.certificate,))
    return ofd.seal(page, seal, user, at=AT, timestamp=case.sm.token, attachments=attached)


def test_it_says_who_sealed_and_who_signed_off(case, page):
    held = []
    evidence.verify(sealed(case, page), case.trust, at=AT, held=held)
    said = [text.zh for text in held]
    assert len(said) == 3
    assert "电子印章“河源省人民政府”有效" in said[0]
    assert "SM2-SM3" in said[0]
    assert case.title in said[1]
    assert "王省长" in said[2]


def test_a_changed_page_is_named(case, page):
    parts = package.unpack(sealed(case, page))
    path = "Doc_0/Pages/Page_0/Content.xml"
    parts[path] = parts[path].replace(b"10 10", b"10 11")
    with pytest.raises(ofd.OfdAltered) as refused:
        evidence.verify(package.pack(parts), case.trust, at=AT, held=[])
    assert "第 1 页" in refused.value.text("zh")
    assert "page 1" in refused.value.text("en")


def test_another_content_or_a_personal_seal_is_refused(case, page):
    for changed, words in (
        ({"content": b'{"title":"x"}'}, "签发内容"),
        ({"by": case.people["p-city"].identity}, "个人证书"),
    ):
        with pytest.raises(EvidenceMismatch, match=words):
            evidence.verify(sealed(case, page, **changed), case.trust, at=AT, held=[])


def test_a_seal_of_the_own_making_is_refused(case, page):
    """The makers are certified by the trusted authority: an organ for itself, and a person for an organ. Seen to fail when who made the seal is not looked at."""
    for maker in (case.sm.seal, case.people["p-city"].identity, case.sm.keeper()):
        held = []
        with pytest.raises(EvidenceMismatch, match="制章者"):
            evidence.verify(sealed(case, page, maker=maker), case.trust, at=AT, held=held)
        assert not held
