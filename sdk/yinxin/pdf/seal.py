"""Put a seal on a PDF: PAdES baseline B-LTA (ETSI EN 319 142-1) by pyHanko, with our keys, clock and proofs.

The key stays where it is (`Signer`), the timestamps come from a callback, and the revocation state of every
certificate goes into the file, so that the seal can be checked offline when all of them have expired.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import MappingProxyType
from typing import Any

from asn1crypto import algos, tsp, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSigningSession,
    TimestampDSSContentSettings,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import ValidationError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer
from yinxin.crypto.timestamps import Token
from yinxin.pdf.errors import PdfSealUntrusted, PdfUnreadable
from yinxin.pdf.picture import SealPicture

# it warns that proofs cannot be fetched, which is what we ask of it
logging.getLogger("pyhanko").setLevel(logging.ERROR)

_POINTS_PER_MM = 72 / 25.4
_A4_HEIGHT_MM = 297.0
#: of the field that a seal stands in; the second and later ones have their number behind it
_NAME = "Seal"
NO_OTHERS: Mapping[int, "Place | None"] = MappingProxyType({})
_LONGEST_SIGNATURE = 72  # octets of a DER ECDSA P-256 signature

#: every proof goes in before the last timestamp, so that this covers the whole file to its last octet
_PROOFS_FIRST = DSSContentSettings(
    include_vri=False,
    next_ts_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the seal's picture goes: page from 1, and a square in mm from the sheet's top left."""

    page: int
    x_mm: float
    y_mm: float
    size_mm: float

    def around(self, size_mm: float) -> "Place":
        """The same middle, with another side."""
        inward = (self.size_mm - size_mm) / 2
        return Place(self.page, self.x_mm + inward, self.y_mm + inward, size_mm)

    def box(self) -> tuple[int, int, int, int]:
        """The square in PDF points from the bottom left."""
        left, right = self.x_mm, self.x_mm + self.size_mm
        bottom, top = _A4_HEIGHT_MM - self.y_mm - self.size_mm, _A4_HEIGHT_MM - self.y_mm
        return tuple(round(value * _POINTS_PER_MM) for value in (left, bottom, right, top))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried inside the PDF, before it is sealed (PDF/A-3 associated file)."""

    name: str
    media_type: str
    description: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Validity:
    """What proves every certificate good at sealing: root, all other certificates, OCSP answers and CRLs, in DER."""

    root: Certificate
    others: tuple[Certificate, ...]
    ocsps: tuple[bytes, ...]
    crls: tuple[bytes, ...]

    def context(self, at: datetime) -> ValidationContext:
        """PyHanko's view of it; nothing is ever fetched."""
        return ValidationContext(
            trust_roots=[_asn1(self.root)],
            other_certs=[_asn1(each) for each in self.others],
            ocsps=list(self.ocsps),
            crls=list(self.crls),
            moment=at,
            allow_fetching=False,
            revocation_mode="require",
        )


class _RemoteSigner(signers.Signer):
    """pyHanko's signer on one of ours."""

    def __init__(self, signer: Signer, certificate: Certificate, chain: Sequence[Certificate]) -> None:
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple([_asn1(each) for each in chain])
        mechanism = algos.SignedDigestAlgorithm({"algorithm": signer.public_key.signature_algorithm.oid})
        super().__init__(
            signature_mechanism=mechanism, signing_cert=_asn1(certificate), cert_registry=registry
        )
        self._signer = signer

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002, FBT001, FBT002 - pyHanko's signature
        if dry_run:
            return bytes(_LONGEST_SIGNATURE)
        return self._signer.sign(data)


class _PdfSigner(signers.PdfSigner):
    """pyHanko's act of signing, at the time it is told instead of the machine's."""

    def __init__(
        self, at: datetime, metadata: signers.PdfSignatureMetadata, signer: signers.Signer, **more: Any
    ) -> None:
        super().__init__(metadata, signer, **more)
        self._at = at

    def init_signing_session(self, *given: Any, **named: Any) -> PdfSigningSession:
        """The session, with our time in it."""
        session = super().init_signing_session(*given, **named)
        session.system_time = self._at
        return session


