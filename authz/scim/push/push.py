"""Receivers kept at what they may know: a job that tells each what it does not know yet.

Everything is idempotent. What a receiver has is found by our own name for it (`externalId`), so a turn that dies after
it sent and before it kept that sends it once more and makes nothing twice. One receiver's failure stops its own turn,
is put down for the operator, and waits: 30 seconds, doubled each time, an hour at most.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import sqlalchemy as sa
from scim2_models import Context

from authz.oidc.clients import Clients
from authz.scim.client import ScimClient
from authz.scim.push.errors import ReceiverRefused, TooManyLeave
from authz.scim.push.models import DeliveryRow, ReceiverRow, SentRow
from authz.scim.push.receivers import Receiver
from authz.scim.push.remote import Remote, Tokens
from authz.scim.push.secret import Secrets
from authz.scim.push.touched import Subjects, refused, touched, turn
from authz.scim.seek import GROUPS, USERS, Kind
from authz.scim.settings import ScimSettings
from authz.scim.sight import Sight
from authz.state.models import StateRow
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.crypto.suite import SHA256
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store

if TYPE_CHECKING:
    from authz.scim.service import Scim

VERB = "authz.scim-push"
LEFT = "left"
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
#: acts that commit late are looked for so far back
_OVERLAP = timedelta(minutes=2)
_ENDPOINTS = {"user": "Users", "group": "Groups"}
_EXTENSIONS = {
    "enterprise": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "yinxin": "urn:yinxin:params:scim:schemas:extension:yinxin:2.0:User",
}
#: identifiers that the record of a turn names
_NAMED = 100


@dataclass
class Told:
    """What a turn came to."""

    receiver: str
    made: int = 0
    changed: int = 0
    left: int = 0
    refused: int = 0
    same: int = 0
    complete: bool = True
    failure: str | None = None
    subjects: list[str] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """For machines."""
        return {
            "receiver": self.receiver,
            "made": self.made,
            "changed": self.changed,
            "left": self.left,
            "refused": self.refused,
            "same": self.same,
            "complete": self.complete,
            "failure": self.failure,
        }


@dataclass
class _Turn:
    """One receiver's turn under way; `remote` is None in a rehearsal, which sends and keeps nothing."""

    receiver: Receiver
    sight: Sight
    told: Told
    remote: Remote | None
    counted: set[tuple[str, str]] = field(default_factory=set)
    confirmed: bool = False


