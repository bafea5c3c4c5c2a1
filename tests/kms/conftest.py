"""A key centre on a token of the test's own. The library is finalised after each test, so the next reads its own token."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kms import KeyCentre, KmsSettings
from kms.models import KeyRow
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Decision, Denied, Resource
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import Base, Store, open_engine
from yinxin.text import Text

OFFICER = Actor(Kind.PERSON, "p-officer", post="post-officer", organ="o-province")
KEEPER = Actor(Kind.PERSON, "p-keeper", post="post-keeper", organ="o-office")


class Deciding:
    """Permits what `allowed` says; refuses as the real one does, recorded."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.allowed: Callable[[Actor, str, Resource], bool] = lambda *_: True
        self.asked: list[tuple[str, str, Resource]] = []

    def require(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        decision = self.check(actor, action, resource, context)
        if not decision.allowed:
            with self.store.act(actor, action, str(resource)) as act:
                act.decision = decision.record()
                raise Denied(action=action, resource=str(resource), reason=Text("无", "none"))
        return decision

    def check(
        self, actor: Actor, action: str, resource: Resource, context: Mapping[str, Any] | None = None
    ) -> Decision:
        self.asked.append((actor.id, action, resource))
        allowed = self.allowed(actor, action, resource)
        return Decision(allowed, action, resource, Text("测试", "test"), ("test.any",), "0" * 64, (), {})


class World:
    """A store, a folder, and key centres on them."""

    def __init__(self, url: str, root: Path) -> None:
        self.root = root
        self.folder, self.secrets = root / "token", root / "secrets"
        self.store = Store(
            open_engine(url),
            clock=ManualClock(datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
            randomness=SystemRandomness(),
        )
        Base.metadata.create_all(self.store.engine)
        self.decider = Deciding(self.store)
        self.centre = self.another()

    def another(self, **settings: str) -> KeyCentre:
        """A centre as another process, or the same one after a restart, would have it."""
        return KeyCentre(
            self.store,
            KmsSettings(**settings),
            folder=self.folder,
            secrets=self.secrets,
            decider=self.decider,
        )

    def restarted(self, **settings: str) -> KeyCentre:
        self.centre.close()
        self.centre = self.another(**settings)
        return self.centre

    def events(self, verb: str = "") -> list[dict[str, Any]]:
        with self.store.read() as session:
            rows = session.execute(sa.text("SELECT data FROM outbox ORDER BY number")).scalars()
            return [event for event in map(json.loads, map(bytes, rows)) if verb in ("", event["verb"])]

    def forge(self, label: str, **values: Any) -> None:
        """What somebody with the database's password does behind our back."""
        with self.store.engine.begin() as connection:
            connection.execute(sa.update(KeyRow).where(KeyRow.label == label).values(**values))

    def close(self) -> None:
        self.centre.close()
        self.store.engine.dispose()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """On SQLite, with a fresh token."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    made = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    made.centre.initialise(SYSTEM)
    yield made
    made.close()


@pytest.fixture
def either(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """On each engine, with a fresh token."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    made = World(database_url, tmp_path)
    made.centre.initialise(SYSTEM)
    yield made
    made.close()
