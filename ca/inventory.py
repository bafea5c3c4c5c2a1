"""Finding certificates again, quick at a million: by serial number, holder, organ, name, key, profile, state, end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from authz.directory.tree import reached
from ca.context import Context
from ca.errors import UnknownCertificate
from ca.models import BETWEEN, LONGEST_NAME, CertificateRow, NameRow, State
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import Reason
from yinxin.store import Instant, Store

#: `suspended`, `revoked` and `expired` are issued certificates too; `issued` means in force
Standing = Literal["issued", "suspended", "revoked", "expired", "intent", "abandoned"]
HOLD = Reason.CERTIFICATE_HOLD.value


#: what a list is sorted by; with a dash, from the last to the first
Sort = Literal["serial", "not_after", "-not_after", "created", "-created"]
#: certificates of one condition up to which its index finds them; more are met soon enough on the way through the order
FEW = 5000


#: columns that no list shows
_OCTETS = (CertificateRow.tbs, CertificateRow.lint_certificate, CertificateRow.der)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for; None is anything."""

    holder: str | None = None
    #: this organ and all below it
    organ: str | None = None
    profile: str | None = None
    authority: str | None = None
    state: Standing | None = None
    #: part of a name in subject or alternative names, a person's name among them; case does not matter
    name: str | None = None
    #: how the serial number begins, hexadecimal
    serial: str | None = None
    #: SHA-256 of the SubjectPublicKeyInfo, hexadecimal
    key: str | None = None
    #: the end of validity, both inclusive
    ends_from: datetime | None = None
    ends_to: datetime | None = None
    sort: Sort = "serial"


#: a serial number or fingerprint, or how one begins, as tools of every kind write it: what `normal` reads
HEXADECIMAL = r"^(0[xX])?[0-9A-Fa-f][0-9A-Fa-f:]*$"


def normal(name: str) -> str:
    """A serial number or fingerprint as the tables spell it: hexadecimal, lower case, no colons, no leading zeros.

    A fingerprint keeps its 64 digits.
    """
    text = name.strip().lower().removeprefix("0x").replace(":", "")
    return text if len(text) == 64 else text.lstrip("0")


def find(ctx: Context, name: str) -> CertificateRow:
    """The issuance of a serial number or SHA-256 fingerprint (hexadecimal); raises UnknownCertificate."""
    text = normal(name)
    column = CertificateRow.fingerprint if len(text) == 64 else CertificateRow.serial
    with ctx.store.read() as session:
        row = session.scalars(sa.select(CertificateRow).where(column == text)).one_or_none()
    if row is None:
        raise UnknownCertificate(certificate=name[:80])
    return row


def search(store: Store, wanted: Filter, *, after: str = "", limit: int = 100) -> Sequence[CertificateRow]:
    """At most `limit` issuances in the order wanted, from the one after the position `after` (see `position`).

    Conditions that few certificates fulfil are looked up; the others are checked on the way. Without any of the former
    the list is walked in its order, which finds the first page soon, because what many fulfil is met often.
    """
    row = CertificateRow
    with store.read() as session:
        conditions = list(_conditions(session, wanted, store.clock.now()))
        few = [each for each in conditions if each.rare and _few(session, each.indexed)]
        plain = [each.indexed if each in few else each.checked for each in conditions]
        query = sa.select(row).options(*map(defer, _OCTETS)).where(*plain)
        if after:
            query = query.where(_beyond(wanted.sort, after))
        return session.scalars(query.order_by(*_order(wanted.sort)).limit(limit)).all()


def position(row: CertificateRow, sort: Sort) -> str:
    """Where a certificate stands in a list, for going on after it."""
    column = sort.removeprefix("-")
    return row.serial if column == "serial" else f"{rfc3339(getattr(row, column))} {row.serial}"


def searchable(certificate: Certificate) -> tuple[str, ...]:
    """The texts by which a certificate is found: the values of its subject and its alternative names, as many in each as fit."""
    texts = (*(text for _, text in certificate.subject.pairs), *(text for _, text in certificate.san))
    names = sorted({text.lower()[:LONGEST_NAME] for text in texts})
    whole = BETWEEN.join(names)
    return (whole,) if len(whole) <= LONGEST_NAME else tuple(_shared_out(names))


def _shared_out(names: Sequence[str]) -> Iterator[str]:
    """Whole names, one after the other, into as few rows as they fit."""
    row = ""
    for name in names:
        if row and len(row) + len(BETWEEN) + len(name) > LONGEST_NAME:
            yield row
            row = ""
        row += BETWEEN + name if row else name
    yield row


@dataclass(frozen=True)
class _Condition:
    """A condition as its index takes it, and in a form that no index takes: rows are then checked as they come."""

    indexed: sa.ColumnElement[bool]
    checked: sa.ColumnElement[bool]
    #: whether it is worth asking if few fulfil it
    rare: bool = True


