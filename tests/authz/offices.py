"""Several officers with certificates, and kinds of proposals that write one line each time they are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from authz.directory import DirectoryFile
from authz.models import PolicySetRow
from authz.proposal import Proposals
from authz.proposal.judge import VERB as APPROVE
from authz.proposal.models import ProposalRow
from tests.authz.conftest import Site
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.errors import Conflict, YinxinError
from yinxin.proposal import About, Approved, ProposalKind
from yinxin.statement import Statement
from yinxin.text import Text

#: what does not depend on the engine
ONE = pytest.mark.engines("any")
Events = Callable[[], list[dict[str, Any]]]
SITE = "https://trust.example.gov.cn"
REASON = "按年度计划办理，已经会议研究"
#: security officers of the province, each in a post of her own; the one of the city is in the directory already
OFFICERS = ("qin", "han", "wei")
EXTRA: dict[str, Any] = {
    "posts": [
        *(
            {"id": f"officer-{name}", "organ": "province", "name_zh": "安全管理岗", "name_en": "Security officer", "roles": ["security-officer"]}
            for name in OFFICERS
        ),
        {"id": "officer-b", "organ": "county-b", "name_zh": "安全管理岗", "name_en": "Security officer", "roles": ["security-officer"]},
        {"id": "deputy", "organ": "province", "name_zh": "安全管理岗", "name_en": "Security officer", "roles": ["security-officer"]},
    ],
    "people": [{"id": name, "name": name, "clearance": "internal"} for name in (*OFFICERS, "bo")],
    "appointments": [
        {"person": person, "post": post, "valid_from": "2026-01-01T00:00:00+08:00"}
        for person, post in (*((name, f"officer-{name}") for name in OFFICERS), ("bo", "officer-b"))
    ],
}  # fmt: skip


class Broken(Conflict):
    """What a kind refuses while the test says so."""

    code = "test.broken"
    zh = "现在不行，请稍后。"
    en = "Not now; later."


class Note(BaseModel):
    """What is proposed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    organ: str = "platform"
    holder: str = ""


@dataclass
class Notes:
    """The service behind the kinds."""

    site: Site
    broken: bool = False
    ill: bool = False
    during: Callable[[], None] = lambda: None

    def written(self) -> list[str]:
        """What has been written, a line for each execution."""
        with self.site.store.read() as session:
            return sorted(session.scalars(sa.select(PolicySetRow.text)))


def _line(notes: Notes, text: str, key: str) -> PolicySetRow:
    return PolicySetRow(hash=key, text=text, schema="", adopted=notes.site.clock.now())


def _within(notes: Notes, approved: Approved[Note], session: Session) -> dict[str, Any]:
    session.add(_line(notes, approved.content.text, notes.site.store.identifier()))
    session.flush()
    notes.during()
    if notes.broken:
        raise Broken
    return {"written": approved.content.text}


def _apart(notes: Notes, approved: Approved[Note]) -> dict[str, Any]:
    notes.during()
    if notes.broken:
        raise Broken
    with notes.site.store.read() as session:
        done = session.get(PolicySetRow, approved.proposal) is not None
    if not done:
        with notes.site.store.act(approved.actor, "test.write", f"note:{approved.proposal}") as act:
            act.session.add(_line(notes, approved.content.text, approved.proposal))
    return {"written": approved.content.text}


def _careless(notes: Notes, approved: Approved[Note]) -> dict[str, Any]:
    notes.during()
    with notes.site.store.act(approved.actor, "test.write", f"note:{approved.proposal}") as act:
        act.session.add(_line(notes, approved.content.text, notes.site.store.identifier()))
    return {}


def _check(notes: Notes, note: Note) -> None:
    if notes.ill:
        raise Broken


def _kind(name: str, **more: Any) -> ProposalKind[Notes, Note]:
    return ProposalKind(
        name=name,
        title=Text("写一行字", "write a line"),
        content=Note,
        proposers=frozenset({"security-officer", "leader", "clerk", "administrator"}),
        approvers=frozenset({"security-officer"}),
        executors=frozenset({"security-officer"}),
        describe=lambda _notes, note: (Text(f"写下 {note.text}", f"write {note.text}"),),
        about=lambda _notes, note: About(note.organ, note.holder),
        check=_check,
        **more,
    )


KINDS = (
    _kind("test.within", within=_within),
    _kind("test.apart", execute=_apart, repeatable=True),
    _kind("test.once", execute=_careless),
    _kind("test.key", within=_within, key=True),
    _kind("test.never", within=_within, proposer_approves=False, basis_required=True),
)


