"""Making a set of custodians, and putting a new one in the place of the old."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kms.custodians.errors import BadCustodians, CustodiansBeingMade, CustodiansExist, NothingToSeal
from kms.custodians.sealed import Custodian, SealedSet
from kms.custodians.shares import MOST, Share, split
from kms.secrets import SecretFiles
from yinxin import canonical, files
from yinxin.act import Actor, Outcome
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.clock import rfc3339
from yinxin.crypto import aead
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store
from yinxin.text import Text

MAKE, RENEW = "kms.make-custodians", "kms.renew-custodians"
#: beside the sealed file while a set is made: which it is, and by which act
_NOTE = ".custodians-making"
_LOCK = ".custodians-lock"

#: gives one custodian her share, and returns when she has it
Hand = Callable[[Custodian, Share], None]


@dataclass(frozen=True)
class Wanted:
    """How many custodians, how many of them are enough, and who they are, if they are named."""

    threshold: int
    shares: int
    people: tuple[str, ...] = ()

    def demand(self) -> None:
        """Raise BadCustodians naming the field."""
        if not 2 <= self.shares <= MOST:
            raise BadCustodians(field="shares", reason=f"2…{MOST}")
        if not 2 <= self.threshold <= self.shares:
            reason = Text(
                f"2 至 {self.shares}：无人可单独解封", f"2 to {self.shares}: nobody is enough alone"
            )
            raise BadCustodians(field="threshold", reason=reason)
        if self.people and len(self.people) != self.shares:
            reason = Text("人数须与份额数相同", "as many people as shares are needed")
            raise BadCustodians(field="person", reason=reason)
        if len(set(self.people)) != len(self.people):
            raise BadCustodians(field="person", reason=Text("同一人不得持两份", "nobody holds two shares"))


class Making:
    """What a set is made with: where it is recorded, who decides, which files hold secrets, and where the sealed one lies."""

    def __init__(self, store: Store, decider: Decider, plain: SecretFiles, file: Path) -> None:
        self.store, self.decider, self.plain, self.file = store, decider, plain, file
        self._note = file.with_name(_NOTE)

    def make(self, actor: Actor, wanted: Wanted, hand: Hand) -> tuple[SealedSet, bytes]:
        """The first set and its key; the secrets are those in files, which stay where they are.

        Raises BadCustodians, CustodiansExist, NothingToSeal, Denied, what files raise, and what `hand` raises; then
        nothing has changed.
        """
        with self._refusing(actor, MAKE) as decision, self._alone():
            wanted.demand()
            if self.file.exists():
                threshold = SealedSet.load(self.file).threshold
                raise CustodiansExist(file=str(self.file), threshold=threshold)
            secrets = self._in_files()
            if not secrets:
                raise NothingToSeal(folder=str(self.file.parent))
            return self._put_in_force(actor, MAKE, decision, (wanted, secrets), hand)

    def renew(self, actor: Actor, wanted: Wanted, key: bytes, hand: Hand) -> tuple[SealedSet, bytes]:
        """A new set and its key in the place of the one that `key` opens; secrets that lie in files replace sealed ones.

        The shares of the old set are void with the change. Raises as `make`, NoCustodians and SealedFileAltered.
        """
        with self._refusing(actor, RENEW) as decision, self._alone():
            wanted.demand()
            secrets = SealedSet.load(self.file).open(key, self.file) | self._in_files()
            return self._put_in_force(actor, RENEW, decision, (wanted, secrets), hand)

    def finish(self, actor: Actor) -> None:
        """Record how a making ended that a crash cut short: its set is in force, or it is not and nothing has changed.

        One that is under way in another process is left to it.
        """
        if self._note.exists():
            with suppress(CustodiansBeingMade), self._alone():
                self._end(actor)

    def _end(self, actor: Actor) -> None:
        if not self._note.exists():
            return
        verb, made = canonical.decode(self._note.read_bytes())
        in_force = self.file.exists() and SealedSet.load(self.file).set == made
        outcome = Outcome.DONE if in_force else Outcome.FAILED
        with self.store.act(actor, verb, f"custodians:{made}", outcome=outcome, resumed=True):
            pass
        self._note.unlink()

    def _put_in_force(
        self,
        actor: Actor,
        verb: str,
        decision: Decision,
        what: tuple[Wanted, Mapping[str, str]],
        hand: Hand,
    ) -> tuple[SealedSet, bytes]:
        """The irreversible part.

        1. Intent: its record, and a note of which set it is; whoever finds the note records how it ended.
        2. Every custodian has her share, one after the other; until here the old set is in force, or none.
        3. The sealed file in the place of the old one: from here on the new set is in force, and the old shares are void.
        4. Done: its record, then the note goes.
        """
        wanted, secrets = what
        made = self.store.identifier()
        subject = f"custodians:{made}"
        key = aead.generate_key(INTL)
        shares = split(key, wanted.threshold, wanted.shares)
        people = wanted.people or ("",) * wanted.shares
        custodians = tuple(
            Custodian(number, share.fingerprint, person)
            for number, (share, person) in enumerate(zip(shares, people, strict=True), 1)
        )
        facts: dict[str, Any] = {
            "threshold": wanted.threshold,
            "shares": wanted.shares,
            "people": [each for each in people if each],
        }
        self._end(actor)
        with self.store.act(actor, verb, subject, outcome=Outcome.INTENT, **facts) as act:
            act.decision = decision.record()
            files.replace(self._note, canonical.encode([verb, made]), mode=0o600)
        step("kms.make-custodians.1-intended")
        try:
            for custodian, share in zip(custodians, shares, strict=True):
                hand(custodian, share)
        except BaseException:
            self._end(actor)
            raise
        step("kms.make-custodians.2-handed-out")
        when = rfc3339(self.store.clock.now())
        sealed = SealedSet.seal(
            key, secrets, identifier=made, made=when, threshold=wanted.threshold, custodians=custodians
        )
        sealed.open(key, self.file)
        sealed.write(self.file)
        step("kms.make-custodians.3-in-force")
        with self.store.act(actor, verb, subject, secrets=sorted(secrets)) as act:
            act.decision = decision.record()
        step("kms.make-custodians.4-recorded")
        self._note.unlink()
        return sealed, key

    def _in_files(self) -> dict[str, str]:
        found = {}
        for name in self.plain.names():
            with self.plain.read(name) as secret:
                found[name] = secret.text()
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One making at a time; the lock dies with its holder. Raises CustodiansBeingMade."""
        descriptor = os.open(self.file.with_name(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CustodiansBeingMade(folder=str(self.file.parent)) from None
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _refusing(self, actor: Actor, verb: str) -> Iterator[Decision]:
        """Ask the policies; what is refused, by them or afterwards, is recorded."""
        decision = self.decider.require(actor, verb, Resource("KeyRegister", "custodians", organ=PLATFORM))
        try:
            yield decision
        except YinxinError as error:
            self.store.refuse(actor, verb, "custodians", error)
            raise
