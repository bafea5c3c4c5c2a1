"""Versions of the policies: checked, signed, followed by every process, put back; and what tampering gives."""

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from authz.decide import Decisions
from authz.errors import UnknownAction
from authz.models import PolicySetRow
from authz.proof.errors import PowersNotSeparated
from authz.version import Change
from authz.version.errors import (
    PoliciesForged,
    PoliciesMoved,
    PoliciesRefused,
    PoliciesUnchanged,
    UnknownVersion,
)
from authz.version.models import PolicyVersion
from yinxin.act import Actor, Kind
from yinxin.authz import Resource
from yinxin.crypto.keys import PrivateKey
from yinxin.tlog import NoteSigner

from .test_decide import LI, ZHANG, paper

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")
LEADERS_EDIT = """
@id("site.leaders-edit")
@zh("领导可修改本机关及下级机关的文稿")
@en("leaders edit papers of the own organ and those below")
permit (principal, action == Action::"test.edit", resource is Paper)
when { principal.roles.contains("leader") && resource.organ in principal.organ };
"""
EVERYBODY_READS = """
@id("site.clerks-read")
@zh("经办人可读各县文稿")
@en("clerks read the papers of every county")
permit (principal, action == Action::"test.read", resource is Paper)
when { principal.roles.contains("clerk") };
"""


@pytest.fixture
def signers():
    return [NoteSigner("trust.example/policies", PrivateKey(ed25519.Ed25519PrivateKey.generate()))]


@pytest.fixture
def decisions(site, signers):
    site.authz.decisions.adopt(signers)
    return site.authz.decisions


def changed(decisions, text=None, schema=None):
    now = decisions.versions.current()
    return Change(
        now.policies.text + LEADERS_EDIT if text is None else text,
        now.policies.schema if schema is None else schema,
        "按省府办〔2026〕5 号",
        now.number,
    )


def activate(site, decisions, change):
    with site.store.act(OFFICER, "authz.change-policies", "policies") as act:
        number = decisions.versions.activate(act.session, act.actor, change, proposal="p-1")
        act.facts["version"] = number
        return number


def edits(decisions):
    return decisions.check(LI, "test.edit", paper()).allowed


def test_the_shipped_set_is_version_one(decisions, events):
    assert decisions.versions.current().number == 1
    (version,) = decisions.versions.listed()
    assert (version.shipped, version.author, version.in_force_until) == (True, "system", None)
    assert [entry["facts"] for entry in events() if entry["verb"] == "authz.adopt-policies"] == [
        {"version": 1}
    ]


def test_a_change_is_in_force_at_once_here_and_elsewhere(site, decisions, signers, events):
    """Seen to fail when: a version does not raise the number of the state."""
    elsewhere = Decisions(site.store, decisions.versions.shipped)
    elsewhere.adopt(signers)
    assert not edits(decisions)
    assert not edits(elsewhere)
    assert activate(site, decisions, changed(decisions)) == 2
    assert edits(decisions)
    assert edits(elsewhere)
    assert elsewhere.check(LI, "test.edit", paper()).record()["version"] == 2
    entry = events()[-1]
    assert entry["facts"] == {"version": 2}
    second, first = decisions.versions.listed()
    assert (second.author, second.proposal, second.shipped) == ("zhao", "p-1", False)
    assert first.in_force_until == second.in_force_from


def test_going_back_is_a_new_version(site, decisions):
    activate(site, decisions, changed(decisions))
    version, policies = decisions.versions.version(1)
    again = Change(policies.text, policies.schema, f"back to {version.number}", 2)
    assert activate(site, decisions, again) == 3
    assert not edits(decisions)
    assert decisions.policies.hash == policies.hash


def test_decisions_of_an_earlier_version_are_still_decided_again(site, decisions):
    before = decisions.require(ZHANG, "test.read", paper()).record()
    activate(site, decisions, changed(decisions))
    after = decisions.require(LI, "test.edit", paper()).record()
    assert decisions.replay(ZHANG, before).allowed
    assert decisions.replay(LI, after).allowed


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    "text",
    [
        "permit (principal",
        "permit (principal, action, resource);",
        LEADERS_EDIT.replace("roles", "rolls"),
    ],
)
def test_a_set_that_is_wrong_never_comes_into_force(site, decisions, events, text):
    hash_ = decisions.policies.hash
    with pytest.raises(PoliciesRefused):
        activate(site, decisions, changed(decisions, text=text))
    assert decisions.policies.hash == hash_
    assert events()[-1]["outcome"] == "refused"


