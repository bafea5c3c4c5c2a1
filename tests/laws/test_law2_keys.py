"""Law 2: no private key in the clear: not in the database, a log, an exception, a core file, a backup, an artifact.

Every key that is made in software during founding and story is remembered by the test, keys in escrow among them, as are
the secrets of enrolment credentials, session tokens, PINs and passwords; then every byte that was written anywhere is
searched for them, raw, in hex, in base 64 and in base 32.

Seen to fail when: a new key is written beside its PKCS#12 file; a credential's secret lies where none belongs; the
wrapped row holds more than ciphertext and the session row the token itself (the platform refuses both before the search
begins). The search is shown to find what is planted, each time.
"""

import base64
import logging
import resource
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pkcs11
import psycopg
import pytest

from ca import Holder
from ca.enrolment import Credential, Enrolment, Grant
from ca.pair import PairRequest
from kms.errors import WrongPin
from kms.holder.errors import WrongHolderPin
from ops.acting import acting_person
from ops.data import DataDirectory
from ops.modules import MODULES
from ops.platform import Platform, Seams
from ops.settings import configuration
from tests.laws.province import client, opened, prepared, quiet, small, tell
from tests.laws.serving import Served
from tests.support.postgres import PostgresServer
from yinxin.act import Actor
from yinxin.client import Client
from yinxin.client._http import Connection
from yinxin.crypto import der
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError

pytestmark = pytest.mark.engines("any")


#: where secrets lie on purpose, each in a private folder of its own; everything else is searched
PLACES = ("secrets/", "accounts/", "credentials/")
#: PrivateKeyInfo of an elliptic key up to its curve (RFC 5208, RFC 5480), of ML-DSA and ML-KEM up to their sizes
#: (RFC 9881, RFC 9935), the old PEM headers, and the new one
FORMS = (
    bytes.fromhex("020100") + bytes.fromhex("301306072a8648ce3d0201"),
    bytes.fromhex("020100") + bytes.fromhex("300b060960864801650304" + "03"),
    bytes.fromhex("020100") + bytes.fromhex("300b060960864801650304" + "04"),
    b"-----BEGIN PRIVATE KEY-----",
    b"-----BEGIN EC PRIVATE KEY-----",
    b"-----BEGIN RSA PRIVATE KEY-----",
    b"-----BEGIN OPENSSH PRIVATE KEY-----",
)


