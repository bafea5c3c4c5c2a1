"""A township that can run its own affairs: its people, and the township as a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.directory import DirectoryFile
from authz.tenant.admit import Decided, admit
from yinxin.act import SYSTEM, Actor, Kind

if TYPE_CHECKING:
    from tests.authz.conftest import Site

SINCE = "2026-01-01T00:00:00+08:00"
#: person, post and roles; all of the township
TOWNSFOLK = (
    ("mei", "town-officer", ["security-officer"]),
    ("lan", "town-officer-2", ["security-officer"]),
    ("ju", "town-auditor", ["auditor"]),
    ("zhu", "town-leader", ["leader"]),
    ("song", "town-clerk", ["clerk", "registrar"]),
)
#: who is of the host: a post above the township, or beside it
HOSTS = (
    ("zhao", "officer", "city"),
    ("li", "leader-city", "city"),
    ("qian", "admin", "province"),
    ("sun", "auditor", "province"),
    ("zhang", "clerk-a", "county-a"),
    ("wang", "seal-a", "county-a"),
)
VILLAGE = {
    "id": "village",
    "parent": "town",
    "name_zh": "一村",
    "name_en": "Village",
    "short_name": "村",
    "level": "township",
    "division": "990121100201",
}


def posts(*folk: tuple[str, str, list[str]], organ: str = "town") -> dict[str, Any]:
    """A directory file of these people in these posts."""
    return {
        "posts": [
            {"id": post, "organ": organ, "name_zh": post, "name_en": post, "roles": roles}
            for _, post, roles in folk
        ],
        "people": [{"id": person, "name": person, "clearance": "internal"} for person, _, _ in folk],
        "appointments": [{"person": person, "post": post, "valid_from": SINCE} for person, post, _ in folk],
    }


def peopled(site: Site) -> Site:
    """The township with people of its own, and a village below it."""
    whole = {"organs": [VILLAGE], **posts(*TOWNSFOLK)}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(whole))
    return site


def admitted(site: Site, organ: str = "town") -> Site:
    """What several people decided: the organ is a tenant."""
    with site.store.act(SYSTEM, "test.admit", f"organ:{organ}") as act:
        admit(act.session, organ, "jade", Decided("p1", "zhao", site.clock.now()))
    return site


def of_town(person: str) -> Actor:
    """One of the township's people in her post."""
    return Actor(Kind.PERSON, person, next(post for name, post, _ in TOWNSFOLK if name == person), "town")


def host(person: str) -> Actor:
    """One of the host's people in her post."""
    _, post, organ = next(each for each in HOSTS if each[0] == person)
    return Actor(Kind.PERSON, person, post, organ)
