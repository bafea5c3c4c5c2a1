"""Sealing: others' readers agree, everything needed goes in, and what cannot be proved is not sealed."""

import asyncio
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from asn1crypto import x509
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from tests.pdf.authority import AT, DAY, Authority
from tests.pdf.conftest import ATTACHED
from tests.support.coroutines import finish
from yinxin import pdf
from yinxin.crypto import timestamps
from yinxin.crypto.errors import AnswerMismatch
from yinxin.crypto.suite import INTL
from yinxin.errors import Unavailable
from yinxin.pdf import read


@pytest.fixture
def file(tmp_path, sealed):
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    return path


def said(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False).stdout


def test_poppler_finds_the_seal_valid_and_the_whole_document_covered(file):
    out = said("pdfsig", "-nocert", file)
    first, second = out.split("Signature #2:")
    assert "Signature is Valid." in first
    assert "Common Name: 河源省人民政府印章" in first
    assert "ETSI.CAdES.detached" in first
    assert "Signing Time: Nov 22 2026 08:00:00" in first  # the clock it was given, not the machine's
    assert "Total document signed" in second


def test_pyhankos_own_long_term_validation_agrees(sealed, authority):
    required = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([x509.Certificate.load(authority.root.certificate.der)]),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(required, required)),
    )
    gathering = RevocationInfoGatheringSpec(
        RevinfoOnlineFetchingRule.LOCAL_ONLY, certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH
    )
    later = AT + timedelta(hours=1)
    result = finish(
        ades_lta_validation(
            PdfFileReader(BytesIO(sealed)).embedded_regular_signatures[0],
            PdfSignatureValidationSpec(SignatureValidationSpec(policy, gathering)),
            ValidationTimingInfo(later, later, point_in_time_validation=False),
        )
    )
    assert result.ades_subindic is AdESPassed.OK
    assert result.api_status.bottom_line
    assert result.best_signature_time == AT


def test_openssl_verifies_the_signature_over_what_it_covers(sealed, authority, openssl, tmp_path):
    signature = PdfFileReader(BytesIO(sealed)).embedded_regular_signatures[0]
    first, size, second, rest = (int(each) for each in signature.byte_range)
    (tmp_path / "content").write_bytes(sealed[first : first + size] + sealed[second : second + rest])
    (tmp_path / "cms").write_bytes(read.contents(signature))
    (tmp_path / "root").write_text(authority.root.certificate.pem)
    (tmp_path / "issuing").write_text(authority.issuing.certificate.pem)
    out = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "cms"),
        *("-content", tmp_path / "content", "-CAfile", tmp_path / "root", "-certfile", tmp_path / "issuing"),
        *("-purpose", "any", "-attime", int(AT.timestamp()), "-out", tmp_path / "out"),
    )
    assert "CMS Verification successful" in out


def test_attachments_come_back_and_poppler_lists_them(sealed, file):
    assert pdf.attachments(sealed) == {each.name: each.data for each in ATTACHED}
    listed = said("pdfdetach", "-list", file)
    assert "content.json" in listed
    assert "sign-off.p7s" in listed


def test_a_pdf_without_attachments_has_none(notice):
    assert pdf.attachments(notice.pdf) == {}


def red(image, box):
    return sum(1 for r, g, b in image.crop(box).get_flattened_data() if r > 150 and g < 90 and b < 90)


