"""Verifying a sealed PDF: what holds, holds for ever; what was touched does not."""

import contextlib
import re
from dataclasses import replace
from io import BytesIO

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.validation.dss import DocumentSecurityStore

from tests.pdf.authority import AT, DAY, YEAR, Authority
from tests.support.coroutines import finish
from yinxin import pdf
from yinxin.crypto.errors import RevocationUnknown
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.pdf.seal import _Timestamper

REFUSALS = (pdf.PdfAltered, pdf.PdfNotSealed, pdf.PdfSealUntrusted)


@pytest.fixture
def roots(authority):
    return [authority.root.certificate]


@pytest.mark.parametrize("later", [0 * DAY, 30 * DAY, 2 * YEAR, 6 * YEAR, 11 * YEAR, 40 * YEAR])
def test_a_seal_holds_when_every_certificate_has_expired(sealed, authority, roots, later):
    by = pdf.verify(sealed, roots, AT + later)
    assert by == pdf.SealedBy(authority.seal.certificate, AT)


def test_a_seal_of_the_future_is_not_believed(sealed, roots):
    with pytest.raises(pdf.PdfSealUntrusted, match="after the time"):
        pdf.verify(sealed, roots, AT - DAY)


def test_only_the_readers_roots_count(sealed):
    for roots in ([], [Authority(INTL).root.certificate]):
        with pytest.raises(pdf.PdfSealUntrusted):
            pdf.verify(sealed, roots, AT)


def test_revoked_after_the_seal_holds(notice):
    authority = Authority(INTL)
    sealed = authority.seal_pdf(notice.pdf)
    authority.revoke(authority.seal.certificate, AT + DAY)
    authority.at += 2 * DAY
    assert pdf.verify(sealed, [authority.root.certificate], AT + 3 * DAY).at == AT


def test_revoked_before_the_seal_does_not_hold(notice, monkeypatch):
    """The platform refuses to make such a seal. A thief seals on the day before, and the list comes out after."""
    authority = Authority(INTL)
    proofs = authority.validity()
    authority.revoke(authority.seal.certificate, AT - DAY)
    told = replace(
        proofs, crls=(proofs.crls[0], authority.crl(authority.issuing)), ocsps=authority.validity().ocsps
    )
    monkeypatch.setattr(authority, "validity", lambda _seal: proofs)
    monkeypatch.setattr(DocumentSecurityStore, "supply_dss_in_writer", _carrying(told))
    sealed = authority.seal_pdf(notice.pdf)
    with pytest.raises(pdf.PdfSealUntrusted, match="was revoked"):
        pdf.verify(sealed, [authority.root.certificate], AT)


def _carrying(validity):
    """pyHanko's store writer, but for what it is to write."""
    honest = DocumentSecurityStore.supply_dss_in_writer.__func__

    def supply(cls, writer, **kwargs):
        kwargs["ocsps"] = [asn1_ocsp.OCSPResponse.load(each) for each in validity.ocsps]
        kwargs["crls"] = [asn1_crl.CertificateList.load(each) for each in validity.crls]
        return honest(cls, writer, **kwargs)

    return classmethod(supply)


def test_another_certificate_of_the_same_key_is_not_taken(notice, authority):
    """Two seals of one root: each file names its own."""
    other = authority.organ_seal("河源市人民政府印章")
    sealed = authority.seal_pdf(notice.pdf, seal=other)
    assert pdf.verify(sealed, [authority.root.certificate], AT).certificate == other.certificate


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\njunk", b"%PDF-1.7\n%%EOF", bytes(500)])
def test_what_is_no_pdf_is_not_sealed(data, roots):
    with pytest.raises(pdf.PdfNotSealed):
        pdf.verify(data, roots, AT)
    with pytest.raises(pdf.PdfNotSealed):
        pdf.attachments(data)


def test_the_layout_alone_is_not_sealed(notice, roots):
    with pytest.raises(pdf.PdfNotSealed, match="0 seals"):
        pdf.verify(notice.pdf, roots, AT)


def flip(data, place, bit=0):
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def ranges(sealed):
    return [
        [int(number) for number in each.byte_range]
        for each in PdfFileReader(BytesIO(sealed)).embedded_signatures
    ]


def test_no_byte_that_the_seal_covers_can_change(sealed, roots):
    (_, size, second, rest), _ = ranges(sealed)
    places = [*range(0, size, 20011), *range(second, second + rest, 83)]
    for place in places:
        with pytest.raises((pdf.PdfAltered, pdf.PdfNotSealed)):
            pdf.verify(flip(sealed, place, place % 8), roots, AT)


