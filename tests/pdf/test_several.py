"""Several organs' seals on one PDF: each holds, in the places that the first one left, and nothing else was added."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from tests.pdf.authority import AT, DAY
from tests.pdf.test_verify import note, other_text
from tests.support.coroutines import finish
from yinxin import pdf
from yinxin.pdf import read
from yinxin.pdf.seal import _RemoteSigner, _Timestamper

BOX = pdf.Place(1, 30, 200, 42)
OTHER = pdf.Place(1, 110, 200, 42)


def put(authority, data, seal, number, **more):
    return pdf.seal(
        data,
        signer=seal.key,
        certificate=seal.certificate,
        validity=authority.validity(seal),
        timestamp=authority.timestamp,
        at=authority.at,
        place=BOX if number == 1 else OTHER,
        picture=None,
        number=number,
        **more,
    )


@pytest.fixture(scope="module")
def seals(authority):
    return authority.organ_seal("甲市人民政府印章"), authority.organ_seal("乙市人民政府印章")


@pytest.fixture(scope="module")
def half(authority, notice, seals):
    return put(authority, notice.pdf, seals[1], 2, others={1: BOX})


@pytest.fixture(scope="module")
def both(authority, half, seals):
    return put(authority, half, seals[0], 1)


@pytest.fixture
def roots(authority):
    return [authority.root.certificate]


def test_both_hold_in_the_order_in_which_they_were_put_on(both, half, seals, roots):
    found = pdf.verify_all(both, roots, AT + 400 * DAY)
    assert [each.certificate for each in found] == [seals[1].certificate, seals[0].certificate]
    assert [each.certificate for each in pdf.verify_all(half, roots, AT)] == [seals[1].certificate]
    assert both.startswith(half)
    with pytest.raises(pdf.PdfNotSealed, match="2 seals"):
        pdf.verify(both, roots, AT)
    assert pdf.verify(half, roots, AT).certificate == seals[1].certificate
    assert len(read.signatures(both)) == 4  # each with a timestamp over the file behind it


@pytest.mark.parametrize("change", [other_text, note])
def test_what_is_added_between_two_seals_is_found(authority, half, seals, roots, change):
    """The second seal covers it, and the first does not hold any more."""
    writer = IncrementalPdfFileWriter(BytesIO(half), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)
    with pytest.raises(pdf.PdfAltered, match="added after"):
        pdf.verify_all(put(authority, output.getvalue(), seals[0], 1), roots, AT)


def test_a_seal_in_a_place_that_nobody_left_is_found(authority, both, half, seals, roots):
    third = authority.organ_seal("丙市人民政府印章")
    for data in (both, half):
        writer = put_anew(authority, data, third)
        with pytest.raises(pdf.PdfAltered):
            pdf.verify_all(writer, roots, AT)


def put_anew(authority, data, seal):
    """A field of her own, where the sealer wants it, as other programs would add one."""
    metadata = signers.PdfSignatureMetadata(
        field_name="Another",
        timestamp_field_name="AnotherTimestamp",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True,
        use_pades_lta=True,
        validation_context=authority.validity(seal).context(AT),
        signer_key_usage={"digital_signature", "non_repudiation"},
    )
    by = _RemoteSigner(
        seal.key, seal.certificate, (*authority.validity(seal).others, authority.root.certificate)
    )
    signer = signers.PdfSigner(
        metadata,
        by,
        timestamper=_Timestamper(authority.timestamp),
        new_field_spec=fields.SigFieldSpec("Another", on_page=0, box=(50, 50, 150, 150)),
    )
    output = BytesIO()
    finish(signer.async_sign_pdf(IncrementalPdfFileWriter(BytesIO(data)), output=output))
    return output.getvalue()
