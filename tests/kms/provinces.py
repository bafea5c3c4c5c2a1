"""A directory, real decisions, a key centre and their HTTP faces: for whoever calls the key centre in earnest."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

import authz.scim.models  # noqa: F401 - defines the tables
from authz.bind import bind
from authz.directory import DirectoryFile
from authz.grant import Wanted
from authz.module import MODULE as AUTHZ
from authz.oidc import Registration
from authz.service import Authz
from authz.settings import AuthzSettings
from kms import KeyCentre, KmsSettings
from kms.keyring import ServiceKeyRequest
from kms.keyring.find import owner_of
from kms.module import MODULE
from kms.secrets import SecretFiles
from tests.authz.conftest import NOW, ORIGIN, PROVINCE, Authority
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import sign_in_statement
from yinxin.client import Client, System, in_process
from yinxin.clock import ManualClock
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.web import WebSettings, create_app

from .conftest import furnished

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")
BASE = {
    "name": {"zh": "档案系统", "en": "Archives"},
    "organ": "county-a",
    "grants": ("client_credentials",),
    "scopes": ("kms.use",),
}


@dataclass
class Province:
    """A directory, real decisions, a key centre and their HTTP faces."""

    store: Store
    clock: ManualClock
    authority: Authority
    authz: Authz
    centre: KeyCentre
    number: int = 0

    def __post_init__(self) -> None:
        self.app = self.served(self.authz.oidc.callers)

    def served(self, authenticator: Any) -> Any:
        """The application, with callers known by this authenticator."""
        app = create_app(
            authenticator=authenticator,
            store=self.store,
            clock=self.clock,
            settings=WebSettings(public_url=ORIGIN),
        )
        for module, service in ((AUTHZ, self.authz), (MODULE, self.centre)):
            for blueprint in module.blueprints(service):
                app.register_blueprint(blueprint)
        return app

    def enrol(self, person: str, post: str) -> Identity:
        """A certificate of hers, bound."""
        identity = self.authority.identity(person)
        with self.store.act(SYSTEM, "test.bind", f"person:{person}") as act:
            bind(act.session, identity.certificate, person, post, at=self.clock.now())
        return identity

    def sign_in(self, identity: Identity) -> str:
        """The token of a session of hers."""
        challenge = self.authz.sign_in.challenge().nonce
        answer = cms.sign_detached(identity, sign_in_statement(challenge, ORIGIN), signed_at=None)
        return self.authz.sign_in.by_signature(answer, challenge)[0]

    def key(self, algorithm: str = "aes-256-gcm", owner: str = "county-a") -> str:
        self.number += 1
        name = f"k{self.number}"
        self.centre.keyring.create(OFFICER, ServiceKeyRequest(name, owner, "records", algorithm))
        return name

    def system(self, **more: Any) -> System:
        self.number += 1
        wanted = Registration.model_validate(BASE | {"id": f"s{self.number}"} | more)
        return System(wanted.id, self.authz.oidc.clients.register(OFFICER, wanted))

    def grant(self, template: str, holder: str, key: str | None, organ: str = "county-a") -> str:
        resource = f"ServiceKey:{key}" if key else None
        wanted = Wanted(
            template, holder, organ, NOW, NOW + timedelta(days=300), "子府办〔2026〕9号", resource
        )
        self.authz.grants.sound(wanted)
        with self.store.act(OFFICER, "authz.grant", f"grant:{template}") as act:
            return self.authz.grants.give(act.session, act.actor, wanted).id

    def client(self, system: System, peer: bytes | None = None) -> Client:
        transport = in_process(self.app, certificate=peer)
        return Client(ORIGIN, system=system, transport=transport, clock=self.clock, sleep=lambda _: None)

    def ask(
        self,
        method: str,
        path: str,
        token: str,
        body: Any = None,
        *,
        peer: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k-1", **headers}
        with httpx.Client(base_url=ORIGIN, transport=in_process(self.app, certificate=peer)) as http:
            return http.request(method, path, json=body, headers=sent)

    def token(self, system: System, **form: str) -> httpx.Response:
        with httpx.Client(base_url=ORIGIN, transport=in_process(self.app)) as http:
            asked = {"grant_type": "client_credentials", **form}
            return http.post("/oidc/token", data=asked, auth=(system.id, system.secret or ""))

    def events(self, verb: str) -> list[dict[str, Any]]:
        with self.store.read() as session:
            rows = session.execute(sa.text("SELECT data FROM outbox ORDER BY number")).scalars()
            return [event for event in map(json.loads, map(bytes, rows)) if event["verb"] == verb]


@contextmanager
def opened(url: str, root: Path, soft_token: Path) -> Iterator[Province]:
    """A province on this database, with a token of its own."""
    clock = ManualClock(NOW)
    world = furnished(url, root, soft_token)
    store = Store(open_engine(url), clock=clock, randomness=SystemRandomness())
    authority = Authority(INTL, clock)
    authz = Authz(
        store,
        AuthzSettings(),
        authority,
        {"kms": MODULE.policies or Path()},
        origins=(ORIGIN,),
        keys=SoftwareKeys(),
        http=nobody_to_tell,
    )
    authz.directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))
    authz.decisions.adopt()
    centre = KeyCentre(
        store,
        KmsSettings(),
        folder=root / "token",
        secrets=SecretFiles(root / "secrets"),
        decider=authz.decisions,
    )
    authz.grants.owners["ServiceKey"] = owner_of
    yield Province(store, clock, authority, authz, centre)
    centre.close()
    world.close()
    store.engine.dispose()
