"""Nobody is enough alone (law 3): what counts as an approval, every way in which it does not, and carrying out once."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from authz.appointment.post import give_roles
from authz.directory import DirectoryFile
from authz.models import AppointmentRow
from authz.proposal.errors import (
    ApprovalForAnother,
    ApprovalForAnotherSite,
    ApprovalOfAnotherTime,
    ApprovalsMissing,
    ApproverInTwoPosts,
    ApproverNotPermitted,
    ApproverTwice,
    ApproverUntrusted,
    BadProposal,
    DocumentAltered,
    ExecutorApproved,
    ForeignApprover,
    NotTheSigner,
    PostApprovedTwice,
    ProposalClosed,
    ProposerApproves,
)
from authz.proposal.models import ApprovalRow, ProposalRow
from tests.authz.offices import KINDS, ONE, REASON, Broken, Events, Office, stays, story
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto import cms
from yinxin.crypto.errors import BadSignature, DigestMismatch
from yinxin.errors import YinxinError
from yinxin.proposal import ProposalKind, Terms
from yinxin.text import Text

# --- the way it should go ---------------------------------------------------------------------------------------


def test_two_approve_and_it_is_carried_out_once(office: Office, events: Events) -> None:
    id_ = office.propose("甲")
    assert office.state(id_) == "open"
    assert office.approve(id_, "qin") == "open"
    assert office.approve(id_, "han") == "approved"
    assert office.execute(id_) == "executed"
    assert office.notes.written() == ["甲"]
    with pytest.raises(ProposalClosed):
        office.execute(id_)
    assert office.notes.written() == ["甲"]
    assert story(events, id_) == [("propose", "done"), ("approve", "done"), ("approve", "done"), ("execute", "done"), ("execute", "refused")]  # fmt: skip
    (done,) = [each for each in events() if each["verb"] == "authz.execute" and each["outcome"] == "done"]
    assert [each["person"] for each in done["facts"]["approvals"]] == ["qin", "han"]
    assert done["facts"]["outcome"] == {"written": "甲"}
    assert REASON not in str(events())


def test_what_was_carried_out_is_told_to_whoever_checks_it(office: Office) -> None:
    """Seen to fail when any state counts, and when the document is not held against its digest."""
    proposals = office.proposals
    id_ = office.propose("甲")
    for person in ("qin", "han"):
        assert proposals.executed(id_) is None
        office.approve(id_, person)
    office.execute(id_)
    with office.site.store.read() as session:  # the log asks in the middle of its own view
        session.scalar(sa.select(ProposalRow.id))
        found = proposals.executed(id_)
    assert found is not None
    assert (found.document.id, found.digest) == (id_, proposals.show(office.actor("han"), id_).row.digest)
    assert [each.person for each in found.signed] == ["qin", "han"]
    assert proposals.executed("none") is None
    with office.site.store.engine.begin() as connection:
        connection.execute(sa.update(ProposalRow).values(document=b"{}"))
    assert proposals.executed(id_) is None


@ONE
def test_approvals_that_somebody_wrote_into_the_table_do_not_count(office: Office) -> None:
    """What an insider can write: rows without signatures, another's signature, one under another proposal, a certificate not ours."""
    proposals = office.proposals
    id_, other = office.approved(), office.approved(text="乙")
    office.execute(id_)

    def signed() -> list[str]:
        found = proposals.executed(id_)
        assert found is not None
        return [each.person for each in found.signed]

    def write(**values: Any) -> None:
        with office.site.store.engine.begin() as connection:
            about = sa.and_(ApprovalRow.proposal == id_, ApprovalRow.person == "han")
            connection.execute(sa.update(ApprovalRow).where(about).values(**values))

    with office.site.store.read() as session:
        genuine, elsewhere = (session.get_one(ApprovalRow, (each, "han")) for each in (id_, other))
        kept = {"statement": genuine.statement, "signature": genuine.signature}
        others = {"statement": elsewhere.statement, "signature": elsewhere.signature}
    foreign = office.site.ca.identity("han")
    stranger = type(office.site.ca)(office.site.ca.suite, office.site.clock).identity("han")
    hers = office.statement(id_, office.actor("wei"))
    for forged in (
        others,
        {"statement": kept["statement"], "signature": b"x"},
        {"statement": kept["statement"], "signature": others["signature"]},
        {
            "statement": kept["statement"],
            "signature": cms.sign_detached(stranger, kept["statement"], signed_at=None),
        },
        {"statement": hers, "signature": cms.sign_detached(foreign, hers, signed_at=None)},
    ):
        write(**forged)
        assert signed() == ["qin"], forged
    write(**kept)
    assert signed() == ["qin", "han"]
    # the certificates of those who approved have ended since: they had not when it was approved
    office.site.clock.advance(timedelta(days=400))
    assert signed() == ["qin", "han"]