@dataclass
class Office:
    """The site, its officers, and what they do."""

    site: Site
    proposals: Proposals
    notes: Notes
    identities: dict[str, Identity] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site, *, load: bool = True) -> Office:
        """The office of a site; with `load` False another process's view of it."""
        if load:
            site.authz.directory.load(SYSTEM, DirectoryFile.parse(EXTRA))
        notes = Notes(site)
        for kind in KINDS:
            site.authz.proposals.register(kind, notes)
        return cls(site, site.authz.proposals, notes)

    def carrying_out(self, *kinds: ProposalKind[Any, Any]) -> Office:
        """With these kinds of the service's own too."""
        for kind in kinds:
            self.proposals.register(kind, self.site.authz)
        return self

    def actor(self, person: str, post: str | None = None) -> Actor:
        """A person in her post, with her certificate."""
        posts = {
            "zhao": "officer",
            "li": "leader-city",
            "zhang": "clerk-a",
            "qian": "admin",
            "sun": "auditor",
            "bo": "officer-b",
        }
        organs = {
            "officer": "city",
            "leader-city": "city",
            "clerk-a": "county-a",
            "admin": "province",
            "auditor": "province",
            "officer-b": "county-b",
        }
        post = post or posts.get(person) or f"officer-{person}"
        certificate = self.identity(person, post).certificate.fingerprint
        return Actor(Kind.PERSON, person, post, organs.get(post, "province"), certificate)  # fmt: skip

    def identity(self, person: str, post: str) -> Identity:
        """Her key and certificate in this post, made when first asked for."""
        if (key := f"{person}/{post}") not in self.identities:
            self.identities[key] = self.site.enrol(person, post)
        return self.identities[key]

    def propose(self, text: str = "甲", *, by: str = "zhao", kind: str = "test.within", **parts: Any) -> str:
        """A new proposal's number."""
        self.site.clock.advance(timedelta(milliseconds=1))
        content = {"text": text, **{name: parts.pop(name) for name in ("organ", "holder") if name in parts}}
        told = {"reason": REASON, **parts}
        return str(self.proposals.propose(self.actor(by), kind, content, **told).row.id)

    def statement(self, id_: str, actor: Actor, **changes: Any) -> bytes:
        """The statement of an approval, but for `changes` in its content and `at`."""
        with self.site.store.read() as session:
            row = session.get_one(ProposalRow, id_)
            content = {"proposal": id_, "kind": row.kind, "digest": row.digest, "site": SITE}
        at = changes.pop("at", self.site.clock.now())
        type_ = changes.pop("type", APPROVE)
        subject = changes.pop("subject", f"proposal:{id_}")
        return Statement.of(actor, type_, subject, at, {**content, **changes}).encode()

    def approve(self, id_: str, person: str, post: str | None = None, **changes: Any) -> str:
        """Sign and hand in; the state it is in then. `identity` signs in place of her own."""
        self.site.clock.advance(timedelta(milliseconds=1))
        actor = self.actor(person, post)
        identity = changes.pop("identity", None) or self.identity(person, actor.post or "")
        signed = self.statement(id_, changes.pop("signer", actor), **changes)
        signature = cms.sign_detached(identity, signed, signed_at=None)
        return self.proposals.approve(actor, id_, signed, signature).state.value

    def approved(self, *people: str, **parts: Any) -> str:
        """A proposal that these people have approved."""
        id_ = self.propose(**parts)
        for person in people or ("qin", "han"):
            self.approve(id_, person)
        return id_

    def execute(self, id_: str, by: str = "zhao") -> str:
        """Carry it out; the state it is in then."""
        return self.proposals.execute(self.actor(by), id_).state.value

    def state(self, id_: str) -> str:
        """Where it stands."""
        return self.proposals.show(self.actor("zhao"), id_).state.value


def story(events: Events, id_: str) -> list[tuple[str, str]]:
    return [(each["verb"].partition(".")[2], each["outcome"]) for each in events() if each["subject"] == f"proposal:{id_}"]  # fmt: skip


def stays(
    office: Office, id_: str, state: str, error: type[YinxinError], act: Callable[[], object]
) -> YinxinError:
    """The act is refused with this error, recorded, and changes nothing."""
    with pytest.raises(error) as raised:
        act()
    assert raised.value.entry is not None
    assert office.state(id_) == state
    assert office.notes.written() == []
    return raised.value
