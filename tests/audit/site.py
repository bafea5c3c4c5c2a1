"""One site as tests build it: engine, store, log; also in processes of their own."""

from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

import audit.state  # noqa: F401 - whose tables a whole check reads
from audit import AuditSettings, Log
from tests.support.databases import create_tables
from yinxin.act import SYSTEM
from yinxin.clock import Clock, SystemClock
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SM
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, open_engine

from .deciding import Decided

KINDS = ("ed25519", "sm2")
#: tables that take rows and nothing else
GUARDED = (
    "audit_retention",
    "audit_archive",
    "audit_sealed",
    "audit_opening",
    "audit_erased",
    "audit_erasure",
    "audit_hold",
    "audit_entry",
    "audit_tile",
    "audit_checkpoint",
    "audit_stamp",
    "audit_policy",
    "audit_cosignature",
    "audit_contradiction",
    "audit_suspect",
    "audit_kept",
    "audit_link",
    "audit_branch",
)


def make_keys(folder: Path) -> None:
    """The log's keys, and its site's as a witness of others."""
    for use in ("key", "witness.key"):
        for name, key in (
            ("ed25519", PrivateKey(ed25519.Ed25519PrivateKey.generate())),
            ("sm2", PrivateKey.generate(SM)),
        ):
            (folder / f"{name}.{use}").write_bytes(key.pkcs8())


class Flaky:
    """A signer that can be made to fail, or to sign falsely."""

    def __init__(self, key: PrivateKey) -> None:
        self.key, self.fault, self.signed = key, None, 0

    @property
    def public_key(self):
        return self.key.public_key

    def sign(self, message: bytes) -> bytes:
        self.signed += 1
        if self.fault == "gone":
            raise RuntimeError("the module does not answer")
        return self.key.sign(message + b"!" if self.fault == "false" else message)


class Site:
    def __init__(self, url: str, data: Path, clock: Clock | None = None, *, http=None, **settings) -> None:
        self.url, self.data = url, data
        self.engine = open_engine(url, pool=20)
        self.store = Store(self.engine, clock=clock or SystemClock(), randomness=SystemRandomness())
        self.signers = [Flaky(PrivateKey.load((data / f"{name}.key").read_bytes())) for name in KINDS]
        self.witness_signers = [
            PrivateKey.load((data / f"{name}.witness.key").read_bytes()) for name in KINDS
        ]
        self.log = Log(
            self.store,
            AuditSettings(**settings),
            self.signers,
            data=data,
            around=Decided(url),
            cosigners=self.witness_signers,
            http=http,
        )

    def create(self) -> None:
        create_tables(self.engine)
        Decided(self.url).done.clear()

    def close(self) -> None:
        self.log.close()
        self.engine.dispose()

    def act(self, subject: str = "thing:1", verb: str = "test.act", **facts) -> str:
        """One recorded act; its event's identifier, once acknowledged."""
        with self.store.act(SYSTEM, verb, subject, **facts) as act:
            pass
        return act.id

    def waiting(self) -> int:
        with self.engine.begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(OutboxRow))

    def execute(self, statement: str, **values) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def drop_triggers(self) -> None:
        """What an insider with all rights does first."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                for table in (*GUARDED, "audit_witnessed"):
                    connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            else:
                names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in names.all():
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
