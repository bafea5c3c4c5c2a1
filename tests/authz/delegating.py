"""A city whose leader has a deputy, and delegations between them."""

from datetime import timedelta

from authz.delegation import Delegation, Wish
from authz.directory import DirectoryFile
from yinxin.act import SYSTEM, Actor
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity

from .conftest import Site


def with_a_deputy(site: Site) -> Site:
    """With a deputy beside the leader; the leader's own term ends in thirty days."""
    start = "2026-01-01T00:00:00+08:00"
    post = {"organ": "city", "name_zh": "副市长", "name_en": "Deputy"}
    site.authz.directory.load(
        SYSTEM,
        DirectoryFile.parse(
            {
                "posts": [post | {"id": "deputy", "roles": ["reviewer"]}],
                "people": [{"id": "zhou", "name": "周", "clearance": "secret"}],
                "appointments": [
                    {"person": "zhou", "post": "deputy", "valid_from": start},
                    {
                        "person": "li",
                        "post": "leader-city",
                        "valid_from": start,
                        "valid_to": site.clock.now() + timedelta(days=30),
                    },
                ],
            }
        ),
    )
    site.leader, site.deputy = site.enrol("li", "leader-city"), site.enrol("zhou", "deputy")
    return site


def who(site: Site, identity: Identity) -> Actor:
    return site.authz.sessions.authenticate(site.sign_in(identity)).actor


def wish(site: Site, begin: int = 1, end: int = 8, **more) -> Wish:
    now = site.clock.now()
    window = {"valid_from": now + timedelta(days=begin), "valid_to": now + timedelta(days=end)}
    return Wish(**{"delegate": "zhou", "reason": "出差", **window, **more})


def give(
    site: Site, wanted: Wish, identity: Identity | None = None, actor: Actor | None = None
) -> Delegation:
    identity = identity or site.leader
    actor = actor or who(site, identity)
    statement = site.authz.delegations.statement(actor, wanted)
    signature = cms.sign_detached(identity, statement, signed_at=site.clock.now())
    return site.authz.delegations.give(actor, statement, signature)
