"""Names as they are on record: a certificate takes them from the directory, never from the applicant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from authz.change.power import people_of_power
from authz.directory import Directory, Organ, Standing
from authz.directory.look import next_edge, organ_on_record, standings
from authz.errors import CannotBind
from authz.state import AtNumber, number_now
from ca.errors import UnknownHolder
from ca.request import Holder, Register
from yinxin.authz import PLATFORM
from yinxin.store import Store, Within

#: people in posts that a process keeps; when there are more it begins anew
_KEEP = 20_000

Pair = tuple[str, str]


class DirectoryRegister:
    """The register of holders over the directory of organs and people (`Register`)."""

    def __init__(self, directory: Directory, store: Store) -> None:
        self._directory, self._store = directory, store
        self._kept = _Kept(store)

    def facts(self, holder: Holder) -> tuple[Holder, Mapping[str, str]]:
        """The holder with the organ filled in, and texts by source.

        Raises UnknownHolder, UnknownPerson, UnknownPost, UnknownOrgan, and CannotBind when the person does not hold
        the post.
        """
        own = {"holder.id": holder.id}
        if holder.kind == "person":
            return self._person(holder, own)
        organ = holder.id if holder.kind == "organ" else holder.organ
        if organ is None or organ == PLATFORM:
            return Holder(holder.kind, holder.id, None, PLATFORM), own
        return Holder(holder.kind, holder.id, None, organ), own | _organ(self._organ(organ))

    def ahead(self, holders: Sequence[Holder]) -> "Register":
        """A register that knows these holders by heart, as they are on record now."""
        people = {(each.id, each.post) for each in holders if each.kind == "person" and each.post is not None}
        return _Ahead(self._directory, self._store, self._kept, people)

    def _standing(self, person: str, post: str) -> Standing:
        return self._directory.standing(person, post)

    def _organ(self, organ: str) -> Organ:
        return self._directory.organ(organ)

    def is_under(self, organ: str, ancestor: str) -> bool:
        """Whether `organ` is `ancestor` or below it; the platform itself is under nothing."""
        return self._directory.is_under(organ, ancestor)

    def of_power(self, holder: Holder) -> bool:
        """Whether the holder is a person who has, or will have, a post of power or a grant (`authz.change.power`)."""
        return holder.kind == "person" and holder.id in self._powerful([holder.id])

    def _powerful(self, people: Collection[str]) -> frozenset[str]:
        with self._store.look() as look:
            return people_of_power(look, people, self._store.clock.now())

    def _person(self, holder: Holder, own: Mapping[str, str]) -> tuple[Holder, Mapping[str, str]]:
        if holder.post is None:
            raise UnknownHolder(kind=holder.kind, id=holder.id)
        standing = self._standing(holder.id, holder.post)
        if not standing.appointed:
            raise CannotBind(person=holder.id, post=holder.post)
        facts = {**own, "person.name": standing.person.name, "post.name": standing.post.name.zh}
        return Holder("person", holder.id, holder.post, standing.organ.id), facts | _organ(standing.organ)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up of holders while the directory's state had one number (`authz.state`), shared by threads.

    A standing holds until an appointment of the person begins or ends. Who has no power gets none by time alone: what is to
    come counts as power already.
    """

    number: int
    standings: dict[Pair, tuple[Standing, datetime | None]] = field(default_factory=dict)
    powerless: set[str] = field(default_factory=set)
    organs: dict[str, Organ] = field(default_factory=dict)

    def standing(self, pair: Pair, now: datetime) -> Standing | None:
        """Hers now, if it is known."""
        found, until = self.standings.get(pair, (None, None))
        return found if until is None or now < until else None

    def lacks(self, people: Collection[Pair], now: datetime) -> bool:
        """Whether anything of these people is not known."""
        return any(
            person not in self.powerless or self.standing((person, post), now) is None
            for person, post in people
        )


class _Ahead(DirectoryRegister):
    """The register for one batch: people are asked for together, and everybody once for as long as nothing has changed."""

    def __init__(self, directory: Directory, store: Store, kept: "_Kept", people: Collection[Pair]) -> None:
        super().__init__(directory, store)
        self._now = store.clock.now()
        self._known, self._of_power = kept.known(people, self._now)
        self._people = frozenset(person for person, _ in people)

    def _standing(self, person: str, post: str) -> Standing:
        # who is not among them is unknown: asking alone says what of it
        return self._known.standing((person, post), self._now) or super()._standing(person, post)

    def of_power(self, holder: Holder) -> bool:
        known = holder.kind == "person" and holder.id in self._people
        return holder.id in self._of_power if known else super().of_power(holder)

    def _organ(self, organ: str) -> Organ:
        known = self._known.organs.get(organ)
        if known is None:
            with self._store.look() as look:
                known = organ_on_record(look, organ)
                if AtNumber.of(look).number == self._known.number:
                    self._known.organs[organ] = known
        return known


class _Kept:
    """What one process knows by the number of the state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = _Known(-1)

    def known(self, people: Collection[Pair], now: datetime) -> tuple[_Known, frozenset[str]]:
        """What is known of these people as it is now, and who of them has power."""
        known = self._known
        if known.number != (number := number_now(self._store)) or len(known.standings) > _KEEP:
            known = _Known(number)
        powerful: frozenset[str] = frozenset()
        if known.lacks(people, now):
            with self._store.look() as look:
                if (number := AtNumber.of(look).number) != known.number:
                    known = _Known(number)
                powerful = _read(look, known, people, now)
        self._known = known
        return known, powerful


def _read(within: Within, known: _Known, people: Collection[Pair], now: datetime) -> frozenset[str]:
    """Read what is not known of these people; those of them who have power."""
    unknown = [each for each in people if known.standing(each, now) is None]
    for (person, post), found in standings(within, unknown, now).items():
        known.standings[person, post] = found, next_edge(within, person, now)
    asked = {person for person, _ in people if person not in known.powerless}
    powerful = people_of_power(within, asked, now)
    known.powerless.update(asked - powerful)
    return powerful


def _organ(organ: Organ) -> dict[str, str]:
    return {"organ.name": organ.name.zh, "organ.code": organ.uscc or ""}