@ONE
def test_an_approver_is_judged_by_what_she_was_then(office: Office) -> None:
    """Somebody's genuine signature, put into the table: she was in no post that approves, however it is today.

    Seen to fail when the roles of today are asked, and when none are.
    """
    proposals, site = office.proposals, office.site
    id_ = office.approved()
    office.execute(id_)

    def told() -> tuple[list[str], list[str]]:
        found = proposals.executed(id_)
        assert found is not None
        return [each.person for each in found.signed], [
            f"{each.person} {error.text('en')}" for each, error in found.unentitled
        ]

    def give(post: str, *roles: str) -> None:
        site.clock.advance(timedelta(minutes=1))
        with site.store.act(SYSTEM, "test.give-roles", f"post:{post}") as act:
            give_roles(act, post, roles, site.clock.now())

    assert told() == (["qin", "han"], [])
    # a clerk signs the very proposal, with her own certificate, in her own post; an insider puts it in the place of Han's
    clerk, at = office.actor("zhang"), office.site.clock.now()
    statement = office.statement(id_, clerk, at=at)
    signature = cms.sign_detached(office.identity("zhang", "clerk-a"), statement, signed_at=None)
    forged = {
        "person": "zhang",
        "post": "clerk-a",
        "organ": "county-a",
        "certificate": clerk.certificate,
        "statement": statement,
        "signature": signature,
    }
    with site.store.engine.begin() as connection:
        connection.execute(
            sa.update(ApprovalRow)
            .where(ApprovalRow.proposal == id_, ApprovalRow.person == "han")
            .values(**forged)
        )
    good, others = told()
    assert good == ["qin"]
    assert "that post had no role that approves such a proposal" in others[0]
    # given the role afterwards she still had none then; and who had it and has it no more, had it
    give("clerk-a", "security-officer")
    give("officer-qin", "clerk")
    assert told() == (good, others)
    # in a post that she did not hold then
    with site.store.engine.begin() as connection:
        connection.execute(sa.delete(AppointmentRow).where(AppointmentRow.person == "qin"))
    assert "qin" in told()[1][0]
    assert "she did not hold that post" in told()[1][0]


def test_what_is_shown_to_an_approver(office: Office) -> None:
    id_ = office.propose("甲")
    office.approve(id_, "qin")
    shown = office.proposals.show(office.actor("han"), id_)
    assert shown.described == (Text("写下 甲", "write 甲"),)
    assert {person for person, _ in shown.may_approve} == {"han", "wei", "bo"}
    fields = shown.fields()
    assert (fields["reason"], fields["needed"], fields["content"]["text"]) == (REASON, 2, "甲")
    office.notes.ill = True
    with pytest.raises(Broken):
        office.proposals.statement(office.actor("han"), id_)


def test_an_approval_by_file(office: Office, events: Events) -> None:
    id_ = office.propose("甲")
    actor = office.actor("qin")
    file = office.proposals.sign(actor, office.identity("qin", "officer-qin"), id_)
    office.site.clock.advance(timedelta(days=3))
    office.proposals.submit(office.actor("zhao"), id_, file)
    with pytest.raises(ApproverTwice):
        office.proposals.submit(office.actor("zhao"), id_, file)
    office.approve(id_, "han")
    assert office.execute(id_) == "executed"
    handed = next(each for each in events() if each["verb"] == "authz.submit-approval")
    assert (handed["actor"]["id"], handed["facts"]["approver"]["person"]) == ("zhao", "qin")


# --- who counts --------------------------------------------------------------------------------------------------


