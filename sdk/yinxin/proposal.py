"""Acts that nobody does alone: how a module says which they are, and what it does once enough people have approved.

A module lists its kinds in its `MODULE` value; the platform keeps the proposals, gathers signed approvals, and calls
the kind's own function once:

    ProposalKind(
        name="kms.recover-holder",
        title=Text("恢复加密密钥", "recover an encryption key"),
        content=HolderRecovery,
        proposers=frozenset({"registration-officer"}),
        approvers=frozenset({"security-officer", "leader"}),
        describe=describe,
        within=recover,
    )
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.text import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

S = TypeVar("S")
C = TypeVar("C", bound=BaseModel)

#: fewer would be one person's will
FEWEST = 2
#: what an execution leaves: canonical JSON, kept with the proposal and in its record
Outcome = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """How many must approve, from how many different organs at least, and how long the proposal waits for them.

    Approvers are always different people with different certificates in different posts.
    """

    approvals: int = FEWEST
    organs: int = 1
    lasts: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        """Refuse terms under which somebody would be enough alone."""
        if self.approvals < FEWEST or not 1 <= self.organs <= self.approvals or self.lasts <= timedelta():
            raise ValueError(f"terms under which nobody would have to agree: {self}")


@dataclass(frozen=True, slots=True)
class About:
    """Whose affair it is: the organ, whose own posts and those above decide, and the person it is for, if there is one.

    `informed` is an organ that has no part in deciding it, and whose posts that propose or approve such things, and auditors, see it.
    """

    organ: str = PLATFORM
    holder: str = ""
    informed: str | None = None


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom it gives something, or whose own it decides on: they neither approve it nor carry it out.

    People, posts (whoever holds one), organs (whoever has a post in one or below), certificates (SHA-256 of the DER,
    hexadecimal: whoever has one).
    """

    people: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()
    organs: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approved(Generic[C]):
    """An approved proposal, given to be carried out; `proposal` is the identifier that makes carrying out repeatable."""

    proposal: str
    digest: str
    content: C
    #: who carries it out
    actor: Actor
    #: who approved: person, post, organ, certificate, at
    approvals: tuple[Mapping[str, str], ...]
    #: the legal basis that it was proposed on
    basis: str = ""


def _anywhere(_service: object, _content: object) -> About:
    return About()


def _nobody(_service: object, _content: object) -> Concerned:
    return Concerned()


def _sound(_service: object, _content: object) -> None:
    """Nothing but the content's own model to hold it against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalKind(Generic[S, C]):
    """One sort of act that takes several people. `S` is the module's service, `C` the model of what is proposed.

    Exactly one of `within` and `execute` does it. `within` works in the transaction that moves the proposal on, so it
    is done once or not done. `execute` has acts of its own; with `repeatable` it may be called again for the same
    proposal after a crash or a failure, and does then what is left to do.
    """

    name: str
    title: Text
    content: type[C]
    #: roles of the posts that may propose and approve it; the holder it is about may propose it too
    proposers: frozenset[str]
    approvers: frozenset[str]
    #: roles that may carry it out, beside the proposer
    executors: frozenset[str] = frozenset()
    #: what it would do, in words, for the approver's screen
    describe: Callable[[S, C], tuple[Text, ...]]
    within: "Callable[[S, Approved[C], Session], Outcome] | None" = None
    execute: Callable[[S, Approved[C]], Outcome] | None = None
    repeatable: bool = False
    #: the module's own terms; the settings of `authz.proposal` when left out
    terms: Callable[[S], Terms] | None = None
    about: Callable[[S, C], About] = field(default=_anywhere)
    #: who has no part in deciding it, beside the holder it is about
    concerned: Callable[[S, C], Concerned] = field(default=_nobody)
    #: raises what is wrong with it; asked before it is proposed and before anybody signs
    check: Callable[[S, C], None] = field(default=_sound)
    reason_required: bool = True
    basis_required: bool = False
    #: it uses or manages keys: administrators have no part in it
    key: bool = False
    #: whether the proposer may be among the approvers when too few others could approve
    proposer_approves: bool = True

    def __post_init__(self) -> None:
        """Refuse a kind that could not be carried out, or whose content would take fields that nobody approved."""
        if (self.within is None) == (self.execute is None):
            raise TypeError(f"{self.name}: either within or execute is given, and not both")
        if self.content.model_config.get("extra") != "forbid":
            raise TypeError(f"{self.name}: the model of its content must refuse unknown fields")
        if not self.proposers or not self.approvers:
            raise TypeError(f"{self.name}: somebody must be able to propose and to approve it")
