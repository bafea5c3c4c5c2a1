"""Check a sealed PDF offline: what it covers, who sealed it, when, and whether anything was touched since.

pyHanko reads the file and judges what was added after the seal; signatures, timestamps, paths and revocation are
judged by `yinxin.crypto`, as everywhere else. Nothing is fetched.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, DigestMismatch, Malformed
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList, OcspResponse
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.pdf import read
from yinxin.pdf.errors import PdfAltered, PdfNotSealed, PdfSealUntrusted
from yinxin.text import Text

#: how far the clocks of sealer, timestamp authority and verifier may lie apart
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SealedBy:
    """A seal that holds: whose, and the time that a timestamp proves for it."""

    certificate: Certificate
    at: datetime


@dataclass(frozen=True, slots=True)
class _Proofs:
    """What the file carries (ISO 32000-2, 12.8.4.3: document security store), and the reader's roots."""

    roots: Sequence[Certificate]
    certificates: tuple[Certificate, ...]
    revocation: RevocationEvidence


def verify(pdf: bytes, roots: Sequence[Certificate], at: datetime) -> SealedBy:
    """Check the one seal of `pdf` against `roots`; raises PdfNotSealed, also of a file with several, or as `verify_all`."""
    found = verify_all(pdf, roots, at)
    if len(found) != 1:
        raise PdfNotSealed(reason=Text(f"{len(found)} 个印章", f"{len(found)} seals"))
    return found[0]


def verify_all(pdf: bytes, roots: Sequence[Certificate], at: datetime) -> tuple[SealedBy, ...]:
    """Check every seal of `pdf` against `roots`, in the order in which they were put on; raises PdfNotSealed, PdfAltered or PdfSealUntrusted.

    1. The file has seals, and after each of them timestamps over the whole file. 2. Nothing was added since but proofs, and seals in
    the places that the first one left for them. 3. A seal's signature holds over what it covers. 4. A trusted timestamp proves when.
    5. The seal's certificate led to a root and was not revoked at that instant. 6. So did those of the timestamps over the whole file.

    The proofs must stand in the file itself. `at` is when it is checked: a seal of a later time is not believed, and
    certificates that have expired or were revoked between the seal and `at` do not matter. What a file alone cannot
    show is that a timestamp authority's key was lost later; the log's proof in an evidence bundle does.
    """
    signatures = read.signatures(pdf)
    seals = [each for each in signatures if read.is_seal(each)]
    _whole(pdf, signatures, seals)
    proofs = _proofs(pdf, roots)
    sealed, times = [], []
    for each in signatures:
        if each in seals:
            sealed.append(_sealed(pdf, each, proofs))
            times.append(sealed[-1].at)
        else:
            times.append(_stamped(pdf, each, proofs))
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        raise PdfAltered(reason=Text("时间戳先后颠倒", "its timestamps are out of order"))
    if times[-1] > at + _SKEW:
        raise PdfSealUntrusted(
            reason=Text("盖章时间晚于核验时间", "it was sealed after the time of checking")
        )
    return tuple(sealed)


def _whole(
    pdf: bytes, signatures: Sequence[EmbeddedPdfSignature], seals: Sequence[EmbeddedPdfSignature]
) -> None:
    """Each signature covers everything up to itself, and after a seal nothing came but proofs, and the seals after it."""
    for each in signatures:
        first, start, second, size = (int(number) for number in each.byte_range)
        end = len(pdf) if each is signatures[-1] else second + size
        spelled = pdf[start:second] == b"<" + each.pkcs7_content.hex().upper().encode() + b">"
        if first != 0 or second + size != end or not spelled:
            raise PdfAltered(reason=Text("签名未覆盖全文", "a signature does not cover the file"))
    # a seal's own changes came before it, so everything after it is judged from it
    for number, seal in enumerate(seals, 1):
        result = read.changes(seal)
        later = {each.field_name for each in seals[number:]}
        allowed = ModificationLevel.FORM_FILLING if later else ModificationLevel.LTA_UPDATES
        if (
            not isinstance(result, DiffResult)
            or result.modification_level > allowed
            or not result.changed_form_fields <= later
        ):
            raise PdfAltered(reason=Text("盖章后增添过内容", "content was added after the seal"))


def _proofs(pdf: bytes, roots: Sequence[Certificate]) -> _Proofs:
    stored = read.security_store(pdf)
    try:
        return _Proofs(
            roots,
            tuple(Certificate.load(each) for each in stored.certificates),
            RevocationEvidence(
                ocsp=tuple(OcspResponse.load(each) for each in stored.ocsps),
                crls=tuple(CertificateList.load(each) for each in stored.crls),
            ),
        )
    except YinxinError as error:
        raise PdfAltered(reason=error) from error


def _sealed(pdf: bytes, seal: EmbeddedPdfSignature, proofs: _Proofs) -> SealedBy:
    signature = read.contents(seal)
    try:
        by = cms.verify_detached(signature, read.covered(pdf, seal), certificates=proofs.certificates)
    except YinxinError as error:
        raise PdfAltered(reason=error) from error
    token = by.timestamp_token
    if token is None:
        raise PdfSealUntrusted(reason=Text("印章没有时间戳", "the seal has no timestamp"))
    _trusted(token, cms.signature_value(signature), proofs)
    try:
        validate(
            by.certificate,
            (*by.chain, *proofs.certificates),
            proofs.roots,
            at=token.at,
            usage=Usage.SIGNATURE,
            revocation=proofs.revocation,
        )
    except YinxinError as error:
        raise PdfSealUntrusted(reason=error) from error
    return SealedBy(by.certificate, token.at)


def _stamped(pdf: bytes, stamp: EmbeddedPdfSignature, proofs: _Proofs) -> datetime:
    """When a timestamp over the file was made; it covers the seal and every proof before it."""
    try:
        token = Token.load(read.contents(stamp))
    except YinxinError as error:
        raise PdfAltered(reason=error) from error
    _trusted(token, read.covered(pdf, stamp), proofs)
    return token.at


def _trusted(token: Token, message: bytes, proofs: _Proofs) -> None:
    known = {*proofs.certificates, *proofs.roots}
    try:
        unexplained = [each for each in token.certificates if each not in known]
        token.verify(
            message,
            anchors=proofs.roots,
            intermediates=proofs.certificates,
            revocation=proofs.revocation,
        )
    except (BadSignature, DigestMismatch, Malformed) as error:
        raise PdfAltered(reason=error) from error
    except YinxinError as error:
        raise PdfSealUntrusted(reason=error) from error
    if unexplained:
        name = unexplained[0].subject.text
        raise PdfAltered(reason=Text(f"来历不明的证书 {name}", f"a certificate nobody accounts for, {name}"))
