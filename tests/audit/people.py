"""Who asks the log in tests: people in posts, decided on by the shipped policies with the real engine."""

from functools import cache

from audit.module import MODULE
from authz.directory.records import Organ, Person, Post, Standing
from authz.entities import slice_of
from authz.judge import decide
from authz.policy_set import load_policies
from authz.roles import POWERS
from yinxin.act import Actor, Kind
from yinxin.authz import PLATFORM, Denied
from yinxin.errors import NotAuthenticated
from yinxin.text import Text
from yinxin.web import Caller

_NAME = Text("某", "some")
POSTS = {
    "auditor": ("o-audit", "auditor"),
    "officer": ("o-security", "security-officer"),
    "administrator": ("o-security", "administrator"),
    "clerk": ("o-office", "clerk"),
    "neighbour": ("o-office", "leader"),
    "outsider": ("o-county", "clerk"),
}


def actor(name: str) -> Actor:
    return Actor(Kind.PERSON, name, post=f"post-{name}", organ=POSTS[name][0])


def standing(name: str) -> Standing:
    organ, role = POSTS[name]
    roles = frozenset({role})
    return Standing(
        Person(name, "某人", "public"),
        Post(f"post-{name}", organ, _NAME, roles),
        Organ(organ, None, _NAME, "x", "province", "530000", None, (organ,)),
        roles & POWERS,
        appointed=True,
    )


@cache
def _policies():
    return load_policies({"audit": MODULE.policies})


class Deciding:
    """Cedar over the policies of authz and audit; people are those above."""

    def __init__(self, store):
        self._store = store
        self.policies = _policies()

    def check(self, asking, action, resource, context=None):
        known = standing(asking.id) if asking.id in POSTS else None
        entities = slice_of(known, resource, (resource.organ if resource.organ != PLATFORM else PLATFORM,))
        return decide(self.policies, (asking.id, action, resource), entities, dict(context or {}))

    def require(self, asking, action, resource, context=None):
        decision = self.check(asking, action, resource, context)
        if not decision.allowed:
            with self._store.act(asking, action, str(resource)) as act:
                act.decision = decision.record()
                raise Denied(action=action, resource=str(resource), reason=decision.reason)
        return decision


class UnknownToken(NotAuthenticated):
    code = "test.audit_unknown_token"
    zh = en = "?"


class People:
    """Tokens are names."""

    def authenticate(self, token, peer=None):
        if token not in POSTS:
            raise UnknownToken
        return Caller(actor(token), token, frozenset({POSTS[token][1]}), token, _NAME, _NAME)
