"""Who am I, may I, and who is who."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yinxin.authz import Resource
from yinxin.client._http import Connection, segment
from yinxin.condition import Condition
from yinxin.wire import Instant, Octets, Reply, Words

#: organs that come in one answer
_MOST = 200
_PATH = "/api/authz/v1"


class Who(Reply):
    """The signed-in caller: person, post and organ by identifier and in words."""

    person: str
    name: str
    post: str
    post_name: Words
    organ: str
    organ_name: Words
    roles: tuple[str, ...]
    session: str


class OpenSession(Reply):
    """One of the caller's open sessions; `used` is the last use, to the minute."""

    id: str
    post: str
    way: str
    created: Instant
    used: Instant
    expires: Instant
    current: bool


class ActedBy(Reply):
    """The signed delegation that the caller acts by: the statement and the detached CMS signature over it."""

    id: str
    statement: Octets
    signature: Octets


class Passkey(Reply):
    """A passkey of the caller's."""

    id: str
    label: str
    created: Instant
    used: Instant | None


class Ruling(Reply):
    """The answer to "may I?", with the reason in both languages."""

    allowed: bool
    reason: Words
    policies: tuple[str, ...] = ()


class Replayed(Reply):
    """A recorded decision taken again: `agrees`, or which field of the record is another (`differs`)."""

    entry: str
    verb: str
    subject: str
    actor: str
    agrees: bool
    differs: str | None
    allowed: bool
    reason: Words | None
    record: Mapping[str, Any]


class Organ(Reply):
    """An organ of the directory."""

    id: str
    parent: str | None
    name: Words
    short_name: str
    level: str


class Post(Reply):
    """A post of an organ."""

    id: str
    organ: str
    name: Words
    roles: list[str]


