"""Identity and authorization of one site, assembled."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa

from authz.challenges import Challenges
from authz.change import Changes
from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.delegation import Delegations
from authz.directory import Directory
from authz.grant import Grants
from authz.models import Attempt, OrganRow, SessionRow
from authz.oidc import Provider, TokenKeys
from authz.passkey import Passkeys
from authz.policy_set import load_policies
from authz.proposal.service import Proposals
from authz.refusals import Refusals
from authz.review import Reviews
from authz.roster import Roster
from authz.sessions import Limits, Sessions
from authz.settings import AuthzSettings
from authz.sign_in import SignIn
from authz.step_up import Freshness
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.module import Health
from yinxin.store import Store
from yinxin.text import Text

_KEEP_SESSIONS = timedelta(days=30)
_KEEP_CHALLENGES = timedelta(hours=1)


class Authz:
    """`directory` says who is who, `sign_in` lets them in, `sessions` knows them again, `decisions` says what they may.

    `oidc` lets other systems rely on it. `policies` are the policy folders of all modules by name; `origins` the
    addresses at which this site is reached, the usual one first; `site` names this installation in what people sign, and
    is the usual address unless given; `fresh` are the acts that want a fresh proof of the certificate's key; `keys` are the signing keys of the key centre above; `http` makes the client that
    tells other systems of a logout. Raises BadPolicies when the policies cannot be put in force.
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
        site: str = "",
        fresh: frozenset[str] = frozenset(),
    ) -> None:
        self.store = store
        refusals = Refusals(store, settings.refusals_per_minute)
        self.directory = Directory(store)
        step_up = timedelta(minutes=settings.step_up_minutes)
        self.decisions = Decisions(store, load_policies(policies), Freshness(fresh, step_up))
        self.grants = Grants(store, self.decisions, timedelta(days=settings.grant_days))
        self.changes = Changes(store, self.decisions)
        self.reviews = Reviews(store, self.decisions)
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

    def directory_for(self, actor: Actor) -> Directory:
        """The directory, for somebody the policies permit to look things up; raises Denied."""
        self.decisions.require(actor, "authz.read", Resource("Directory", "directory", PLATFORM))
        return self.directory

    def end_sessions(self, actor: Actor, person: str) -> int:
        """End every session of `person`; others than the person need permission over each post's organ."""
        self.directory.person(person)
        if actor.id != person:
            posts = [self.directory.post(post) for post in self.sessions.open_posts(person)]
            for organ in sorted({post.organ for post in posts}):
                self.decisions.require(actor, "authz.end-sessions", Resource("Session", person, organ))
        return self.sessions.end_all(actor, person)

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
        facts = {"organs": organs, "sessions": sessions, "policy_set": self.decisions.policies.hash}
        if not organs:
            return Health(
                ok=False, text=Text("机构名录为空，请先导入", "the directory is empty: load it"), facts=facts
            )
        return Health(ok=True, text=Text("正常", "in order"), facts=facts)
