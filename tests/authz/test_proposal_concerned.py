"""Whom a proposal concerns has no part in deciding it, and what was approved is what was given to sign.

Seen to fail when: `apart_from_concerned` is left out of `_take`, of `standing`, of `apart_from_executor`; `resolved` leaves
out posts or certificates; `among` leaves out organs; `keep_apart` leaves out whom one acts for; `read` takes another statement beside the one inside;
`_claim` goes on with what was left without `apart_from_executor`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authz.delegation import Wish
from authz.directory import DirectoryFile
from authz.grant.proposal import GrantContent
from authz.grant.proposal import _concerned as granted_to
from authz.proposal.errors import (
    ApprovalForAnother,
    ApproverConcerned,
    ApproverStandsForAnother,
    ExecutorApproved,
)
from authz.proposal.models import ApprovalRow, ProposalRow, State
from authz.proposal.move import move
from tests.authz.offices import KINDS, Note, Notes, Office, stays
from yinxin.act import SYSTEM, Outcome
from yinxin.authz import Denied
from yinxin.crypto import cms
from yinxin.crypto.errors import DigestMismatch
from yinxin.proposal import Concerned
from yinxin.text import Text

pytestmark = pytest.mark.engines("any")
BEGAN = "2026-01-01T00:00:00+08:00"


def _named(notes: Notes, note: Note) -> Concerned:
    """`person:…`, `post:…` or `certificate:…` in the text."""
    kind, _, name = note.text.partition(":")
    if kind == "certificate":
        office = Office(notes.site, notes.site.authz.proposals, notes)
        name = office.site.known[name]
    return Concerned(**{f"{each}": frozenset({name}) for each in (_ROOMS[kind],)})


_ROOMS = {"person": "people", "post": "posts", "organ": "organs", "certificate": "certificates"}
NAMING = tuple(
    replace(kind, name=f"{kind.name}-for", concerned=_named)
    for kind in KINDS
    if kind.name in ("test.within", "test.apart")
)


@pytest.fixture
def office(office: Office) -> Office:
    for kind in NAMING:
        office.proposals.register(kind, office.notes)
    office.site.known = {"han": office.actor("han").certificate}
    return office


def concerning(office: Office, whom: str, **more: Any) -> str:
    return office.propose(whom, kind="test.within-for", **more)


def test_she_neither_approves_it_nor_carries_it_out(office: Office) -> None:
    han, identity = office.actor("han"), office.identity("han", "officer-han")
    for whom in ("person:han", "post:officer-han", "certificate:han"):
        id_ = concerning(office, whom)
        stays(office, id_, "open", ApproverConcerned, lambda id_=id_: office.proposals.statement(han, id_))
        stays(office, id_, "open", ApproverConcerned, lambda id_=id_: office.approve(id_, "han"))
        file = cms.sign_attached(identity, office.statement(id_, han), signed_at=None)
        stays(office, id_, "open", ApproverConcerned, lambda id_=id_, file=file: office.proposals.submit(office.actor("zhao"), id_, file))  # fmt: skip
        shown = office.proposals.show(office.actor("qin"), id_)
        assert {person for person, _ in shown.may_approve} == {"qin", "wei", "bo"}
        assert not office.proposals.may(han, "authz.approve", id_)
        for person in ("qin", "wei"):
            office.approve(id_, person)
        stays(office, id_, "approved", ApproverConcerned, lambda id_=id_: office.execute(id_, "han"))
    assert office.proposals.may(office.actor("zhao"), "authz.execute", id_)
    assert office.execute(id_) == "executed"


def test_nobody_of_an_organ_decides_on_what_is_for_it(office: Office) -> None:
    id_ = concerning(office, "organ:county-b")
    stays(office, id_, "open", ApproverConcerned, lambda: office.approve(id_, "bo"))
    assert {person for person, _ in office.proposals.show(office.actor("qin"), id_).may_approve} == {
        "qin",
        "han",
        "wei",
    }
    assert office.approve(id_, "qin") == "open"
    everybody = concerning(office, "organ:province")
    assert office.proposals.show(office.actor("zhao"), everybody).may_approve == ()


def test_in_no_post_of_hers_and_by_nobody_who_acts_for_her(office: Office) -> None:
    site, authz = office.site, office.site.authz
    appointments = [{"person": "han", "post": "deputy", "valid_from": BEGAN}]
    authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": appointments}))
    id_ = concerning(office, "person:han")
    stays(office, id_, "open", ApproverConcerned, lambda: office.approve(id_, "han", "deputy"))
    han, identity, now = office.actor("han"), office.identity("han", "officer-han"), site.clock.now()
    wish = Wish(delegate="wei", reason="出差", valid_from=now, valid_to=now + timedelta(days=2))
    signed = authz.delegations.statement(han, wish)
    authz.delegations.give(han, signed, cms.sign_detached(identity, signed, signed_at=now))
    stays(office, id_, "open", ApproverConcerned, lambda: office.approve(id_, "wei", "officer-han"))
    assert office.approve(id_, "wei") == "open", "in her own post she speaks for herself"


def test_a_delegate_and_her_delegator_are_one_will(office: Office) -> None:
    """Who delegated her post approves in another of hers, and somebody by that delegation: they are not two people."""
    site, authz = office.site, office.site.authz
    appointments = [{"person": "han", "post": "deputy", "valid_from": BEGAN}]
    authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": appointments}))
    han, identity, now = office.actor("han"), office.identity("han", "officer-han"), site.clock.now()
    wish = Wish(delegate="wei", reason="出差", valid_from=now, valid_to=now + timedelta(days=2))
    signed = authz.delegations.statement(han, wish)
    authz.delegations.give(han, signed, cms.sign_detached(identity, signed, signed_at=now))
    id_ = office.propose()
    assert office.approve(id_, "han", "deputy") == "open"
    stays(office, id_, "open", ApproverStandsForAnother, lambda: office.approve(id_, "wei", "officer-han"))
    assert office.approve(id_, "wei") == "approved", "in her own post she is another"
    other = office.propose("乙")
    assert office.approve(other, "wei", "officer-han") == "open"
    stays(office, other, "open", ApproverStandsForAnother, lambda: office.approve(other, "han", "deputy"))


def test_an_approval_falls_when_she_has_become_the_one_it_concerns(office: Office) -> None:
    id_ = concerning(office, "post:deputy")
    for person in ("qin", "han"):
        office.approve(id_, person)
    appointments = [{"person": "han", "post": "deputy", "valid_from": BEGAN}]
    office.site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": appointments}))
    stays(office, id_, "approved", ApproverConcerned, lambda: office.execute(id_))
    office.approve(id_, "wei")
    assert office.execute(id_) == "executed"


def test_the_holder_it_is_about_does_not_carry_it_out_either(office: Office) -> None:
    """By policy, and were it not for that, by the service."""
    id_ = office.propose("甲", by="zhang", organ="county-a", holder="zhang")
    for person in ("zhao", "qin"):
        office.approve(id_, person)
    stays(office, id_, "approved", Denied, lambda: office.execute(id_, "zhang"))
    assert office.execute(id_, "wei") == "executed"


def test_a_grant_to_a_post_concerns_whoever_holds_it() -> None:
    def of(holder: str) -> Concerned:
        window = {"valid_from": BEGAN, "valid_to": BEGAN}
        content = GrantContent(template="t", holder=holder, organ="city", source="公文", **window)
        return granted_to(None, content)  # type: ignore[arg-type]

    assert of("post:officer-han").posts == {"officer-han"}
    assert (of("organ:city").organs, of("person:han")) == ({"city"}, Concerned())


# --- what was signed ---------------------------------------------------------------------------------------------


def test_a_statement_beside_the_one_inside_is_not_taken(office: Office) -> None:
    """An attached signature over this proposal's statement, handed in with another's: that one would stay on record."""
    id_, other = office.propose("甲"), office.propose("乙")
    actor, identity = office.actor("qin"), office.identity("qin", "officer-qin")
    signed = office.statement(id_, actor)
    attached = cms.sign_attached(identity, signed, signed_at=None)
    for foreign in (office.statement(other, actor), signed + b" ", b""):
        stays(office, id_, "open", DigestMismatch, lambda foreign=foreign: office.proposals.approve(actor, id_, foreign, attached))  # fmt: skip
    office.proposals.approve(actor, id_, signed, attached)
    with office.site.store.read() as session:
        kept = session.get_one(ApprovalRow, (id_, "qin"))
        assert kept.statement == signed


def test_what_was_signed_is_what_she_would_be_given(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should one of the comparisons before it ever leave something out, the octets are compared as a whole."""
    monkeypatch.setattr("authz.proposal.judge._about_this", lambda *_: None)
    id_ = office.propose("甲")
    stays(office, id_, "open", ApprovalForAnother, lambda: office.approve(id_, "qin", more="x"))