class Authz:
    """Calls to the authorization service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def challenge(self) -> str:
        """A sign-in challenge for somebody else to sign: what a sign-in page shows."""
        return self._connection.challenge()

    def open_session(self, challenge: str, signature: bytes) -> str:
        """The token of a session opened by a signed challenge (DER CMS); this client uses it from now on."""
        return self._connection.open_session(challenge, signature)

    def open_session_by_tls(self) -> str:
        """The token of a session opened by the certificate this connection shows; used from now on."""
        return self._connection.open_session_by_tls()

    def prove(self, challenge: str, signature: bytes) -> None:
        """Prove the session's certificate again by a signed challenge (DER CMS), for acts that want a fresh proof."""
        self._connection.prove(challenge, signature)

    def prove_by_tls(self) -> None:
        """As `prove`, by the certificate this connection shows."""
        self._connection.json("POST", f"{_PATH}/sessions/current/proof/tls", json={})

    def passkey_options(self) -> Mapping[str, Any]:
        """What a browser makes a passkey by; raises CertificateLoginNeeded, NoPasskeysHere."""
        answer = self._connection.json("POST", f"{_PATH}/passkeys/options", json={})
        options: Mapping[str, Any] = answer["options"]
        return options

    def enrol_passkey(self, credential: str, label: str) -> None:
        """Enrol what the browser made (RegistrationResponseJSON)."""
        self._connection.json("POST", f"{_PATH}/passkeys", json={"credential": credential, "label": label})

    def passkeys(self) -> tuple[Passkey, ...]:
        """The caller's passkeys, oldest first."""
        answer = self._connection.json("GET", f"{_PATH}/passkeys")
        return tuple(Passkey.model_validate(each) for each in answer["items"])

    def remove_passkey(self, id: str) -> None:  # noqa: A002 - the field's name
        """Remove one of the caller's passkeys; raises NotFound."""
        self._connection.json("DELETE", f"{_PATH}/passkeys/{segment(id)}")

    def open_session_by_passkey(self, credential: str) -> str:
        """The token of a session opened by a browser's answer (AuthenticationResponseJSON); used from now on."""
        return self._connection.open_session_by_passkey(credential)

    def whoami(self) -> Who:
        """The caller as the platform knows her."""
        return Who.model_validate(self._connection.json("GET", f"{_PATH}/sessions/current"))

    def delegation(self) -> ActedBy | None:
        """The delegation that the caller acts by in the post of this session; None when she holds it herself."""
        answer = self._connection.json("GET", f"{_PATH}/delegations/current")
        return None if answer["delegation"] is None else ActedBy.model_validate(answer["delegation"])

    def sign_out(self) -> None:
        """End the session; the next call signs in again."""
        if self._connection.token is not None:
            self._connection.json("DELETE", f"{_PATH}/sessions/current")
            self._connection.token = None

    def sessions(self) -> Iterator[OpenSession]:
        """The caller's open sessions, oldest first."""
        return (OpenSession.model_validate(item) for item in self._connection.pages(f"{_PATH}/sessions", {}))

    def end_session(self, id: str) -> None:  # noqa: A002 - the field's name
        """End one of the caller's sessions; raises NotFound."""
        self._connection.json("DELETE", f"{_PATH}/sessions/{segment(id)}")

    def end_sessions(self, person: str) -> int:
        """End every session of a person, the caller or somebody she may sign out; how many. Raises Denied, NotFound."""
        return int(self._connection.json("DELETE", f"{_PATH}/people/{segment(person)}/sessions")["ended"])

    def sessions_of(self, person: str) -> Iterator[OpenSession]:
        """The open sessions of somebody, for security officers and auditors; raises Denied, NotFound."""
        path = f"{_PATH}/people/{segment(person)}/sessions"
        return (OpenSession.model_validate(item) for item in self._connection.pages(path, {}))

    def end_session_of(self, person: str, id: str) -> None:  # noqa: A002 - the field's name
        """End one session of somebody; raises Denied, NotFound."""
        self._connection.json("DELETE", f"{_PATH}/people/{segment(person)}/sessions/{segment(id)}")

    def replay(self, entry: str) -> Replayed:
        """Decide again what an entry of the log records, for auditors; raises Denied, NotFound."""
        return Replayed.model_validate(self._connection.json("GET", f"{_PATH}/replays/{segment(entry)}"))

    def check(self, action: str, resource: Resource, context: Mapping[str, Any] | None = None) -> Ruling:
        """Whether the caller may do `action` on `resource`: for showing or hiding a button; acts ask by themselves."""
        return self.check_many([(action, resource, context)])[0]

    def check_many(
        self, questions: Sequence[tuple[str, Resource, Mapping[str, Any] | None]]
    ) -> tuple[Ruling, ...]:
        """The answers to many questions in one call, in the same order."""
        checks = [
            {"action": action, "resource": resource.fields(), "context": dict(context or {})}
            for action, resource, context in questions
        ]
        answer = self._connection.json("POST", f"{_PATH}/checks", json={"checks": checks})
        return tuple(Ruling.model_validate(each) for each in answer["decisions"])

    def visible(self, action: str, type: str) -> Condition:  # noqa: A002 - the field's name
        """Which rows of a list of resources of `type` the caller may do `action` to: exactly those `check` permits.

        `yinxin.store.newest` applies it to a table, `Condition.holds` to one row. It is of this moment: ask for each page.
        """
        answer = self._connection.json("GET", f"{_PATH}/visible", params={"action": action, "type": type})
        return Condition.of(answer["condition"])

    def require(
        self, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """The permission to do `action` on `resource`, as the act's audit entry keeps it; raises Denied, recorded."""
        question = {"action": action, "resource": resource.fields(), "context": dict(context or {})}
        record: Mapping[str, Any] = self._connection.json("POST", f"{_PATH}/decisions", json=question)[
            "record"
        ]
        return record

    def organ(self, id: str) -> Organ:  # noqa: A002 - the field's name
        """One organ of the directory; raises NotFound."""
        return Organ.model_validate(self._connection.json("GET", f"{_PATH}/organs/{segment(id)}"))

    def posts(self, organ: str) -> list[Post]:
        """The posts of an organ."""
        answer = self._connection.json("GET", f"{_PATH}/organs/{segment(organ)}/posts")
        return [Post.model_validate(each) for each in answer["items"]]

    def organs(self, *, under: str | None = None) -> Iterator[Organ]:
        """The organs of the directory, or those below one."""
        return (
            Organ.model_validate(item)
            for item in self._connection.pages(f"{_PATH}/organs", {"under": under, "limit": _MOST})
        )
