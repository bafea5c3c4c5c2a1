"""A site with every hierarchy: one ceremony on a real token for the whole run, its tables copied for each test."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import ca.models
import kms.models  # noqa: F401 - defines the tables
from authz.directory import Directory, DirectoryFile
from authz.service import Authz
from authz.settings import AuthzSettings
from ca import Authority, CaSettings, CeremonyPlan, Holder, IssueRequest, conduct
from ca.check import Checker
from ca.module import MODULE as CA
from kms import KeyCentre, KmsSettings
from kms.module import MODULE as KMS
from kms.secrets import SecretFiles
from tests.support.databases import create_tables
from tests.support.pool import Contents, Pool
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.clock import ManualClock
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import suite
from yinxin.randomness import Randomness, SystemRandomness
from yinxin.store import Base, OutboxRow, Store, open_engine

ROOT = Path(ca.models.__file__).parent
OFFICER = Actor(Kind.PERSON, "zhao", post="officer", organ="city")
REGISTRAR = Actor(Kind.PERSON, "wu", post="registration-a", organ="county-a")
CLERK = Actor(Kind.PERSON, "zhang", post="clerk-a", organ="county-a")
AUDITOR = Actor(Kind.PERSON, "sun", post="auditor", organ="province")

PROVINCE = {
    "organs": [
        {"id": "province", "name_zh": "示范省人民政府", "name_en": "Province", "short_name": "示政", "level": "province", "division": "990000", "uscc": "11511301008778183N"},
        {"id": "city", "parent": "province", "name_zh": "甲市人民政府", "name_en": "City", "short_name": "甲政", "level": "city", "division": "990100"},
        {"id": "county-a", "parent": "city", "name_zh": "子县人民政府", "name_en": "County A", "short_name": "子政", "level": "county", "division": "990121"},
        {"id": "county-b", "parent": "city", "name_zh": "丑县人民政府", "name_en": "County B", "short_name": "丑政", "level": "county", "division": "990122"},
    ],
    "posts": [
        {"id": "clerk-a", "organ": "county-a", "name_zh": "经办岗", "name_en": "Clerk", "roles": ["clerk"]},
        {"id": "clerk-b", "organ": "county-b", "name_zh": "经办岗", "name_en": "Clerk", "roles": ["clerk"]},
        {"id": "registration-a", "organ": "county-a", "name_zh": "证书注册岗", "name_en": "Registration", "roles": ["registration-officer"]},
        {"id": "officer", "organ": "city", "name_zh": "安全管理岗", "name_en": "Security officer", "roles": ["security-officer"]},
        {"id": "auditor", "organ": "province", "name_zh": "审计岗", "name_en": "Auditor", "roles": ["auditor"]},
    ],
    "people": [
        {"id": "zhang", "name": "张喆"},
        {"id": "li", "name": "李堃"},
        {"id": "wu", "name": "吴昇"},
        {"id": "zhao", "name": "赵镕"},
        {"id": "sun", "name": "孙䶮"},
    ],
    "appointments": [
        {"person": person, "post": post, "valid_from": "2020-01-01T00:00:00+08:00"}
        for person, post in (
            ("zhang", "clerk-a"),
            ("li", "clerk-b"),
            ("wu", "registration-a"),
            ("zhao", "officer"),
            ("sun", "auditor"),
        )
    ],
}  # fmt: skip


def plan() -> CeremonyPlan:
    """The embedded plan, and a seal of the province in each suite."""
    values = CeremonyPlan.read(ROOT / "plans" / "embedded.toml").model_dump()
    for hierarchy in values["hierarchy"]:
        seal = {
            "label": f"{hierarchy['suite']}-seal-province",
            "profile": "organ-seal",
            "common_name": "示范省人民政府(电子印章)",
            "organ": "province",
        }
        hierarchy["service"] = (*hierarchy["service"], seal)
    return CeremonyPlan.model_validate(values)


class _Late:
    """The authority's checker, which is there only after authz."""

    real: Checker

    def check(self, *arguments: Any) -> None:
        self.real.check(*arguments)

    def revoked(self, *arguments: Any) -> bool:
        return self.real.revoked(*arguments)


