"""What pyHanko is asked about a PDF that may be hostile; whatever it trips over leaves as an error of ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, SuspiciousModification
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from yinxin.errors import YinxinError
from yinxin.pdf.errors import PdfAltered, PdfNotSealed
from yinxin.text import Text

_SEAL = "/Sig"
_TIMESTAMP = "/DocTimeStamp"
#: seals of one document that are read: each is compared with all that came after it
MOST_SEALS = 20
#: DER: a length is said in the octet itself below this, else in that many octets more
_LONG_FORM = 0x80


@dataclass(frozen=True, slots=True)
class SecurityStore:
    """Certificates, OCSP answers and CRLs of the document security store (ISO 32000-2, 12.8.4.3), in DER."""

    certificates: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    crls: tuple[bytes, ...]


@contextmanager
def _refusing(refusal: type[PdfAltered | PdfNotSealed]) -> Iterator[None]:
    """A library that reads a hostile file fails in any way; each means that the file is none of ours."""
    try:
        yield
    except YinxinError:
        raise
    except Exception as error:
        raise refusal(reason=Text("无法读取的 PDF", "not a readable PDF")) from error


def signatures(pdf: bytes) -> Sequence[EmbeddedPdfSignature]:
    """The seals and the timestamps over the file in their order, each seal with a timestamp behind it; raises PdfNotSealed, PdfAltered."""
    with _refusing(PdfNotSealed):
        found: list[EmbeddedPdfSignature] = list(PdfFileReader(BytesIO(pdf)).embedded_signatures)
        kinds = [str(each.sig_object_type) for each in found]
    if not 0 < kinds.count(_SEAL) <= MOST_SEALS:
        raise PdfNotSealed(reason=Text(f"{kinds.count(_SEAL)} 个印章", f"{kinds.count(_SEAL)} seals"))
    after = [kinds[number : number + 2] for number, kind in enumerate(kinds) if kind == _SEAL]
    if (
        kinds[0] != _SEAL
        or set(kinds) != {_SEAL, _TIMESTAMP}
        or any(each != [_SEAL, _TIMESTAMP] for each in after)
    ):
        raise PdfAltered(reason=Text("没有覆盖全文的时间戳", "no timestamp over the whole file"))
    with _refusing(PdfAltered):
        ranges = [[int(number) for number in each.byte_range] for each in found]
    if any(len(each) != 4 for each in ranges):
        raise PdfAltered(reason=Text("签名未覆盖全文", "a signature does not cover the file"))
    return found


def is_seal(signature: EmbeddedPdfSignature) -> bool:
    """Whether it is a seal, and no timestamp over the file."""
    return str(signature.sig_object_type) == _SEAL


def changes(seal: EmbeddedPdfSignature) -> DiffResult | SuspiciousModification:
    """What was added after the seal, in pyHanko's judgement."""
    with _refusing(PdfAltered):
        seal.compute_integrity_info(DEFAULT_DIFF_POLICY)  # type: ignore[no-untyped-call]
        result = seal.diff_result
    assert result is not None  # noqa: S101 - it is always made, being asked for
    return result


def contents(signature: EmbeddedPdfSignature) -> bytes:
    """The signature itself: its DER without the padding, which must be zeros. Raises PdfAltered."""
    padded = signature.pkcs7_content
    length, begin = padded[1], 2
    if length > _LONG_FORM:
        begin = 2 + length - _LONG_FORM
        length = int.from_bytes(padded[2:begin])
    if any(padded[begin + length :]):
        raise PdfAltered(reason=Text("签名之后有多余内容", "something lies behind a signature"))
    return padded[: begin + length]


def covered(pdf: bytes, signature: EmbeddedPdfSignature) -> bytes:
    """The octets that the signature covers."""
    first, size, second, rest = (int(number) for number in signature.byte_range)
    return pdf[first : first + size] + pdf[second : second + rest]


def security_store(pdf: bytes) -> SecurityStore:
    """The proofs that the file carries; raises PdfAltered when there are none."""
    with _refusing(PdfAltered):
        store = PdfFileReader(BytesIO(pdf)).root["/DSS"]
        parts = [
            tuple(each.get_object().data for each in store.get(name, ()))
            for name in ("/Certs", "/OCSPs", "/CRLs")
        ]
        return SecurityStore(*parts)


def attachments(pdf: bytes) -> dict[str, bytes]:
    """The files carried inside, by name; raises PdfNotSealed when it is no readable PDF."""
    found: dict[str, bytes] = {}
    with _refusing(PdfNotSealed):
        try:
            names = PdfFileReader(BytesIO(pdf)).root["/Names"]["/EmbeddedFiles"]["/Names"]
        except KeyError:
            return found
        for entry in list(names)[1::2]:
            specification = entry.get_object()
            found[str(specification["/UF"])] = specification["/EF"]["/F"].data
    return found


def pages(pdf: bytes) -> int:
    """How many pages it says that it has; raises PdfNotSealed when it is no readable PDF."""
    with _refusing(PdfNotSealed):
        return int(PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Count"])
