"""Answers are linked across sites: an organ of another site says which of its documents answers one of ours, and proves that it had ours.

The message is signed by that organ's site; with it comes the receipt that a person of that organ signed for our document.
"""

from dataclasses import dataclass
from datetime import datetime

from apps.document.intake.models import Answer
from apps.document.models import Document, File
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.sites import verify
from apps.document.sites.models import Arrival
from apps.document.sites.wire import KIND, fitting, unfit
from yinxin import canonical
from yinxin.calendar import Calendar
from yinxin.distribution import Key, Report, State, hear
from yinxin.exchange import Incoming
from yinxin.statement import Statement
from yinxin.store import Act, Store

#: what a person signed who signed for it
RECEIVE = "document.receive"


@dataclass(frozen=True, slots=True)
class Linked:
    """An answer that holds: which document it is, and when its organ signed for ours."""

    calendar: Calendar
    answer: str
    received: datetime


def read(store: Store, message: Incoming, document: str, calendar: Calendar) -> Linked:
    """That a document of the sender's which came here answers one of the recipient's; raises ParcelUnfit, or what does not hold."""
    with fitting():
        answer = message.body["answer"]
        unfit(
            isinstance(answer, str) and answer != document,
            "没有答复的公文",
            "without a document that answers",
        )
    with store.read() as session:
        ours = session.get(Document, document)
        unfit(
            ours is not None and ours.organ == message.recipient,
            "答复的不是收文机关制发的公文",
            "what it answers was not issued by the recipient",
        )
        came = session.get(Arrival, (answer, message.recipient))
        unfit(
            came is not None and (came.peer, came.sender) == (message.peer, message.sender),
            "答复公文没有由该机关发来",
            "the document that answers did not come from that organ",
        )
        sha256 = session.get_one(File, (document, SEALED)).sha256
    verify.answered(message, RECEIVE, sha256)
    with fitting():
        received = Statement.decode(bytes.fromhex(message.body["statement"])).at
    return Linked(calendar, answer, received)


def take(act: Act, message: Incoming, linked: Linked, now: datetime) -> None:
    """Note it, as an answer within one site is; an organ answers once. That it has signed for ours is heard by it too, if the receipt is still to come."""
    session, document, organ = act.session, message.body["document"], message.sender
    DOCUMENTS.load(session, document, lock=True)
    arrival = session.get_one(Arrival, (linked.answer, message.recipient))
    act.facts |= {"answer": linked.answer, "linked": False}
    if arrival.refused is not None:
        return  # its sender was told why
    there = session.get(Answer, (document, organ))
    unfit(
        there is None or there.answer == linked.answer,
        "该机关已另有答复",
        "that organ has answered with another document",
    )
    own = session.get_one(Document, linked.answer)
    unfit(own.organ == organ, "答复公文不是该机关制发的", "another organ issued the document that answers")
    if there is None:
        session.add(Answer(document=document, organ=organ, answer=linked.answer, at=now))
        act.facts["linked"] = True
    proof = canonical.encode({"message": message.id, **message.body})
    hear(act, linked.calendar, Report(Key(KIND, document, organ), State.RECEIVED, linked.received, proof))
