"""Identity and authorization of one site, assembled."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import sqlalchemy as sa

from authz.answers import Answers
from authz.challenges import Challenges
from authz.change import Changes
from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.delegation import Delegations
from authz.directory import Directory
from authz.grant import Grants
from authz.models import Attempt, OrganRow, SessionRow
from authz.oidc import Provider, TokenKeys
from authz.oidc.machine import standing_of, system
from authz.passkey import Passkeys
from authz.policy_set import load_policies
from authz.proposal.service import Proposals
from authz.refusals import Refusals
from authz.replay import Replays
from authz.review import Reviews
from authz.roster import Roster
from authz.scim.push.models import DeliveryRow, ReceiverRow
from authz.sessions import Limits, Sessions
from authz.settings import AuthzSettings
from authz.sign_in import SignIn
from authz.step_up import Freshness
from authz.tenant.tenants import Tenants
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.module import Health
from yinxin.outward import Networks
from yinxin.store import Store
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.scim.push.push import Push, Told
    from authz.scim.push.receivers import Receivers
    from authz.scim.service import Scim
    from authz.scim.write import Write

END_SESSIONS = "authz.end-sessions"
#: receivers that could not be told the last time
_FAILING = (
    sa.select(DeliveryRow.receiver).where(DeliveryRow.failure.is_not(None)).order_by(DeliveryRow.receiver)
)
_KEEP_SESSIONS = timedelta(days=30)
_KEEP_CHALLENGES = timedelta(hours=1)


class Authz:
    """`directory` says who is who, `sign_in` lets them in, `sessions` knows them again, `decisions` says what they may.

    `oidc` lets other systems rely on it. `policies` are the policy folders of all modules by name; `origins` the
    addresses at which this site is reached, the usual one first; `site` names this installation in what people sign, and
    is the usual address unless given; `fresh` are the acts that want a fresh proof of the certificate's key; `keys` are the signing keys of the key centre above; `http` makes the client that
    tells other systems of a logout, `push_http` the one that tells them of the directory. Raises BadPolicies when the policies cannot be put in force.
    """

    def __init__(
        self,
        store: Store,
        settings: AuthzSettings,
        checker: CertificateChecker,
        policies: Mapping[str, Path],
        *,
        origins: tuple[str, ...],
        keys: TokenKeys,
        http: Callable[[], httpx.Client],
        push_http: Callable[[], httpx.Client] | None = None,
        site: str = "",
        fresh: frozenset[str] = frozenset(),
    ) -> None:
        self.store = store
        refusals = Refusals(store, settings.refusals_per_minute)
        self.directory = Directory(store)
        step_up = timedelta(minutes=settings.step_up_minutes)
        self.decisions = Decisions(
            store, load_policies(policies), Freshness(fresh, step_up), machines=standing_of
        )
        #: the same for whoever asks from outside, recorded
        self.answers = Answers(store, self.decisions)
        self.grants = Grants(store, self.decisions, timedelta(days=settings.grant_days), system)
        self.changes = Changes(store, self.decisions)
        self.reviews = Reviews(store, self.decisions)
        self.tenants = Tenants(store, self.decisions)
        #: recorded decisions taken again; the log is handed to it at assembly
        self.replays = Replays(self.decisions, self.answers)
        self.roster = Roster(store, self.decisions)
        self.delegations = Delegations(
            store,
            self.decisions,
            checker,
            site=origins[0],
            longest=timedelta(days=settings.delegation_days),
            actions=lambda: frozenset(self.decisions.versions.current().policies.actions),
        )
        #: acts that take several people
        self.proposals = Proposals(store, self.decisions, checker, settings.proposal, site=site or origins[0])
        limits = Limits(
            timedelta(hours=settings.session_hours), timedelta(minutes=settings.session_idle_minutes)
        )
        self.sessions = Sessions(store, checker, refusals, limits)
        self.challenges = Challenges(store, timedelta(seconds=settings.challenge_seconds))
        self.sign_in = SignIn(
            store,
            origins=origins,
            challenges=self.challenges,
            sessions=self.sessions,
            checker=checker,
            refusals=refusals,
            attempts_per_minute=settings.attempts_per_minute,
        )
        self.passkeys = Passkeys(
            store,
            origins=origins,
            challenges=self.challenges,
            sessions=self.sessions,
            sign_in=self.sign_in,
            fresh=step_up,
        )
        self.oidc = Provider(
            store,
            settings.oidc,
            sessions=self.sessions,
            decisions=self.decisions,
            checker=checker,
            refusals=refusals,
            keys=keys,
            issuer=origins[0],
            http=http,
        )
        self._refusals = refusals
        self._settings = settings
        self._origin = origins[0]
        self._push_http = push_http or http

    @cached_property
    def scim(self) -> "Scim":
        """The directory for other systems; made when it is first asked for, as most commands need none of it."""
        from authz.scim.service import Scim

        return Scim(
            self.store,
            self.decisions,
            self.oidc.service_tokens,
            self._refusals,
            self._settings.scim,
            origin=self._origin,
        )

    @cached_property
    def scim_write(self) -> "Write":
        """Changes of the directory by other systems."""
        from authz.scim.write import Write

        return Write(self.store, self.scim, self.changes)

    @cached_property
    def scim_receivers(self) -> "Receivers":
        """The systems that are told of the directory."""
        from authz.scim.push.receivers import Receivers
        from authz.scim.push.secret import Secrets

        scim = self._settings.scim
        networks, secrets = Networks(scim.networks), Secrets(scim.secrets)
        return Receivers(self.store, self.decisions, self.oidc.clients, networks, secrets)

    @cached_property
    def scim_push(self) -> "Push":
        """Tells them."""
        from authz.scim.push.push import Push

        return Push(self.store, self.scim, self.oidc.clients, self._push_http, self._settings.scim)

    def scim_push_for(
        self, actor: Actor, receiver: str, *, rehearse: bool, confirmed: bool = False
    ) -> "Told":
        """A receiver's turn now, or what it would come to; raises UnknownReceiver, Denied."""
        wanted = self.scim_receivers.permit_push(actor, receiver)
        if rehearse:
            return self.scim_push.rehearse(wanted)
        return self.scim_push.tell(wanted, confirmed=confirmed)

    def tend_receivers(self) -> None:
        """Tell the systems that are due; a job. Where none is registered, nothing of it is even loaded."""
        with self.store.read() as session:
            registered = session.scalar(sa.select(ReceiverRow.id).where(ReceiverRow.ended.is_(None)).limit(1))
        if registered is not None:
            self.scim_push.tend()

    def directory_for(self, actor: Actor) -> Directory:
        """The directory, for somebody the policies permit to look things up; raises Denied."""
        self.decisions.require(actor, "authz.read", Resource("Directory", "directory", PLATFORM))
        return self.directory

    def end_sessions(self, actor: Actor, person: str) -> int:
        """End every session of `person`; others than the person need permission over each post's organ."""
        if actor.id != person:
            for each in self._sessions_as_resources(person):
                self.decisions.require(actor, END_SESSIONS, each)
        return self.sessions.end_all(actor, person)

    def end_session_of(self, actor: Actor, person: str, session_id: str) -> None:
        """End one session of `person`; raises Denied, UnknownPerson, UnknownSession."""
        if actor.id != person:
            for each in self._sessions_as_resources(person):
                self.decisions.require(actor, END_SESSIONS, each)
        self.sessions.end_of(actor, person, session_id)

    def may_end_sessions(self, actor: Actor, person: str) -> bool:
        """Whether the policies would let the actor end them, for showing buttons."""
        asked = [(END_SESSIONS, each, None) for each in self._sessions_as_resources(person)]
        return all(each.allowed for each in self.decisions.check_many(actor, asked))

    def sessions_of(
        self, actor: Actor, person: str, *, after: str = "", limit: int = 200
    ) -> list[SessionRow]:
        """The open sessions of `person`, for whoever may see them over each post's organ; raises Denied, UnknownPerson."""
        if actor.id != person:
            for each in self._sessions_as_resources(person):
                self.decisions.require(actor, "authz.read-sessions", each)
        return self.sessions.open_of(person, after=after, limit=limit)

    def _sessions_as_resources(self, person: str) -> list[Resource]:
        """What is asked about the sessions of a person: one for each organ in which she is signed in, or else in post."""
        self.directory.person(person)
        held = self.directory.appointments_of(person, at=self.store.clock.now())
        posts = self.sessions.open_posts(person) or {each.post for each in held}
        organs = {self.directory.post(post).organ for post in posts} or {PLATFORM}
        return [Resource("Session", person, organ) for organ in sorted(organs)]

    def forget(self) -> None:
        """Delete challenges, attempts and sessions that are long over; a job."""
        now = self.store.clock.now()
        self.challenges.forget(now - _KEEP_CHALLENGES)
        self.sessions.forget(now - _KEEP_SESSIONS)
        self.oidc.forget()
        with self.store.housekeep() as session:
            session.execute(sa.delete(Attempt).where(Attempt.at < now - _KEEP_CHALLENGES))

    def health(self) -> Health:
        """Whether there is a directory to decide by, and what is in force."""
        now = self.store.clock.now()
        opened = sa.select(sa.func.count()).where(SessionRow.ended.is_(None), SessionRow.expires > now)
        with self.store.read() as session:
            organs = session.scalar(sa.select(sa.func.count()).select_from(OrganRow)) or 0
            sessions = session.scalar(opened) or 0
            failing = list(session.scalars(_FAILING))
        near = [(organ, each) for organ, each in self.tenants.quotas() if each.state != "free"]
        facts = {
            "organs": organs,
            "sessions": sessions,
            "policy_set": self.decisions.policies.hash,
            "receivers_failing": failing,
            "quotas_near": [{"tenant": organ, **each.fields()} for organ, each in near],
        }
        if not organs:
            return Health(
                ok=False, text=Text("机构名录为空，请先导入", "the directory is empty: load it"), facts=facts
            )
        # of concern to the operator, and to nobody who asks here
        zh, en = ["正常"], ["in order"]
        if failing:
            names = ", ".join(failing)
            zh.append(f"名录推送失败的接收系统：{names}")
            en.append(f"receivers that cannot be told: {names}")
        for organ, each in near:
            zh.append(f"租户 {organ} 的额度将满：{each.text.zh}")
            en.append(f"a quota of tenant {organ} is nearly used up: {each.text.en}")
        return Health(ok=True, text=Text("；".join(zh), "; ".join(en)), facts=facts)