# --- gone on with ------------------------------------------------------------------------------------------------


def left(office: Office, **parts: Any) -> str:
    """A proposal that zhao began to carry out, in a process that died; qin and han approved."""
    id_ = office.approved("qin", "han", **parts)
    ctx, zhao = office.proposals._ctx, office.actor("zhao")
    row, now = ctx.find(id_), office.site.clock.now()
    with ctx.store.act(zhao, "authz.execute", f"proposal:{id_}", outcome=Outcome.INTENT) as act:
        move(act.session, row, State.EXECUTING, now, Text("执行", "carried out"), moved_by="zhao", attempts=1)
    return id_


def test_who_goes_on_with_it_has_not_approved_it_and_is_not_whom_it_concerns(office: Office) -> None:
    id_ = left(office, kind="test.apart")
    stays(office, id_, "executing", ExecutorApproved, lambda: office.execute(id_, "qin"))
    assert office.execute(id_, "wei") == "executed"
    other = left(office, kind="test.apart-for", text="person:wei")
    written = office.notes.written()
    with pytest.raises(ApproverConcerned) as raised:
        office.execute(other, "wei")
    assert raised.value.entry
    assert office.notes.written() == written
    with office.site.store.read() as session:
        assert session.get_one(ProposalRow, other).state == State.EXECUTING
    assert office.execute(other, "zhao") == "executed"
