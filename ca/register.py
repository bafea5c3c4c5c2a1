"""Names as they are on record: a certificate takes them from the directory, never from the applicant."""

from collections.abc import Mapping, Sequence

from authz.directory import Directory, Organ, Standing
from authz.errors import CannotBind
from ca.errors import UnknownHolder
from ca.request import Holder, Register
from yinxin.authz import PLATFORM


class DirectoryRegister:
    """The register of holders over the directory of organs and people (`Register`)."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

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
        return _Ahead(self._directory, people)

    def _standing(self, person: str, post: str) -> Standing:
        return self._directory.standing(person, post)

    def _organ(self, organ: str) -> Organ:
        return self._directory.organ(organ)

    def is_under(self, organ: str, ancestor: str) -> bool:
        """Whether `organ` is `ancestor` or below it; the platform itself is under nothing."""
        return self._directory.is_under(organ, ancestor)

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

    def __init__(self, directory: Directory, people: set[tuple[str, str]]) -> None:
        super().__init__(directory)
        self._standings = directory.standings(people)
        self._organs: dict[str, Organ] = {}

    def _standing(self, person: str, post: str) -> Standing:
        # who is not among them is unknown: asking alone says what of it
        return self._standings.get((person, post)) or super()._standing(person, post)

    def _organ(self, organ: str) -> Organ:
        if organ not in self._organs:
            self._organs[organ] = super()._organ(organ)
        return self._organs[organ]


def _organ(organ: Organ) -> dict[str, str]:
    return {"organ.name": organ.name.zh, "organ.code": organ.uscc or ""}
