"""Check a sealed OFD offline: what the seal covers, who put it on, when, and which place was touched since.

The proofs (certificates and revocation lists) must stand in the package itself, as files that it carries. Nothing is fetched.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from posixpath import dirname

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import BadSignature, DigestMismatch, Malformed, UnsupportedAlgorithm
from yinxin.crypto.path import RevocationEvidence
from yinxin.crypto.seal import Known, Sealed
from yinxin.crypto.seal import signature as seals
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import hash_algorithm
from yinxin.errors import YinxinError
from yinxin.ofd.errors import OfdAltered, OfdMalformed, OfdNotSealed, OfdSealUntrusted
from yinxin.ofd.model import Stamp
from yinxin.ofd.read import Opened, Signature, attached, opened, place, signatures
from yinxin.text import Text

CERTIFICATE, CRL = ".cer", ".crl"


@dataclass(frozen=True, slots=True)
class SealedBy:
    """A seal that holds: whose, by which certificate, who made the seal, the instant that its timestamp proves, and where its picture stands."""

    name: str
    certificate: Certificate
    maker: Certificate
    at: datetime
    stamps: tuple[Stamp, ...]


def verify(data: bytes, roots: Sequence[Certificate], at: datetime) -> tuple[SealedBy, ...]:
    """Check every seal of `data` against `roots`; raises OfdMalformed, OfdNotSealed, OfdAltered or OfdSealUntrusted.

    1. The package can be read in one way only. 2. Every part but the signatures themselves is named by every signature
    and has the digest that it names; of several seals, put on one after the other, an earlier one need not cover the
    list of signatures and the later ones, nor the certificates and revocation lists that these bring. 3. Each signature holds over its description: its user signed it, a trusted
    timestamp proves when, the seal was in force, made by a trusted maker and bound to that user, and no certificate was
    revoked at that instant. `at` is when it is checked.
    """
    package = opened(data)
    found = signatures(package)
    if not found:
        raise OfdNotSealed(reason=Text("没有签章", "no signature"))
    digest = cache(lambda method, path: hash_algorithm(method).digest(package.parts[path]))
    for number, each in enumerate(found):
        _covered(package, each, found[number + 1 :], digest)
    known = _known(package, roots, found)
    return tuple(_sealed(package, each, known, at) for each in found)


def _covered(
    package: Opened, signature: Signature, later: Sequence[Signature], digest: Callable[[str, str], bytes]
) -> None:
    """Every part is as it was when this seal was put on; `digest` of a method and a part, made once for all seals."""
    try:
        hash_algorithm(signature.check)
    except UnsupportedAlgorithm as error:
        raise OfdSealUntrusted(reason=error) from error
    named = dict(signature.references)
    if len(named) != len(signature.references):
        raise OfdMalformed(reason=Text("摘要清单有重复", "a part with two digests"))
    for path, expected in named.items():
        if path not in package.parts:
            missing = Text("该部件已不在", "it is gone")
            raise OfdAltered(place=place(package, path), reason=missing)
        if not hmac.compare_digest(digest(signature.check, path), expected):
            differs = Text("与盖章时的摘要不符", "it has not the digest that was sealed")
            raise OfdAltered(place=place(package, path), reason=differs)
    own = {signature.path, signature.value}
    since = {path for each in later for path in (*each.own, *_proofs(package, each))}
    if later and package.signatures:
        since.add(package.signatures)
    if extra := sorted(set(package.parts) - set(named) - own - since):
        added = Text("不在印章的保护范围内", "the seal does not cover it")
        raise OfdAltered(place=place(package, extra[0]), reason=added)


def _proofs(package: Opened, signature: Signature) -> list[str]:
    """The certificates and revocation lists that a seal brought along: they lie beside its description, and show nothing to a reader."""
    folder = dirname(signature.path)
    return [path for path in package.parts if dirname(path) == folder and path.endswith((CERTIFICATE, CRL))]


def _known(package: Opened, roots: Sequence[Certificate], found: Sequence[Signature]) -> Known:
    """What the package brings to judge its certificates by; none of it is trusted by itself."""
    files = attached(package) | {
        path: package.parts[path] for each in found for path in _proofs(package, each)
    }
    try:
        return Known(
            tuple(roots),
            tuple(Certificate.load(files[name]) for name in sorted(files) if name.endswith(CERTIFICATE)),
            RevocationEvidence(
                crls=tuple(CertificateList.load(files[name]) for name in sorted(files) if name.endswith(CRL))
            ),
        )
    except YinxinError as error:
        raise OfdSealUntrusted(reason=error) from error


def _sealed(package: Opened, signature: Signature, known: Known, at: datetime) -> SealedBy:
    try:
        value = package.parts[signature.value]
    except KeyError as error:
        raise OfdNotSealed(reason=Text("缺少签名值", "its signature value is missing")) from error
    described = package.parts[signature.path]
    try:
        given = seals.read(value)
        held: Sealed = seals.verify(value, described, known, at=at)
    except (BadSignature, DigestMismatch, Malformed) as error:
        raise OfdAltered(place=place(package, signature.path), reason=error) from error
    except YinxinError as error:
        raise OfdSealUntrusted(reason=error) from error
    if given.scope.lstrip("/") != signature.path:
        elsewhere = Text("印章签的是另一处", "it was sealed for another place")
        raise OfdAltered(place=place(package, signature.path), reason=elsewhere)
    if signature.seal is not None and package.parts.get(signature.seal) != held.seal.der:
        other = Text("显示的印章不是签章所用的印章", "the seal that is shown is not the one that signed")
        raise OfdAltered(place=place(package, signature.seal), reason=other)
    return SealedBy(held.seal.name, held.certificate, held.seal.maker, held.at, signature.stamps)
