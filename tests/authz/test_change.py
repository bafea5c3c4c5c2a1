"""Changing the policies and granting take several people, who see what it would let whom do; and the commands for it."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from authz.cli import group
from authz.errors import NothingDecided, ReplayDiffers
from authz.grant.errors import UnknownTemplate
from authz.grant.proposal import GIVE
from authz.proof.errors import PowersNotSeparated
from authz.proposal.errors import ApproverConcerned
from authz.version.errors import PoliciesMoved
from authz.version.proposal import CHANGE
from yinxin.act import Actor, Kind
from yinxin.authz import Denied
from yinxin.clock import rfc3339

from .conftest import NOW
from .offices import REASON
from .test_decide import LI, SUN, ZHANG, paper
from .test_versions import EVERYBODY_READS, LEADERS_EDIT

pytestmark = pytest.mark.engines("any")
BASIS = "《中华人民共和国保守国家秘密法》第三十条"


@pytest.fixture
def office(office):
    office.site.authz.decisions.adopt()
    return office.carrying_out(CHANGE, GIVE)


def change(office, addition=LEADERS_EDIT):
    now = office.site.authz.decisions.versions.current()
    content = {
        "text": now.policies.text + addition,
        "types": now.policies.schema,
        "note": "领导可改文稿",
        "made_from": now.number,
    }
    office.site.clock.advance(timedelta(milliseconds=1))
    return office.proposals.propose(
        office.actor("zhao"), "authz.change-policies", content, reason=REASON, basis=BASIS
    )


def test_a_change_is_approved_by_others_who_were_told_what_it_does(office):
    shown = change(office)
    told = [each.zh for each in shown.described]
    assert told[0] == "自第 1 版变更授权策略：领导可改文稿"
    assert "全部成立" in told[1]
    assert told[2:] == [
        f"新允许：签发领导可以对{place}的 Paper（密级内部）执行 test.edit；涉及 1 人（李堃）"
        for place in ("下级机关", "本机关")
    ]
    for person in ("qin", "han"):
        office.approve(shown.row.id, person)
    assert not office.site.authz.decisions.check(LI, "test.edit", paper()).allowed
    assert office.execute(shown.row.id) == "executed"
    assert office.site.authz.decisions.check(LI, "test.edit", paper()).allowed
    (version, _) = office.site.authz.decisions.versions.listed()
    assert (version.number, version.proposal) == (2, shown.row.id)


def test_a_change_with_a_hole_is_not_even_proposed(office):
    with pytest.raises(PowersNotSeparated):
        change(office, EVERYBODY_READS)


def test_of_two_changes_the_second_is_made_anew(office):
    first, second = change(office), change(office, LEADERS_EDIT.replace("leaders edit", "a leader edits"))
    for shown in (first, second):
        for person in ("qin", "han"):
            office.approve(shown.row.id, person)
    office.execute(first.row.id)
    with pytest.raises(PoliciesMoved):
        office.execute(second.row.id)
    assert office.site.authz.decisions.versions.current().number == 2


def granting(office, by="zhao", **other):
    content = {
        "template": "test.grant-reading",
        "holder": "person:zhang",
        "organ": "county-b",
        "valid_from": rfc3339(NOW),
        "valid_to": rfc3339(NOW + timedelta(days=30)),
        "source": "子府办〔2026〕3 号",
    }
    return office.proposals.propose(office.actor(by), "authz.grant", content | other, reason=REASON)


def test_a_grant_is_given_once_others_have_approved(office):
    shown = granting(office)
    assert "可读授权范围内的文稿" in shown.described[0].zh
    assert shown.described[1].en == "the acts it opens: test.read"
    for person in ("qin", "han"):
        office.approve(shown.row.id, person)
    assert not office.site.authz.decisions.check(ZHANG, "test.read", paper("county-b")).allowed
    office.execute(shown.row.id)
    assert office.site.authz.decisions.check(ZHANG, "test.read", paper("county-b")).allowed
    (given,) = office.site.authz.grants.listed_for(office.actor("zhao"), under="city")
    assert (given.proposal, given.granted_by) == (shown.row.id, "zhao")


def test_nobody_carries_out_a_grant_to_herself(office):
    """Nor approves one: the proposer carries it out, so she does not even propose it."""
    shown = granting(office, by="qin", holder="post:officer")
    for person in ("han", "wei"):
        office.approve(shown.row.id, person)
    for own in ("post:officer", "person:zhao", "organ:city", "organ:province"):
        with pytest.raises(ApproverConcerned):
            granting(office, by="zhao", holder=own, organ="county-a")
    with pytest.raises(ApproverConcerned):
        office.approve(shown.row.id, "zhao")
    assert office.execute(shown.row.id, by="qin") == "executed"


def test_another_countys_officer_grants_nothing_here(office):
    with pytest.raises(Denied):
        granting(office, by="bo", organ="county-a")
    with pytest.raises(UnknownTemplate):
        granting(office, template="base.no-read-up")


# --- the commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def run(office):
    def run(*arguments, actor=None):
        who = actor or office.actor("zhao")
        platform = SimpleNamespace(authz=office.site.authz)
        return CliRunner().invoke(
            group, arguments, obj=SimpleNamespace(platform=lambda: platform, actor=lambda: who)
        )

    return run


def test_versions_and_policies(run):
    (version,) = json.loads(run("policy", "list", "--json").output)
    assert (version["number"], version["shipped"], version["in_force_until"]) == (1, True, None)
    assert "in force" in run("policy", "list").output
    assert '@id("base.three-powers")' in run("policy", "show").output
    assert json.loads(run("policy", "show", "1", "--schema").output)[""]["actions"]
    for command in (("list",), ("show",), ("prove",), ("difference", "1")):
        assert isinstance(run("policy", *command, actor=ZHANG).exception, Denied)


def test_prove_and_difference(run, office, tmp_path):
    assert json.loads(run("policy", "prove", "--json").output)["broken"] == []
    holed, wider = tmp_path / "holed.cedar", tmp_path / "wider.cedar"
    text = office.site.authz.decisions.policies.text
    holed.write_text(text + EVERYBODY_READS, "utf-8")
    wider.write_text(text + LEADERS_EDIT, "utf-8")
    answer = run("policy", "prove", str(holed))
    assert answer.exit_code == 1
    assert "site.clerks-read" in answer.output
    told = json.loads(run("policy", "difference", str(wider), "--json").output)
    assert [(each["roles"], each["place"], each["people"], each["names"]) for each in told] == [
        (["leader"], "below", 1, ["李堃"]),
        (["leader"], "own", 1, ["李堃"]),
    ]
    assert "nobody's permissions change" in run("policy", "difference", "1").output
    assert isinstance(run("policy", "difference", str(tmp_path / "none")).exception, Exception)


def test_change_policies_by_command(run, office, tmp_path):
    file = tmp_path / "new.cedar"
    file.write_text(office.site.authz.decisions.policies.text + LEADERS_EDIT, "utf-8")
    ask = ("policy", "change", str(file), "--reason", REASON, "--basis", BASIS)
    assert "新允许" in run(*ask, "--dry-run").output
    assert json.loads(run("policy", "list", "--json").output)[0]["number"] == 1
    (told,) = json.loads(run(*ask, "--json").output)
    assert office.state(told["proposal"]) == "open"


def test_grants_by_command(run, office):
    ask = (
        "grant",
        "give",
        "test.grant-reading",
        "--to",
        "person:zhang",
        "--over",
        "county-b",
        "--source",
        "子府办〔2026〕3 号",
    )
    assert run(*ask).exit_code == 2
    assert json.loads(run(*ask, "--days", "30", "--dry-run", "--json").output)["holder"] == "person:zhang"
    id_ = json.loads(run(*ask, "--days", "30", "--basis", BASIS, "--json").output)["proposal"]
    document = office.proposals.show(office.actor("qin"), id_).document
    assert (document.basis, document.reason) == (BASIS, "子府办〔2026〕3 号")
    for person in ("qin", "han"):
        office.approve(id_, person)
    office.execute(id_)
    (given,) = json.loads(run("grant", "list", "--under", "city", "--in-force", "--json").output)
    assert (given["state"], given["template"], given["proposal"]) == ("in-force", "test.grant-reading", id_)
    assert "in-force" in run("grant", "list", "--under", "city").output
    ended = json.loads(run("grant", "revoke", given["id"], "--reason", "不再需要", "--json").output)
    assert (ended["state"], ended["revoked_by"]) == ("revoked", "zhao")
    assert "test.grant-reading" in run("grant", "templates").output
    assert json.loads(run("grant", "templates", "--json").output)[0]["actions"]


class Entries:
    """The log's entries as `authz replay` asks for them, out of what the acts recorded."""

    def __init__(self, events):
        self._events = events

    def entry_of(self, id_):
        return next(each for each in self._events() if each["id"] == id_)


