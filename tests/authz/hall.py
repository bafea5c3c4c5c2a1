"""The whole of identity and authorization over HTTP: its operations and the console's pages, and people who ask."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from authz.module import MODULE
from ops.console import DirectoryNames, pages
from ops.data import DataDirectory
from tests.authz.conftest import NOW, ORIGIN, made_site
from tests.authz.offices import Office
from tests.support.databases import create_tables
from yinxin.clock import ManualClock
from yinxin.crypto import cms
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, open_engine
from yinxin.web import WebSettings, create_app

#: who holds none of the powers, and who holds another
OTHERS = ("zhang", "qian")


class Hall:
    """One site on SQLite with its officers; `api` asks as JSON, `page` as a browser without scripts does."""

    def __init__(self, folder: Path) -> None:
        engine = open_engine(f"sqlite:///{folder / 'hall.sqlite'}")
        self.clock = ManualClock(NOW)
        self.store = Store(engine, clock=self.clock, randomness=SystemRandomness())
        create_tables(engine)
        self.site = made_site(self.store, self.clock)
        self.authz = self.site.authz
        self.authz.decisions.adopt()
        self.office = Office.of(self.site)
        for kind in MODULE.proposals:
            self.authz.proposals.register(kind, self.authz)
        platform: Any = SimpleNamespace(
            authz=self.authz, store=self.store, clock=self.clock, data=DataDirectory(folder)
        )
        #: what the console's pages are given; a test of another module puts its service here
        self.platform = platform
        app = create_app(
            authenticator=self.authz.sessions,
            store=self.store,
            clock=self.clock,
            settings=WebSettings(public_url=ORIGIN),
            names=DirectoryNames(
                self.authz.directory, self.authz.oidc.clients, lambda _organ: None, self.authz.tenants.mark
            ),
        )
        for blueprint in (*MODULE.blueprints(self.authz), *pages(platform)):
            app.register_blueprint(blueprint)
        self.client = app.test_client()
        self._keys = 0
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        """Let the database go."""
        self.store.engine.dispose()

    def headers(self, person: str) -> dict[str, str]:
        """Signed in; every act under a key of its own."""
        if person not in self._tokens:
            actor = self.office.actor(person)
            self._tokens[person] = self.site.sign_in(self.office.identity(person, actor.post or ""))
        self._keys += 1
        self.clock.advance(timedelta(milliseconds=1))
        return {"Authorization": f"Bearer {self._tokens[person]}", "Idempotency-Key": f"key-{self._keys:08}"}

    def forget(self, person: str) -> None:
        """Her session is over; the next thing she does signs her in anew."""
        self._tokens.pop(person, None)

    def api(self, person: str, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and body."""
        answer = self.client.open(
            f"/api/authz/v1{path}",
            method=method,
            json=body,
            headers=self.headers(person),
            base_url=ORIGIN,
            **more,
        )
        return answer.status_code, answer.get_json(silent=True)

    def page(
        self, person: str, path: str, form: Mapping[str, Any] | None = None, language: str = "zh"
    ) -> TestResponse:
        """What a page answers; with a form, what sending it does."""
        headers = self.headers(person)
        data = None if form is None else {"_key": headers.pop("Idempotency-Key"), **form}
        return self.client.open(
            path,
            method="GET" if form is None else "POST",
            data=data,
            headers={**headers, "Accept-Language": language},
            base_url=ORIGIN,
        )

    def agreed(self, id_: str, *people: str) -> None:
        """A proposal approved by these people over HTTP, and carried out by the first officer."""
        for person in people or ("qin", "han"):
            status, given = self.api(person, "GET", f"/proposals/{id_}/statement")
            assert status == 200, given
            actor = self.office.actor(person)
            identity = self.office.identity(person, actor.post or "")
            signature = cms.sign_detached(identity, b64decode(given["statement"]), signed_at=None)
            body = {"statement": given["statement"], "signature": b64encode(signature).decode()}
            status, answer = self.api(person, "POST", f"/proposals/{id_}/approvals", body)
            assert status == 201, answer
        status, answer = self.api("zhao", "POST", f"/proposals/{id_}/execution", {})
        assert (status, answer["state"]) == (201, "executed"), answer

    def last(self) -> dict[str, Any]:
        """The newest record."""
        import json

        with self.store.read() as session:
            row = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number.desc()).limit(1)).one()
            return dict(json.loads(row.data))


def refused(hall, method, path, body=None, people=OTHERS):
    """Nobody of these people gets through, and each attempt is on record."""
    for person in people:
        status, problem = hall.api(person, method, path, body)
        assert (status, problem["code"]) == (403, "authz.denied"), (person, path, problem)
        assert hall.last()["id"] == problem["entry"]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One for all of a file."""
    made = Hall(tmp_path_factory.mktemp("hall"))
    yield made
    made.close()
