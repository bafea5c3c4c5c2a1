"""A small site that speaks SCIM, and systems that are registered with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from authz.oidc import Registration, face
from authz.scim.face import routes
from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.client import in_process
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.web import WebSettings, create_app

from .conftest import NOW, ORIGIN, Site, made_site

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")
ROOT = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
OURS = "urn:yinxin:params:scim:schemas:extension:yinxin:2.0:User"
POSTED = "urn:yinxin:params:scim:schemas:extension:yinxin:2.0:Group"


@dataclass
class Scimming:
    """The site's application, and an officer who registers systems."""

    site: Site
    officer: Any

    def __post_init__(self) -> None:
        authz = self.site.authz
        self.app = create_app(
            authenticator=authz.sessions,
            store=self.site.store,
            clock=self.site.clock,
            settings=WebSettings(public_url=ORIGIN),
        )
        for made in (face.routes, routes):
            for blueprint in made(authz):
                self.app.register_blueprint(blueprint)

    def register(
        self, id_: str, organ: str, scopes: tuple[str, ...] = ("scim.read", "scim.write"), **more: Any
    ) -> str:
        wanted = {
            "id": id_,
            "name": {"zh": "人事系统", "en": "Personnel"},
            "organ": organ,
            "grants": ("client_credentials",),
            "scopes": scopes,
        }
        secret = self.site.authz.oidc.clients.register(self.officer, Registration(**wanted | more))
        assert secret is not None
        return secret

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=ORIGIN, transport=in_process(self.app))

    def token(self, id_: str, secret: str, scope: str | None = None) -> dict[str, Any]:
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        with self.http() as http:
            return http.post("/oidc/token", data=form, auth=(id_, secret)).json()

    def system(self, id_: str, organ: str, *scopes: str, **more: Any) -> "System":
        secret = self.register(id_, organ, scopes or ("scim.read", "scim.write"), **more)
        return System(self, self.token(id_, secret)["access_token"])


@contextmanager
def standing(folder: Path) -> Iterator[Scimming]:
    """A site that stands for a whole module, for what changes nothing."""
    clock = ManualClock(NOW)
    engine = open_engine(f"sqlite:///{folder / 'one.sqlite'}")
    create_tables(engine)
    site = made_site(Store(engine, clock=clock, randomness=SystemRandomness()), clock)
    yield Scimming(site, OFFICER)
    engine.dispose()


@dataclass
class System:
    """A registered system with its token."""

    world: Scimming
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        with self.world.http() as http:
            return http.request(
                method, ROOT + path, json=body, headers=sent | {"Accept-Language": "en"} | headers
            )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def ids(self, kind: str, text: str | None = None, **more: Any) -> list[str]:
        asked = more | ({"filter": text} if text else {})
        answer = self.ask("POST", f"/{kind}/.search", asked)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["Resources"]]
