"""Documents come in: a message of another site about a document is taken in once, within the act of its delivery.

A parcel that does not hold is not taken in: that it was refused, and why, is kept and told to its sender. A recall counts if
nobody has answered for the copy by then: whoever holds the copy's row first decides, and both sites hear the same of it.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from apps.document import index
from apps.document.desk import content
from apps.document.models import Content, Document, File
from apps.document.models import State as DocumentState
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.sites import advice, link, secrecy, verify
from apps.document.sites.errors import ParcelUnfit
from apps.document.sites.models import Arrival
from apps.document.sites.report import SIGNED
from apps.document.sites.wire import (
    ANSWER,
    CALL_IN,
    FORMAT,
    KIND,
    PARCEL,
    RECALL,
    REPORT,
    SECRECY,
    URGE,
    fitting,
    unfit,
)
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.attachment import Attachments
from yinxin.calendar import Calendar
from yinxin.clock import parse_rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.deadline import Period
from yinxin.distribution import Copy, Key, Report, Reported, Role, State, arrive, hear
from yinxin.errors import YinxinError
from yinxin.exchange import Answered, Exchanging, Incoming
from yinxin.store import Act, Store
from yinxin.uploads import UploadIn

#: how often anybody may have urged, and how many copies there may be
_MOST_URGED, _MOST_COPIES = 10_000, 999_999
#: of a copy that another site made: that of the copy which it was made of, and the number there
_MARK = re.compile(r"(?=.{1,200}\Z)[a-z0-9.-]+(-[0-9]{1,6})+")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel that holds, its files in place: `uploads` become the document's attachments. Else `refused` says why."""

    calendar: Calendar
    refused: YinxinError | None = None
    sealed: verify.Sealed | None = None
    secret: secrecy.Secrecy | None = None
    uploads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """A report that holds."""

    calendar: Calendar
    report: Report


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions on a document's secrecy that hold."""

    since: tuple[secrecy.Signed, ...]