@ONE
def test_one_is_not_enough(office: Office) -> None:
    """Seen to fail when: `enough` does not count."""
    id_ = office.propose()
    office.approve(id_, "qin")
    error = stays(office, id_, "open", ApprovalsMissing, lambda: office.execute(id_))
    assert (error.facts["needed"], error.facts["given"]) == (2, 1)


@ONE
def test_the_policy_counts_too(office: Office) -> None:
    """Seen to fail when: `authz.enough-approvals` is left out."""
    row = office.proposals._ctx.find(office.approved())
    decide = office.site.authz.decisions.check
    for given, allowed in ((0, False), (1, False), (2, True)):
        resource = office.proposals._ctx.resource(row, given=given)
        assert decide(office.actor("zhao"), "authz.execute", resource).allowed is allowed


@ONE
def test_one_person_counts_once_in_whatever_post(office: Office) -> None:
    id_ = office.propose()
    appointment = {"person": "qin", "post": "deputy", "valid_from": "2026-01-01T00:00:00+08:00"}
    office.site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [appointment]}))
    office.approve(id_, "qin")
    stays(office, id_, "open", ApproverTwice, lambda: office.approve(id_, "qin"))
    stays(office, id_, "open", ApproverInTwoPosts, lambda: office.approve(id_, "qin", "deputy"))


@ONE
def test_two_people_in_one_post_count_once(office: Office) -> None:
    appointment = {"person": "han", "post": "officer-qin", "valid_from": "2026-01-01T00:00:00+08:00"}
    office.site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [appointment]}))
    id_ = office.propose()
    office.approve(id_, "qin")
    stays(office, id_, "open", PostApprovedTwice, lambda: office.approve(id_, "han", "officer-qin"))


@ONE
def test_who_proposes_does_not_approve_it_in_her_own_or_a_second_post(office: Office) -> None:
    """Seen to fail when: `apart_from_proposer` looks at the post alone, or at the person alone."""
    appointments = [
        {"person": "zhao", "post": "deputy", "valid_from": "2026-01-01T00:00:00+08:00"},
        {"person": "wei", "post": "officer", "valid_from": "2026-01-01T00:00:00+08:00"},
    ]
    office.site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": appointments}))
    id_ = office.propose()
    stays(office, id_, "open", ProposerApproves, lambda: office.approve(id_, "zhao"))
    stays(office, id_, "open", ProposerApproves, lambda: office.approve(id_, "zhao", "deputy"))
    stays(office, id_, "open", ProposerApproves, lambda: office.approve(id_, "wei", "officer"))


def ended(office: Office, *people: str) -> None:
    """These officers are in their posts no more."""
    posts = {"zhao": "officer", "bo": "officer-b"}
    rows = [
        {"person": each, "post": posts.get(each, f"officer-{each}"), "valid_from": "2026-01-01T00:00:00+08:00", "valid_to": "2026-02-01T00:00:00+08:00"}
        for each in people
    ]  # fmt: skip
    office.site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": rows}))


@ONE
def test_with_nobody_else_she_may_unless_the_kind_never_lets_her(office: Office) -> None:
    ended(office, "han", "wei", "bo")
    id_ = office.propose()
    office.approve(id_, "qin")
    assert office.approve(id_, "zhao") == "approved"
    assert office.execute(id_) == "executed"
    never = office.propose(kind="test.never", basis="密码法第二十七条规定")
    with pytest.raises(ProposerApproves):
        office.approve(never, "zhao")


@ONE
def test_who_approved_does_not_carry_it_out_while_others_could(office: Office) -> None:
    """Seen to fail when: `apart_from_executor` is left out."""
    id_ = office.approved("qin", "han")
    stays(office, id_, "approved", ExecutorApproved, lambda: office.execute(id_, "qin"))
    assert office.execute(id_, "wei") == "executed"


def test_terms_under_which_somebody_would_be_enough_alone_are_none() -> None:
    for wrong in ({"approvals": 1}, {"approvals": 0}, {"organs": 3}, {"lasts": timedelta()}):
        with pytest.raises(ValueError, match="nobody would have to agree"):
            Terms(**wrong)


