"""The books: every act has its record and every record its act, and nothing is left between done and not done.

`balance` holds at any moment, also right after a crash; `close` holds when the job has been run to its end.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document, Numbering
from apps.document.models import State as DocumentState
from apps.document.states import LIFE
from audit.models import EntryRow
from authz.models import CertificateBinding, SessionRow
from ca.models import AuthorityRow, CertificateRow, State
from ca.status.line import Line
from ca.status.models import CrlRow
from kms.mechanisms import NATIVE
from kms.models import KeyRow, Place
from kms.models import State as KeyState
from ops.accounts import Account
from ops.demo.found import suites_of
from ops.platform import Platform
from yinxin import evidence
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.distribution import Copy
from yinxin.distribution import State as CopyState
from yinxin.flow import Signature, Step
from yinxin.store import OutboxRow

Events = list[dict[str, Any]]
#: the acts that are steps of a document
_VERBS = {each.verb for each in LIFE.transitions}


def balance(platform: Platform, *, enter: bool = True) -> Events:
    """Enter what waits, check the log, and hold every table against it; the events.

    Without `enter` what waits is read where it waits, so that the product itself has it to enter.
    """
    if enter:
        platform.audit.sequence()
        platform.audit.checkpoint()
    platform.audit.check()
    with platform.store.read() as session:
        waiting = list(session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number)))
        assert not (enter and waiting)
        entered = session.scalars(sa.select(EntryRow.data).order_by(EntryRow.index))
        events: Events = [json.loads(data) for data in (*entered, *waiting)]
        ids = [each["id"] for each in events]
        assert len(ids) == len(set(ids)), "an event was entered twice"
        _documents(session, events)
        _deliveries(session, events)
        _numbers(session)
        _certificates(session, events)
        _keys(session, events)
        _rest(session, events)
    _token(platform)
    return events


def done(events: Iterable[Mapping[str, Any]], verb: str) -> list[Any]:
    """The acts of this verb that were done."""
    return [each for each in events if each["verb"] == verb and each["outcome"] == "done"]


def subjects(events: Iterable[Mapping[str, Any]], verb: str) -> Counter[str]:
    """What the acts of this verb were done to, without the kind."""
    return Counter(each["subject"].partition(":")[2] for each in done(events, verb))


def _documents(session: Session, events: Events) -> None:
    steps = list(session.scalars(sa.select(Step)))
    entries = {each["id"]: each for each in events if each["outcome"] == "done" and each["verb"] in _VERBS}
    assert Counter(step.entry for step in steps) == Counter(list(entries)), (
        "a step without a record, or the reverse"
    )
    for step in steps:
        entry = entries[step.entry]
        assert (entry["verb"], entry["subject"]) == (step.verb, f"document:{step.item}")
        assert (entry["actor"]["id"], entry["actor"]["post"]) == (step.person, step.post)
    for row in session.scalars(sa.select(Document)):
        own = sorted((step for step in steps if step.item == row.id), key=lambda step: step.position)
        assert [step.position for step in own] == list(range(1, len(own) + 1))
        assert _walked(own) == row.state, "the steps do not lead to the state"


def _walked(steps: list[Step]) -> str:
    """Where the timeline leads, with every step from a state that allows it."""
    state = ""
    for step in steps:
        rule = LIFE.transition(step.verb)
        assert not rule.sources or state in rule.sources, f"{step.verb} from {state}"
        state = rule.to or state
    return state


def _deliveries(session: Session, events: Events) -> None:
    copies = list(session.scalars(sa.select(Copy)))
    sent = {
        (each["subject"].partition(":")[2], organ)
        for each in done(events, "document.dispatch")
        for organ in each["facts"]["recipients"]
    }
    assert {(copy.item, copy.organ) for copy in copies} == sent
    for verb, state in (
        ("document.receive", CopyState.RECEIVED),
        ("document.return", CopyState.RETURNED),
    ):
        acts = Counter(
            (each["subject"].partition(":")[2], each["actor"]["organ"]) for each in done(events, verb)
        )
        rows = Counter((copy.item, copy.organ) for copy in copies if copy.state == state)
        signed = Counter(
            (each.item, each.organ)
            for each in session.scalars(sa.select(Signature).where(Signature.type == verb))
        )
        assert acts == rows == signed
        assert all(count == 1 for count in acts.values())


def _numbers(session: Session) -> None:
    rows = list(session.scalars(sa.select(Document).where(Document.number.is_not(None))))
    given: dict[tuple[str, int | None], list[int]] = {}
    for row in rows:
        given.setdefault((row.organ, row.number_year), []).append(row.number_serial or 0)
    counters = {(row.organ, row.year): row.last for row in session.scalars(sa.select(Numbering))}
    assert {key: list(range(1, last + 1)) for key, last in counters.items()} == {
        key: sorted(serials) for key, serials in given.items()
    }, "a gap or a repeat among the numbers"


def _certificates(session: Session, events: Events) -> None:
    rows = list(session.scalars(sa.select(CertificateRow)))
    by_state = {state: Counter(row.serial for row in rows if row.state == state) for state in State}
    intents = Counter(
        each["subject"].partition(":")[2]
        for each in events
        if each["verb"] == "ca.issue" and each["outcome"] == "intent"
    )
    assert intents == Counter(row.serial for row in rows), "an intent without its record, or the reverse"
    assert subjects(events, "ca.issue") == by_state[State.ISSUED]
    given_up = Counter(
        each["subject"].partition(":")[2]
        for each in done(events, "ca.abandon")
        if each["facts"].get("changed")
    )
    assert given_up == by_state[State.ABANDONED]
    assert all(row.revoked_at for row in rows if row.state == State.ABANDONED), (
        "an abandoned one is not revoked"
    )
    revoked = Counter(row.serial for row in rows if row.state == State.ISSUED and row.revoked_at)
    assert subjects(events, "ca.revoke") == revoked
    people = Counter(
        row.fingerprint for row in rows if row.state == State.ISSUED and row.holder_kind == "person"
    )
    assert Counter(session.scalars(sa.select(CertificateBinding.fingerprint))) == people
    assert subjects(events, "ca.authority") == Counter(session.scalars(sa.select(AuthorityRow.name)))
    lists = Counter(
        f"{Line(row.authority, row.shard).path}:{row.number}" for row in session.scalars(sa.select(CrlRow))
    )
    assert subjects(events, "ca.crl") == lists


def _keys(session: Session, events: Events) -> None:
    rows = list(session.scalars(sa.select(KeyRow)))
    active = Counter(row.label for row in rows if row.state == KeyState.ACTIVE)
    assert subjects(events, "kms.create") == active
    begun = Counter(
        each["subject"].partition(":")[2]
        for each in events
        if each["verb"] == "kms.create" and each["outcome"] == "intent"
    )
    assert begun == Counter(row.label for row in rows)


def _rest(session: Session, events: Events) -> None:
    assert subjects(events, "authz.sign-in") == Counter(session.scalars(sa.select(SessionRow.id)))
    recorded = subjects(events, "ca.timestamp")
    assert all(count == 1 for count in recorded.values())
    for each in session.scalars(sa.select(Signature)):
        token = cms.verify_detached(each.cms, each.statement).timestamp_token
        assert token is not None
        assert f"{token.serial:x}" in recorded, "a timestamp that was handed out is not on record"


def _token(platform: Platform) -> None:
    """The module holds the keys of the register and no others; one that was begun may be there already."""
    import pkcs11

    with platform.store.read() as session:
        rows = [row for row in session.scalars(sa.select(KeyRow)) if row.place == Place.HSM]
    handles = Counter(
        platform.kms.token.use(
            lambda opened: [
                bytes(each[pkcs11.Attribute.ID]).decode()
                for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.SECRET_KEY)
                for each in opened.get_objects({pkcs11.Attribute.CLASS: kind})
            ]
        )
    )
    assert all(count == 1 for count in handles.values()), "a key was made twice"
    assert (
        {row.id for row in rows if row.state == KeyState.ACTIVE} <= set(handles) <= {row.id for row in rows}
    )
    assert {row.algorithm for row in rows} <= set(NATIVE)


def close(platform: Platform, accounts: Iterable[str], *, told: bool) -> None:
    """Hold the books of a job that was run to its end; `told` when the story was, too."""
    events = balance(platform)
    with platform.store.read() as session:
        issued = [row for row in session.scalars(sa.select(CertificateRow)) if row.state == State.ISSUED]
        waiting = sa.select(sa.func.count()).select_from(CertificateRow)
        assert session.scalar(waiting.where(CertificateRow.state == State.INTENT)) == 0
        unfinished = sa.select(sa.func.count()).select_from(KeyRow).where(KeyRow.state == KeyState.MAKING)
        assert session.scalar(unfinished) == 0
        documents = list(session.scalars(sa.select(Document)))
    _everyone_has_hers(platform, issued, set(accounts))
    _ceremony(platform, issued, events)
    if told:
        (document,) = documents
        assert document.state == DocumentState.DISPATCHED
        assert document.number == f"示政办〔{document.number_year}〕1号"
        _proved(platform)


def _everyone_has_hers(platform: Platform, issued: list[CertificateRow], people: set[str]) -> None:
    """Each personal certificate in force is in exactly one file, with its key; the others are revoked."""
    held: Counter[str] = Counter()
    for person in people:
        for suite in suites_of(person):
            account = Account.of(platform.data, person, suite)
            assert not account.pending.exists(), f"{account.pending.name} was left behind"
            held[account.identity().certificate.fingerprint] += 1
    own = [row for row in issued if row.holder_kind == "person"]
    assert Counter(row.fingerprint for row in own if not row.revoked_at) == held


def _ceremony(platform: Platform, issued: list[CertificateRow], events: Events) -> None:
    """What the platform itself holds is what the ceremony says it made, and what the trust files show."""
    (last,) = [each["facts"]["certificates"] for each in done(events, "ca.ceremony")][-1:]
    ours = [row for row in issued if row.holder_kind != "person"]
    assert Counter(last.values()) == Counter(row.serial for row in ours)
    files = {
        Certificate.load(file.read_bytes()).fingerprint for file in platform.data.path("trust").glob("*.pem")
    }
    assert files == {row.fingerprint for row in ours if row.profile in ("root", "issuing")}


def _proved(platform: Platform) -> None:
    """The evidence verifies as a stranger would verify it."""
    trust = evidence.Trust.load(platform.data.path("trust"))
    (bundle,) = [
        file for file in platform.data.path("artifacts").glob("*.asice") if ".changed" not in file.name
    ]
    held: list[Any] = []
    evidence.verify(Path(bundle).read_bytes(), trust, at=datetime.now(UTC), held=held)
    assert len(held) >= 7
