"""The separation of powers proved of the shipped policies; holes cut into copies of them are found, and told in words."""

import re

import pytest

from authz.errors import BadPolicies
from authz.policy_set import PolicySet, load_policies
from authz.proof import THEOREMS, differences, prove
from authz.proof.errors import PowersNotSeparated
from authz.proof.prove import require_separation
from authz.roles import POWERS
from ops.modules import MODULES

from .conftest import FIXTURES

#: of every module of the platform, the kit's and the applications' too
FOLDERS = {each.name: each.policies for each in MODULES if each.policies}


@pytest.fixture(scope="module")
def shipped():
    return load_policies(FOLDERS)


@pytest.fixture(scope="module")
def office():
    """The base and the documents: a part of the shipped set that is proved quickly."""
    return load_policies({"document": FOLDERS["document"]})


@pytest.fixture(scope="module")
def officers():
    return load_policies({"ca": FOLDERS["ca"]})


def test_every_theorem_holds_of_everything_shipped(shipped):
    """Seen to fail when: base.cedar loses `base.officer-no-business`, proposal.cedar `authz.not-for-oneself`, or attachment.cedar the platform."""
    assert {"authz", "kms", "ca", "audit", "document", "exchange", "attachment"} <= FOLDERS.keys()
    proof = require_separation(shipped)
    assert proof.policy_set == shipped.hash
    # nothing was passed over: every action at every place, by no role, each power, and each pair of them
    assert proof.requests > 5 * (1 + len(POWERS) + 3) * len(shipped.actions)
    assert proof.permitted > 1000


def cut(policies, before, after=""):
    """A copy with a hole in it."""
    found = re.compile(before, re.DOTALL)
    assert found.search(policies.text), before
    return PolicySet(found.sub(after, policies.text, count=1), policies.schema)


def policy(name):
    return rf'@id\("{re.escape(name)}"\).*?;\n'


HOLES = {
    "the tree upside down": (
        r"resource\.organ in principal\.organ",
        "principal.organ in resource.organ",
        "own-part-of-the-tree",
    ),
    "vetter approves": (policy("ca.vetter-does-not-approve"), "", "no-self-approval"),
    "one's own application": (policy("ca.not-ones-own-application"), "", "no-self-approval"),
}


@pytest.mark.parametrize("name", list(HOLES))
def test_a_hole_in_a_modules_policies_is_found(officers, name):
    before, after, theorem = HOLES[name]
    holed = cut(officers, before, after)
    assert theorem in {each.theorem.name for each in prove(holed).broken}
    with pytest.raises(PowersNotSeparated):
        require_separation(holed)


#: what is cut out of the base, what stands there instead, and the theorem that no longer holds
BASE_HOLES = (
    (policy("base.three-powers"), "", "one-power"),
    (
        r'(forbid \(principal, action in Action::"write", resource\)\nwhen \{ principal)\.powers',
        r"\1.roles",
        "auditor-never-writes",
    ),
    (policy("base.administrator-no-keys"), "", "administrator-no-keys"),
    (
        r'(base\.administrator-no-business.*?)action in Action::"business"',
        r'\1action == Action::"document.draft"',
        "administrator-no-business",
    ),
    (policy("base.officer-no-business"), "", "officer-no-business"),
    (
        r"principal\.clearance < resource\.level",
        "principal.clearance + 1 < resource.level",
        "no-read-up",
    ),
    (policy("base.no-write-down"), "", "no-write-down"),
    (policy("base.not-shared"), "", "grading"),
    (policy("base.not-appointed"), "", "appointed"),
    (policy("base.tenant-not-the-platform"), "", "tenant-not-the-platform"),
)


def test_holes_in_the_base_are_found_each_by_its_theorem():
    """A policy that permits a key's making to everybody is harmless with the base, and not without it."""
    generous = load_policies({"document": FOLDERS["document"], "kms": FOLDERS["kms"]})
    everybody = '@id("site.all") @zh("皆可") @en("all") permit (principal, action in [Action::"kms.create", Action::"document.draft"], resource) when { resource.organ == principal.organ };'
    holed = PolicySet(generous.text + everybody, generous.schema)
    for before, after, _ in BASE_HOLES:
        holed = cut(holed, before, after)
    found = prove(holed)
    assert {theorem for _, _, theorem in BASE_HOLES} == {each.theorem.name for each in found.broken}
    assert all(each.text.zh and each.text.en for each in found.broken)


def test_the_counterexample_is_the_simplest_and_in_words(office):
    holed = cut(office, policy("document.not-ones-own"))
    (found,) = prove(holed).broken
    assert found.text.zh == "审核人可以对本机关的 Document（密级内部，drafter=本人）执行 document.approve"
    assert found.text.en == (
        "reviewer may do document.approve to a Document of the own organ (level internal, drafter=herself)"
    )
    assert found.policies == ("document.reviewer-reviews",)


def test_a_policy_that_errs_is_no_proof(office):
    erring = PolicySet(
        office.text
        + '@id("site.x") @zh("误") @en("errs") permit (principal, action == Action::"document.read", resource is Document)'
        " when { principal.clearance + 9223372036854775807 > 0 };",
        office.schema,
    )
    with pytest.raises(BadPolicies):
        prove(erring)


def test_every_theorem_has_a_hole_that_breaks_it():
    tried = {hole[-1] for hole in (*HOLES.values(), *BASE_HOLES)}
    assert {theorem.name for theorem in THEOREMS} - tried == {"officer-not-the-log"}


def test_the_officer_does_not_read_the_log(shipped):
    log = load_policies({"audit": FOLDERS["audit"]})
    opened = cut(
        log,
        r'principal\.roles\.contains\("auditor"\) && ',
        'principal.roles.contains("security-officer") && ',
    )
    assert "officer-not-the-log" in {each.theorem.name for each in prove(opened).broken}


def test_differences():
    """Of the tests' own policies: a small set, asked three times."""
    before = load_policies({"test": FIXTURES})
    after = cut(before, r'(contains\("clerk"\) && resource\.organ) ==', r"\1 in")
    found = differences(before, after)
    assert [(each.allowed, sorted(each.roles), each.request.place) for each in found] == [
        (True, ["clerk"], "below")
    ]
    assert found[0].levels == ("internal", "public")
    assert found[0].policies == ("test.edit",)
    assert found[0].text.zh == "经办人可以对下级机关的 Paper（密级内部）执行 test.edit"
    (back,) = differences(after, before)
    assert not back.allowed
    assert back.text.en == "clerk may not do test.edit to a Paper of an organ below (level internal)"