class _Timestamper(timestamps.TimeStamper):
    """pyHanko's timestamp client on a callback: request DER in, response DER out."""

    def __init__(self, query: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._query = query

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        request = req.dump()
        answer = self._query(request)
        Token.from_response(answer, request)  # raises when it is no answer, or to something else
        return tsp.TimeStampResp.load(answer)


def seal(
    pdf: bytes,
    *,
    signer: Signer,
    certificate: Certificate,
    validity: Validity,
    timestamp: Callable[[bytes], bytes],
    at: datetime,
    place: Place | None,
    picture: bytes | None,
    attachments: Sequence[Attachment] = (),
    reason: str | None = None,
    number: int = 1,
    others: Mapping[int, Place | None] = NO_OTHERS,
) -> bytes:
    """Seal `pdf` and return the sealed file; `picture` is a PNG with a transparent ground.

    Of several organs' seals this is the one with that `number`. Whoever seals first names the places of all `others`, by their numbers,
    and her seal covers these places empty: what it allows is that they are filled, and nothing else. Then `place` was named before. A
    file that is to have one seal allows nothing at all.

    Raises PictureUnreadable, what `signer` and `timestamp` raise, AnswerMismatch when the timestamp is another's, PdfUnreadable when `pdf` is none, and PdfSealUntrusted when the proofs
    do not show the certificates of seal and timestamp good at `at`: such a seal is not made.
    """
    output = BytesIO()
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
    except (PdfError, ValueError) as error:
        raise PdfUnreadable(reason=str(error)) from error
    for attachment in attachments:
        _embed(writer, attachment)
    for each, there in others.items():
        fields.append_signature_field(writer, _field(each, there))
    first = not writer.prev.embedded_signatures
    hash_name = signer.public_key.signature_algorithm.hash.name
    name = _field_name(number)
    metadata = signers.PdfSignatureMetadata(
        field_name=name,
        timestamp_field_name=f"{name}Timestamp",
        md_algorithm=hash_name,
        reason=reason,
        certify=first,
        docmdp_permissions=fields.MDPPerm.FILL_FORMS if others else fields.MDPPerm.NO_CHANGES,
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True,
        dss_settings=_PROOFS_FIRST,
        use_pades_lta=True,
        validation_context=validity.context(at),
        signer_key_usage={"digital_signature", "non_repudiation"},
    )
    pdf_signer = _PdfSigner(
        at,
        metadata,
        _RemoteSigner(signer, certificate, (*validity.others, validity.root)),
        timestamper=_Timestamper(timestamp),
        stamp_style=_style(picture),
        new_field_spec=_field(number, place) if first else None,
    )
    try:
        _finish(pdf_signer.async_sign_pdf(writer, output=output))
    except (SigningError, SignatureValidationError, ValidationError) as error:
        raise PdfSealUntrusted(reason=f"{error}: {error.__cause__}") from error
    return output.getvalue()


def _finish(work: Coroutine[Any, Any, object]) -> None:
    """Run pyHanko's coroutine to its end; in a thread of its own where this one already runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(copy_context().run, asyncio.run, work).result()


def _field_name(number: int) -> str:
    return _NAME if number == 1 else f"{_NAME}{number}"


def _field(number: int, place: Place | None) -> fields.SigFieldSpec:
    name = _field_name(number)
    if place is None:
        return fields.SigFieldSpec(name)
    return fields.SigFieldSpec(name, on_page=place.page - 1, box=place.box())


def _style(picture: bytes | None) -> StaticStampStyle | None:
    if picture is None:
        return None
    whole = SimpleBoxLayoutRule(AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, Margins(0, 0, 0, 0))
    return StaticStampStyle(
        border_width=0, background=SealPicture(picture), background_layout=whole, background_opacity=1.0
    )


def _embed(writer: IncrementalPdfFileWriter, attachment: Attachment) -> None:
    data = EmbeddedFileObject.from_file_data(
        writer, data=attachment.data, mime_type=attachment.media_type, compress=False
    )
    embed_file(
        writer,
        FileSpec(
            attachment.name,
            file_name=attachment.name,
            embedded_data=data,
            description=attachment.description,
            af_relationship=generic.pdf_name("/Source"),
        ),
    )


def _asn1(certificate: Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.der)