class Site:
    """A store, a key centre and an authority in one folder, and everything a test turns."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        randomness: Randomness | None = None,
        tables: bool = True,
        **settings: Any,
    ) -> None:
        self.url, self.folder = url, folder
        self.clock = ManualClock(datetime.now(UTC))
        self.randomness = randomness or SystemRandomness()
        self.store = Store(open_engine(url), clock=self.clock, randomness=self.randomness)
        if tables:
            create_tables(self.store.engine)
        policies = {
            "authz": ROOT.parent / "authz" / "policies",
            "ca": ROOT / "policies",
            "kms": ROOT.parent / "kms" / "policies",
        }
        checker = _Late()
        self.authz = Authz(
            self.store,
            AuthzSettings(),
            checker,
            policies,
            origins=("https://localhost",),
            keys=SoftwareKeys(),
            http=nobody_to_tell,
        )
        self.keys = KeyCentre(
            self.store,
            KmsSettings(),
            folder=folder / "token",
            secrets=SecretFiles(folder / "secrets"),
            decider=self.authz.decisions,
        )
        self.ca = Authority(
            self.store,
            self.keys,
            Directory(self.store),
            self.authz.decisions,
            CaSettings(**{"dns_domains": ("example.gov.cn", "localhost"), **settings}),
            templates=lambda: self.authz.decisions.policies.templates,
            root=folder,
        )
        self.ctx = self.ca.ctx
        checker.real = self.ca.checker
        self.authz.proposals.timestamped_by(self.ca.timestamps)
        for module, service in ((CA, self.ca), (KMS, self.keys)):
            for kind in module.proposals:
                self.authz.proposals.register(kind, service)

    def found(self, wanted: CeremonyPlan) -> None:
        """The token, the directory, the ceremony."""
        self.keys.initialise(SYSTEM)
        Directory(self.store).load(SYSTEM, DirectoryFile.parse(PROVINCE))
        conduct(self.ctx, self.keys, SYSTEM, wanted, self.folder)

    def close(self) -> None:
        self.keys.close()
        self.store.engine.dispose()

    def request(self, reference: str = "r-1", **parts: Any) -> IssueRequest:
        """A good request for a server's certificate, but for `parts`."""
        key = parts.pop("key", None) or PrivateKey.generate(suite(parts.pop("suite", "intl")))
        name = parts.pop("subject", {"commonName": "a.example.gov.cn"})
        csr = CertificationRequest.build(key, name, parts.pop("san", [("dns", "a.example.gov.cn")]))
        given = {
            "reference": reference,
            "profile": "tls-server",
            "csr": csr.der,
            "holder": Holder("service", "a", None, "county-a"),
        }
        return IssueRequest(**{**given, **parts})

    def person(
        self, reference: str = "p-1", person: str = "zhang", post: str = "clerk-a", **parts: Any
    ) -> IssueRequest:
        """A good request for a person's certificate, but for `parts`."""
        given = {
            "profile": "person-signing",
            "subject": {},
            "san": [],
            "holder": Holder("person", person, post),
        }
        return self.request(reference, **{**given, **parts})

    def rows(self, **wanted: Any) -> list[ca.models.CertificateRow]:
        with self.store.read() as session:
            query = sa.select(ca.models.CertificateRow).filter_by(**wanted)
            return list(session.scalars(query.order_by(ca.models.CertificateRow.created)))

    def events(self, verb: str = "") -> list[dict[str, Any]]:
        with self.store.read() as session:
            rows = session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number))
            return [event for event in map(json.loads, rows) if verb in ("", event["verb"])]

    def pem(self, name: str) -> str:
        return self.ca.certificate(name).pem


@dataclass(frozen=True)
class Template:
    """The ceremony's folder and its tables' rows."""

    folder: Path
    #: its database on SQLite, the outbox emptied
    file: Path
    rows: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("site")
    file = tmp_path_factory.mktemp("seed") / "site.sqlite"
    site = Site(f"sqlite:///{file}", folder)
    site.found(plan())
    with site.store.engine.begin() as connection:
        connection.execute(OutboxRow.__table__.delete())
        rows = {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in Base.metadata.sorted_tables
        }
    site.close()  # the last connection takes the write-ahead log into the file
    return Template(folder, file, rows)


@pytest.fixture(scope="session")
def postgres_seed(template: Template, postgres_pool: Pool) -> Contents:
    """What the ceremony left, in PostgreSQL's words."""
    with postgres_pool.lent() as name:
        engine = open_engine(postgres_pool.server.url(name))
        with engine.begin() as connection:
            for table in Base.metadata.sorted_tables:
                connection.execute(table.delete())  # some begin with a row of their own
                if template.rows[table.name]:
                    connection.execute(table.insert(), template.rows[table.name])
        engine.dispose()
        return postgres_pool.contents(name)


@pytest.fixture
def founded_url(
    template: Template, database_engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A database of the test's own as the ceremony left it, once on each engine: copied, not made anew."""
    if database_engine == "sqlite":
        shutil.copyfile(template.file, tmp_path / "test.sqlite")
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    pool: Pool = request.getfixturevalue("postgres_pool")
    with pool.lent(request.getfixturevalue("postgres_seed")) as name:
        yield pool.server.url(name)


@pytest.fixture
def founded(
    template: Template, founded_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Site]]:
    """Makes a site as the ceremony left it; may be called again for another process's view of the same one."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    folder = tmp_path / "site"
    shutil.copytree(template.folder, folder)
    made: list[Site] = []

    def make(*, before: Callable[[Path], None] = lambda _: None, **parts: Any) -> Site:
        before(folder)
        for each in made:
            each.keys.close()
        made.append(Site(founded_url, folder, tables=False, **parts))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def site(founded: Callable[..., Site]) -> Site:
    return founded()


@pytest.fixture
def served(site: Site) -> Iterator[Callable[[], str]]:
    """The public services of `site` on a loopback port; gives their address."""
    import threading

    from flask import Flask
    from werkzeug.serving import make_server

    from ca.public import routes

    app = Flask(__name__)
    for blueprint in routes(site.ca):
        app.register_blueprint(blueprint)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield lambda: f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def office(site: Site) -> Any:
    """The site with officers who hold ceremonies (`neighbours`)."""
    from .neighbours import Office

    return Office.of(site)
