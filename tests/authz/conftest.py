"""A small province, its own certificate authority, and the service on both engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from authz.bind import bind
from authz.change import Change
from authz.directory import DirectoryFile
from authz.directory.errors import NothingChanges
from authz.models import Attempt  # noqa: F401 - defines the tables
from authz.service import Authz
from authz.settings import AuthzSettings
from authz.step_up import Freshness
from tests.support.databases import create_tables
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.act import SYSTEM
from yinxin.authz import sign_in_statement
from yinxin.clock import ManualClock
from yinxin.crypto import cms
from yinxin.crypto import errors as crypto
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.suite import INTL, Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.errors import Unavailable
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine

ORIGIN = "https://trust.example.gov.cn"
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "policies"

PROVINCE = {
    "organs": [
        {
            "id": "province",
            "name_zh": "示范省人民政府",
            "name_en": "Province",
            "short_name": "示政",
            "level": "province",
            "division": "990000",
            "uscc": "11511301008778183N",
        },
        {
            "id": "city",
            "parent": "province",
            "name_zh": "甲市人民政府",
            "name_en": "City",
            "short_name": "甲政",
            "level": "city",
            "division": "990100",
        },
        {
            "id": "county-a",
            "parent": "city",
            "name_zh": "子县人民政府",
            "name_en": "County A",
            "short_name": "子政",
            "level": "county",
            "division": "990121",
        },
        {
            "id": "county-b",
            "parent": "city",
            "name_zh": "丑县人民政府",
            "name_en": "County B",
            "short_name": "丑政",
            "level": "county",
            "division": "990122",
        },
        {
            "id": "town",
            "parent": "county-a",
            "name_zh": "东镇人民政府",
            "name_en": "Town",
            "short_name": "东政",
            "level": "township",
            "division": "990121100",
        },
    ],
    "posts": [
        {"id": "clerk-a", "organ": "county-a", "name_zh": "经办岗", "name_en": "Clerk", "roles": ["clerk"]},
        {"id": "leader-city", "organ": "city", "name_zh": "市领导", "name_en": "Leader", "roles": ["leader"]},
        {
            "id": "seal-a",
            "organ": "county-a",
            "name_zh": "印章岗",
            "name_en": "Seal keeper",
            "roles": ["seal-keeper", "registrar"],
        },
        {
            "id": "officer",
            "organ": "city",
            "name_zh": "安全管理岗",
            "name_en": "Security officer",
            "roles": ["security-officer", "registration-officer"],
        },
        {
            "id": "admin",
            "organ": "province",
            "name_zh": "系统管理岗",
            "name_en": "Administrator",
            "roles": ["administrator"],
        },
        {
            "id": "auditor",
            "organ": "province",
            "name_zh": "审计岗",
            "name_en": "Auditor",
            "roles": ["auditor"],
        },
    ],
    "people": [
        {"id": "zhang", "name": "张喆", "clearance": "internal"},
        {"id": "li", "name": "李堃", "clearance": "secret"},
        {"id": "wang", "name": "王䶮", "clearance": "internal"},
        {"id": "zhao", "name": "赵镕", "clearance": "secret"},
        {"id": "qian", "name": "钱进", "clearance": "internal"},
        {"id": "sun", "name": "孙昇", "clearance": "top-secret"},
    ],
    "appointments": [
        {"person": person, "post": post, "valid_from": "2026-01-01T00:00:00+08:00"}
        for person, post in (
            ("zhang", "clerk-a"),
            ("li", "leader-city"),
            ("wang", "seal-a"),
            ("zhao", "officer"),
            ("qian", "admin"),
            ("sun", "auditor"),
        )
    ],
}


class Unreachable(Unavailable):
    code = "test.unreachable"
    zh = "撤销信息暂不可得；请稍后重试。"
    en = "Revocation cannot be told now; try again."


@dataclass
class Authority:
    """A root that issues and revokes, and judges by the real path validation."""

    suite: Suite
    clock: ManualClock
    dead: dict[str, datetime] = field(default_factory=dict)
    reachable: bool = True
    _serials: Iterator[int] = field(default_factory=lambda: count(2))

    def __post_init__(self) -> None:
        self.key = PrivateKey.generate(self.suite)
        self.root = self._sign(self.key, "Root", ca=True)

    def identity(self, name: str, *, days: int = 365, key: PrivateKey | None = None) -> Identity:
        key = key or PrivateKey.generate(self.suite)
        return Identity(key, self._sign(key, name, days=days), ())

    def _sign(self, key: PrivateKey, name: str, *, ca: bool = False, days: int = 3650) -> Certificate:
        now = self.clock.now().replace(microsecond=0)
        template = CertificateTemplate(
            subject=Name.of({"CN": name} if ca else {"CN": name, "serialNumber": name}),
            not_before=now - timedelta(hours=1),
            not_after=now + timedelta(days=days),
            ca=ca,
            key_usage=frozenset({"keyCertSign"} if ca else {"digitalSignature"}),
        )
        tbs = to_be_signed(
            template,
            spki=key.public_key.spki,
            issuer_name=template.subject if ca else self.root.subject,
            issuer_key_id=self.key.public_key.key_id,
            serial=1 if ca else next(self._serials),
            algorithm=self.suite.signature,
        )
        return Certificate(assemble(tbs, self.suite.signature, self.key.sign(tbs)))

    def revoke(self, certificate: Certificate) -> None:
        self.dead[certificate.fingerprint] = self.clock.now()

    def check(self, certificate: Certificate, chain: tuple[Certificate, ...], at: datetime) -> None:
        validate(certificate, chain, [self.root], at=at, usage=Usage.CLIENT, require_revocation=False)
        if self.revoked(certificate.fingerprint):
            raise crypto.CertificateRevoked(subject="", revoked_at="", reason="", at="")

    def revoked(self, fingerprint: str, session: Session | None = None) -> bool:
        if not self.reachable:
            raise Unreachable
        return fingerprint in self.dead


@dataclass
class Site:
    """The service with everything a test turns."""

    authz: Authz
    store: Store
    clock: ManualClock
    ca: Authority

    def make(self, change: Change) -> None:
        """What several people have approved, carried out."""
        with self.store.act(SYSTEM, change.verb, change.subject) as act:
            if not change.apply(act, self.clock.now()):
                raise NothingChanges(subject=change.subject)

    def enrol(self, person: str, post: str, *, days: int = 365) -> Identity:
        identity = self.ca.identity(person, days=days)
        with self.store.act(SYSTEM, "test.bind", f"person:{person}") as act:
            bind(act.session, identity.certificate, person, post, at=self.clock.now())
        return identity

    def answer(self, identity: Identity, challenge: str, origin: str = ORIGIN) -> bytes:
        return cms.sign_detached(identity, sign_in_statement(challenge, origin), signed_at=None)

    def sign_in(self, identity: Identity) -> str:
        challenge = self.authz.sign_in.challenge()
        return self.authz.sign_in.by_signature(self.answer(identity, challenge.nonce), challenge.nonce)[0]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(database_url: str, clock: ManualClock) -> Iterator[Store]:
    engine = open_engine(database_url)
    create_tables(engine)
    yield Store(engine, clock=clock, randomness=SystemRandomness())
    engine.dispose()


def made_site(store: Store, clock: ManualClock) -> Site:
    """The service over an empty database, with the province loaded."""
    ca = Authority(INTL, clock)
    authz = Authz(
        store,
        AuthzSettings(),
        ca,
        {"test": FIXTURES},
        origins=(ORIGIN,),
        keys=SoftwareKeys(),
        http=nobody_to_tell,
    )
    authz.directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))
    return Site(authz, store, clock, ca)


@pytest.fixture
def site(store: Store, clock: ManualClock) -> Site:
    return made_site(store, clock)


@pytest.fixture
def world(site):
    """The site with systems that rely on it (`relying`)."""
    from .relying import relying_world

    return relying_world(site)


@pytest.fixture
def city(site):
    """The site with a deputy beside the city's leader (`delegating`)."""
    from .delegating import with_a_deputy

    return with_a_deputy(site)


@pytest.fixture
def office(site):
    """The site with several officers, and kinds of proposals of the tests' own (`offices`)."""
    from .offices import Office

    return Office.of(site)


@pytest.fixture
def events(store: Store):
    """The outbox read back: one dictionary for each entry, oldest first."""
    import json

    import sqlalchemy as sa

    from yinxin.store import OutboxRow

    def read() -> list[dict]:
        with store.read() as session:
            return [
                json.loads(row.data)
                for row in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number))
            ]

    return read


@pytest.fixture
def wary(site):
    """The site, on which editing wants a proof no older than five minutes."""
    site.authz.decisions._freshness = Freshness(frozenset({"test.edit"}), timedelta(minutes=5))
    return site