def test_no_byte_behind_the_seal_can_change_either(sealed, roots):
    """The seal's own octets and the proofs are under the last timestamp."""
    (_, size, *_), (_, own, after, _) = ranges(sealed)
    for place in (*range(size, own, 211), *range(after, len(sealed), 61)):
        with pytest.raises(REFUSALS):
            pdf.verify(flip(sealed, place), roots, AT)


@pytest.mark.slow
def test_the_last_timestamps_own_octets_cannot_say_something_else(sealed, roots):
    """Nothing covers these; the tag of a certificate that stands elsewhere too can change, and then nothing else does."""
    _, (_, own, after, _) = ranges(sealed)
    honest = pdf.verify(sealed, roots, AT)
    refused = 0
    for place in range(own, after, 67):
        try:
            assert pdf.verify(flip(sealed, place), roots, AT) == honest
        except REFUSALS:
            refused += 1
    assert refused > 60


def test_cut_anywhere_it_does_not_hold(sealed, roots):
    for end in range(1000, len(sealed), 50021):
        with pytest.raises((pdf.PdfAltered, pdf.PdfNotSealed)):
            pdf.verify(sealed[:end], roots, AT)


def test_the_timestamp_over_the_whole_file_must_be_there(sealed, roots):
    (_, _, second, rest), _ = ranges(sealed)
    with pytest.raises(pdf.PdfAltered, match="no timestamp over the whole file"):
        pdf.verify(sealed[: second + rest], roots, AT)


@pytest.mark.parametrize("more", [b"\n", b"%comment\n", b"\0" * 100])
def test_nothing_may_stand_behind_the_end(sealed, roots, more):
    with pytest.raises(pdf.PdfAltered):
        pdf.verify(sealed + more, roots, AT)


def added(sealed, change):
    writer = IncrementalPdfFileWriter(BytesIO(sealed), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def other_text(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.update_container(page)


def note(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    mark = generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Annot")})
    page["/Annots"] = generic.ArrayObject([writer.add_object(mark)])
    writer.update_container(page)


def unlinked(writer):
    writer.add_object(generic.StreamObject(stream_data=b"hidden"))


def other_attachment(writer):
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    names[1].get_object()["/UF"] = generic.TextStringObject("other.json")
    writer.update_container(names[1].get_object())


@pytest.mark.parametrize("change", [other_text, note, unlinked, other_attachment])
def test_content_added_after_the_seal_is_found(sealed, roots, change):
    with pytest.raises(pdf.PdfAltered):
        pdf.verify(added(sealed, change), roots, AT)


@pytest.mark.parametrize("change", [other_text, note, other_attachment])
def test_content_added_and_timestamped_anew_is_found(sealed, authority, change):
    """With a genuine timestamp over the changed file every octet is covered, and yet the seal does not hold."""
    writer = IncrementalPdfFileWriter(BytesIO(added(sealed, change)))
    output = BytesIO()
    stamper = signers.PdfTimeStamper(_Timestamper(authority.timestamp), field_name="Another")
    finish(stamper.async_timestamp_pdf(writer, "sha256", validation_context=None, output=output))
    with pytest.raises(pdf.PdfAltered, match="added after"):
        pdf.verify(output.getvalue(), [authority.root.certificate], AT)


def test_a_later_timestamp_needs_proofs_of_its_own(sealed, authority):
    later = Authority(INTL)
    later.__dict__.update(authority.__dict__, at=AT + YEAR)
    output = BytesIO()
    stamper = signers.PdfTimeStamper(_Timestamper(later.timestamp), field_name="Renewed")
    finish(
        stamper.async_timestamp_pdf(
            IncrementalPdfFileWriter(BytesIO(sealed)), "sha256", validation_context=None, output=output
        )
    )
    roots = [authority.root.certificate]
    with pytest.raises(pdf.PdfSealUntrusted) as caught:
        pdf.verify(
            output.getvalue(), roots, AT + 2 * YEAR
        )  # its proofs end a year before: nothing shows it good then
    assert isinstance(caught.value.__cause__, RevocationUnknown)


def test_hostile_structure_leaves_as_an_error_of_the_tree(sealed, roots):
    for pattern, other in (
        (rb"/ByteRange \[\d+", b"/ByteRange [-1"),
        (rb"/Type */Sig\b", b"/Type /XXX"),
        (rb"/DSS", b"/DSX"),
        (rb"/EmbeddedFiles", b"/EmbeddedXiles"),
    ):
        changed = re.sub(pattern, lambda found, other=other: other.ljust(len(found.group())), sealed)
        with pytest.raises(REFUSALS):
            pdf.verify(changed, roots, AT)
        with contextlib.suppress(YinxinError):
            pdf.attachments(changed)
