"""The assembly: every module's service, built from the ground up and given what it needs of the others.

Where a lower floor needs a higher one's power it states an interface, and is handed the implementation here.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import Engine

from apps.document.remote import RemoteCore
from apps.document.service import Documents
from audit.service import Log
from audit.state.rows import TAKE_STOCK
from authz.checker import CertificateChecker
from authz.service import Authz
from authz.tenant.quota import TenantQuotas
from ca.service import Authority
from exchange.desk import owner_of_kind
from exchange.service import Exchange
from kms.custodians.make import Making
from kms.custodians.wait import record
from kms.engine.process import MAKING
from kms.engine.remote import RemoteEngine
from kms.keyring.find import owner_of
from kms.models import Purpose
from kms.secrets import DATABASE_PASSWORD, Sources
from kms.service import KeyCentre
from ops.accounted import accounted
from ops.anchors import anchors, client
from ops.auditing import Around
from ops.data import DataDirectory
from ops.modules import MODULES
from ops.schema import upgrade
from ops.secrets import open_sealed, secrets_of
from ops.service_certificates import caller_transport
from ops.settings import Common, check_shape, configuration
from ops.tenant_figures import TenantFigures
from seal.service import Seals
from yinxin.act import SYSTEM
from yinxin.attachment import Attachments
from yinxin.calendar.register.service import Calendars
from yinxin.client import Client, in_process
from yinxin.clock import Clock, SystemClock
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, Signer
from yinxin.errors import Unavailable
from yinxin.module import Module, imported
from yinxin.randomness import Randomness, SystemRandomness
from yinxin.store import Jobs, Store, Within, open_engine, take_stock
from yinxin.tlog import NoteSigner
from yinxin.web import Answers
from yinxin.web.counts import Counts

if TYPE_CHECKING:
    from flask import Flask

#: the address that calls inside this process are made to; it leaves no socket
INSIDE = "https://localhost"
#: seconds that another system may take to hear of a logout
_TELLING = 5.0
#: and from end to end
_TOLD = 15.0
#: seconds that a witness may take to answer
_ASKING = 10.0
#: and to have answered whole
_ANSWERED = 20.0
#: the keys that sign the log's checkpoints, one for each world
LOG_KEYS = {"log-ed25519": "ed25519", "log-sm2": "sm2"}
#: the keys by which this site witnesses other sites' logs
WITNESS_KEYS = {"witness-ed25519": "ed25519", "witness-sm2": "sm2"}


class NotAssembled(Unavailable):
    """Asked before everything is in place."""

    code = "ops.not_assembled"
    zh = "平台尚未就绪，请稍后重试。"
    en = "The platform is not ready yet; try again shortly."


class _Checker:
    """The certificate checker that authz needs before the authority above it exists."""

    def __init__(self) -> None:
        self.real: CertificateChecker | None = None

    def check(self, certificate: Certificate, chain: tuple[Certificate, ...], at: datetime) -> None:
        self._ready().check(certificate, chain, at)

    def revoked(self, fingerprint: str, within: Within | None = None) -> bool:
        return self._ready().revoked(fingerprint, within)

    def _ready(self) -> CertificateChecker:
        if self.real is None:
            raise NotAssembled
        return self.real


class _TokenKeys:
    """The keys that sign ID tokens, which authz needs before the key centre above it exists."""

    def __init__(self) -> None:
        self.centre: KeyCentre | None = None

    def make(self, label: str) -> None:
        self._ready().create(SYSTEM, label=label, purpose=Purpose.TOKEN, algorithm="ecdsa-p256")

    def signer(self, label: str) -> Signer:
        return self._ready().signer(label)

    def _ready(self) -> KeyCentre:
        if self.centre is None:
            raise NotAssembled
        return self.centre


class _Later:
    """A service that is asked for when something of it is: the log's opens the token, which a start must not."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


@dataclass(frozen=True)
class Seams:
    """What a test or a replay may put in place of the machine's own."""

    clock: Clock
    randomness: Randomness

    @classmethod
    def real(cls) -> "Seams":
        """The machine's clock and generator."""
        return cls(SystemClock(), SystemRandomness())


