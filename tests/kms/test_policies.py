"""The policies with the real engine, against an oracle written plainly."""

from itertools import product

import pytest

from authz.directory import Organ, Person, Post, Standing
from authz.entities import slice_of
from authz.judge import decide
from authz.policy_set import PolicySet
from kms.models import Purpose
from yinxin.authz import PLATFORM, Resource
from yinxin.text import Text

ABOVE = {
    "province": ("province",),
    "city": ("city", "province"),
    "county": ("county", "city", "province"),
    PLATFORM: (PLATFORM,),
}
ROLES = ("clerk", "seal-keeper", "registrar", "leader", "security-officer", "administrator", "auditor")


def allowed(policies: PolicySet, role: str, organ: str, action: str, resource: Resource) -> bool:
    powers = frozenset({role}) & {"security-officer", "administrator", "auditor"}
    person = Standing(
        Person("p", "某", "public"),
        Post("post", organ, Text("岗", "post"), frozenset({role})),
        _organ(organ),
        powers,
        appointed=True,
    )
    entities = slice_of(person, resource, ABOVE[resource.organ])
    return decide(policies, ("p", action, resource), entities, {}).allowed


def _organ(organ: str) -> Organ:
    path = ABOVE[organ]
    above = path[1] if len(path) > 1 else None
    return Organ(organ, above, Text("机关", "organ"), "机", "county", "110000", None, path)


def expected(role: str, organ: str, action: str, owner: str, purpose: str) -> bool:
    if action == "kms.list":
        return role in ("security-officer", "auditor")
    if action == "kms.read":
        return True
    if action == "kms.create":
        return role == "security-officer" and (owner == PLATFORM or organ in ABOVE[owner])
    return purpose == "evidence" and role in ("seal-keeper", "registrar") and owner in (organ, PLATFORM)


@pytest.mark.parametrize("action", ["kms.create", "kms.sign", "kms.read", "kms.list"])
def test_the_policies_are_the_oracle(policies: PolicySet, action: str) -> None:
    for role, organ, owner, purpose in product(
        ROLES, ("province", "city", "county"), ABOVE, [each.value for each in Purpose]
    ):
        if action == "kms.list":
            resource = Resource("KeyRegister", "keys", organ=PLATFORM)
        else:
            resource = Resource("Key", "k", organ=owner, attributes={"purpose": purpose})
        answer = allowed(policies, role, organ, action, resource)
        assert answer is expected(role, organ, action, owner, purpose), (role, organ, owner, purpose)
