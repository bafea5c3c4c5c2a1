"""The assembly: every module's service, built from the ground up and given what it needs of the others.

Where a lower floor needs a higher one's power it states an interface, and is handed the implementation here.
"""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy.orm import Session

from apps.document.remote import RemoteCore
from apps.document.service import Documents
from audit.service import Log
from authz.checker import CertificateChecker
from authz.service import Authz
from ca.service import Authority
from kms.models import Purpose
from kms.service import KeyCentre
from ops.data import DataDirectory
from ops.modules import MODULES
from ops.schema import upgrade
from ops.settings import Common, check_shape, configuration
from yinxin.act import SYSTEM
from yinxin.client import Client, in_process
from yinxin.clock import Clock, SystemClock
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, Signer
from yinxin.errors import Unavailable
from yinxin.module import Module
from yinxin.randomness import Randomness, SystemRandomness
from yinxin.store import Jobs, Store, open_engine
from yinxin.tlog import NoteSigner
from yinxin.web import Answers

if TYPE_CHECKING:
    from flask import Flask

#: the address that calls inside this process are made to; it leaves no socket
INSIDE = "https://localhost"
#: seconds that another system may take to hear of a logout
_TELLING = 5.0
#: the keys that sign the log's checkpoints, one for each world
LOG_KEYS = {"log-ed25519": "ed25519", "log-sm2": "sm2"}


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

    def revoked(self, fingerprint: str, session: Session | None = None) -> bool:
        return self._ready().revoked(fingerprint, session)

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


def _context(trust_file: str) -> ssl.SSLContext:
    """The anchors by which other systems are known when they are told of a logout."""
    return ssl.create_default_context(cafile=trust_file or None)


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

    def __init__(self, data: DataDirectory, settings: Common, seams: Seams) -> None:
        check_shape(settings)
        self.data = data
        self.settings = settings
        self.clock = seams.clock
        url = settings.database.url or data.database_url()
        self.store = Store(
            open_engine(url, pool=settings.database.pool), clock=seams.clock, randomness=seams.randomness
        )
        upgrade(self.store.engine)
        checker = _Checker()
        policies = {module.name: module.policies for module in MODULES if module.policies}
        token_keys = _TokenKeys()
        trust = self.section("authz").oidc.trust_file
        self.authz = Authz(
            self.store,
            self.section("authz"),
            checker,
            policies,
            origins=self._origins(),
            site=self.section("ca").public_url,
            keys=token_keys,
            fresh=frozenset(verb.name for module in MODULES for verb in module.verbs if verb.fresh),
            http=partial(httpx.Client, verify=_context(trust), timeout=_TELLING, follow_redirects=False),
        )
        self.kms = KeyCentre(
            self.store,
            self.section("kms"),
            folder=data.path("token"),
            secrets=data.path("secrets"),
            decider=self.authz.decisions,
        )
        token_keys.centre = self.kms
        self.ca = Authority(
            self.store,
            self.kms,
            self.authz.directory,
            self.authz.decisions,
            self.section("ca"),
            root=self.data.root,
        )
        checker.real = self.ca.checker
        self.jobs = Jobs(self.store)
        self.document = Documents(self.store, self.core_for)
        self.authz.proposals.timestamped_by(self.ca.timestamps)
        for module in MODULES:
            for kind in module.proposals:
                self.authz.proposals.register(kind, self.service(module))

    @classmethod
    @contextmanager
    def open(
        cls, data: DataDirectory, overrides: Iterable[str] = (), seams: Seams | None = None
    ) -> Iterator["Platform"]:
        """The installation in `data`, with its token and log keys made when missing, and its log held to its checkpoint."""
        platform = cls(data, configuration(data.config, overrides), seams or Seams.real())
        try:
            platform.audit.start()
            platform.authz.decisions.adopt(platform.version_signers())
            check_shape(platform.settings, token_manufacturer=platform.kms.token.facts().manufacturer)
            yield platform
        finally:
            platform.close()

    def close(self) -> None:
        """Let the token and the database go."""
        self.kms.close()
        self.store.engine.dispose()

    def section(self, name: str) -> Any:
        """A module's settings."""
        return getattr(self.settings, name)

    def service(self, module: Module[Any]) -> Any:
        """The service of a module."""
        return getattr(self, module.name)

    @cached_property
    def audit(self) -> Log:
        """The log; its keys are made in the token first."""
        self.kms.initialise(SYSTEM)
        for label, algorithm in LOG_KEYS.items():
            self.kms.create(SYSTEM, label=label, purpose=Purpose.LOG, algorithm=algorithm)
        signers = [self.kms.signer(label) for label in LOG_KEYS]
        return Log(
            self.store,
            self.section("audit"),
            signers,
            data=self.data.path("checkpoint"),
            decider=self.authz.decisions,
        )

    def version_signers(self) -> list[NoteSigner]:
        """The log's keys under a name of their own: they sign which policies are in force."""
        origin = self.audit.settings.origin
        return [NoteSigner(f"{origin}/policies", self.kms.signer(label)) for label in LOG_KEYS]

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
