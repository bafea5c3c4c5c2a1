"""Names as they are on record: a certificate takes them from the directory, never from the applicant."""

from collections.abc import Collection, Mapping, Sequence

from authz.change.power import people_of_power
from authz.directory import Directory, Organ, Standing
from authz.errors import CannotBind
from ca.errors import UnknownHolder
from ca.request import Holder, Register
from yinxin.authz import PLATFORM
from yinxin.store import Store


class DirectoryRegister:
    """The register of holders over the directory of organs and people (`Register`)."""

    def __init__(self, directory: Directory, store: Store) -> None:
        self._directory, self._store = directory, store

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
        return _Ahead(self._directory, self._store, people)

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


class _Ahead(DirectoryRegister):
    """The register for one batch: people are asked for once, together, and each organ once."""

    def __init__(self, directory: Directory, store: Store, people: set[tuple[str, str]]) -> None:
        super().__init__(directory, store)
        self._standings = directory.standings(people)
        self._people = frozenset(person for person, _ in people)
        self._of_power = self._powerful(self._people)
        self._organs: dict[str, Organ] = {}

    def _standing(self, person: str, post: str) -> Standing:
        # who is not among them is unknown: asking alone says what of it
        return self._standings.get((person, post)) or super()._standing(person, post)

    def of_power(self, holder: Holder) -> bool:
        known = holder.kind == "person" and holder.id in self._people
        return holder.id in self._of_power if known else super().of_power(holder)

    def _organ(self, organ: str) -> Organ:
        if organ not in self._organs:
            self._organs[organ] = super()._organ(organ)
        return self._organs[organ]


def _organ(organ: Organ) -> dict[str, str]:
    return {"organ.name": organ.name.zh, "organ.code": organ.uscc or ""}
