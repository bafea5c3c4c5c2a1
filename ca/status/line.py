"""Which list a certificate belongs to: the whole list of its authority, or a shard of it.

The shard is a function of the serial number and of the lists that are open at the time of issuance. It stands in the
certificate's row from the intent on and, as an address, in the certificate; nothing changes it afterwards.
"""

import re
from dataclasses import dataclass
from typing import Self

from ca.errors import UnknownAuthority
from ca.issuer import Issuer
from ca.settings import CaSettings
from yinxin.crypto.points import CrlPoint
from yinxin.crypto.status import DistributionPoint

_SHARD = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A series of lists with numbers of its own."""

    authority: str
    #: from 1; 0 is the whole list, which has no scope
    shard: int = 0

    @classmethod
    def of(cls, path: str) -> Self:
        """The line of this path; raises UnknownAuthority."""
        authority, slash, number = path.partition("/")
        if slash and not _SHARD.fullmatch(number):
            raise UnknownAuthority(name=path[:60])
        return cls(authority, int(number) if slash else 0)

    @property
    def path(self) -> str:
        """Its name in addresses and records."""
        return f"{self.authority}/{self.shard}" if self.shard else self.authority

    def url(self, settings: CaSettings) -> str:
        """Where the list is found; stands in certificates and, for a shard, in the list itself."""
        return f"{settings.public_url}/crl/{self.path}.crl"

    def delta_url(self, settings: CaSettings) -> str:
        """Where the delta to it is found."""
        return f"{settings.public_url}/crl/{self.path}.delta.crl"

    def freshest(self, settings: CaSettings) -> tuple[CrlPoint, ...]:
        """Where a list says its delta is (RFC 5280 5.2.6).

        A whole list does not say: it travels as evidence, and readers that are told of a delta want it, offline too.
        """
        return (CrlPoint((self.delta_url(settings),)),) if self.shard else ()

    def scope(self, settings: CaSettings) -> DistributionPoint | None:
        """What the list says of its reach (RFC 5280 5.2.5); a whole list says nothing."""
        return DistributionPoint((self.url(settings),)) if self.shard else None


def shard_of(settings: CaSettings, issuer: Issuer, serial: int) -> int:
    """The shard of a certificate that is about to be issued; a root's few certificates share its whole list."""
    if issuer.certificate is None or issuer.certificate.is_self_issued:
        return 0
    count = settings.status.shards_for(issuer.name)
    return issuer.lists_full + serial % count + 1 if count else 0


def lines(settings: CaSettings, issuer: Issuer, full: int) -> tuple[Line, ...]:
    """The whole list of an authority and those open now, after `full` others; other certificates may name more."""
    whole = Line(issuer.name)
    if issuer.certificate is None or issuer.certificate.is_self_issued:
        return (whole,)
    count = settings.status.shards_for(issuer.name)
    return (whole, *(Line(issuer.name, full + number) for number in range(1, count + 1)))