@ONE
def test_more_people_from_more_organs(office: Office) -> None:
    office.proposals.register(_of(KINDS[0], "test.wide", terms=lambda _: Terms(3, 2)), office.notes)
    id_ = office.propose(kind="test.wide")
    for person in ("qin", "han"):
        office.approve(id_, person)
    assert office.approve(id_, "wei") == "open"
    error = stays(office, id_, "open", ApprovalsMissing, lambda: office.execute(id_))
    assert (error.facts["needed"], error.facts["organs"]) == (3, 2)
    assert office.approve(id_, "bo") == "approved"


def _of(kind: ProposalKind[Any, Any], name: str, **more: Any) -> ProposalKind[Any, Any]:
    from dataclasses import replace

    return replace(kind, name=name, **more)


# --- what counts -------------------------------------------------------------------------------------------------


@ONE
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"digest": "0" * 64}, ApprovalForAnother),
        ({"proposal": "01234567890123456789012345"}, ApprovalForAnother),
        ({"kind": "test.apart"}, ApprovalForAnother),
        ({"subject": "proposal:another"}, ApprovalForAnother),
        ({"type": "authz.refuse-proposal"}, ApprovalForAnother),
        ({"more": "x"}, ApprovalForAnother),
        ({"site": "https://other.example.gov.cn"}, ApprovalForAnotherSite),
    ],
)
def test_an_approval_of_something_else(
    office: Office, changes: dict[str, Any], error: type[YinxinError]
) -> None:
    """Seen to fail when: `_about_this` compares the digest only."""
    id_ = office.propose()
    stays(office, id_, "open", error, lambda: office.approve(id_, "qin", **changes))


@ONE
def test_an_approval_is_not_replayed_for_another_proposal(office: Office) -> None:
    """The very same content proposed twice: an approval of the first is none of the second."""
    first, second = office.propose("甲"), office.propose("甲")
    file = office.proposals.sign(office.actor("qin"), office.identity("qin", "officer-qin"), first)
    stays(office, second, "open", ApprovalForAnother, lambda: office.proposals.submit(office.actor("zhao"), second, file))  # fmt: skip


@ONE
@pytest.mark.parametrize("by", [-timedelta(microseconds=1), timedelta(minutes=6), timedelta(days=31)])
def test_an_approval_of_another_time(office: Office, by: timedelta) -> None:
    """Seen to fail when: `_timely` does not look at the proposal's own time."""
    id_ = office.propose()
    at = office.site.clock.now() + by
    stays(office, id_, "open", ApprovalOfAnotherTime, lambda: office.approve(id_, "qin", at=at))


@ONE
def test_signed_by_another_or_for_another(office: Office) -> None:
    """Seen to fail when: `approve` does not compare signer and caller, and when `_trusted` does not look at the binding."""
    id_ = office.propose()
    han = office.identity("han", "officer-han")
    stays(office, id_, "open", ForeignApprover, lambda: office.approve(id_, "qin", identity=han))
    stays(office, id_, "open", NotTheSigner, lambda: office.approve(id_, "qin", identity=han, signer=office.actor("han")))  # fmt: skip
    stranger = office.site.ca.identity("qin")
    stays(office, id_, "open", ForeignApprover, lambda: office.approve(id_, "qin", identity=stranger))


@ONE
def test_a_second_certificate_of_hers_is_not_the_one_she_signed_in_with(office: Office) -> None:
    id_ = office.propose()
    other = office.site.enrol("qin", "officer-qin")
    stays(office, id_, "open", NotTheSigner, lambda: office.approve(id_, "qin", identity=other))


@ONE
def test_octets_that_were_changed(office: Office) -> None:
    id_ = office.propose()
    actor = office.actor("qin")
    signed = office.statement(id_, actor)
    signature = cms.sign_detached(office.identity("qin", "officer-qin"), signed, signed_at=None)
    other = office.statement(id_, office.actor("han"))
    stays(office, id_, "open", DigestMismatch, lambda: office.proposals.approve(actor, id_, other, signature))
    broken = signature[:-1] + bytes([signature[-1] ^ 1])
    with pytest.raises((BadSignature, YinxinError)):
        office.proposals.approve(actor, id_, signed, broken)
    assert office.state(id_) == "open"


@ONE
def test_a_clerk_approves_nothing(office: Office) -> None:
    id_ = office.propose(organ="county-a")
    stays(office, id_, "open", Denied, lambda: office.approve(id_, "zhang"))
    actor, identity = office.actor("zhang"), office.identity("zhang", "clerk-a")
    file = cms.sign_attached(identity, office.statement(id_, actor), signed_at=None)
    stays(office, id_, "open", ApproverNotPermitted, lambda: office.proposals.submit(office.actor("zhao"), id_, file))  # fmt: skip


