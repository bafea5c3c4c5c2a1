"""A hall with one counter: an authority behind its HTTP face, at which a registration officer asks for certificates."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

import authz.scim.models  # noqa: F401 - defines the tables
from authz.module import MODULE as AUTHZ
from ca.issue import issue
from ca.module import MODULE
from ca.quick import QuickIssue
from tests.support.elsewhere import changed, committed
from yinxin.authz import sign_in_statement
from yinxin.client import in_process
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.web import WebSettings, create_app
from yinxin.web.idempotency import AnswerRow

from .conftest import REGISTRAR, Site

ORIGIN = "https://localhost"
PATH = "/api/ca/v1/certificates"


@dataclass
class Hall:
    """An authority behind its HTTP face, its registration officer signed in, and who was served at the window, by group."""

    site: Site
    url: str
    groups: list[int] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.site.authz.decisions.adopt()
        key = PrivateKey.generate(INTL)
        own = issue(self.site.ctx, REGISTRAR, self.site.person("own", "wu", "registration-a", key=key))
        self.identity = Identity(key, own.certificate, own.chain)
        self.app = self.served(self.site.authz.oidc.callers)
        self.token = self.sign_in()

    def served(self, authenticator: Any) -> Any:
        settings = WebSettings(public_url=ORIGIN)
        app = create_app(
            authenticator=authenticator, store=self.site.store, clock=self.site.clock, settings=settings
        )
        for module, service in ((AUTHZ, self.site.authz), (MODULE, self.site.ca)):
            for blueprint in module.blueprints(service):
                app.register_blueprint(blueprint)
        return app

    def sign_in(self) -> str:
        challenge = self.site.authz.sign_in.challenge().nonce
        answer = cms.sign_detached(self.identity, sign_in_statement(challenge, ORIGIN), signed_at=None)
        return self.site.authz.sign_in.by_signature(answer, challenge)[0]

    def body(self, reference: str = "", **parts: Any) -> dict[str, Any]:
        self.number += 1
        holder = {"kind": "person", "id": "zhang", "post": "clerk-a"}
        csr = CertificationRequest.build(PrivateKey.generate(INTL), {}).pem
        asked = {"reference": reference or f"q-{self.number}", "profile": "person-signing"}
        return {**asked, "csr_pem": csr, "holder": holder, **parts}

    def ask(self, body: Any = None, key: str = "", *, app: Any = None, **headers: str) -> httpx.Response:
        body = self.body() if body is None else body
        self.number += 1
        sent = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or f"k-{self.number}"}
        with httpx.Client(base_url=ORIGIN, transport=in_process(app or self.app)) as http:
            return http.post(PATH, json=body, headers={**sent, **headers})

    def warm(self) -> None:
        """Ask until it goes the quick way."""
        for _ in range(2):
            before = len(self.groups)
            assert self.ask().status_code == 201
        assert len(self.groups) == before + 1

    def events(self) -> list[dict[str, Any]]:
        return self.site.events()

    def claimed(self) -> list[Any]:
        with self.site.store.read() as session:
            return list(session.execute(sa.select(AnswerRow.key, AnswerRow.entry, AnswerRow.status)))

    def elsewhere(self, *changes: Any) -> None:
        """What another process commits."""
        committed(self.url, *changes)

    def changed(self, *changes: Any) -> AbstractContextManager[None]:
        """What another process commits, and takes back."""
        return changed(self.url, *changes)


@pytest.fixture
def counter(site: Site, founded_url: str, monkeypatch: pytest.MonkeyPatch) -> Hall:
    serve, groups = QuickIssue._serve, list[int]()

    def seen(self: QuickIssue, group: Any) -> Any:
        answers = serve(self, group)
        groups.extend([len(group)] * (None not in answers))
        return answers

    monkeypatch.setattr(QuickIssue, "_serve", seen)
    return Hall(site, founded_url, groups)


def together(counter: Hall, calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    answers: list[Any] = [None] * len(calls)

    def call(place: int) -> None:
        answers[place] = calls[place]()

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
