"""Law 4 proved, within a small scope, over the policies of every module of the platform.

Each power alone, each and each pair with every ordinary role beside, every action, every value that a policy looks
for in an attribute, at the own organ, below it and elsewhere: what the powers may never do is refused each time.
"""

import json
import re
from itertools import combinations, product
from pathlib import Path

import pytest

from authz.decide import decide
from authz.entities import slice_of
from authz.policy_set import load_policies
from authz.roles import POWERS, ROLES
from yinxin.authz import PLATFORM, Resource

from .test_decide import ORGANS, someone

ROOT = Path(__file__).parents[2]
FOLDERS = {
    path.parent.name: path
    for pattern in ("*/policies", "apps/*/policies")
    for path in ROOT.glob(pattern)
    if (path / "schema.json").is_file() and path.parent.name != "tests"
}

ORDINARY = set(ROLES) - POWERS


@pytest.fixture(scope="module")
def policies():
    return load_policies(FOLDERS)


def groups(schema, action):
    return {group["id"] for group in schema["actions"][action]["memberOf"]}


def candidates(text, name, kind):
    """Values of an attribute that make a difference: those a policy names, and the asker's own."""
    if kind["type"] == "Set":
        return [["city"]]
    if kind["type"] == "Long":
        return [0, 1]
    if kind["type"] == "Boolean":
        return [False, True]
    named = set(re.findall(rf'resource\.{name} [!=]= "([^"]+)"', text))
    for listed in re.findall(rf"\[([^\]]*)\]\.contains\(resource\.{name}\)", text):
        named |= set(re.findall(r'"([^"]+)"', listed))
    return [*sorted(named), "p-1"]


def resources(policies, schema, action):
    for kind in schema["actions"][action]["appliesTo"]["resourceTypes"]:
        attributes = {
            name: candidates(policies.text, name, given)
            for name, given in schema["entityTypes"][kind]["shape"]["attributes"].items()
            if name not in ("organ", "level")
        }
        for values in product(*attributes.values()):
            for organ in ("city", "town", PLATFORM):
                yield Resource(kind, "r-1", organ, "internal", dict(zip(attributes, values, strict=True)))


def test_every_module_with_policies_is_here():
    assert {"authz", "kms", "ca"} <= FOLDERS.keys()


def test_the_three_powers_over_everything_shipped(policies):
    schema = json.loads(policies.schema)[""]
    pairs = [set(pair) for pair in combinations(sorted(POWERS), 2)]
    accounts = [{power} for power in POWERS] + [
        each | ORDINARY for each in (*({power} for power in POWERS), *pairs)
    ]
    asked = allowed = 0
    for action in sorted(policies.actions):
        classed = groups(schema, action)
        for roles, resource in product(accounts, resources(policies, schema, action)):
            who = someone("city", roles, roles & POWERS, "top-secret")
            entities = slice_of(who, resource, ORGANS.get(resource.organ, (resource.organ,)))
            decision = decide(policies, ("p-1", action, resource), entities, {})
            asked += 1
            allowed += decision.allowed
            if decision.allowed:
                assert len(roles & POWERS) == 1, (roles, action, resource, decision.policies)
                assert not ("auditor" in roles and "write" in classed), (roles, action, decision.policies)
                assert not ("administrator" in roles and classed & {"key", "business"}), (roles, action)
    # nothing was passed over: every action, by every account, at each of the three organs
    assert asked >= 3 * len(accounts) * len(policies.actions)
    assert allowed > 100


def test_nobody_reads_up_over_everything_shipped(policies):
    schema = json.loads(policies.schema)[""]
    for action in sorted(policies.actions):
        for resource in resources(policies, schema, action):
            for roles in (ORDINARY, *({power} for power in POWERS)):
                secret = Resource(resource.type, "r-1", resource.organ, "secret", resource.attributes)
                who = someone("city", roles, roles & POWERS, "internal")
                entities = slice_of(who, secret, ORGANS.get(secret.organ, (secret.organ,)))
                assert not decide(policies, ("p-1", action, secret), entities, {}).allowed
