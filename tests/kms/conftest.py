"""A key centre on a token of the test's own. The library is finalised after each test, so the next reads its own token."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import authz.proposal.models  # noqa: F401 - defines the tables
from authz.policy_set import PolicySet, load_policies
from kms import KeyCentre, KmsSettings
from kms.initialise import SoftToken, make_token
from kms.models import KeyRow
from kms.module import MODULE
from kms.secrets import SecretFiles, SecretSource
from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.authz import Decision, Denied, Resource
from yinxin.client import Client, in_process
from yinxin.clock import ManualClock
from yinxin.errors import NotAuthenticated
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.text import Text
from yinxin.web import Caller, WebSettings, create_app

OFFICER = Actor(Kind.PERSON, "p-officer", post="post-officer", organ="o-province")
KEEPER = Actor(Kind.PERSON, "p-keeper", post="post-keeper", organ="o-office")


#: where the HTTP face of these tests is
HOST = "https://trust.example.gov.cn"


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    """What the key centre ships."""
    assert MODULE.policies is not None
    return load_policies({"kms": MODULE.policies})


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
        create_tables(self.store.engine)
        self.decider = Deciding(self.store)
        self.source: SecretSource = SecretFiles(self.secrets)
        self.centre = self.another()

    def another(self, **settings: Any) -> KeyCentre:
        """A centre as another process, or the same one after a restart, would have it."""
        return KeyCentre(
            self.store,
            KmsSettings(**settings),
            folder=self.folder,
            secrets=self.source,
            decider=self.decider,
        )

    @property
    def pin_file(self) -> Path:
        return self.secrets / "hsm-pin"

    def restarted(self, **settings: Any) -> KeyCentre:
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


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token and its PINs as `KeyCentre.initialise` leaves them, made once: each world has a copy of its own."""
    root = tmp_path_factory.mktemp("soft-token")
    (root / "token").mkdir(mode=0o700)
    make_token(SoftToken(KmsSettings().token, root / "token", SecretFiles(root / "secrets")))
    return root


def furnished(url: str, root: Path, soft_token: Path) -> World:
    """A world with a fresh token."""
    for name in ("token", "secrets"):
        shutil.copytree(soft_token / name, root / name)
    return World(url, root)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soft_token: Path) -> Iterator[World]:
    """On SQLite, with a fresh token."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    made = furnished(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path, soft_token)
    yield made
    made.close()


@pytest.fixture
def either(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soft_token: Path
) -> Iterator[World]:
    """On each engine, with a fresh token."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    made = furnished(database_url, tmp_path, soft_token)
    yield made
    made.close()


# --- the HTTP face --------------------------------------------------------------------------------------------------


class Stranger(NotAuthenticated):
    code = "kms_test.stranger"
    zh = "请登录。"
    en = "Sign in."


class People:
    """One is known: the keeper of seals, by her token."""

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        if token != "keeper":
            raise Stranger
        nobody = Text("测试", "test")
        return Caller(KEEPER, "s", frozenset({"seal-keeper"}), "王芳", nobody, nobody)


@pytest.fixture
def app(world: World) -> Any:
    """The key centre's face alone, over `world`."""
    settings = WebSettings(public_url=HOST)
    app = create_app(authenticator=People(), store=world.store, clock=world.store.clock, settings=settings)
    for blueprint in MODULE.blueprints(world.centre):
        app.register_blueprint(blueprint)
    return app


@pytest.fixture
def client(app: Any) -> Iterator[Client]:
    """The keeper, by the client that outsiders install."""
    with Client(HOST, token="keeper", transport=in_process(app), sleep=lambda _: None) as client:
        yield client
