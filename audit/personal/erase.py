"""Erasing personal data by the decision of several people: salts and values leave, entries and proofs stay.

All in the transaction that carries the proposal out, so that what is erased and the record of it are both there, or
neither is: the record is the entry of `authz.execute` about the proposal, and names the digest of the list of fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.models import SealedRow
from audit.archive.periods import period, rules_at
from audit.archive.proposals import FEWEST_DAYS
from audit.models import EntryRow
from audit.personal.errors import (
    ErasureTooEarly,
    ErasureTooLarge,
    NothingToErase,
    PersonNotNamed,
    UnderHold,
)
from audit.personal.models import ErasedRow, ErasureRow, HoldRow, OpeningRow
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.steps import step

if TYPE_CHECKING:
    from audit.personal.proposals import ErasureContent
    from yinxin.proposal import Approved

#: the kind of proposal that an erasure is the carrying out of
KIND = "audit.erase"
#: fields of one erasure, and rows of one statement
MOST, _CHUNK = 100_000, 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field that an erasure is about."""

    index: int
    name: str
    person: str | None
    event: str
    time: datetime
    verb: str
    #: its entry's content stands in an archive, and its value only here
    archived: bool


def chosen(session: Session, content: "ErasureContent") -> list[Chosen]:
    """The fields that are there and that it is about, in order.

    Without a person they are nobody's: whoever's they were would not be told to those who decide, and could be one of them.
    Raises NothingToErase, PersonNotNamed, ErasureTooLarge.
    """
    query = (
        sa.select(
            OpeningRow.index,
            OpeningRow.name,
            OpeningRow.person,
            EntryRow.event,
            EntryRow.time,
            EntryRow.verb,
            sa.exists().where(SealedRow.index == OpeningRow.index),
        )
        .join(EntryRow, EntryRow.index == OpeningRow.index)
        .order_by(OpeningRow.index, OpeningRow.name)
    )
    if content.person:
        query = query.where(OpeningRow.person == content.person)
    if content.entries:
        query = query.where(EntryRow.event.in_(content.entries))
    if content.fields:
        query = query.where(OpeningRow.name.in_(content.fields))
    if content.until is not None:
        query = query.where(EntryRow.time < content.until)
    found = [Chosen(*row) for row in session.execute(query.limit(MOST + 1))]
    if not found:
        raise NothingToErase
    if not content.person:
        for each in found:
            if each.person is not None:
                raise PersonNotNamed(event=each.event, field=each.name)
    if len(found) > MOST:
        raise ErasureTooLarge(most=MOST)
    return found


def permit(session: Session, fields: Iterable[Chosen], now: datetime) -> None:
    """That nobody has ordered these kept, and that each has been kept as long as it must be.

    Raises UnderHold, ErasureTooEarly. An entry without a rule, like every log of a network, is kept for half a year.
    """
    held, rules = holds_at(session, now), rules_at(session, now)
    for each in fields:
        for person in ("", each.person):
            if person is not None and person in held:
                raise UnderHold(person=person or "*", proposal=held[person], event=each.event)
        known = {"", f"{each.verb.partition('.')[0]}.", each.verb} & rules.keys()
        days = period(rules, each.verb) if known else FEWEST_DAYS
        if days is None or now < each.time + timedelta(days=days):
            until = "-" if days is None else rfc3339(each.time + timedelta(days=days))
            raise ErasureTooEarly(event=each.event, time=rfc3339(each.time), verb=each.verb, until=until)


def holds_at(session: Session, at: datetime) -> dict[str, str]:
    """Whose data is ordered to be kept, by which proposal: the newest order about a person counts. Empty is everybody."""
    query = sa.select(HoldRow).where(HoldRow.since <= at).order_by(HoldRow.since, HoldRow.proposal)
    newest = {row.person: row for row in session.scalars(query)}
    return {person: row.proposal for person, row in newest.items() if row.held}


def digest_of(fields: Iterable[tuple[int, str]]) -> str:
    """What the log says of a list of fields, in order."""
    return INTL.hash.digest("".join(f"{index} {name}\n" for index, name in fields).encode()).hex()


def erase(session: Session, approved: "Approved[ErasureContent]", now: datetime) -> Mapping[str, Any]:
    """Do it; says what was done. Raises what `chosen` and `permit` raise."""
    proposal, content = approved.proposal, approved.content
    # 1. Which, and whether they may go: as things are now, whatever was so when it was proposed.
    fields = chosen(session, content)
    permit(session, fields, now)
    step("audit.erase.1-chosen")
    # 2. What is to go is written down, for the check and for whoever looks for a value.
    rows = [{"index": each.index, "name": each.name, "erasure": proposal} for each in fields]
    for at in range(0, len(rows), _CHUNK):
        session.execute(sa.insert(ErasedRow), rows[at : at + _CHUNK])
    digest = digest_of((each.index, each.name) for each in fields)
    archived = len({each.index for each in fields if each.archived})
    session.add(
        ErasureRow(
            proposal=proposal,
            at=now,
            person=content.person or None,
            ground=content.ground,
            basis=approved.basis,
            fields=len(fields),
            entries=len({each.index for each in fields}),
            archived=archived,
            digest=digest,
        )
    )
    session.flush()
    step("audit.erase.2-noted")
    # 3. Salts and values, exactly these.
    noted = sa.exists().where(
        ErasedRow.index == OpeningRow.index, ErasedRow.name == OpeningRow.name, ErasedRow.erasure == proposal
    )
    session.execute(sa.delete(OpeningRow).where(noted).execution_options(synchronize_session=False))
    step("audit.erase.3-gone")
    return {
        "erased": {
            "person": content.person or None,
            "ground": content.ground,
            "fields": len(fields),
            "archived": archived,
            "digest": digest,
        }
    }


def scrub(engine: sa.Engine) -> None:
    """Have the database let go of the pages in which erased values stood; to be run after an erasure, again and again.

    SQLite overwrites them when it deletes, and its write-ahead log is emptied here; PostgreSQL keeps them until the tables
    are vacuumed. Whoever reads at that moment keeps it from being complete: the next time does it.
    """
    if engine.dialect.name == "sqlite":
        pooled = engine.raw_connection()  # past what begins a transaction with every statement
        driver: Any = pooled.driver_connection
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            pooled.close()
        return
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in ("VACUUM audit_opening", "VACUUM outbox"):
            connection.execute(sa.text(statement))
