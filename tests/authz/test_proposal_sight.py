"""Who may propose what, and who sees it: nobody learns of another organ's proposals, not even that there are any."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authz.proposal import Filter, State
from authz.proposal.errors import BadProposal, ProposalKindUnknown, ProposalUnknown
from tests.authz.offices import KINDS, ONE, REASON, Broken, Events, Office
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied


@ONE
@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": " 短 "}, "reason"),
        ({"reason": "长" * 2001}, "reason"),
        ({"kind": "test.never"}, "basis"),
        ({"kind": "test.never", "basis": "短"}, "basis"),
    ],
)
def test_why_must_be_said(office: Office, events: Events, parts: dict[str, Any], field: str) -> None:
    with pytest.raises(BadProposal) as raised:
        office.propose(**parts)
    assert raised.value.facts["field"] == field
    assert (events()[-1]["outcome"], events()[-1]["error"]) == ("refused", "authz.bad_proposal")


@ONE
@pytest.mark.parametrize("extra", ["state", "approvals", "proposer", "needed", "id"])
def test_nothing_is_smuggled_in_with_the_content(office: Office, extra: str) -> None:
    with pytest.raises(BadProposal) as raised:
        office.proposals.propose(
            office.actor("zhao"), "test.within", {"text": "甲", extra: "approved"}, reason=REASON
        )
    assert raised.value.facts["field"] == f"content.{extra}"


def test_a_model_that_would_take_unknown_fields_is_no_content() -> None:
    from pydantic import BaseModel

    class Open(BaseModel):
        text: str

    with pytest.raises(TypeError, match="unknown fields"):
        replace(KINDS[0], name="test.open", content=Open)


@ONE
def test_what_cannot_be_proposed(office: Office, events: Events) -> None:
    zhao = office.actor("zhao")
    with pytest.raises(ProposalKindUnknown):
        office.proposals.propose(zhao, "test.nothing", {}, reason=REASON)
    for content in ({}, {"text": 1}, [], "text", None):
        with pytest.raises(BadProposal):
            office.proposals.propose(zhao, "test.within", content, reason=REASON)
    office.notes.ill = True
    with pytest.raises(Broken):
        office.propose()
    for actor in (SYSTEM, Actor(Kind.SERVICE, "service", organ="city")):
        with pytest.raises(BadProposal):
            office.proposals.propose(actor, "test.within", {"text": "甲"}, reason=REASON)
    assert all(each["outcome"] == "refused" for each in events() if each["verb"] == "authz.propose")
    assert office.proposals.search(zhao) == []


@ONE
def test_another_organs_proposals_are_like_none_at_all(office: Office, events: Events) -> None:
    """Seen to fail when: `seen` answers Denied, and when it does not ask."""
    id_ = office.propose(organ="county-a")
    bo, proposals = office.actor("bo"), office.proposals
    for asked in (id_, "01234567890123456789012345"):
        for act, more in (
            (proposals.show, ()),
            (proposals.statement, ()),
            (proposals.refuse, ("依据不足",)),
            (proposals.withdraw, ()),
            (proposals.execute, ()),
            (proposals.submit, (b"",)),
            (proposals.approve, (b"", b"")),
        ):
            with pytest.raises(ProposalUnknown) as raised:
                act(bo, asked, *more)
            assert raised.value.facts == {"proposal": asked}
            assert raised.value.entry == events()[-1]["id"]
    assert office.proposals.search(bo) == []
    assert [each["id"] for each in office.proposals.search(office.actor("qin"))] == [id_]
    assert [each["id"] for each in office.proposals.search(office.actor("sun"))] == [id_]
    with pytest.raises(Denied):
        office.propose(by="bo", organ="county-a")


@ONE
def test_an_auditor_sees_and_never_acts_and_an_administrator_keeps_away_from_keys(office: Office) -> None:
    id_ = office.approved(kind="test.key")
    sun = office.actor("sun")
    assert office.proposals.show(sun, id_).state is State.APPROVED
    file = office.proposals.sign(office.actor("wei"), office.identity("wei", "officer-wei"), id_)
    for act in (
        lambda: office.proposals.execute(sun, id_),
        lambda: office.proposals.refuse(sun, id_, "依据不足"),
        lambda: office.proposals.submit(sun, id_, file),
        lambda: office.proposals.propose(sun, "test.within", {"text": "甲"}, reason=REASON),
        lambda: office.propose(kind="test.key", by="qian"),
    ):
        with pytest.raises(Denied):
            act()
    assert office.propose(kind="test.within", by="qian")


@ONE
def test_a_list_is_filtered_and_paged(office: Office) -> None:
    made = [office.propose(str(n), kind=("test.within", "test.apart")[n % 2]) for n in range(5)]
    office.proposals.withdraw(office.actor("zhao"), made[0])
    qin = office.actor("qin")
    assert [each["id"] for each in office.proposals.search(qin)] == made[::-1]
    first = office.proposals.search(qin, limit=2)
    assert [each["id"] for each in first] == made[:2:-1]
    assert [each["id"] for each in office.proposals.search(qin, after=first[-1]["id"])] == made[2::-1]
    assert len(office.proposals.search(qin, Filter(kind="test.apart"))) == 2
    assert [each["id"] for each in office.proposals.search(qin, Filter(state=State.WITHDRAWN))] == [made[0]]
    office.site.clock.advance(timedelta(days=31))
    assert len(office.proposals.search(qin, Filter(state=State.EXPIRED))) == 4
    assert len(list(office.proposals.every(qin, Filter(proposer="zhao")))) == 5