def test_replay_by_command(run, office, events, monkeypatch):
    monkeypatch.setattr(
        "authz.replay.replay.entry_for",
        lambda log, _actor, id_: SimpleNamespace(fields=lambda: log.entry_of(id_)),
    )
    office.site.authz.replays.log = lambda: Entries(events)
    with pytest.raises(Denied) as denied:
        office.site.authz.decisions.require(LI, "test.edit", paper())
    answer = run("replay", denied.value.entry, actor=SUN)
    assert "not permitted: 没有规则允许" in answer.output
    first = events()[0]["id"]
    assert isinstance(run("replay", first).exception, NothingDecided)
    assert json.loads(run("replay", denied.value.entry, "--json").output)["allowed"] is False
    office.site.authz.decisions.adopt()
    office.site.authz.answers.ask(LI, [("test.edit", paper(), None), ("test.read", paper(), None)])
    again = run("replay", events()[-1]["id"], "--json")
    assert json.loads(again.output) == {"answers": 2, "permitted": 1}


def test_a_record_whose_entities_were_not_kept_is_not_decided_again(office):
    decision = office.site.authz.decisions.check(Actor(Kind.PERSON, "wang", "seal-a"), "test.edit", paper())
    with pytest.raises(ReplayDiffers) as caught:
        office.site.authz.decisions.replay(ZHANG, decision.record())
    assert caught.value.facts["field"] == "known"
