"""The tests' own footing: what the fixtures promise is kept, else every test above them proves nothing."""

import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy import create_engine, text

import authz.state.models  # noqa: F401 - a table that begins with a row, and triggers
from tests.conftest import pytest_collection_modifyitems
from yinxin.store import OutboxRow, open_engine

from .browser import accessibility_faults, screenshot
from .databases import create_tables
from .network import NetworkBlocked, is_local
from .pool import Pool
from .postgres import PostgresServer
from .softhsm import init_token


def test_connections_beyond_this_machine_fail_at_once():
    with socket.socket() as out, pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1"):
        out.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as out, pytest.raises(NetworkBlocked):
        out.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(NetworkBlocked, match=r"example\.org"):
        socket.create_connection(("example.org", 443), timeout=1)


@pytest.mark.parametrize(("failed", "go_on", "left"), [(0, False, 2), (1, False, 0), (1, True, 2)])
def test_nothing_runs_when_a_module_cannot_be_imported(failed, go_on, left):
    """xdist's workers would run everything else first, and say it at the end."""
    items = [SimpleNamespace(nodeid=name) for name in ("tests/kms/a.py", "tests/ca/b.py")]
    option = SimpleNamespace(continue_on_collection_errors=go_on)
    pytest_collection_modifyitems(
        session=SimpleNamespace(testsfailed=failed), config=SimpleNamespace(option=option), items=items
    )
    assert len(items) == left


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


def test_every_test_gets_an_empty_database_of_the_chosen_engine(empty_database_url, database_engine):
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))
    assert engine.dialect.name == database_engine
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_nothing_is_left_by_the_test_before(empty_database_url, again):
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))
    engine.dispose()


def in_each(pool, *statements):
    """What a database has after each round of statements in one that was lent; and how many were made for it."""
    seen = []
    for statement in statements:
        with pool.lent() as name, pool.server.connect(name) as connection:
            if statement:
                connection.execute(statement)
            seen.append(pool.made)
    return seen


def test_a_database_that_is_lent_again_is_as_new(postgres):
    pool = Pool(postgres)
    with pool.lent() as first:
        new = pool.contents(first)
    with pool.lent() as name:
        assert name == first
        engine = open_engine(postgres.url(name))
        create_tables(engine)
        with engine.begin() as connection:
            connection.execute(sa.insert(OutboxRow).values(id="e-1", data=b"{}"))
            connection.exec_driver_sql("UPDATE authz_state SET number = 7")
            connection.exec_driver_sql("ALTER TABLE authz_post DISABLE TRIGGER USER")
            connection.exec_driver_sql("CREATE TABLE own (id serial)")
            connection.exec_driver_sql("INSERT INTO own DEFAULT VALUES")
        engine.dispose()
        assert pool.contents(name) != new
    with pool.lent() as name:
        assert name == first
        assert pool.contents(name) == new
        with postgres.connect(name) as connection:
            row = connection.execute("INSERT INTO outbox (id, data) VALUES ('e-1', '') RETURNING number")
            assert row.fetchone() == (1,), "its numbers went on"
            assert connection.execute("SELECT to_regclass('own')").fetchone() == (None,)
            assert connection.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'").fetchone() == (
                0,
            )
    with pool.lent({"authz_state": b"1\t5\n"}) as name, postgres.connect(name) as connection:
        assert connection.execute("SELECT number FROM authz_state").fetchone() == (5,)
    assert pool.made == 1


def test_a_database_that_was_changed_in_more_than_its_rows_is_not_lent_again(postgres):
    pool = Pool(postgres)
    statements = (
        "DROP TRIGGER authz_post_raises ON authz_post",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE outbox ADD COLUMN more int",
        "CREATE INDEX more ON outbox (data)",
        "DROP TABLE outbox",
        "ANALYZE authz_state",
        "CREATE SCHEMA other",
    )
    assert in_each(pool, *statements, "SELECT 1", "SELECT 1") == [1, 2, 3, 4, 5, 6, 7, 8, 8]


def test_a_session_that_is_left_open_on_a_lent_database_fails(postgres):
    pool = Pool(postgres)
    with pytest.raises(AssertionError, match="left open"), pool.lent() as name:
        left = postgres.connect(name)
    left.close()


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


class Slow(BaseHTTPRequestHandler):
    """A page whose last line comes a while after its first; a form leads to it, and one that is posted, and a link."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(b"<title>1</title><a href=/slow>link</a><form action=/slow><input><button>get")
            self.wfile.write(b"</button></form><form action=/slow method=post><button>post</button></form>")
        elif self.path.startswith("/slow"):
            self.wfile.write(b"<title>2</title><p>first</p>" + b" " * 2048)
            self.wfile.flush()
            threading.Event().wait(0.2)
            self.wfile.write(b"<p>last</p>")

    def do_POST(self):
        threading.Event().wait(0.2)
        self.send_response(303)
        self.send_header("Location", "/slow")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


def test_a_click_returns_when_the_page_it_led_to_is_whole(page):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever).start()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    seen = {}
    for way, act in {
        "link": lambda: page.get_by_role("link").click(),
        "form": lambda: page.get_by_role("button", name="get").click(),
        "posted": lambda: page.get_by_role("button", name="post").click(),
        "key": lambda: page.get_by_role("textbox").press("Enter"),
    }.items():
        act()
        seen[way] = page.locator("p").all_inner_texts()
        page.go_back()
    server.shutdown()
    server.server_close()
    assert seen == {way: ["first", "last"] for way in seen}