class Push:
    """Tells receivers. `http` makes the client that speaks to them."""

    def __init__(
        self,
        store: Store,
        scim: "Scim",
        clients: Clients,
        http: Callable[[], httpx.Client],
        settings: ScimSettings,
    ) -> None:
        self._store = store
        self._scim = scim
        self._clients = clients
        self._http = http
        self._page = settings.push_page
        self._leaving_most = settings.leaving_most
        self._tokens = Tokens(Secrets(settings.secrets))

    def tend(self) -> list[Told]:
        """A turn of every receiver that is due; a job."""
        now = self._store.clock.now()
        query = (
            sa.select(ReceiverRow)
            .join(DeliveryRow, DeliveryRow.receiver == ReceiverRow.id)
            .where(ReceiverRow.ended.is_(None), DeliveryRow.due <= now)
            .order_by(DeliveryRow.due)
        )
        with self._store.read() as session:
            due = [Receiver.model_validate(row.details) for row in session.scalars(query)]
        return [self.tell(each) for each in due]

    def tell(self, receiver: Receiver, *, confirmed: bool = False) -> Told:
        """A turn of one receiver; what goes wrong stands in the answer and with the receiver.

        With `confirmed` however many may leave.
        """
        told = Told(receiver.id)
        began = self._store.clock.now()
        try:
            with self._http() as http:
                sight = self._sight(receiver, began)
                remote = Remote(receiver, http, self._tokens, began)
                under_way = _Turn(receiver, sight, told, remote, confirmed=confirmed)
                number, position = self._all_of(under_way, began)
        except YinxinError as error:  # one receiver's trouble is no other's
            told.failure, told.complete = _both(error), False
            self._wait(receiver, error)
        else:
            told.complete = not position
            with self._store.housekeep() as session:
                row = session.get_one(DeliveryRow, receiver.id)
                row.due, row.tries, row.failure = began, 0, None
                row.seen, row.position, row.number = began, position, number
                row.swept = began if not position else row.swept
        self._record(told)
        return told

    def rehearse(self, receiver: Receiver) -> Told:
        """What a whole turn would come to, of all there is; nothing is sent and nothing kept."""
        told = Told(receiver.id)
        now = self._store.clock.now()
        sight = self._sight(receiver, now)
        rehearsed = _Turn(receiver, sight, told, None)
        position = "user/"
        while position:
            subjects = Subjects()
            with self._store.read() as session:
                position = turn(session, receiver.id, sight, position, page=self._page, into=subjects)
            self._some_of(rehearsed, subjects)
        return told

    def _sight(self, receiver: Receiver, now: datetime) -> Sight:
        """What its client may read; raises UnknownClient for one that was ended."""
        client = self._clients.get(receiver.client)
        return self._scim.sight_at(ScimClient.of(client, " ".join(client.registration.scopes)), now)

    def _all_of(self, under_way: _Turn, now: datetime) -> tuple[int, str]:
        """Tell what was touched, what was refused before, and the next of everything; where the turn goes on."""
        subjects = Subjects()
        receiver = under_way.receiver.id
        with self._store.read() as session:
            row = session.get_one(DeliveryRow, receiver)
            state = session.scalar(sa.select(StateRow.number)) or 0
            number, position = row.number, row.position
            if not position and number != state:
                number, position = state, "user/"
            touched(session, (row.seen or now) - _OVERLAP, now, subjects)
            refused(session, receiver, now, subjects)
            while position and len(subjects.users) + len(subjects.groups) < self._page:
                position = turn(session, receiver, under_way.sight, position, page=self._page, into=subjects)
        if not under_way.confirmed:
            self._hold_leaving(under_way, subjects)
        self._some_of(under_way, subjects)
        return number, position

    def _hold_leaving(self, under_way: _Turn, subjects: Subjects) -> None:
        """Nothing is sent when very many would leave at once: more often a mistake (a policy, a scope) than so; raises TooManyLeave."""
        leaving = 0
        for kind, of, ids in (("user", USERS, subjects.users), ("group", GROUPS, subjects.groups)):
            for chunk in _chunks(ids, self._page):
                seen = self._seen(under_way, of, chunk)
                gone = [
                    each
                    for each, resource in seen.items()
                    if resource is None or getattr(resource, "active", None) is False
                ]
                there = sa.select(sa.func.count()).where(
                    SentRow.receiver == under_way.receiver.id,
                    SentRow.kind == kind,
                    SentRow.subject.in_(gone),
                    SentRow.remote_id.is_not(None),
                    SentRow.digest != LEFT,
                )
                with self._store.read() as session:
                    leaving += session.scalar(there) or 0
        if leaving > self._leaving_most:
            raise TooManyLeave(receiver=under_way.receiver.id, count=leaving)

    def _some_of(self, under_way: _Turn, subjects: Subjects) -> None:
        """People first; whoever is new there brings along the posts that she holds."""
        for chunk in _chunks(subjects.users, self._page):
            for person, resource in self._seen(under_way, USERS, chunk).items():
                active = resource if resource is not None and resource.active else None
                body = _user(active, under_way.receiver) if active is not None else None
                if self._one(under_way, "user", person, body) and active is not None:
                    subjects.add("group", [str(each.value) for each in active.groups or ()])
        if not under_way.receiver.groups:
            return
        for chunk in _chunks(subjects.groups, self._page):
            for post, resource in self._seen(under_way, GROUPS, chunk).items():
                body = self._group(under_way, resource) if resource is not None else None
                self._one(under_way, "group", post, body)

    def _seen(self, under_way: _Turn, kind: Kind, ids: list[str]) -> dict[str, Any]:
        """The resources as the receiver's client sees them, None for what is out of sight."""
        with self._store.read() as session:
            found = self._scim.look_at(session, kind, under_way.sight, ids)
        return {each: found.get(each) for each in ids}

    def _group(self, under_way: _Turn, resource: Any) -> dict[str, Any]:
        """The post with those of its holders whom the receiver knows."""
        members = [str(each.value) for each in resource.members or ()]
        query = sa.select(SentRow.remote_id).where(
            SentRow.receiver == under_way.receiver.id,
            SentRow.kind == "user",
            SentRow.subject.in_(members),
            SentRow.remote_id.is_not(None),
            SentRow.digest != LEFT,
        )
        with self._store.read() as session:
            known = session.scalars(query.order_by(SentRow.remote_id)).all()
        return {
            "schemas": [str(each) for each in resource.schemas if "core" in str(each)],
            "externalId": resource.id,
            "displayName": resource.display_name,
            "members": [{"value": each, "type": "User"} for each in known],
        }

    def _one(self, under_way: _Turn, kind: str, subject: str, body: dict[str, Any] | None) -> bool:
        """Tell one thing, `body` None for what is to be there no more; whether it is new there."""
        with self._store.read() as session:
            row = session.get(SentRow, (under_way.receiver.id, kind, subject))
            session.expunge_all()
        told = under_way.told
        digest = SHA256.digest(canonical.encode(body)).hex() if body is not None else LEFT
        remote_id = row.remote_id if row is not None else None
        if self._settled(under_way, row, (kind, subject), digest) or (body is None and remote_id is None):
            return False
        new = body is not None and remote_id is None
        if under_way.remote is not None:
            try:
                remote_id = self._send(under_way.remote, under_way.receiver, (kind, subject), remote_id, body)
            except ReceiverRefused as error:
                told.refused += 1
                self._keep_refusal(under_way.receiver.id, (kind, subject), digest, error)
                return False
            step("authz.scim-push.1-sent")
            self._keep(under_way.receiver.id, kind, subject, remote_id, digest)
            step("authz.scim-push.2-kept")
        told.made += new
        told.changed += body is not None and not new
        told.left += body is None
        told.subjects.append(f"{'person' if kind == 'user' else 'post'}:{subject}")
        return new

    def _settled(self, under_way: _Turn, row: SentRow | None, thing: tuple[str, str], digest: str) -> bool:
        """Whether the receiver knows it so, has refused it so until later, or a rehearsal has counted it."""
        if under_way.remote is None:
            counted = thing in under_way.counted
            under_way.counted.add(thing)
            if counted:
                return True
        if row is None or row.digest != digest:
            return False
        under_way.told.same += row.failure is None
        return row.failure is None or (row.due is not None and row.due > self._store.clock.now())

    @staticmethod
    def _send(
        remote: Remote,
        receiver: Receiver,
        thing: tuple[str, str],
        remote_id: str | None,
        body: dict[str, Any] | None,
    ) -> str | None:
        """Make it so at the receiver; its identifier there, None when it is there no more."""
        endpoint, subject = _ENDPOINTS[thing[0]], thing[1]
        if body is None:
            if remote_id is None:
                return None
            if thing[0] == "user" and receiver.on_leaving == "deactivate":
                return remote_id if remote.deactivate(endpoint, remote_id) else None
            remote.delete(endpoint, remote_id)
            return None
        if remote_id is not None and remote.replace(endpoint, remote_id, body):
            return remote_id
        found = remote.find(endpoint, subject)
        if found is not None and remote.replace(endpoint, found, body):
            return found
        return remote.create(endpoint, body)

    def _keep(self, receiver: str, kind: str, subject: str, remote_id: str | None, digest: str) -> None:
        with self._store.housekeep(lasting=False) as session:
            if remote_id is None:
                gone = sa.delete(SentRow).where(
                    SentRow.receiver == receiver, SentRow.kind == kind, SentRow.subject == subject
                )
                session.execute(gone)
                return
            session.merge(
                SentRow(
                    receiver=receiver,
                    kind=kind,
                    subject=subject,
                    remote_id=remote_id,
                    digest=digest,
                    failure=None,
                    tries=0,
                    due=None,
                )
            )

    def _keep_refusal(
        self, receiver: str, thing: tuple[str, str], digest: str, error: ReceiverRefused
    ) -> None:
        now = self._store.clock.now()
        kind, subject = thing
        with self._store.housekeep(lasting=False) as session:
            row = session.get(SentRow, (receiver, kind, subject))
            if row is None:
                row = SentRow(receiver=receiver, kind=kind, subject=subject, tries=0)
                session.add(row)
            row.failure, row.digest = _both(error), digest
            row.tries += 1
            row.due = now + _wait(row.tries)

    def _wait(self, receiver: Receiver, error: YinxinError) -> None:
        after = getattr(error, "after", None)
        with self._store.housekeep() as session:
            row = session.get_one(DeliveryRow, receiver.id)
            row.tries += 1
            row.failure = _both(error)
            wait = _wait(row.tries)
            if after is not None:
                wait = min(max(wait, timedelta(seconds=after)), _LONGEST_WAIT)
            row.due = self._store.clock.now() + wait

    def _record(self, told: Told) -> None:
        """What left this site stands in the log, by identifier; a turn that told nothing leaves no entry."""
        if not (told.made or told.changed or told.left):
            return
        facts = {name: getattr(told, name) for name in ("made", "changed", "left", "refused")}
        with self._store.act(SYSTEM, VERB, f"receiver:{told.receiver}", **facts) as act:
            act.facts["subjects"] = told.subjects[:_NAMED]


def _user(resource: Any, receiver: Receiver) -> dict[str, Any]:
    """A person as the receiver is told of her: our identifier is its `externalId`."""
    seen = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    extensions = {_EXTENSIONS[each] for each in receiver.extensions}
    body = {name: seen[name] for name in ("userName", "displayName", "active")}
    body |= {name: seen[name] for name in sorted(extensions) if name in seen}
    schemas = [each for each in seen["schemas"] if each in extensions or ":core:" in each]
    return body | {"externalId": resource.id, "schemas": schemas}


def _wait(tries: int) -> timedelta:
    doubled: timedelta = _FIRST_WAIT * (1 << min(tries - 1, 10))
    return min(doubled, _LONGEST_WAIT)


def _chunks(ids: Iterable[str], size: int) -> Iterable[list[str]]:
    every = list(ids)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def _both(error: YinxinError) -> str:
    """What went wrong, for an operator of either language."""
    return f"{error.text('zh')} / {error.text('en')}"[:800]