@dataclass
class Secrets:
    """Everything that must not be found, with where it came from."""

    found: dict[bytes, str] = field(default_factory=dict)

    def add(self, name: str, secret: bytes) -> None:
        """In every spelling it might be written in."""
        for spelled in (secret, secret.hex().encode(), secret.hex().upper().encode()):
            self.found[spelled] = name
        for offset in range(3):  # base 64 of a longer text that holds it, at each alignment
            text = base64.b64encode(b"\0" * offset + secret)[4 if offset else 0 :]
            kept = text[: len(text) // 4 * 4 - 4]
            self.found[kept] = self.found[kept.translate(bytes.maketrans(b"+/", b"-_"))] = name

    def search(self, data: bytes, where: str) -> None:
        """Fail for the first one in `data`."""
        for secret, name in self.found.items():
            assert secret not in data, f"{name} in {where}"
        for form in FORMS:
            assert form not in data, f"{form!r} in {where}"


def heart(key: PrivateKey) -> bytes:
    """What the rest of a private key follows from, out of the PKCS#8.

    A scalar (RFC 5915 section 3), a seed (RFC 8410 section 7, RFC 9881 section 6), an RSA key's first prime
    (RFC 8017 A.1.2).
    """
    inner = der.content(der.elements(key.pkcs8())[2])
    if inner[0] != der.SEQUENCE:
        return der.content(inner)
    parts = der.elements(inner)
    return der.content(parts[4] if key.public_key.algorithm == "rsa" else parts[1]).lstrip(b"\0")


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Every key made and every token given from now on."""
    kept = Secrets()
    generate = PrivateKey.generate.__func__  # type: ignore[attr-defined]
    session, grant = Connection.open_session, Enrolment.grant

    def generated(cls: type[PrivateKey], *arguments: object) -> PrivateKey:
        key: PrivateKey = generate(cls, *arguments)
        kept.add(f"key {key.public_key.key_id.hex()}", heart(key))
        return key

    def opened_session(self: Connection, challenge: str, signature: bytes) -> str:
        token = session(self, challenge, signature)
        kept.add("session token", token.encode())
        return token

    def granted(self: Enrolment, actor: Actor, wanted: Grant) -> tuple[Credential, bytes]:
        made, secret = grant(self, actor, wanted)
        kept.add(f"secret of credential {made.id}", secret)
        return made, secret

    monkeypatch.setattr(PrivateKey, "generate", classmethod(generated))
    monkeypatch.setattr(Enrolment, "grant", granted)
    monkeypatch.setattr(Connection, "open_session", opened_session)
    return kept


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file and its bytes."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield str(file.relative_to(folder)), file.read_bytes()


def on_purpose(name: str) -> bool:
    """Whether a file is there to hold a secret, other than a key."""
    return name.startswith(("secrets/", "credentials/")) or name.endswith(".password")


def remember_files(folder: Path, secrets: Secrets) -> None:
    """The PINs and passwords that lie in their own files."""
    for name in ("hsm-pin", "hsm-so-pin", "tls-server.password"):
        secrets.add(name, (folder / "secrets" / name).read_bytes().strip())
    for file in (folder / "accounts").glob("*.password"):
        secrets.add(file.name, file.read_bytes().strip())


def search_everything(folder: Path, secrets: Secrets, known: Mapping[str, bytes] | None = None) -> int:
    """Every byte outside the secrets' own places, and all key files in them; how many files. `known` was searched before."""
    count = 0
    for name, data in files(folder):
        count += 1
        searched = known is not None and known.get(name) == data
        if not searched and not on_purpose(name):
            secrets.search(data, name)
    return count


def assert_the_search_can_find(secrets: Secrets, tmp_path: Path) -> None:
    """A search that finds nothing proves something only if it would find it."""
    key = PrivateKey.generate(INTL)
    for number, planted in enumerate(
        (heart(key), heart(key).hex().encode(), base64.b64encode(b"xy" + key.pkcs8()), key.pkcs8())
    ):
        folder = tmp_path / f"planted-{number}"
        folder.mkdir()
        (folder / "file").write_bytes(b"before" + planted + b"after")
        with pytest.raises(AssertionError, match=" in file"):
            search_everything(folder, secrets)


def pair(platform: Platform) -> None:
    """A pair for the clerk: its encryption key is made here, kept in escrow and delivered."""
    officer, key = acting_person(platform, None, None), PrivateKey.generate(INTL)
    csr = CertificationRequest.build(key, {}).der
    post = next(each.post for each in small().appointments if each.person == "demo-clerk")
    request = PairRequest("law-2", "person-signing", csr, Holder("person", "demo-clerk", post))
    platform.ca.pairs.issue(officer, request)
    assert platform.ca.pairs.envelope(officer, "law-2")


def holder_key(platform: Platform, secrets: Secrets) -> None:
    """A person's signing key, used under her PIN and under a wrong one; the PIN is nowhere afterwards either."""
    right, wrong = "钥匙-西湖 2718", "钥匙-东湖 1828"
    secrets.add("a holder's PIN", right.encode())
    secrets.add("a wrong PIN", wrong.encode())
    person = client(platform, "demo-clerk")
    key = person.kms.holders.create(right, suite="sm")
    person.kms.holders.request(key.id, right)
    with pytest.raises(WrongHolderPin):
        person.kms.holders.request(key.id, wrong)


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_nothing_secret_is_written_anywhere(
    tmp_path: Path, secrets: Secrets, engine: str, caplog: pytest.LogCaptureFixture, postgres: PostgresServer
) -> None:
    from ops.demo.found import found

    caplog.set_level(logging.INFO)
    for ours in ("yinxin", "sqlalchemy.engine", "httpx", "flask"):  # the fonts' own chatter is left out
        caplog.set_level(logging.DEBUG if ours == "yinxin" else logging.INFO, ours)
    folder = tmp_path / "data"
    name = postgres.create_database() if engine == "postgresql" else ""
    overrides = [f"database.url={postgres.url(name)}"] if name else []
    prepared(folder)
    with opened(folder, *overrides) as platform:
        found(platform, quiet, small())
        tell(platform)
        pair(platform)
        holder_key(platform, secrets)
        live = dict(files(folder))  # with the write-ahead log, as it is while the platform is open
        backups = [
            path for module in MODULES if module.backup for path in module.backup(platform.service(module))
        ]
    remember_files(folder, secrets)
    assert len(secrets.found) > 60 * 5
    for where, data in live.items():
        if not on_purpose(where):
            secrets.search(data, where)
    assert search_everything(folder, secrets, live) > 40
    secrets.search(caplog.text.encode(), "the log of the process")
    assert backups
    for path in backups:
        assert not any(path.is_relative_to(folder / place) for place in PLACES), "secrets in a backup"
    if name:
        with psycopg.connect(postgres._conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            number = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [name]).fetchone()
        assert number is not None
        searched = 0
        for place in (postgres.data / "base" / str(number[0]), postgres.data / "pg_wal"):
            for where, data in files(place):
                secrets.search(data, where)
                searched += len(data)
        assert searched > 16 << 20
        postgres.drop_database(name)
    assert_the_search_can_find(secrets, tmp_path)


def test_keys_in_the_module_cannot_leave_it(platform: Platform) -> None:
    def attributes(session: pkcs11.Session) -> list[tuple[bool, ...]]:
        found = []
        for kind in (pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.ObjectClass.SECRET_KEY):
            for each in session.get_objects({pkcs11.Attribute.CLASS: kind}):
                with pytest.raises(pkcs11.AttributeSensitive):
                    each[pkcs11.Attribute.VALUE]
                found.append(
                    (
                        each[pkcs11.Attribute.SENSITIVE],
                        each[pkcs11.Attribute.ALWAYS_SENSITIVE],
                        not each[pkcs11.Attribute.EXTRACTABLE],
                        each[pkcs11.Attribute.NEVER_EXTRACTABLE],
                        each[pkcs11.Attribute.PRIVATE],
                        not each[pkcs11.Attribute.MODIFIABLE],
                    )
                )
        return found

    found = platform.kms.token.use(attributes)
    assert len(found) == 10  # six of the hierarchy and the seal, the log's, the witness's, the key that wraps
    assert all(all(each) for each in found), found


def test_errors_and_their_traces_hold_no_secret(folder: Path, secrets: Secrets) -> None:
    remember_files(folder, secrets)
    pin = folder / "secrets" / "hsm-pin"
    right = pin.read_text("utf-8")
    pin.write_text("not-the-pin\n", "utf-8")
    secrets.add("the wrong PIN", b"not-the-pin")
    with unopened(folder) as platform, pytest.raises(WrongPin) as caught:
        platform.kms.signer("intl-root").sign(b"x")
    pin.write_text(right, "utf-8")
    said = "".join([repr(caught.value), str(caught.value), caught.value.text("zh"), str(caught.value.facts)])
    secrets.search(said.encode(), "the error")
    with opened(folder) as platform:
        person = client(platform, "demo-clerk")
        token = person.sign_in()
        assert token not in repr(person) + repr(person._connection)
        with pytest.raises(YinxinError) as refused:
            platform.client(token=token + "x").authz.whoami()
        secrets.search(f"{refused.value!r} {refused.value}".encode(), "the error")
        for each in (platform.kms.signer("sm-root"), platform.kms.token, *vars(platform).values()):
            secrets.search(repr(each).encode(), f"repr of {type(each).__name__}")


@contextmanager
def unopened(folder: Path) -> Iterator[Platform]:
    """The platform before it looks at its token: what is asked of it now is the first to fail."""
    data = DataDirectory(folder)
    platform = Platform(data, configuration(data.config), Seams.real())
    try:
        yield platform
    finally:
        platform.close()


def test_the_server_leaves_no_core_and_its_log_no_secret(folder: Path, secrets: Secrets) -> None:
    remember_files(folder, secrets)
    with Served(folder) as server:
        limits = Path(f"/proc/{server.where['pid']}/limits").read_text("ascii")
        (core,) = [line for line in limits.split("\n") if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"], core
        with server.client("demo-clerk") as clerk:
            token = clerk.sign_in()
            with pytest.raises(YinxinError):
                clerk.documents.submit("nothing")
            with (
                Client(server.url, token=token[:-1], trust=server.trust) as nobody,
                pytest.raises(YinxinError),
            ):
                nobody.authz.whoami()
        secrets.add("session token", token.encode())
    secrets.search(server.log.read_bytes(), "the server's log")
    assert search_everything(folder, secrets)
    assert resource.getrlimit(resource.RLIMIT_CORE)  # ours is our own matter


def test_private_places_are_private(finished: Path, tmp_path: Path) -> None:
    """Nobody else on the machine can read keys, secrets, the database or the checkpoint."""
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    for name in ("token", "secrets", "checkpoint", "tls", "accounts", "credentials", "run"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    for file in (folder / "secrets").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
    for file in (*(folder / "accounts").iterdir(), *(folder / "credentials").iterdir()):
        assert file.stat().st_mode & 0o077 == 0, file.name
    for name in ("yinxin.db", "config.toml"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
