"""May she? The question, the answer and who gives it; the policies themselves live with the platform.

    decision = decider.require(caller.actor, "kms.sign", Resource("Key", label, organ=owner))
    with store.act(caller.actor, "kms.sign", f"key:{label}") as act:
        act.decision = decision.record()

Ask before the act begins: a refusal is recorded in a transaction of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, get_args

from yinxin import canonical
from yinxin.act import Actor
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid, NotPermitted
from yinxin.text import Text

#: levels of secrecy, lowest first (standards: Law on Guarding State Secrets; below it, 内部 and 公开)
Level = Literal["public", "internal", "confidential", "secret", "top-secret"]
LEVELS: tuple[Level, ...] = get_args(Level)
LEVEL_TEXT: Mapping[Level, Text] = {
    "public": Text("公开", "public"),
    "internal": Text("内部", "internal"),
    "confidential": Text("秘密", "confidential"),
    "secret": Text("机密", "secret"),
    "top-secret": Text("绝密", "top secret"),
}
#: how government data may be shared (standards: Interim Measures for Sharing Government Information, 2016, article 9):
#: with every organ, with those it was agreed with, with none (无条件共享、有条件共享、不予共享)
Sharing = Literal["unconditional", "conditional", "none"]
#: the owner of what belongs to the site itself and to no organ of the directory
PLATFORM = "platform"


class Denied(NotPermitted):
    """No policy permits the act, or one forbids it. `reason` holds the determining policy's words."""

    code = "authz.denied"
    zh = "不允许对 {resource} 执行 {action}：{reason}。如确需办理，请联系有权限的岗位或安全管理员。"
    en = "{action} on {resource} is not permitted: {reason}. If it must be done, ask a post that may, or the security officer."


class StepUpRequired(NotPermitted):
    """An act that wants a fresh proof of the certificate's key, and a session in which the last one is too old."""

    code = "authz.step_up_required"
    zh = "执行 {action} 前须在 {minutes} 分钟内用证书证明过身份：请用证书再证明一次，然后重新办理。"
    en = "{action} wants a proof of your certificate no older than {minutes} minutes: prove it once more, then act again."


class UnknownLevel(Invalid):
    """A level of secrecy that does not exist."""

    code = "authz.unknown_level"
    zh = "没有密级“{level}”：可用的有 {known}。"
    en = "There is no level “{level}”: use one of {known}."


class UnknownSharing(Invalid):
    """A way of sharing that does not exist."""

    code = "authz.unknown_sharing"
    zh = "没有共享类型“{sharing}”：可用的有 {known}。"
    en = "There is no way of sharing “{sharing}”: use one of {known}."


@dataclass(frozen=True, slots=True)
class Resource:
    """What an act is about: `organ` owns it, `attributes` are those its type declares in the schema.

    Graded data says besides for which division it is meant (`region`, a code of GB/T 2260), how it may be shared
    (`sharing`), and with which organs that was agreed (`shared_with`). What is not graded leaves them out.
    """

    type: str
    id: str
    organ: str
    level: Level = "public"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    region: str | None = None
    sharing: Sharing | None = None
    shared_with: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a level or a way of sharing that does not exist: it would compare as none."""
        if self.level not in LEVELS:
            raise UnknownLevel(level=self.level, known=", ".join(LEVELS))
        if self.sharing is not None and self.sharing not in get_args(Sharing):
            raise UnknownSharing(sharing=self.sharing, known=", ".join(get_args(Sharing)))

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    def fields(self) -> dict[str, Any]:
        """The resource as it stands in a decision's record."""
        fields = {"type": self.type, "id": self.id, "organ": self.organ, "level": self.level}
        given = {
            "attributes": dict(self.attributes),
            "region": self.region,
            "sharing": self.sharing,
            "shared_with": list(self.shared_with),
        }
        return fields | {name: value for name, value in given.items() if value}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The resource that a decision's record speaks of."""
        return cls(**{**fields, "shared_with": tuple(fields.get("shared_with", ()))})


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, and what it rests on.

    - `policies`: the identifiers of the determining policies
    - `policy_set`: the SHA-256 of all policies in force; `version`: their number at this site
    - `grants`: those that bear on the action
    - `entities`: what was known of the actor and the resource
    - `known`: the digest of what is kept of that, the actor and the organs

    With the policy set and what is kept anyone can decide again, years later, and must come to the same answer.
    """

    allowed: bool
    action: str
    resource: Resource
    reason: Text
    policies: tuple[str, ...]
    policy_set: str
    entities: tuple[Mapping[str, Any], ...]
    context: Mapping[str, Any]
    version: int | None = None
    grants: tuple[Mapping[str, Any], ...] = ()
    #: `known`, and `entities`, where whoever decides has them in canonical bytes already
    known_bytes: bytes | None = field(default=None, repr=False, compare=False)
    entities_bytes: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def known(self) -> bytes:
        """What was known of the actor and the organs, in canonical bytes: everything but the resource itself."""
        if self.known_bytes is not None:
            return self.known_bytes
        own = {"type": self.resource.type, "id": self.resource.id}
        return canonical.encode([dict(entity) for entity in self.entities if entity["uid"] != own])

    @property
    def delegation(self) -> str | None:
        """The delegation by which the person acted, if she did not hold the post herself."""
        acting = (entity["attrs"] for entity in self.entities if entity["uid"]["type"] == "Person")
        return next((attributes.get("delegation") for attributes in acting), None)

    def record(self) -> dict[str, Any]:
        """What an audit entry keeps of it (`act.decision`): identifiers and digests, no personal data."""
        entities = self.entities_bytes
        if entities is None:
            entities = canonical.encode([dict(entity) for entity in self.entities])
        record: dict[str, Any] = {
            "allowed": self.allowed,
            "action": self.action,
            "resource": self.resource.fields(),
            "policies": list(self.policies),
            "policy_set": self.policy_set,
            "entities": INTL.hash.digest(entities).hex(),
            "known": INTL.hash.digest(self.known).hex(),
        }
        given = {
            "version": self.version,
            "grants": [dict(grant) for grant in self.grants],
            "context": dict(self.context),
            "delegation": self.delegation,
        }
        return record | {name: value for name, value in given.items() if value}

    def __bool__(self) -> bool:
        raise TypeError("read .allowed, or use require(), which raises")


class Decider(Protocol):
    """Who answers."""

    def require(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision that permits; raises Denied, recorded, when nothing does. For acts."""
        ...

    def check(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The decision, whichever it is, unrecorded. For questions, such as which buttons to show."""
        ...

    def check_all(self, questions: Sequence[tuple[Actor, str, Resource]]) -> Sequence["Decision | None"]:
        """As `check` for many questions (who, action, about what) at one moment; None where `check` would raise."""
        ...


def sign_in_statement(challenge: str, origin: str) -> bytes:
    """The canonical bytes that a client signs to prove it holds its key.

    `origin` is the address the client itself is talking to (`https://host[:port]`), never one the server told it:
    a signature given to a false site is then worth nothing at the true one.
    """
    return canonical.encode({"v": 1, "type": "sign-in", "challenge": challenge, "origin": origin})
