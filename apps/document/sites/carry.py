"""Documents leave: a copy for another site becomes a message of the exchange, once; so does its recall."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.desk import file, media_type
from apps.document.models import File
from apps.document.numbered.models import Medium, NumberedCopy
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from apps.document.sites import advice, secrecy
from apps.document.sites.verify import ALSO
from apps.document.sites.wire import CALL_IN, KIND, PARCEL, RECALL, URGE, body, reference
from yinxin.attachment import Attachments
from yinxin.authz import Level
from yinxin.distribution import Copy, Key, Parcel, Role
from yinxin.exchange import Enclosed, Exchanging, Outgoing, Reached
from yinxin.store import Store


class Sites:
    """The carrier of documents (`yinxin.distribution.Carrier`)."""

    def __init__(self, store: Store, exchange: Exchanging) -> None:
        self._store = store
        self._exchange = exchange

    def elsewhere(self, organs: Sequence[str]) -> frozenset[str]:
        """Those that are reached at another site."""
        return frozenset(each for each in organs if self._exchange.site_of(each) is not None)

    def reached(self, sender: str) -> Sequence[Reached]:
        """The organs of other sites that an organ of this one may send to."""
        return self._exchange.reached(sender)

    def demand(self, sender: str, organs: Iterable[str], object_: str, level: Level) -> None:
        """Raise NotOurOrgan, UnknownRecipient, TooSecret."""
        for each in organs:
            self._exchange.demand(sender, each, object_, level)

    def carry(self, parcel: Parcel) -> None:
        """Put the parcel into the outbox, unless it is there."""
        key = parcel.key
        said = {"role": parcel.role.value, "period": parcel.period, "sha256": parcel.sha256, **parcel.facts}
        message = self._message(PARCEL, key, parcel.sender, parcel.level, said)
        self._send(replace(message, files=parcel.files))

    def recall(self, key: Key, reason: str) -> bool:
        """Ask the other site to take the copy back; whether it was ever sent there."""
        sender, level = self._of(key)
        if not self._exchange.sent(sender, reference(PARCEL, key.item, key.organ)):
            return False
        self._send(self._message(RECALL, key, sender, level, {"reason": reason}))
        return True

    def urge(self, key: Key, number: int) -> None:
        """Tell the other site that the copy was urged for the `number`th time."""
        message = self._message(URGE, key, *self._of(key), {"number": number})
        self._send(replace(message, reference=reference(f"{URGE}-{number}", key.item, key.organ)))

    def call_in(self, key: Key, reason: str) -> None:
        """Have the other site give the copy back that was signed for (清退)."""
        self._send(self._message(CALL_IN, key, *self._of(key), {"reason": reason}))

    def _of(self, key: Key) -> tuple[str, Level]:
        """Who sent the copy, and how what is said of it is graded: not so high that it would not reach whoever has it."""
        with self._store.read() as session:
            copy = session.get_one(Copy, (key.flow, key.item, key.organ))
            return copy.sender, secrecy.lowest(session, DOCUMENTS.load(session, key.item))

    def _send(self, message: Outgoing) -> None:
        if not self._exchange.sent(message.sender, message.reference):  # its level may have changed since
            self._exchange.send(message)

    @staticmethod
    def _message(what: str, key: Key, sender: str, level: Level, said: Mapping[str, object]) -> Outgoing:
        name = reference(what, key.item, key.organ)
        subject = DOCUMENTS.subject(key.item)
        return Outgoing(name, sender, key.organ, KIND, subject, level, body(what, key.item, said))


def pack(store: Store, attachments: Attachments, spool: Path, copy: Copy) -> Parcel:
    """The parcel of a copy: the sealed files, written into `spool`, the PDF first; then the attached files from where they lie."""
    with store.read() as session:
        row = DOCUMENTS.load(session, copy.item)
        sealed = file(session, copy.item, SEALED)
        enclosed = [
            Enclosed(each.name, each.media_type, attachments.files.path(session, each))
            for each in attachments.files.of(session, DOCUMENTS.subject(copy.item))
        ]
        others = (session.get(File, (copy.item, name)) for name in ALSO)
        made = [sealed, *(each for each in others if each is not None)]
        paths = [spool / f"{copy.item}-{each.name}" for each in made]
        for path, each in zip(paths, made, strict=True):
            path.write_bytes(each.data)
        facts = {
            "number": row.number,
            "dated": row.dated,
            "urgency": row.urgency,
            "made": [each.name for each in made],
            **secrecy.facts(session, row),
            **_numbered(session, copy),
        }
        return Parcel(
            Key(copy.flow, copy.item, copy.organ),
            copy.sender,
            Role(copy.role),
            cast("Level", row.level),
            sealed.sha256,
            copy.period,
            facts,
            (
                *(
                    Enclosed(each.name, media_type(each.name), path)
                    for path, each in zip(paths, made, strict=True)
                ),
                *enclosed,
            ),
        )


def _numbered(session: Session, copy: Copy) -> dict[str, int | str]:
    """The number of the copy in the issuing organ's register, or what stands on one that is made here of what came from another site."""
    mine = (NumberedCopy.document == copy.item, NumberedCopy.organ == copy.organ)
    query = sa.select(NumberedCopy).where(*mine, NumberedCopy.medium == Medium.FILE)
    found = session.scalars(query.order_by(NumberedCopy.number).limit(1)).first()
    if found is None:
        return {}
    if advice.came(session, copy.item):
        # of what was passed on before copies of copies had marks nothing is told
        return {} if found.mark is None else {"copy_mark": found.mark}
    return {"copy_number": found.number}