def _conditions(session: Session, wanted: Filter, now: datetime) -> Iterator[_Condition]:
    row = CertificateRow
    for column, value in (
        (row.holder, wanted.holder),
        (row.authority, wanted.authority),
        (row.spki_digest, wanted.key),
        (row.profile, None if wanted.organ else wanted.profile),
    ):
        if value is not None:
            yield _Condition(column == value, column.concat("") == value)
    if wanted.organ is not None:
        yield _inside(session, wanted.organ, wanted.profile)
    if wanted.serial:
        begin = normal(wanted.serial)
        span = sa.and_(row.serial >= begin, row.serial < f"{begin}g")
        yield _Condition(span, span)
    if wanted.name:
        named = _named(session, wanted.name.lower())
        yield _Condition(named, named, rare=False)
    if wanted.ends_from is not None or wanted.ends_to is not None:
        ends = sa.and_(
            row.not_after >= (wanted.ends_from or datetime.min.replace(tzinfo=UTC)),
            row.not_after <= (wanted.ends_to or datetime.max.replace(tzinfo=UTC)),
        )
        yield _Condition(ends, ends)
    if wanted.state is not None:
        stands = _standing(wanted.state, now)
        checked = sa.case((stands, 1), else_=0) == 1
        if wanted.state == "issued" and wanted.sort.endswith("not_after"):
            checked = sa.and_(checked, row.not_after >= now)
        yield _Condition(stands, checked, rare=wanted.state != "issued")


def _inside(session: Session, organ: str, profile: str | None) -> _Condition:
    """An organ and those below it, with the profile, since one index knows both together."""
    row = CertificateRow
    below = session.scalars(reached(organ))
    organs = sorted({organ, *below})
    same = (lambda column: column == profile) if profile else (lambda _: sa.true())
    checked = sa.and_(row.organ.concat("").in_(organs), same(row.profile.concat("")))
    if len(organs) > 1:
        return _Condition(sa.and_(row.organ.in_(organs), same(row.profile)), checked)
    # of a single organ the index knows the order as well
    single = sa.and_(row.organ == organ, same(row.profile))
    return _Condition(single, single, rare=False)


def _named(session: Session, part: str) -> sa.ColumnElement[bool]:
    """That a certificate has a name with `part` in it: the table of names is read through once."""
    if BETWEEN in part:  # no name has it, and what stands in a row on both sides of it is two names
        return sa.false()
    place = sa.func.strpos if session.get_bind().dialect.name == "postgresql" else sa.func.instr
    found = sa.select(NameRow.serial).where(place(NameRow.text, part) > 0)
    serials = session.scalars(found.distinct().limit(FEW + 1)).all()
    return CertificateRow.serial.in_(serials if len(serials) <= FEW else found)


def _few(session: Session, condition: sa.ColumnElement[bool]) -> bool:
    """Whether no more than FEW certificates fulfil it; looks at no more than that."""
    some = sa.select(sa.literal(1)).select_from(CertificateRow).where(condition).limit(FEW + 1).subquery()
    return (session.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= FEW


def _order(sort: Sort) -> tuple[sa.ColumnElement[Any], ...]:
    names = ("serial",) if sort == "serial" else (sort.removeprefix("-"), "serial")
    columns = [getattr(CertificateRow, name) for name in names]
    return tuple(each.desc() if sort.startswith("-") else each.asc() for each in columns)


def _beyond(sort: Sort, after: str) -> sa.ColumnElement[bool]:
    if sort == "serial":
        return CertificateRow.serial > after
    at, _, serial = after.partition(" ")
    here = sa.tuple_(sa.literal(parse_rfc3339(at), Instant()), sa.literal(serial))
    columns = sa.tuple_(*(getattr(CertificateRow, name) for name in (sort.removeprefix("-"), "serial")))
    return columns < here if sort.startswith("-") else columns > here


def standing(row: CertificateRow, now: datetime) -> Standing:
    """How an issuance stands now."""
    if row.state != State.ISSUED:
        return "intent" if row.state == State.INTENT else "abandoned"
    if row.revoked_at is not None:
        return "suspended" if row.reason == HOLD else "revoked"
    return "expired" if row.not_after < now else "issued"


def _standing(state: Standing, now: datetime) -> sa.ColumnElement[bool]:
    issued = CertificateRow.state == State.ISSUED
    unrevoked = CertificateRow.revoked_at.is_(None)
    held = sa.func.coalesce(CertificateRow.reason, "") == HOLD
    return {
        "intent": CertificateRow.state == State.INTENT,
        "abandoned": CertificateRow.state == State.ABANDONED,
        "suspended": sa.and_(issued, sa.not_(unrevoked), held),
        "revoked": sa.and_(issued, sa.not_(unrevoked), sa.not_(held)),
        "expired": sa.and_(issued, unrevoked, CertificateRow.not_after < now),
        "issued": sa.and_(issued, unrevoked, CertificateRow.not_after >= now),
    }[state]


#: what an export holds, in this order
COLUMNS = (
    "serial", "state", "profile", "subject", "holder_kind", "holder", "post", "organ", "not_before", "not_after",
    "revoked_at", "reason", "authority", "fingerprint", "key", "reference", "requested_by", "profile_hash",
)  # fmt: skip


def describe(row: CertificateRow, now: datetime) -> dict[str, str | None]:
    """An issuance as JSON, for commands and the interface; no octets."""
    return {
        "serial": row.serial,
        "authority": row.authority,
        "profile": row.profile,
        "profile_hash": row.profile_hash,
        "reference": row.reference,
        "state": standing(row, now),
        "subject": row.subject,
        "holder_kind": row.holder_kind,
        "holder": row.holder,
        "post": row.post,
        "organ": row.organ,
        "fingerprint": row.fingerprint,
        "key": row.spki_digest,
        "not_before": rfc3339(row.not_before),
        "not_after": rfc3339(row.not_after),
        "requested_by": row.requested_by,
        "revoked_at": rfc3339(row.revoked_at) if row.revoked_at else None,
        "reason": row.reason,
    }
