"""Secrets in files, as they are handed over, and the database's password, which is one of them."""

import copy
import pickle
from pathlib import Path

import pytest
import sqlalchemy as sa

from kms.secrets import DATABASE_PASSWORD, HSM_PIN, Secret, SecretFiles
from kms.secrets.errors import SecretFileLoose, SecretFileMissing
from tests.support.postgres import PostgresServer
from yinxin.store import open_engine

pytestmark = pytest.mark.engines("any")


def written(file: Path, content: str) -> Path:
    file.touch(0o600)
    file.write_text(content, "utf-8")
    return file


def test_a_secret_shows_itself_to_nobody_by_accident(tmp_path: Path) -> None:
    written(tmp_path / HSM_PIN, "hush-hush\n")
    secret = SecretFiles(tmp_path).read(HSM_PIN)
    assert "hush" not in f"{secret!r} {secret} {secret.state}"
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(secret)
    assert not hasattr(secret, "__dict__")
    octets = secret._octets
    whole = memoryview(octets)
    with pytest.raises(BufferError), secret:  # the copy cannot go while somebody looks at it
        assert (secret.text(), secret.octets()) == ("hush-hush", b"hush-hush")
    assert bytes(whole) == bytes(9), "it was not overwritten"
    whole.release()


def test_a_secret_is_gone_after_its_use(tmp_path: Path) -> None:
    written(tmp_path / HSM_PIN, "hush-hush")
    with SecretFiles(tmp_path).read(HSM_PIN) as secret:
        pass
    assert secret.text() == ""


def test_the_state_is_that_of_the_file(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    file = written(tmp_path / HSM_PIN, "one")
    first = files.read(HSM_PIN).state
    assert files.read(HSM_PIN).state == first
    file.unlink()
    written(file, "two")
    assert files.read(HSM_PIN).state != first


def test_what_is_missing_is_made_once_and_privately(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path / "secrets")
    with files.ensure("tls-server.password", lambda: b"made") as secret:
        assert secret.text() == "made"
    assert (tmp_path / "secrets" / "tls-server.password").stat().st_mode & 0o777 == 0o600
    with files.ensure("tls-server.password", lambda: b"made anew") as secret:
        assert secret.text() == "made"


def test_a_file_elsewhere(tmp_path: Path) -> None:
    file = written(tmp_path / "the-pin", "1234")
    files = SecretFiles(tmp_path / "secrets", {HSM_PIN: file})
    assert files.read(HSM_PIN).place == str(file)
    file.chmod(0o640)
    with pytest.raises(SecretFileLoose, match="0640"):
        files.read(HSM_PIN)
    with pytest.raises(SecretFileMissing):
        files.read(DATABASE_PASSWORD)


@pytest.mark.parametrize("content", ["", "\n", "x" * 400, "one\ntwo", "nul\0"])
def test_what_is_no_line_is_no_secret(tmp_path: Path, content: str) -> None:
    written(tmp_path / HSM_PIN, content)
    with pytest.raises(SecretFileMissing) as refused:
        SecretFiles(tmp_path).read(HSM_PIN)
    assert not content.strip() or content not in str(refused.value)


def test_every_connection_to_the_database_asks_for_the_password(tmp_path: Path) -> None:
    """A server that wants one (SCRAM); changed on both sides while we run, the next connection has the new one.

    Seen to fail when the password is read once and kept.
    """
    files = SecretFiles(tmp_path)
    asked: list[Secret] = []

    def password() -> str:
        with files.read(DATABASE_PASSWORD) as secret:
            asked.append(secret)
            return secret.text()

    with PostgresServer() as server:
        server.demand_password("clerk")
        engine = open_engine(server.url("postgres", user="clerk"), password=password)
        with pytest.raises(SecretFileMissing), engine.connect():
            pass
        for word in ("first", "second"):
            server.execute(f"ALTER ROLE clerk PASSWORD '{word}'")
            (tmp_path / DATABASE_PASSWORD).unlink(missing_ok=True)
            written(tmp_path / DATABASE_PASSWORD, word)
            engine.dispose()
            for _ in range(2):
                with engine.connect() as connected:
                    assert connected.scalar(sa.text("SELECT current_user")) == "clerk"
        (tmp_path / DATABASE_PASSWORD).write_text("wrong")
        engine.dispose()
        with pytest.raises(sa.exc.OperationalError) as refused, engine.connect():
            pass
        assert "wrong" not in str(refused.value)
        engine.dispose()
    assert len(asked) == 3, "one for each connection that was made"
    assert "first" not in repr(engine) + str(engine.url)
