"""The tests' own footing: what the fixtures promise is kept, else every test above them proves nothing."""

import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from .browser import accessibility_faults, screenshot
from .network import NetworkBlocked, is_local
from .postgres import PostgresServer
from .softhsm import init_token


def test_connections_beyond_this_machine_fail_at_once():
    with socket.socket() as out, pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1"):
        out.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as out, pytest.raises(NetworkBlocked):
        out.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(NetworkBlocked, match=r"example\.org"):
        socket.create_connection(("example.org", 443), timeout=1)


def test_connections_on_this_machine_work():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.53", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("10.0.0.1", False),
    ],
)
def test_what_counts_as_this_machine(host, local):
    assert is_local(host) is local


def test_every_test_gets_an_empty_database_of_the_chosen_engine(database_url, database_engine):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))
    assert engine.dialect.name == database_engine
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_nothing_is_left_by_the_test_before(database_url, again):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))
    engine.dispose()


def test_a_durable_server_keeps_what_was_committed_before_a_crash():
    with PostgresServer(durable=True) as server:
        engine = create_engine(server.url(server.create_database()))
        with engine.begin() as connection:
            assert connection.execute(text("SHOW fsync")).scalar_one() == "on"
            connection.execute(text("CREATE TABLE kept (id INTEGER)"))
            connection.execute(text("INSERT INTO kept VALUES (1)"))
        engine.dispose()
        server.crash()
        server.start()
        with engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 1
        engine.dispose()
    assert not server.directory.exists()


def test_a_server_that_cannot_start_says_why():
    server = PostgresServer()
    with pytest.raises(AssertionError, match="data"):
        server.start()  # no cluster was made
    shutil.rmtree(server.directory)


_ABANDON = """
import os, sys
from tests.support.postgres import PostgresServer
server = PostgresServer().__enter__()
print(server.directory, flush=True)
os._exit(9)
"""


def test_the_server_ends_with_a_process_that_dies():
    done = subprocess.run([sys.executable, "-c", _ABANDON], capture_output=True, text=True, check=False)
    directory = Path(done.stdout.strip())
    pid_file, deadline = directory / "data" / "postmaster.pid", time.monotonic() + 20
    while pid_file.exists():  # its own shutdown removes it
        assert time.monotonic() < deadline, "the server outlived the process that started it"
        threading.Event().wait(0.02)
    assert "database system is shut down" in (directory / "log").read_text("utf-8")
    shutil.rmtree(directory)


@pytest.mark.parametrize("again", [1, 2])
def test_each_test_has_a_token_of_its_own(token, again):
    import pkcs11

    found = [slot.get_token().label for slot in pkcs11.lib(token.module).get_slots(token_present=True)]
    assert found.count(token.label) == 1
    with (
        pkcs11.lib(token.module)
        .get_token(token_label=token.label)
        .open(rw=True, user_pin=token.pin_file.read_text()) as session
    ):
        session.generate_key(pkcs11.KeyType.AES, 256, label="mine", store=True)
        assert len(list(session.get_objects())) == 1
    assert stat.S_IMODE(token.pin_file.stat().st_mode) == 0o600


def test_a_second_token_in_the_same_place_is_refused(tmp_path):
    init_token(tmp_path)
    with pytest.raises(FileExistsError):
        init_token(tmp_path)


def test_openssl_speaks_and_complains(openssl):
    assert openssl("version").startswith("OpenSSL 3.")
    with pytest.raises(AssertionError, match="Could not read"):
        openssl("x509", "-noout", input=b"nothing")


def test_axe_finds_a_planted_fault_and_the_page_can_be_seen(page, tmp_path):
    page.set_content("<html lang=zh-CN><title>页面</title><main><h1>印信</h1><p>正文</p></main></html>")
    assert accessibility_faults(page) == []
    page.set_content("<html><title>页面</title><main><img src='data:,'><input></main></html>")
    faults = " ".join(accessibility_faults(page))
    assert "image-alt" in faults
    assert "html-has-lang" in faults
    assert screenshot(page, tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
