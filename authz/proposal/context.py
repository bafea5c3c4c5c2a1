"""What every verb on proposals works with, and the kinds that the modules have registered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.proposal.document import Document
from authz.proposal.errors import BadProposal, ProposalClosed, ProposalKindUnknown, ProposalUnknown
from authz.proposal.models import ProposalRow, State
from authz.proposal.settings import ProposalSettings
from authz.proposal.words import STATES
from yinxin.act import Actor
from yinxin.authz import Resource
from yinxin.faults import first_fault
from yinxin.proposal import About, Approved, Concerned, ProposalKind, Terms
from yinxin.store import Store
from yinxin.text import Text

READ = "authz.read-proposal"


class Timestamps(Protocol):
    """The site's timestamp authority (RFC 3161), handed in at assembly."""

    def stamp(self, message: bytes, suite: str, actor: Actor) -> bytes | None:
        """A token over `message`, DER; None where the site has no such authority. Raises Unavailable."""
        ...

    def verify(self, token: bytes, message: bytes) -> datetime:
        """The instant that a token of ours proves; raises what `Token.verify` raises."""
        ...


@dataclass(frozen=True, slots=True)
class Registered:
    """A kind, and the service of the module that carries it out."""

    kind: ProposalKind[Any, Any]
    service: Any

    def parse(self, content: Any, *, prefix: str = "content") -> BaseModel:
        """The content in its model; raises BadProposal naming the field."""
        try:
            parsed: BaseModel = self.kind.content.model_validate(content)
        except ValidationError as error:
            place, reason = first_fault(error)
            raise BadProposal(field=".".join(map(str, (prefix, *place))), reason=reason) from error
        return parsed

    def about(self, content: BaseModel) -> About:
        """Whose affair it is."""
        return self.kind.about(self.service, content)

    def concerned(self, content: BaseModel) -> Concerned:
        """Who has no part in deciding it, beside the holder it is about."""
        return self.kind.concerned(self.service, content)

    def check(self, content: BaseModel) -> None:
        """Raise what is wrong with it now."""
        self.kind.check(self.service, content)

    def describe(self, content: BaseModel) -> tuple[Text, ...]:
        """What it would do, in words."""
        return self.kind.describe(self.service, content)


@dataclass(frozen=True)
class Context:
    """The parts. `site` names this installation in every statement."""

    store: Store
    decider: Decisions
    checker: CertificateChecker
    settings: ProposalSettings
    site: str
    kinds: dict[str, Registered] = field(default_factory=dict)
    #: the one timestamp authority, once it is handed in
    timestamps: list[Timestamps] = field(default_factory=list)

    def registered(self, kind: str) -> Registered:
        """A kind by its name; raises ProposalKindUnknown."""
        found = self.kinds.get(kind)
        if found is None:
            raise ProposalKindUnknown(kind=kind[:80], known=", ".join(sorted(self.kinds)))
        return found

    def terms(self, registered: Registered) -> Terms:
        """The module's terms, or the house's."""
        own = registered.kind.terms
        return own(registered.service) if own else self.settings.terms

    def find(self, id_: str) -> ProposalRow:
        """A proposal as it is stored; raises ProposalUnknown."""
        with self.store.read() as session:
            row = session.get(ProposalRow, id_[:26])
            if row is None:
                raise ProposalUnknown(proposal=id_[:40])
            session.expunge(row)
        return row

    def seen(self, actor: Actor, verb: str, id_: str) -> ProposalRow:
        """A proposal that this actor may see; raises ProposalUnknown, recorded: nobody learns which numbers exist."""
        with self.store.refusing(actor, verb, subject(id_)):
            row = self.find(id_)
            self._shown_to(actor, row)
        return row

    def _shown_to(self, actor: Actor, row: ProposalRow) -> None:
        if not self.decider.check(actor, READ, self.resource(row)).allowed:
            raise ProposalUnknown(proposal=row.id)

    def resource(self, row: ProposalRow, given: int = 0) -> Resource:
        """A proposal as policies see it; `given` are the approvals that hold."""
        about = About(row.organ, row.holder, row.informed)
        return self.resource_of(row.id, row.kind, about, row.proposer, needed=row.needed, given=given)

    def resource_of(
        self, id_: str, kind: str, about: About, proposer: str, *, needed: int, given: int = 0
    ) -> Resource:
        """The same before there is a row. A kind that nobody carries out any more has no roles."""
        known = self.kinds[kind].kind if kind in self.kinds else None
        attributes: Mapping[str, Any] = {
            "kind": kind,
            "proposer": proposer,
            "holder": about.holder,
            "informed": [about.informed] if about.informed else [],
            "proposers": sorted(known.proposers) if known else [],
            "approvers": sorted(known.approvers) if known else [],
            "executors": sorted(known.executors) if known else [],
            "key": bool(known and known.key),
            "needed": needed,
            "given": given,
        }
        return Resource("Proposal", id_, about.organ, attributes=attributes)

    def approved(
        self, row: ProposalRow, actor: Actor, approvals: Sequence[Mapping[str, str]]
    ) -> Approved[Any]:
        """What the kind's own function is given: the content is that of the document whose digest was approved."""
        basis = Document.of(row).basis
        return Approved(row.id, row.digest, self.content(row), actor, tuple(approvals), basis)

    def content(self, row: ProposalRow) -> BaseModel:
        """What is proposed, in its kind's model; raises DocumentAltered, ProposalKindUnknown, BadProposal."""
        return self.registered(row.kind).parse(Document.of(row).content)


def subject(id_: str) -> str:
    """What every record of a proposal's story is about."""
    return f"proposal:{id_[:26]}"


def state_of(row: ProposalRow, now: datetime) -> State:
    """Where it stands now: what is waiting past its time has expired, whether or not anybody has said so yet."""
    state = State(row.state)
    waiting = state in (State.OPEN, State.APPROVED, State.FAILED)
    return State.EXPIRED if waiting and now >= row.expires else state


def closed(row: ProposalRow, now: datetime, act: Text) -> ProposalClosed:
    """The refusal of an act that comes too late or too early."""
    return ProposalClosed(proposal=row.id, state=STATES[state_of(row, now)], act=act)