@pytest.mark.engines("any")
@pytest.mark.parametrize("schema", ["{", "[]", '{"": {}}', '{"": {"actions": {"a.b": {"appliesTo": 5}}}}'])
def test_nor_one_with_a_wrong_schema(site, decisions, schema):
    with pytest.raises(PoliciesRefused):
        activate(site, decisions, changed(decisions, schema=schema))


def test_a_change_made_from_another_version(site, decisions):
    stale = changed(decisions)
    activate(site, decisions, changed(decisions))
    with pytest.raises(PoliciesMoved):
        activate(site, decisions, stale)
    with pytest.raises(PoliciesUnchanged):
        activate(site, decisions, changed(decisions, text=decisions.policies.text))


@pytest.mark.engines("any")
def test_a_change_that_breaks_the_separation_of_powers(site, decisions, events):
    """Seen to fail when: `activate` does not ask for the proof."""
    with pytest.raises(PowersNotSeparated) as caught:
        activate(site, decisions, changed(decisions, text=decisions.policies.text + EVERYBODY_READS))
    assert "经办人可以对" in caught.value.text("zh")
    assert "site.clerks-read" in caught.value.text("en")
    assert (events()[-1]["outcome"], events()[-1]["error"]) == ("refused", "authz.powers_not_separated")
    assert decisions.versions.current().number == 1


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[{"id": "write"}, {"id": "business"}]', '[{"id": "read"}, {"id": "business"}]'),
        ('{"id": "approval"}', '{"id": "open"}'),
        ('"annotations": {"names": "person"}, ', ""),
    ],
)
def test_a_change_does_not_rename_what_an_act_is(site, decisions, before, after):
    schema = decisions.policies.schema
    assert before in schema
    with pytest.raises(PoliciesRefused):
        activate(site, decisions, changed(decisions, schema=schema.replace(before, after)))


def test_an_unknown_version(decisions):
    with pytest.raises(UnknownVersion):
        decisions.versions.version(7)


def forge(site, statement):
    with site.store.engine.begin() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        lambda new: sa.update(PolicySetRow).where(PolicySetRow.hash == new).values(text=LEADERS_EDIT),
        lambda _: sa.update(PolicyVersion).where(PolicyVersion.number == 2).values(author="li"),
        lambda _: sa.update(PolicyVersion).where(PolicyVersion.number == 2).values(signature=None),
        lambda _: sa.update(PolicyVersion).values(signature="x"),
    ],
)
def test_a_version_written_past_the_platform_stops_everything(site, decisions, signers, statement):
    """Seen to fail when: `_load` does not check."""
    activate(site, decisions, changed(decisions))
    forge(site, statement(decisions.policies.hash))
    fresh = Decisions(site.store, decisions.versions.shipped)
    fresh.versions.sign_with(signers)
    with pytest.raises(PoliciesForged):
        edits(fresh)


def test_a_signature_of_another_version_is_none(site, decisions, signers):
    activate(site, decisions, changed(decisions))
    first = sa.select(PolicyVersion.signature).where(PolicyVersion.number == 1).scalar_subquery()
    forge(site, sa.update(PolicyVersion).where(PolicyVersion.number == 2).values(signature=first))
    fresh = Decisions(site.store, decisions.versions.shipped)
    fresh.versions.sign_with(signers)
    with pytest.raises(PoliciesForged):
        edits(fresh)


def test_new_software_brings_its_policies_unless_they_were_changed_here(site, decisions, signers):
    text, schema = decisions.policies.text, decisions.policies.schema
    newer = Change(text + LEADERS_EDIT, schema, "", 1).policies(site.authz.decisions.versions.shipped)
    upgraded = Decisions(site.store, newer)
    upgraded.adopt(signers)
    assert upgraded.versions.current().number == 2
    own = Change(text, schema, "ours", 2)
    activate(site, upgraded, own)
    newest = Change(text + LEADERS_EDIT.replace("leaders edit", "a leader edits"), schema, "", 1).policies(
        site.authz.decisions.versions.shipped
    )
    again = Decisions(site.store, newest)
    again.adopt(signers)
    assert again.policies.hash == own.policies(site.authz.decisions.versions.shipped).hash
    assert again.versions.outdated()


def test_an_action_the_policies_in_force_do_not_know_is_refused(decisions):
    with pytest.raises(UnknownAction):
        decisions.check(ZHANG, "site.fly", Resource("Paper", "x", "county-a"))
