"""What CRLs say of a certificate (RFC 5280 6.3.3): which speak for it, for which reasons, who signed them, and deltas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import PathTooComplex, RevocationUnknown, WrongIssuer
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.names import Folded, Name
from yinxin.crypto.path.statement import ALL_REASONS, Statement
from yinxin.crypto.path.work import Kind
from yinxin.crypto.points import CrlPoint, PointName
from yinxin.crypto.status import CertificateList, Good, Reason, Revoked
from yinxin.errors import YinxinError

if TYPE_CHECKING:
    from yinxin.crypto.path.revocation import Revocation


@dataclass(frozen=True)
class _Asked:
    """Of which certificate, and the path above it from its issuer to the anchor."""

    certificate: Certificate
    above: Sequence[Certificate]


class Lists:
    """The CRLs at hand, by the name of their issuer."""

    def __init__(self, crls: Iterable[CertificateList], judge: Revocation) -> None:
        self._judge = judge
        self._by_issuer: defaultdict[Folded, list[CertificateList]] = defaultdict(list)
        self._signatures: dict[tuple[bytes, bytes], YinxinError | None] = {}
        #: lists whose signer is being judged further up the stack
        self._open: set[tuple[bytes, bytes]] = set()
        for each in dict.fromkeys(crls):
            self._by_issuer[each.issuer.folded].append(each)

    def about(
        self,
        certificate: Certificate,
        above: Sequence[Certificate],
        unusable: list[YinxinError],
    ) -> Iterator[Statement]:
        """What the verified ones say; why the rest was not heard goes to `unusable`."""
        asked = _Asked(certificate, above)
        heard: dict[CertificateList, frozenset[str]] = {}
        for crl, reasons in self._covering(certificate):
            if crl not in heard:
                try:
                    self._verify(crl, asked)
                    crl.lookup(certificate.serial, certificate.issuer)
                except PathTooComplex:
                    raise
                except YinxinError as error:
                    unusable.append(error)
                    continue
            heard[crl] = heard.get(crl, frozenset()) | reasons
        for crl, reasons in heard.items():
            yield from _statements(crl, reasons, heard, certificate)

    # --- which lists speak for it (6.3.3 b to d) ---------------------------------------------------------------

    def _covering(self, certificate: Certificate) -> Iterator[tuple[CertificateList, frozenset[str]]]:
        """By each of its distribution points, and by the one that every certificate has: its issuer's name."""
        own = CrlPoint(others=(("dirname", certificate.issuer.der.hex()),))
        for point in (*certificate.crl_points, own):
            for issuer in _issuers(point, certificate):
                for crl in self._by_issuer.get(issuer, ()):
                    self._judge.work.spend(Kind.NAMES)
                    if _speaks(crl, point, certificate):
                        yield crl, (point.reasons or ALL_REASONS) & (crl.scope.reasons or ALL_REASONS)

    # --- who signed it (6.3.3 f to h) --------------------------------------------------------------------------

    def _verify(self, crl: CertificateList, asked: _Asked) -> None:
        """Find who signed it and may: the issuer, an authority of the same name beside it, or the one that it names."""
        candidates = [*asked.above, *self._judge.pool.bearing(crl.issuer.folded)]
        failure: YinxinError | None = None
        for signer in dict.fromkeys(candidates):
            if not signer.subject.matches(crl.issuer):
                continue
            try:
                self._verify_signature(crl, signer)
                if signer not in asked.above:
                    self._verify_signer(crl, signer, asked)
            except PathTooComplex:
                raise
            except YinxinError as error:
                failure = failure if failure and isinstance(error, WrongIssuer) else error
                continue
            return
        raise failure or WrongIssuer(subject=f"CRL {crl.number}", issuer=crl.issuer.text)

    def _verify_signature(self, crl: CertificateList, signer: Certificate) -> None:
        known = (crl.der, signer.der)
        if known not in self._signatures:
            self._judge.work.spend(Kind.STATEMENTS)
            try:
                crl.verify(signer)
            except YinxinError as error:
                self._signatures[known] = error
            else:
                self._signatures[known] = None
        if (failure := self._signatures[known]) is not None:
            raise failure

    def _verify_signer(self, crl: CertificateList, signer: Certificate, asked: _Asked) -> None:
        """A valid path of its own to the same anchor, not over the certificate that is asked about.

        Who bears the issuer's own name must have it from an authority on the path above: else any authority of the
        hierarchy could speak in that name. A list may cover the certificate of its own signer; then it says of itself
        that it holds, and only a list that says otherwise is refused.
        """
        entered = (crl.der, signer.der)
        if entered in self._open:
            return
        self._open.add(entered)
        try:
            delegated = not crl.issuer.matches(asked.certificate.issuer)
            for path in self._judge.find_path(signer, asked.above[-1]):
                own = not any(self._judge.is_open(each) for each in path)
                if own and (delegated or _is_among(path[1], asked.above)):
                    return
        finally:
            self._open.discard(entered)
        raise RevocationUnknown(subject=signer.subject.text, at=self._judge.at)


