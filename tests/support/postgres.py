"""A PostgreSQL server of the tests' own: made from nothing in a temporary directory, reached by a unix socket only."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import psycopg
from psycopg.sql import SQL, Identifier

_SESSIONS = "SELECT pid, state, query FROM pg_stat_activity WHERE datname = %s"
# Safe to lose: a test's database does not outlive the test. Crash tests ask for durable=True, which drops this list.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_SMALL = {"shared_buffers": "64MB", "max_connections": "120", "jit": "off", "listen_addresses": ""}


def _programs() -> Path:
    """The newest installed server's directory of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        message = (
            "PostgreSQL's server is not installed; run ./yinxin test once, or: apt-get install postgresql"
        )
        raise FileNotFoundError(message)
    return found[-1].parent


class PostgresServer:
    """One server process; use it as a context manager.

    durable: keep fsync, synchronous commit and full page writes, as in production.
    PostgreSQL refuses to run as root, so root's tests run it as the system's user ``postgres``.
    """

    def __init__(self, *, durable: bool = False) -> None:
        # Not under pytest's own directory: that one is closed to the user the server runs as, and too long for a socket's name.
        # In memory where pytest's is, unless what is written is to last.
        memory = None if durable else os.environ.get("PYTEST_DEBUG_TEMPROOT")
        self.directory = Path(tempfile.mkdtemp(prefix="yinxin-pg-", dir=memory))
        self._programs = _programs()
        self._settings = _SMALL if durable else _SMALL | _FAST
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self._as_user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]

    def __enter__(self) -> Self:
        self._run(
            "initdb",
            "--no-sync",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "-D",
            str(self.data),
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.directory)

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.directory / "data"

    def _command(self, program: str, *arguments: str) -> list[str]:
        # The kernel stops the server (SIGINT: fast shutdown) should this process die without doing so.
        drop = ["setpriv", *self._as_user, "--pdeathsig", "INT", "--"]
        return [*drop, str(self._programs / program), *arguments]

    def _run(self, program: str, *arguments: str, given: bytes = b"") -> bytes:
        done = subprocess.run(
            self._command(program, *arguments),
            capture_output=True,
            input=given,
            check=False,
            cwd=self.directory,
        )
        said = done.stderr.decode("utf-8", "replace")
        assert done.returncode == 0, f"{program}: {said or done.stdout[-4000:].decode('utf-8', 'replace')}"
        return done.stdout

    @property
    def _at(self) -> tuple[str, ...]:
        return f"--host={self.directory}", "--username=postgres"

    def start(self) -> None:
        """Start, and return once the server answers; after `crash` this includes its recovery."""
        settings = itertools.chain.from_iterable(
            ("-c", f"{key}={value}") for key, value in self._settings.items()
        )
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), "-k", str(self.directory), *settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )
        self._await_answer(self._process)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                try:
                    process.wait(timeout=0.02)
                except subprocess.TimeoutExpired:
                    continue
                log = (self.directory / "log").read_text("utf-8", "replace")
                raise AssertionError(f"PostgreSQL ended while starting:\n{log}") from None
            return

    def stop(self) -> None:
        """Fast shutdown: sessions end, everything is flushed."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End at once, as by power loss of the process: no flush, recovery at the next `start`."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def _conninfo(self, database: str) -> str:
        return f"host={self.directory} user=postgres dbname={database}"

    def url(self, database: str, user: str = "postgres") -> str:
        """SQLAlchemy's URL of one database."""
        return f"postgresql+psycopg://{user}@/{database}?{urlencode({'host': str(self.directory)})}"

    def execute(self, statement: str) -> None:
        """One statement as the superuser."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(SQL(statement))  # type: ignore[arg-type]

    def demand_password(self, user: str) -> None:
        """A new role that gets in by password only (SCRAM-SHA-256)."""
        file = self.data / "pg_hba.conf"
        file.write_text(f"local all {user} scram-sha-256\n" + file.read_text("utf-8"), "utf-8")
        self.execute(f'CREATE ROLE "{user}" LOGIN')
        self.execute("SELECT pg_reload_conf()")

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser's, on which every statement commits."""
        return psycopg.connect(self._conninfo(database), autocommit=True)

    def create_database(self, template: str = "template1") -> str:
        """A new database, a copy of template (which nobody may be connected to); returns its name."""
        name = f"test_{next(self._names)}"
        with self.connect() as connection:
            connection.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            )
        return name

    def dump(self, name: str) -> bytes:
        """A database as `restored` takes it, in this server or another of its kind."""
        return self._run("pg_dump", "--format=custom", *self._at, name)

    def restored(self, dumped: bytes) -> str:
        """A new database as it was dumped; returns its name."""
        name = self.create_database()
        self._run("pg_restore", "--exit-on-error", *self._at, f"--dbname={name}", given=dumped)
        return name

    def left_open(self, name: str) -> list[tuple[object, ...]]:
        """The sessions on a database that nobody ought to use any longer."""
        with self.connect() as connection:
            for _ in range(2000):  # a session that was closed is seen for a moment longer
                left = connection.execute(_SESSIONS, [name]).fetchall()
                if not left:
                    break
        return left

    def drop_database(self, name: str) -> None:
        """Remove a database; whoever left a session open on it fails, or the warning would hit another test later."""
        left = self.left_open(name)
        with self.connect() as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        assert not left, f"sessions left open: {left}"