# --- judged again when it is carried out -------------------------------------------------------------------------


@ONE
def test_a_revoked_certificate_counts_no_more_and_another_takes_its_place(office: Office) -> None:
    """Seen to fail when: `execute` counts the rows instead of judging them."""
    id_ = office.approved("qin", "han")
    office.site.ca.revoke(office.identity("han", "officer-han").certificate)
    stays(office, id_, "approved", ApproverUntrusted, lambda: office.execute(id_))
    office.approve(id_, "wei")
    assert office.execute(id_) == "executed"


@ONE
def test_a_post_that_was_lost_counts_no_more(office: Office) -> None:
    id_ = office.approved("qin", "han")
    ended(office, "han")
    stays(office, id_, "approved", ApproverNotPermitted, lambda: office.execute(id_))


@ONE
def test_content_that_is_changed_in_the_database_is_not_carried_out(office: Office) -> None:
    """Seen to fail when: `Document.of` does not hold the document against its digest; when `_about_this` does not compare."""
    id_ = office.approved()
    with office.site.store.engine.begin() as connection:
        row = connection.execute(sa.select(ProposalRow.document).where(ProposalRow.id == id_)).one()
        changed = row.document.replace("甲".encode(), "乙".encode())
        connection.execute(sa.update(ProposalRow).values(document=changed))
    with pytest.raises(DocumentAltered):
        office.execute(id_)
    from authz.proposal.document import digest_of

    with (
        office.site.store.engine.begin() as connection
    ):  # and whoever changes the digest too is left without approvals
        connection.execute(sa.update(ProposalRow).values(digest=digest_of(changed)))
    with pytest.raises(ApprovalForAnother):
        office.execute(id_)
    assert office.notes.written() == []


@ONE
def test_a_dead_answer_about_revocation_stops_it(office: Office) -> None:
    from tests.authz.conftest import Unreachable

    id_ = office.approved()
    office.site.ca.reachable = False
    with pytest.raises(Unreachable):
        office.execute(id_)
    office.site.ca.reachable = True
    assert office.execute(id_) == "executed"


# --- ends --------------------------------------------------------------------------------------------------------


@ONE
@pytest.mark.parametrize("how", ["refused", "withdrawn", "expired"])
def test_what_has_ended_is_not_approved_nor_carried_out(office: Office, events: Events, how: str) -> None:
    """Seen to fail when: `state_of` does not look at the clock; when `pending` is not asked."""
    id_ = office.approved("qin", "han")
    if how == "refused":
        office.proposals.refuse(office.actor("wei"), id_, "依据不足")
    elif how == "withdrawn":
        office.proposals.withdraw(office.actor("zhao"), id_)
    else:
        office.site.clock.advance(timedelta(days=30))
    for act in (
        lambda: office.execute(id_),
        lambda: office.approve(id_, "wei"),
        lambda: office.proposals.refuse(office.actor("wei"), id_, "依据不足"),
        lambda: office.proposals.withdraw(office.actor("zhao"), id_),
    ):
        error = stays(office, id_, how, ProposalClosed, act)
        assert error.facts["state"] == {"refused": Text("已否决", "refused"), "withdrawn": Text("已撤回", "withdrawn"), "expired": Text("已过期", "expired")}[how]  # fmt: skip
    assert office.proposals.expire() == (1 if how == "expired" else 0)
    assert office.proposals.expire() == 0
    assert office.state(id_) == how
    if how == "expired":
        assert story(events, id_)[-1] == ("expire-proposal", "done")


@ONE
def test_only_the_proposer_withdraws_and_only_approvers_refuse(office: Office) -> None:
    id_ = office.propose(by="li")
    stays(office, id_, "open", Denied, lambda: office.proposals.withdraw(office.actor("qin"), id_))
    stays(office, id_, "open", Denied, lambda: office.proposals.refuse(office.actor("li"), id_, "不必了"))
    stays(office, id_, "open", BadProposal, lambda: office.proposals.refuse(office.actor("qin"), id_, "  "))
