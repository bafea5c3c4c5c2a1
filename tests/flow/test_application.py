"""The application of the manual's page, taken out of the page and used: asked for, granted, signed for, listed, refused."""

import importlib.util
import re
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from authz.directory import DirectoryFile
from authz.module import MODULE as AUTHZ
from authz.service import Authz
from authz.settings import AuthzSettings
from tests.authz.conftest import FIXTURES, NOW, ORIGIN, PROVINCE, Authority, Site
from tests.crypto.conftest import build
from tests.support.databases import create_tables
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.calendar.register.module import MODULE as CALENDAR
from yinxin.calendar.register.service import Calendars
from yinxin.client import Client, in_process
from yinxin.clock import ManualClock
from yinxin.crypto import cms
from yinxin.crypto.suite import INTL
from yinxin.crypto.timestamps import build_response
from yinxin.flow import NoSuchRecord, ReasonMissing, RemoteCore, WrongState
from yinxin.randomness import SystemRandomness
from yinxin.store import Base, Store, open_engine
from yinxin.web import WebSettings, create_app

pytestmark = pytest.mark.engines("any")

PAGE = Path(__file__).parents[2] / "docs" / "sdk" / "application.md"
REQUESTS = "/api/leave/v1/requests"


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture
def engine(database_url):
    """With the product's tables alone: they are made once for all tests."""
    made = open_engine(database_url)
    create_tables(made)
    yield made
    made.dispose()


@pytest.fixture
def leave(tmp_path, engine):
    """The page's module, imported from a folder with its policies; its table leaves with the test."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "schema.json").write_text(block("json"), "utf-8")
    (tmp_path / "policies" / "leave.cedar").write_text(block("cedar"), "utf-8")
    file = tmp_path / "leave_of_the_page.py"
    file.write_text(block("python"), "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Leave.__table__.create(engine)
    yield module
    Base.metadata.remove(module.Leave.__table__)
    del sys.modules[file.stem]


class Core(RemoteCore):
    """The core, but for the authorities that give times and answers about certificates."""

    def __init__(self, client, clock):
        super().__init__(client, "Leave")
        self.clock = clock
        self.unit = build(INTL).timestamper()

    def query_timestamp(self, request, suite):
        unit, at = self.unit, self.clock.now()
        made = {"signer": unit.key, "certificate": unit.certificate, "chain": unit.chain}
        return build_response(request, **made, policy="1.2.3.4", serial=1, at=at)

    def ocsp(self, certificate):
        return b"ocsp"

    def attributes(self, certificate, actor):
        return b""


@pytest.fixture
def people(leave, tmp_path, engine):
    """Zhang, who has a post in a county, and Li, who leads the city above it; the application serves them."""
    clock = ManualClock(NOW)
    store = Store(engine, clock=clock, randomness=SystemRandomness())
    policies = {"test": FIXTURES, "leave": tmp_path / "policies"}
    ca = Authority(INTL, clock)
    authz = Authz(
        store, AuthzSettings(), ca, policies, origins=(ORIGIN,), keys=SoftwareKeys(), http=nobody_to_tell
    )
    authz.directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))
    authz.decisions.adopt()
    site = Site(authz, store, clock, ca)
    app = create_app(authenticator=authz.sessions, store=store, clock=clock, settings=WebSettings(public_url=ORIGIN))  # fmt: skip

    def client(**who):
        return Client(ORIGIN, transport=in_process(app), clock=clock, **who)

    leaves = leave.Leaves(store, lambda token: Core(client(token=token), clock))
    calendars = Calendars(store, list)
    for blueprint in (*AUTHZ.blueprints(authz), *CALENDAR.blueprints(calendars), *leave.routes(leaves)):
        app.register_blueprint(blueprint)
    return [client(identity=site.enrol(*who)) for who in (("zhang", "clerk-a"), ("li", "leader-city"))]


def call(client, method, path="", **body):
    return client._connection.json(
        method, f"{REQUESTS}{path}", **({"json": body} if method == "POST" else {})
    )


def test_the_application_of_the_page_works(people, leave):
    zhang, li = people
    asked = call(zhang, "POST", days=3)
    assert (asked["state"], asked["due"]) == ("asked", {"answer": "2026-11-25"})
    path = f"/{asked['id']}"
    with pytest.raises(Denied):
        call(zhang, "POST", f"{path}/decision", granted=True)
    with pytest.raises(ReasonMissing):
        call(li, "POST", f"{path}/decision", granted=False)
    granted = call(li, "POST", f"{path}/decision", granted=True)
    assert (granted["state"], granted["due"]) == ("granted", {"receipt": "2026-11-23"})
    with pytest.raises(WrongState):
        call(li, "POST", f"{path}/decision", granted=True)
    statement = zhang._connection.send("GET", f"{REQUESTS}{path}/receipt").content
    signature = cms.sign_detached(zhang._connection.identity, statement, signed_at=None)
    signed = {"statement": b64encode(statement).decode(), "signature": b64encode(signature).decode()}
    with pytest.raises(NoSuchRecord):
        call(li, "POST", "/nothing/receipt", **signed)
    assert call(zhang, "POST", f"{path}/receipt", **signed)["state"] == "closed"
    other = call(zhang, "POST", days=9)
    assert call(li, "POST", f"/{other['id']}/decision", granted=False, reason="人手不足")["due"] == {}
    assert {each["id"] for each in call(li, "GET")["items"]} == {other["id"], asked["id"]}
    assert call(li, "GET")["items"][0]["person"] == "zhang"


def test_it_is_as_short_as_the_page_says():
    lines = [line for line in block("python").splitlines() if line.strip()]
    assert len(lines) < 150
