"""Whether a seal holds, apart from what it was put on: its maker's signature, certificate and times."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Expired, NotYetValid
from yinxin.crypto.path import RevocationEvidence, Usage, ValidatedPath, validate
from yinxin.crypto.seal.errors import SealMakerUntrusted, SealTimeUnproved
from yinxin.crypto.seal.form import Seal
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.text import Text

#: how far the clocks of maker, user and timestamp authority may lie apart
SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Known:
    """What a verifier has beside the seal: `anchors` are trusted, the rest is believed as far as it verifies."""

    anchors: tuple[Certificate, ...]
    certificates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = field(default_factory=RevocationEvidence)
    #: whether each certificate needs a statement that it was not revoked; without, only what is given is heard
    require_revocation: bool = True

    def path(self, certificate: Certificate, usage: Usage, at: datetime) -> ValidatedPath:
        """The path of `certificate` at the instant `at`; raises what `path.validate` raises."""
        return validate(
            certificate,
            self.certificates,
            self.anchors,
            at=at,
            usage=usage,
            revocation=self.revocation,
            require_revocation=self.require_revocation,
        )


def verify(seal: Seal, known: Known, *, at: datetime) -> ValidatedPath:
    """Check `seal` as it stood at the instant `at` and give its maker's path.

    1. The maker signed it. 2. Its timestamp, if it has one, holds. 3. It was made before that, or before `at`, and while
    the maker's certificate was valid. 4. That certificate led to an anchor: at the timestamp's instant, or without one
    at `at`, as nothing shows the seal to be older; one that had expired by then, at its last instant. 5. The seal was
    valid at `at`. (GB/T 38540-2020, verification of seals; 2 and 3 as GM/T 0031-2025 adds them.)

    Raises BadSignature, SealTimeUnproved, SealMakerUntrusted or SealNotInForce.
    """
    seal.check_signature()
    by = proved(seal.timestamp, seal.signature, known, seal.name) if seal.timestamp else at
    if seal.created > by + SKEW:
        raise SealTimeUnproved(
            seal=seal.name, reason=Text("制章时间晚于签章时间。", "it was used before it was made.")
        )
    maker = seal.maker
    try:
        _made_in_time(seal)
        path = known.path(maker, Usage.SIGNATURE, min(by, maker.not_after))
    except YinxinError as error:
        raise SealMakerUntrusted(seal=seal.name, reason=error) from error
    seal.check_time(at)
    return path


def proved(token: Token, signature: bytes, known: Known, seal: str) -> datetime:
    """The instant that a timestamp over a signature value proves; raises SealTimeUnproved, naming the seal.

    A certificate in it that is neither on its path nor known beside it is something that nobody accounts for.
    """
    try:
        path = token.verify(
            signature,
            anchors=known.anchors,
            intermediates=known.certificates,
            revocation=known.revocation,
            require_revocation=known.require_revocation,
        )
    except YinxinError as error:
        raise SealTimeUnproved(seal=seal, reason=error) from error
    explained = {*path.certificates, *known.certificates, *known.anchors}
    if unexplained := [each for each in token.certificates if each not in explained]:
        name = unexplained[0].subject.text
        reason = Text(
            f"时间戳中有来历不明的证书 {name}。", f"it carries a certificate nobody accounts for, {name}."
        )
        raise SealTimeUnproved(seal=seal, reason=reason)
    return token.at


def _made_in_time(seal: Seal) -> None:
    maker, at = seal.maker, seal.created
    if at < maker.not_before:
        raise NotYetValid(subject=maker.subject.text, not_before=maker.not_before, at=at)
    if at > maker.not_after:
        raise Expired(subject=maker.subject.text, not_after=maker.not_after, at=at)
