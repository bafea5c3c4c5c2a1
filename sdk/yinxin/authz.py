"""May she? The question, the answer and who gives it; the policies themselves live with the platform.

    decision = decider.require(caller.actor, "kms.sign", Resource("Key", label, organ=owner))
    with store.act(caller.actor, "kms.sign", f"key:{label}") as act:
        act.decision = decision.record()

Ask before the act begins: a refusal is recorded in a transaction of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from yinxin import canonical
from yinxin.act import Actor
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid, NotPermitted
from yinxin.text import Text

#: levels of secrecy, lowest first (standards: Law on Guarding State Secrets; below it, 内部 and 公开)
Level = Literal["public", "internal", "confidential", "secret", "top-secret"]
LEVELS: tuple[Level, ...] = get_args(Level)
#: the owner of what belongs to the site itself and to no organ of the directory
PLATFORM = "platform"


class Denied(NotPermitted):
    """No policy permits the act, or one forbids it. `reason` holds the determining policy's words."""

    code = "authz.denied"
    zh = "不允许对 {resource} 执行 {action}：{reason}。如确需办理，请联系有权限的岗位或安全管理员。"
    en = "{action} on {resource} is not permitted: {reason}. If it must be done, ask a post that may, or the security officer."


class UnknownLevel(Invalid):
    """A level of secrecy that does not exist."""

    code = "authz.unknown_level"
    zh = "没有密级“{level}”：可用的有 {known}。"
    en = "There is no level “{level}”: use one of {known}."


@dataclass(frozen=True, slots=True)
class Resource:
    """What an act is about: `organ` owns it, `attributes` are those its type declares in the schema."""

    type: str
    id: str
    organ: str
    level: Level = "public"
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a level that does not exist: it would compare as none."""
        if self.level not in LEVELS:
            raise UnknownLevel(level=self.level, known=", ".join(LEVELS))

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    def fields(self) -> dict[str, Any]:
        """The resource as it stands in a decision's record."""
        fields = {"type": self.type, "id": self.id, "organ": self.organ, "level": self.level}
        return fields | ({"attributes": dict(self.attributes)} if self.attributes else {})


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, and what it rests on.

    `policies` are the identifiers of the determining policies, `policy_set` the SHA-256 of all in force, `entities`
    what was known of the actor and the resource. With the policy set and the entities anyone can decide again, years
    later, and must come to the same answer.
    """

    allowed: bool
    action: str
    resource: Resource
    reason: Text
    policies: tuple[str, ...]
    policy_set: str
    entities: tuple[Mapping[str, Any], ...]
    context: Mapping[str, Any]

    def record(self) -> dict[str, Any]:
        """What an audit entry keeps of it (`act.decision`): identifiers and digests, no personal data."""
        record: dict[str, Any] = {
            "allowed": self.allowed,
            "action": self.action,
            "resource": self.resource.fields(),
            "policies": list(self.policies),
            "policy_set": self.policy_set,
            "entities": INTL.hash.digest(canonical.encode([dict(entity) for entity in self.entities])).hex(),
        }
        return record | ({"context": dict(self.context)} if self.context else {})

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


def sign_in_statement(challenge: str, origin: str) -> bytes:
    """The canonical bytes that a client signs to prove it holds its key.

    `origin` is the address the client itself is talking to (`https://host[:port]`), never one the server told it:
    a signature given to a false site is then worth nothing at the true one.
    """
    return canonical.encode({"v": 1, "type": "sign-in", "challenge": challenge, "origin": origin})