class Platform:
    """One installation, opened in one process. The HSM is first touched when a key is first used, after any fork."""

    def __init__(
        self,
        data: DataDirectory,
        settings: Common,
        seams: Seams,
        secrets: Sources | None = None,
        *,
        holds_keys: bool = False,
    ) -> None:
        """`secrets` are those of this installation that another platform of this process, or its parent, has opened.

        `holds_keys`: this is the key centre's own process, which opens the security module whatever its address is.
        """
        check_shape(settings)
        self.data = data
        self.settings = settings
        self.clock = seams.clock
        #: where the installation's secrets stand
        self.secrets = secrets or secrets_of(data, settings, seams.clock)
        open_sealed(data, self.secrets)
        self.store = self._opened(seams)
        checker, token_keys = _Checker(), _TokenKeys()
        self.authz = self._authorization(checker, token_keys)
        self.kms = KeyCentre(
            self.store,
            self.section("kms"),
            folder=data.path("token"),
            secrets=self.secrets,
            decider=self.authz.decisions,
            remote=None if holds_keys else self._key_centre(),
        )
        token_keys.centre = self.kms
        self.ca = Authority(
            self.store,
            self.kms,
            self.authz.directory,
            self.authz.decisions,
            self.section("ca"),
            templates=lambda: self.authz.decisions.policies.templates,
            root=self.data.root,
        )
        checker.real = self.kms.kmip.judge = self.ca.checker
        self.exchange = Exchange(
            self.store,
            self.ca,
            self.authz.directory,
            self.section("exchange"),
            root=self.data.root,
        )
        self.seal = Seals(
            self.store,
            self.kms,
            self.ca,
            directory=self.authz.directory,
            decider=self.authz.decisions,
            log=lambda: self.audit,
        )
        self.calendar = Calendars(self.store, lambda: self._signers("calendar"))
        self.jobs = Jobs(self.store)
        self.attachment = Attachments(
            self.store,
            self.section("attachment"),
            self.authz.decisions,
            default=data.path("attachments"),
        )
        self.document = Documents(
            self.store,
            self.core_for,
            self.attachment,
            self.section("document"),
            _Later(lambda: self.exchange.inside),
            TenantQuotas(),
        )
        self._hand_down()

    def _opened(self, seams: Seams) -> Store:
        """The store, its tables up to date."""
        store = Store(self._engine(), clock=seams.clock, randomness=seams.randomness)
        verbs = [verb for module in MODULES for verb in module.verbs]
        store.personal = {verb.name: frozenset(verb.personal) for verb in verbs if verb.personal}
        store.accounted = accounted()
        upgrade(store.engine, store)
        return store

    def _authorization(self, checker: _Checker, keys: _TokenKeys) -> Authz:
        settings = self.section("authz")
        oidc, scim = settings.oidc, settings.scim
        return Authz(
            self.store,
            settings,
            checker,
            {module.name: module.policies for module in MODULES if module.policies},
            origins=self._origins(),
            site=self.section("ca").public_url,
            keys=keys,
            fresh=frozenset(verb.name for module in MODULES for verb in module.verbs if verb.fresh),
            http=partial(client, oidc.logout_networks, anchors(oidc.trust_file), _TELLING, _TOLD),
            push_http=partial(client, scim.networks, anchors(scim.trust_file), _TELLING, None),
        )

    def _hand_down(self) -> None:
        """What lower floors need of higher ones, by the interfaces that they state."""
        self.kms.holders.passkeys = self.authz.passkeys
        self.kms.generations.held = lambda: [imported(name) for module in MODULES for name in module.wrapped]
        self.authz.grants.owners |= {"ServiceKey": owner_of, "Exchange": owner_of_kind}
        self.authz.replays.log = lambda: self.audit
        self.authz.tenants.figures = TenantFigures(self)
        self.authz.proposals.timestamped_by(self.ca.timestamps)
        self.exchange.applications["document"] = self.document.deliveries
        for module in MODULES:
            for kind in module.proposals:
                self.authz.proposals.register(kind, _Later(partial(self.service, module)))

    @classmethod
    @contextmanager
    def open(
        cls,
        data: DataDirectory,
        overrides: Iterable[str] = (),
        seams: Seams | None = None,
        secrets: Sources | None = None,
        *,
        holds_keys: bool = False,
    ) -> Iterator["Platform"]:
        """The installation in `data`, with its token and log keys made when missing, and its log held to its checkpoint."""
        settings = configuration(data.config, overrides)
        platform = cls(data, settings, seams or Seams.real(), secrets, holds_keys=holds_keys)
        try:
            platform.custodians.finish(SYSTEM)
            record(platform.store, platform.secrets.sealed)
            platform.audit.start()
            take_stock(platform.store, SYSTEM, TAKE_STOCK)
            platform.authz.decisions.adopt(platform.version_signers())
            check_shape(platform.settings, token_manufacturer=platform.kms.engine.facts().manufacturer)
            yield platform
        finally:
            platform.close()

    def close(self) -> None:
        """Let what runs in the background, the token and the database go."""
        if "audit" in vars(self):
            self.audit.close()
        self.kms.close()
        self.store.engine.dispose()

    def _key_centre(self) -> RemoteEngine | None:
        """The key centre's process, where it has one."""
        settings = self.section("kms")
        if not settings.address:
            return None
        transport = partial(caller_transport, self.data, self.secrets)
        # an answer is as late as the token allows it to be, and the way back
        deadline = settings.deadline * MAKING + settings.patience
        return RemoteEngine(settings.address, transport, deadline=deadline, patience=settings.patience)

    def section(self, name: str) -> Any:
        """A module's settings."""
        return getattr(self.settings, name)

    def service(self, module: Module[Any]) -> Any:
        """The service of a module."""
        return getattr(self, module.name)

    @cached_property
    def custodians(self) -> Making:
        """The making of custodians' shares."""
        secrets = self.secrets
        return Making(self.store, self.authz.decisions, secrets.plain, secrets.sealed.file)

    @cached_property
    def audit(self) -> Log:
        """The log; its keys are made in the token first."""
        self.kms.initialise(SYSTEM)
        for label, algorithm in LOG_KEYS.items():
            self.kms.create(SYSTEM, label=label, purpose=Purpose.LOG, algorithm=algorithm)
        for label, algorithm in WITNESS_KEYS.items():
            self.kms.create(SYSTEM, label=label, purpose=Purpose.WITNESS, algorithm=algorithm)
        signers = [self.kms.signer(label) for label in LOG_KEYS]
        log = Log(
            self.store,
            self.section("audit"),
            signers,
            data=self.data.path("checkpoint"),
            decider=self.authz.decisions,
            cosigners=[self.kms.signer(label) for label in WITNESS_KEYS],
            http=self._to_witnesses,
            around=Around(self),
        )
        log.stamps.authority = self.ca.timestamps
        return log

    def _engine(self) -> Engine:
        """The database; its password, if it stands among our secrets, is read for each connection that is made."""
        chosen = self.settings.database

        def password() -> str:
            with self.secrets.read(DATABASE_PASSWORD) as secret:
                return secret.text()

        url = chosen.url or self.data.database_url()
        return open_engine(url, pool=chosen.pool, password=password if chosen.password == "secret" else None)  # noqa: S105 - where it stands

    def _to_witnesses(self) -> httpx.Client:
        audit = self.section("audit")
        return client(audit.witness_networks, anchors(audit.witness_trust_file), _ASKING, _ANSWERED)

    def version_signers(self) -> list[NoteSigner]:
        """The log's keys under a name of their own: they sign which policies are in force."""
        return self._signers("policies")

    def _signers(self, name: str) -> list[NoteSigner]:
        """The log's keys under a name of their own, for what the site itself puts in force."""
        origin = self.audit.settings.origin
        return [NoteSigner(f"{origin}/{name}", self.kms.signer(label)) for label in LOG_KEYS]

    @cached_property
    def app(self) -> "Flask":
        """The web application: every module's routes."""
        from ops.web import create

        return create(self)

    @property
    def web(self) -> Answers:
        """The answers kept for idempotency keys."""
        answers: Answers = self.app.extensions["yinxin.web"].answers
        return answers

    @property
    def counts(self) -> Counts:
        """What this process answered over HTTP, in numbers."""
        counts: Counts = self.app.extensions["yinxin.web"].counts
        return counts

    def client(self, identity: Identity | None = None, token: str | None = None) -> Client:
        """A client on this very process, over the same API as from outside."""
        return Client(
            INSIDE, identity=identity, token=token, transport=in_process(self.app), clock=self.clock
        )

    def core_for(self, token: str) -> RemoteCore:
        """The core as the applications see it, in the name of whoever holds the token."""
        return RemoteCore(self.client(token=token))

    def _origins(self) -> tuple[str, ...]:
        server = self.settings.server
        public = self.section("web").public_url
        named = [f"https://{host}:{server.port}" for host in (server.host, "localhost")]
        return tuple(dict.fromkeys(filter(None, (public, *named, INSIDE))))
