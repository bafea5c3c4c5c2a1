"""The shares that have been entered at a start that waits, in memory only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kms.custodians.errors import ShareForeign, ShareTwice, TooManyShares
from kms.custodians.sealed import Custodian, SealedSet
from kms.custodians.shares import Share, join, read_share
from yinxin.clock import Clock, rfc3339
from yinxin.errors import YinxinError

#: wrong shares that are looked into at once, and the seconds after which one more is
_BURST, _REST = 10, 6


@dataclass(frozen=True)
class Entered:
    """One try to enter a share: whose it was, or why it was refused."""

    at: datetime
    custodian: Custodian | None
    refused: YinxinError | None = None


class Gathering:
    """Shares of the set in force, until there are enough. Each waits for a while and is then forgotten."""

    def __init__(self, sealed: SealedSet, clock: Clock, patience: timedelta) -> None:
        self.sealed = sealed
        self._clock = clock
        self._patience = patience
        self._shares: dict[int, tuple[Share, Custodian, datetime]] = {}
        #: all that was tried, for the record
        self.tried: list[Entered] = []
        #: wrong shares that were not looked into
        self.passed_over = 0
        self._expired = 0
        self._wrong: list[datetime] = []

    def enter(self, words: str) -> Custodian:
        """Take a share; raises ShareInvalid, ShareForeign, ShareTwice, and TooManyShares for wrong ones beyond measure."""
        self._forget()
        try:
            share = read_share(words)
            custodian = self.sealed.holder(share.fingerprint)
            if custodian is None:
                raise ShareForeign(set=self.sealed.set)
            if custodian.number in self._shares:
                raise ShareTwice(number=custodian.number, missing=self.missing)
        except YinxinError as error:
            self._judge(error)
            raise
        self._shares[custodian.number] = (share, custodian, self._clock.now())
        self.tried.append(Entered(self._clock.now(), custodian))
        return custodian

    @property
    def missing(self) -> int:
        """How many more are needed."""
        return max(self.sealed.threshold - len(self._shares), 0)

    def key(self) -> bytes:
        """The key, of shares that are enough, which are then forgotten; raises ShareInvalid."""
        found = join([share for share, _, _ in self._shares.values()][: self.sealed.threshold])
        self._shares.clear()
        return found

    def state(self) -> dict[str, Any]:
        """How far it is: no word of any share."""
        self._forget()
        entered = [
            {"number": each.number, "person": each.person, "at": rfc3339(at)}
            for _, each, at in self._shares.values()
        ]
        return {
            "set": self.sealed.set,
            "threshold": self.sealed.threshold,
            "entered": entered,
            "missing": self.missing,
            "expired": self._expired,
            "refused": sum(each.refused is not None for each in self.tried) + self.passed_over,
        }

    def _judge(self, error: YinxinError) -> None:
        """Note what was refused. Right shares are never kept waiting by wrong ones; those are, beyond a measure."""
        now = self._clock.now()
        self._wrong = [at for at in self._wrong if now - at < timedelta(seconds=_BURST * _REST)]
        if len(self._wrong) >= _BURST:
            self.passed_over += 1
            raise TooManyShares(seconds=_REST)
        self._wrong.append(now)
        self.tried.append(Entered(now, None, error))

    def _forget(self) -> None:
        now = self._clock.now()
        for number, (_, _, at) in list(self._shares.items()):
            if now - at >= self._patience:
                del self._shares[number]
                self._expired += 1
