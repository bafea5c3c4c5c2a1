"""Dispatch: the sealed document goes to its recipients, each with a copy that must be answered; urging, withdrawing, recalling.

A recipient may pass it down to the organs below: they get a copy of the same document, sent by that organ.
"""

from collections.abc import Sequence
from typing import cast

from apps.document.desk import Desk
from apps.document.errors import UnknownRecipient
from apps.document.models import Document
from apps.document.numbered.allot import allot
from apps.document.numbered.allot import gone as no_longer_held
from apps.document.records import DOCUMENTS
from apps.document.sites.advice import came
from apps.document.sites.choose import addressable
from apps.document.sites.errors import NotPassedOn
from apps.document.states import COPIES
from yinxin.authz import Level
from yinxin.distribution import demand_below, recipients

#: 绝密 is copied with the consent of whoever issued it, who can as well send it (条例 2012, chapter 7)
_NEVER_PASSED_ON: Level = "top-secret"


def dispatch(desk: Desk, document: str) -> None:
    """Send the document to every recipient it names; copies and record are one act."""
    calendar = desk.core.calendar()
    seen = DOCUMENTS.snapshot(desk, document)
    elsewhere = desk.carrier.elsewhere([*seen.recipients, *seen.copied_to])
    _demand_known(desk, seen, elsewhere)
    _demand_cleared(desk, "document.dispatch", seen, elsewhere)
    with DOCUMENTS.move(desk, document, "document.dispatch", seen=seen) as (act, row):
        to = recipients(row.recipients, row.copied_to)
        if to:
            term = desk.settings.receipt(row.urgency)
            sent = COPIES.send(desk, act, document, to, term=term, calendar=calendar, elsewhere=elsewhere)
            row.holders = [organ for organ in sent if organ not in elsewhere]
            allot(desk.store, act, row, sent)
        else:
            act.facts["recipients"] = []


def redispatch(desk: Desk, document: str, organs: Sequence[str]) -> list[str]:
    """Pass a document that the organ has signed for down to organs below it; those that had none.

    What came from one site may go on to a third, which holds it to the roots of the issuing organ's. Raises NotARecipient, NotReceived,
    ToBeGivenBack, NotBelow, NobodyNew, NotPassedOn, and what keeps it from that site.
    """
    own = desk.caller.actor.organ or ""
    calendar = desk.core.calendar()
    to = recipients(organs)
    seen = DOCUMENTS.read(desk, document)
    known = addressable(desk, own)
    demand_below(known.organs.values(), own, [each for each in organs if each not in known.under])
    elsewhere = desk.carrier.elsewhere(organs)
    if elsewhere and seen.level == _NEVER_PASSED_ON:
        _demand_own(desk, seen)
    _demand_cleared(desk, "document.redispatch", seen, elsewhere)
    with DOCUMENTS.move(desk, document, "document.redispatch") as (act, row):
        COPIES.passed_on(desk, act.session, document)
        term = desk.settings.receipt(row.urgency)
        sent = COPIES.send(desk, act, document, to, term=term, calendar=calendar, elsewhere=elsewhere)
        row.holders = [*row.holders, *(organ for organ in sent if organ not in elsewhere)]
        allot(desk.store, act, row, sent)
    return sent


def _demand_known(desk: Desk, row: Document, elsewhere: frozenset[str]) -> None:
    """Raise UnknownRecipient, on record, of one whose site is no peer any more: its copy would be nobody's."""
    here = [each for each in (*row.recipients, *row.copied_to) if each not in elsewhere]
    organs = desk.core.organs() if here else {}
    with desk.store.refusing(desk.caller.actor, "document.dispatch", DOCUMENTS.subject(row.id)):
        for each in here:
            if each not in organs:
                raise UnknownRecipient(organ=each)


def _demand_own(desk: Desk, row: Document) -> None:
    """Raise NotPassedOn, on record, of what another site sent."""
    with (
        desk.store.read() as session,
        desk.store.refusing(desk.caller.actor, "document.redispatch", DOCUMENTS.subject(row.id)),
    ):
        if came(session, row.id):
            raise NotPassedOn(document=row.id)


def _demand_cleared(desk: Desk, verb: str, row: Document, elsewhere: frozenset[str]) -> None:
    """Raise, on record, what keeps the document from another site before anybody is told that it was sent."""
    actor = desk.caller.actor
    with desk.store.refusing(actor, verb, DOCUMENTS.subject(row.id)):
        desk.carrier.demand(
            actor.organ or "", sorted(elsewhere), DOCUMENTS.subject(row.id), cast("Level", row.level)
        )


def urge(desk: Desk, document: str, organs: Sequence[str] = ()) -> list[str]:
    """Urge those that have not answered, of one's own sending; raises UrgedEnough, NothingOpen."""
    with DOCUMENTS.move(desk, document, "document.urge") as (act, _):
        return COPIES.urge(desk, act, document, organs)


def withdraw(desk: Desk, document: str, reason: str, organs: Sequence[str] = ()) -> list[str]:
    """Take back copies that nobody has signed for; raises ReasonMissing, AlreadyAnswered, NothingOpen."""
    with DOCUMENTS.move(desk, document, "document.withdraw", comment=reason) as (act, row):
        gone = COPIES.withdraw(desk, act, document, reason, organs)
        row.holders = [organ for organ in row.holders if organ not in gone]
        no_longer_held(desk.store, act, document, gone, reason)
    return gone


def recall(desk: Desk, document: str, reason: str, organs: Sequence[str] = ()) -> list[str]:
    """Have copies given back that were signed for (清退); raises ReasonMissing, NothingOpen."""
    with DOCUMENTS.move(desk, document, "document.recall", comment=reason) as (act, _):
        return COPIES.recall(desk, act, document, reason, organs)