def test_the_seal_is_drawn_where_it_belongs_and_the_text_below_stays_readable(file, place, notice, tmp_path):
    subprocess.run(
        [
            "pdftoppm",
            "-r",
            "254",
            "-png",
            "-f",
            str(place.page),
            "-l",
            str(place.page),
            "-singlefile",
            str(file),
            str(tmp_path / "page"),
        ],
        check=True,
    )
    with Image.open(tmp_path / "page.png") as opened:
        image = opened.convert("RGB")
    left, top, side = (round(each * 10) for each in (place.x_mm, place.y_mm, place.size_mm))
    box = (left, top, left + side, top + side)
    everywhere = red(image, (0, 0, *image.size))
    assert red(image, box) > 15_000
    assert everywhere - red(image, box) < 200
    # the ring touches all four sides
    for edge in (
        (left, top, left + side, top + 20),
        (left, top + side - 20, left + side, top + side),
        (left, top, left + 20, top + side),
        (left + side - 20, top, left + side, top + side),
    ):
        assert red(image, edge) > 100
    # authority and date lie within it, in black
    words = said("pdftotext", "-f", place.page, "-l", place.page, "-bbox", file, "-")
    found = re.search(
        r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">2026年11月22日<', words
    )
    assert found, words
    x1, y1, x2, y2 = (float(each) * 25.4 / 72 for each in found.groups())
    assert place.x_mm <= (x1 + x2) / 2 <= place.x_mm + place.size_mm
    assert place.y_mm < y1
    assert y2 < place.y_mm + place.size_mm
    date = image.crop(tuple(round(each * 10) for each in (x1, y1, x2, y2)))
    assert sum(1 for r, g, b in date.get_flattened_data() if max(r, g, b) < 60) > 500, "the date is black"


def test_it_stays_pdf_a(sealed):
    root = PdfFileReader(BytesIO(sealed)).root
    assert b"pdfaid" in root["/Metadata"].data
    assert len(root["/AF"]) == len(ATTACHED)


def test_an_unseen_seal_needs_no_place(authority, notice):
    sealed = authority.seal_pdf(notice.pdf)
    assert pdf.verify(sealed, [authority.root.certificate], AT).certificate == authority.seal.certificate


def test_a_revoked_seal_does_not_seal(notice):
    authority = Authority(INTL)
    authority.revoke(authority.seal.certificate, AT - DAY)
    with pytest.raises(pdf.PdfSealUntrusted, match="revoked"):
        authority.seal_pdf(notice.pdf)


def test_no_seal_without_proof_of_the_certificates_state(authority, notice, monkeypatch):
    complete = authority.validity()
    monkeypatch.setattr(authority, "validity", lambda _seal: replace(complete, ocsps=(), crls=()))
    with pytest.raises(pdf.PdfSealUntrusted):
        authority.seal_pdf(notice.pdf)


class NoTimestamp(Unavailable):
    code = "test.no_timestamp"
    zh = "时间戳服务不应答。"
    en = "The timestamp authority does not answer."


def test_no_seal_without_a_timestamp(authority, notice, monkeypatch):
    def down(_request):
        raise NoTimestamp

    monkeypatch.setattr(authority, "timestamp", down)
    with pytest.raises(NoTimestamp):
        authority.seal_pdf(notice.pdf)


def test_the_timestamp_of_another_question_is_refused(authority, notice, monkeypatch):
    other = authority.timestamp(timestamps.request(INTL.hash, bytes(32), 1))
    monkeypatch.setattr(authority, "timestamp", lambda _request: other)
    with pytest.raises(AnswerMismatch):
        authority.seal_pdf(notice.pdf)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"PK\x03\x04", bytes(1000)])
def test_what_is_no_pdf_cannot_be_sealed(authority, data):
    with pytest.raises(pdf.PdfUnreadable):
        authority.seal_pdf(data)


def test_a_picture_that_is_none_is_refused(authority, notice, place):
    with pytest.raises(pdf.PictureUnreadable):
        authority.seal_pdf(notice.pdf, place=place, picture=b"\x89PNG\r\n\x1a\n")


def test_a_caller_with_an_event_loop_of_its_own_is_served(notice, authority):
    """Seen to fail with a bare asyncio.run: a department's asynchronous service could not seal."""

    async def inside():
        asyncio.get_running_loop()
        return authority.seal_pdf(notice.pdf)

    assert pdf.verify(finish(inside()), [authority.root.certificate], AT).at == AT
