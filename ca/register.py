"""Names as they are on record: a certificate takes them from the directory, never from the applicant."""

from collections.abc import Mapping

from authz.directory import Directory, Organ
from authz.errors import CannotBind
from ca.errors import UnknownHolder
from ca.request import Holder
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
        return Holder(holder.kind, holder.id, None, organ), own | _organ(self._directory.organ(organ))

    def _person(self, holder: Holder, own: Mapping[str, str]) -> tuple[Holder, Mapping[str, str]]:
        if holder.post is None:
            raise UnknownHolder(kind=holder.kind, id=holder.id)
        standing = self._directory.standing(holder.id, holder.post)
        if not standing.appointed:
            raise CannotBind(person=holder.id, post=holder.post)
        facts = {**own, "person.name": standing.person.name, "post.name": standing.post.name.zh}
        return Holder("person", holder.id, holder.post, standing.organ.id), facts | _organ(standing.organ)


def _organ(organ: Organ) -> dict[str, str]:
    return {"organ.name": organ.name.zh, "organ.code": organ.uscc or ""}
