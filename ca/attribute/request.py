"""What is asked for: an attribute certificate for somebody's certificate, for whom, how long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from ca.attribute.errors import BadLifetime, BadTarget
from ca.attribute.settings import AttributeSettings
from yinxin import canonical
from yinxin.crypto.attribute import Target
from yinxin.crypto.attribute.targets import write_targets
from yinxin.crypto.suite import INTL, suite
from yinxin.errors import YinxinError

#: targets of one attribute certificate
MOST_TARGETS = 32


@dataclass(frozen=True, slots=True)
class AttributeRequest:
    """A request. `reference` is the caller's own key: the same one gives the same attribute certificate."""

    reference: str
    #: the holder's signing certificate, by serial number or fingerprint
    certificate: str
    #: validity; None for the usual one
    hours: int | None = None
    #: verifiers it is meant for; empty: any
    targets: tuple[Target, ...] = ()
    #: whether it is bound to the very octets of the holder's certificate as well (objectDigestInfo)
    digest: bool = False
    #: name of the suite it is signed in; empty for that of the holder's key
    suite: str = ""

    @classmethod
    def of(cls, reference: str, certificate: str, **asked: object) -> Self:
        """The request of text as people write it: `targets` and `groups` are lists of text."""
        names, groups = asked.pop("targets", ()), asked.pop("groups", ())
        targets = (
            *(Target.of(str(each)) for each in names),  # type: ignore[attr-defined]
            *(Target.of(str(each), group=True) for each in groups),  # type: ignore[attr-defined]
        )
        return cls(reference, certificate, targets=targets, **asked)  # type: ignore[arg-type]

    def sound(self, settings: AttributeSettings) -> None:
        """What can be told without the directory; raises BadLifetime, BadTarget, UnknownSuite."""
        if self.hours is not None and not 0 < self.hours <= settings.most_hours:
            raise BadLifetime(hours=self.hours, most=settings.most_hours)
        for place, each in enumerate(self.targets):
            try:
                write_targets([each])
            except YinxinError as error:
                raise BadTarget(target=each.text[:200], most=MOST_TARGETS) from error
            if place >= MOST_TARGETS or len(each.text) > 255 or each in self.targets[:place]:
                raise BadTarget(target=each.text[:200], most=MOST_TARGETS)
        if self.suite:
            suite(self.suite)

    def lasts(self, settings: AttributeSettings) -> timedelta:
        """The validity asked for."""
        return timedelta(hours=settings.hours if self.hours is None else self.hours)

    def fingerprint(self, certificate: str) -> str:
        """SHA-256 of all that is asked for, hexadecimal; `certificate` is the serial number of the holder's."""
        parts = {
            "certificate": certificate,
            "hours": self.hours,
            "targets": [[*each.name, each.group] for each in self.targets],
            "digest": self.digest,
            "suite": self.suite,
        }
        return INTL.hash.digest(canonical.encode(parts)).hex()