class Deliveries:
    """The application of the kind `document` (`yinxin.exchange.Application`)."""

    def __init__(
        self, store: Store, attachments: Attachments, exchange: Exchanging, calendar: Callable[[], Calendar]
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._exchange = exchange
        self._calendar = calendar
        #: the newest that was asked for: a gateway's receipt is heard inside a transaction, and the core is asked outside
        self._known = Calendar()

    def prepare(self, message: Incoming) -> object:
        """Check the message, and put a parcel's files in place; raises ParcelUnfit of what is no parcel."""
        self._known = self._calendar()
        with fitting():
            what, document = message.body["what"], message.body["document"]
            unfit(message.body["v"] == FORMAT, "版本不识", "of another version")
            unfit(message.object == DOCUMENTS.subject(document), "对象不符", "of another object")
        at_home = self._exchange.site_of(message.sender) == message.peer
        unfit(at_home, "机关不属于该站点", "the organ is of another site")
        if what == PARCEL:
            return self._parcel(message)
        if what == REPORT:
            return self._report(message, document)
        if what == SECRECY:
            return self._decided(message, document)
        if what == ANSWER:
            return link.read(self._store, message, document, self._known)
        unfit(what in (RECALL, URGE, CALL_IN), "用途不识", "of no known use")
        with fitting():
            if what == URGE:
                number = message.body["number"]
                unfit(type(number) is int and 0 < number <= _MOST_URGED, "次数不符", "of no number")
            else:
                reason = message.body["reason"]
                unfit(isinstance(reason, str) and "\0" not in reason, "没有理由", "without a reason")
        return None

    def take(self, act: Act, message: Incoming, prepared: object) -> None:
        """Take the message in."""
        act.facts |= {"about": message.object, "what": message.body["what"], "recipient": message.recipient}
        if isinstance(prepared, Parcel):
            self._arrived(act, message, prepared)
        elif isinstance(prepared, Decided):
            row = DOCUMENTS.load(act.session, message.body["document"], lock=True)
            secrecy.follow(act, row, prepared.since, self._store.clock.now())
        elif isinstance(prepared, link.Linked):
            link.take(act, message, prepared, self._store.clock.now())
        elif isinstance(prepared, Heard):
            act.facts["state"] = prepared.report.state.value
            hear(act, prepared.calendar, prepared.report)
        elif message.body["what"] == RECALL:
            self._recalled(act, message)
        else:
            self._pressed(act, message)

    def answered(self, act: Act, answer: Answered) -> None:
        """The other site's gateway has a parcel, or would not have it."""
        flow, document, organ, what = answer.reference.split(":")
        if (flow, what) != (KIND, PARCEL):
            return
        state: Reported = State.REFUSED if answer.error else State.DELIVERED
        proof = f"message:{answer.id}".encode()
        now = self._store.clock.now()
        hear(act, self._known, Report(Key(KIND, document, organ), state, now, proof, answer.error))

    # --- a parcel ---

    def _parcel(self, message: Incoming) -> Parcel:
        try:
            with fitting():
                Role(message.body["role"])
                if message.body["period"] is not None:
                    Period.of(message.body["period"])
                number = message.body.get("copy_number")
                good = number is None or (type(number) is int and 0 < number <= _MOST_COPIES)
                mark = message.body.get("copy_mark")
                good = good and (mark is None or (type(mark) is str and bool(_MARK.fullmatch(mark))))
                unfit(good, "份号不符", "of no copy number")
            now = self._store.clock.now()
            sealed = verify.sealed(message, now, self._rooted)
            secret = self._secrecy(message, sealed)
            secrecy.demand_level(secret, message.grade, now)
            return Parcel(self._known, None, sealed, secret, self._stored(message, sealed.beside))
        except YinxinError as error:
            if error.retryable or error.status >= 500:
                raise
            return Parcel(self._known, error)

    def _rooted(self, message: Incoming, organ: str) -> tuple[Certificate, ...]:
        """The roots of the site at which an organ is: the sender's, or those on the card of another that this site has."""
        at_home = self._exchange.site_of(organ) == message.peer
        return message.anchors if at_home else self._exchange.anchors(organ)

    def _issuer(
        self, message: Incoming, organ: str, name: str, anchors: tuple[Certificate, ...]
    ) -> secrecy.Issuer:
        at_home = organ == message.sender or self._exchange.site_of(organ) == message.peer
        return secrecy.Issuer(organ, name, anchors, not at_home)

    def _secrecy(self, message: Incoming, sealed: verify.Sealed) -> secrecy.Secrecy:
        body, digest = message.body, INTL.hash.digest(sealed.data).hex()
        issuer = self._issuer(message, sealed.issuer, sealed.said["organ"]["name"], sealed.anchors)
        since = secrecy.read_decisions(body.get("decisions", []), body["document"], issuer, digest)
        return secrecy.of_parcel(body, sealed.said, sealed.signed_off, since)

    def _stored(self, message: Incoming, sealed: int) -> tuple[str, ...]:
        """The attached files, behind so many sealed ones, in the store, each an upload of the platform's own; unless the document is here already."""
        with self._store.read() as session:
            if session.get(Document, message.body["document"]) is not None:
                return ()
        receiving, uploads = self._attachments.receiving, []
        for number, each in enumerate(message.files[sealed:], sealed):
            wanted = UploadIn(name=each.name, size=each.size, sha256=each.sha256, sm3=each.sm3)
            upload = receiving.begin(SYSTEM, wanted)
            at = 0
            for piece in verify.pieces(message, number, upload.part) if not upload.complete else ():
                if at + len(piece) > upload.received:  # what came before a process died is there
                    skipped = max(upload.received - at, 0)
                    receiving.write(SYSTEM, upload.id, at + skipped, io.BytesIO(piece[skipped:]))
                at += len(piece)
            receiving.complete(SYSTEM, upload.id)
            uploads.append(upload.id)
        return tuple(uploads)

    def _arrived(self, act: Act, message: Incoming, parcel: Parcel) -> None:
        session, now = act.session, self._store.clock.now()
        document, organ = message.body["document"], message.recipient
        if session.get(Arrival, (document, organ)) is not None:
            act.facts["again"] = True
            return
        refused = parcel.refused
        if parcel.sealed is not None and parcel.secret is not None:
            try:
                row = self._document(act, message, parcel.sealed, parcel.secret, parcel.uploads)
                copy = Copy(flow=KIND, item=document, organ=organ, sender=message.sender)
                copy.role = Role(message.body["role"])
                period = message.body["period"]
                arrive(act, copy, Period.of(period) if period else None, parcel.calendar, now)
                row.holders = [*row.holders, organ]
            except ParcelUnfit as error:
                refused = error
        act.facts["refused"] = refused.code if refused else ""
        arrival = Arrival(document=document, organ=organ, peer=message.peer, sender=message.sender)
        arrival.level, arrival.at, arrival.told = message.grade, now, None
        if refused is None:
            arrival.copy_number, arrival.copy_mark = map(message.body.get, ("copy_number", "copy_mark"))
        arrival.refused = f"{refused.text('zh')} / {refused.text('en')}"[:2000] if refused else None
        session.add(arrival)

    def _document(
        self,
        act: Act,
        message: Incoming,
        sealed: verify.Sealed,
        secret: secrecy.Secrecy,
        uploads: tuple[str, ...],
    ) -> Document:
        """The document as the organs of this site have it; raises ParcelUnfit when another one is here in its place."""
        session, document = act.session, message.body["document"]
        row = session.get(Document, document, with_for_update=True)
        if row is not None:
            # it may have come from its issuing organ, and be passed on by another to one more organ of this site
            same = session.get_one(File, (document, SEALED)).data == sealed.data
            unfit(
                same and advice.came(session, document),
                "同号公文已存在",
                "another document has its identifier",
            )
            secrecy.follow(act, row, secret.since, self._store.clock.now())
            return row
        number = message.body["number"]
        taken = sa.select(Document.id).where(Document.number == number)
        unfit(session.scalar(taken) is None, "文号已用于另一份公文", "another document has its number")
        row = _row(message, sealed, self._store.clock.now())
        session.add(row)
        session.flush()
        digest = INTL.hash.digest(sealed.content).hex()
        session.add(
            Content(
                document=document,
                revision=1,
                filename="content.json",
                source=sealed.content,
                data=sealed.content,
                sha256=digest,
            )
        )
        for name, data in {SEALED: sealed.data, **sealed.also}.items():
            session.add(File(document=document, name=name, sha256=INTL.hash.digest(data).hex(), data=data))
        for upload in uploads:
            self._attachments.files.attach(act, DOCUMENTS.subject(document), upload)
        session.flush()
        secrecy.begin(act, row, secret, self._store.clock.now())
        index.put(session, row, sealed.content)
        return row

    # --- what follows ---

    def _recalled(self, act: Act, message: Incoming) -> None:
        session, document, organ = act.session, message.body["document"], message.recipient
        arrival = session.get(Arrival, (document, organ))
        act.facts["withdrawn"] = False
        if arrival is None or (arrival.peer, arrival.sender) != (message.peer, message.sender):
            return
        row = session.get(Document, document, with_for_update=True)
        copy = session.get(Copy, (KIND, document, organ), with_for_update=True)
        if row is None or copy is None or copy.state != State.DELIVERED:
            return  # its answer is on its way, and stands
        copy.state, copy.answered_at = State.WITHDRAWN, self._store.clock.now()
        copy.reason = str(message.body["reason"])[:2000]
        row.holders = [each for each in row.holders if each != organ]
        act.facts["withdrawn"] = True

    def _pressed(self, act: Act, message: Incoming) -> None:
        """The sender urges, or wants the copy back that was signed for (清退): it shows with the copy, while that is still so."""
        session, document, organ = act.session, message.body["document"], message.recipient
        arrival = session.get(Arrival, (document, organ))
        copy = session.get(Copy, (KIND, document, organ), with_for_update=True)
        mine = arrival is not None and (arrival.peer, arrival.sender) == (message.peer, message.sender)
        urged = message.body["what"] == URGE
        act.facts["done"] = done = (
            mine and copy is not None and copy.state == (State.DELIVERED if urged else State.RECEIVED)
        )
        if not done or copy is None:
            return  # its answer is on its way
        now = self._store.clock.now()
        if urged:
            copy.urged, copy.urged_at = max(copy.urged, int(message.body["number"])), now
        else:
            copy.recalled_at, copy.reason = copy.recalled_at or now, str(message.body["reason"])[:2000]

    def _decided(self, message: Incoming, document: str) -> Decided:
        """Decisions on the secrecy of a document that this very site has sent here; raises ParcelUnfit, and what does not hold."""
        with self._store.read() as session:
            arrival = session.get(Arrival, (document, message.recipient))
            mine = (
                arrival is not None
                and arrival.refused is None
                and (arrival.peer, arrival.sender) == (message.peer, message.sender)
            )
            unfit(mine, "不是发来该公文的站点和机关", "not from the site and organ that sent the document")
            organ = DOCUMENTS.load(session, document).organ
            sha256 = session.get_one(File, (document, SEALED)).sha256
            name = canonical.decode(content(session, document).data)["organ"]["name"]
        anchors = message.anchors if organ == message.sender else self._rooted(message, organ)
        with fitting():
            told = message.body["decisions"]
        issuer = self._issuer(message, organ, name, anchors)
        return Decided(secrecy.read_decisions(told, document, issuer, sha256))

    def _report(self, message: Incoming, document: str) -> Heard:
        with fitting():
            state = State(message.body["state"])
            at, reason = parse_rfc3339(message.body["at"]), message.body["reason"]
            reason = None if reason is None else str(reason)[:2000]
        unfit(state in (*SIGNED, State.WITHDRAWN, State.REFUSED), "状态不识", "of no known state")
        with self._store.read() as session:
            copy = session.get(Copy, (KIND, document, message.sender))
            unfit(
                copy is not None and copy.away and copy.sender == message.recipient,
                "没有发给该机关",
                "never sent to that organ",
            )
            sha256 = session.get_one(File, (document, SEALED)).sha256
        if state in SIGNED:
            verify.answered(message, SIGNED[state], sha256)
        proof = canonical.encode({"message": message.id, **message.body})
        key = Key(KIND, document, message.sender)
        return Heard(self._known, Report(key, cast("Reported", state), at, proof, reason))


def _row(message: Incoming, sealed: verify.Sealed, now: datetime) -> Document:
    body, said = message.body, sealed.said
    with fitting():
        return Document(
            id=body["document"],
            organ=sealed.issuer,
            level=message.grade,
            state=DocumentState.DISPATCHED,
            version=1,
            created_at=now,
            updated_at=now,
            reference=body["document"],
            kind=said["kind"],
            title=said["title"],
            urgency=body["urgency"],
            recipients=list(said["recipients"]),
            copied_to=[],
            # who issued it with that organ: they are asked for nothing here
            joint=[str(each["id"]) for each in said.get("joint", ())],
            holders=[],
            drafter=message.peer,
            dated=body["dated"],
            number=body["number"],
            pages=sealed.pages,
        )