def _is_among(certificate: Certificate, others: Iterable[Certificate]) -> bool:
    """Whether it is one of them: by name and key, for one authority may have several certificates."""
    return any(
        each.public_key == certificate.public_key and each.subject.matches(certificate.subject)
        for each in others
    )


def _issuers(point: CrlPoint, certificate: Certificate) -> Iterable[Folded]:
    """Whose list is to be found there (b 1)."""
    if not point.issuer:
        return (certificate.issuer.folded,)
    return dict.fromkeys(Name(bytes.fromhex(text)).folded for kind, text in point.issuer if kind == "dirname")


def _speaks(crl: CertificateList, point: CrlPoint, certificate: Certificate) -> bool:
    """Whether a list found there is meant for this certificate (b 1 and b 2)."""
    scope = crl.scope
    if point.issuer and not scope.indirect:
        return False
    if not scope.holds(certificate):
        return False
    ours = _names(scope.name, crl.issuer)
    if not ours:
        return True
    theirs = _names(point.name, crl.issuer) or {_comparable(each) for each in point.issuer}
    return not ours.isdisjoint(theirs)


def _names(name: PointName, issuer: Name) -> set[object]:
    """Every full name that a point has; a relative one follows its issuer's."""
    if name.relative is not None:
        whole = Name(der.sequence(*der.elements(issuer.der), name.relative))
        return {("dirname", whole.folded)}
    return {_comparable(each) for each in name.names}


def _comparable(name: GeneralName) -> object:
    kind, text = name
    return (kind, Name(bytes.fromhex(text)).folded) if kind == "dirname" else name


# --- what they say (6.3.3 i to l) -------------------------------------------------------------------------------


def _statements(
    crl: CertificateList,
    reasons: frozenset[str],
    heard: Iterable[CertificateList],
    certificate: Certificate,
) -> Iterator[Statement]:
    """A whole list alone, and with each of its deltas; a delta alone only when it revokes: it knows of no good ones."""
    found = crl.lookup(certificate.serial, certificate.issuer)
    if crl.delta_base is not None:
        if found and found.reason is not Reason.REMOVE_FROM_CRL:
            yield _statement(crl, found, frozenset())
        return
    yield _statement(crl, found, reasons)
    for delta in heard:
        if _is_delta_to(delta, crl):
            newer = delta.lookup(certificate.serial, certificate.issuer)
            if newer and newer.reason is Reason.REMOVE_FROM_CRL:
                yield _statement(delta, None, reasons)
            else:
                yield _statement(delta, newer or found, reasons)


def _statement(crl: CertificateList, found: Revoked | None, reasons: frozenset[str]) -> Statement:
    series = (crl.issuer.folded, crl.scope, crl.authority_key_id)
    return Statement(found or Good(), crl.this_update, crl.next_update, reasons, series, crl.number)


def _is_delta_to(delta: CertificateList, whole: CertificateList) -> bool:
    """RFC 5280 5.2.4 and 6.3.3 c: same issuer, key and scope; made to that list or an earlier one, and newer."""
    return (
        delta.delta_base is not None
        and delta.delta_base <= whole.number < delta.number
        and delta.issuer.matches(whole.issuer)
        and delta.authority_key_id == whole.authority_key_id
        and delta.scope == whole.scope
    )
