"""OCSP answers sent: our plain port, cfssl's responder with the same answers, nginx with files; asked by wrk.

All have the same answers and are asked for one after another, in turn: ours and cfssl by POST, nginx by GET. What counts
is the CPU that the server took, its kernel work included, so that the asking does not.
"""

import base64
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import quote

import click
import sqlalchemy as sa

from ca.issue import issue
from ca.request import Holder, IssueRequest
from ca.status.face import Front, encoded, in_front
from ca.status.kept import Shelf
from ca.status.models import AnswerRow
from ca.status.publish import answer_path
from ops.bench.house import house
from ops.bench.measure import Result
from ops.plain import Handed, PlainPort
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertId, OcspRequest
from yinxin.crypto.suite import INTL

_CERTIFICATES = 100
_SECONDS = 2
_ROUNDS = 5
_CONNECTIONS = 32
_CLOCK = os.sysconf("SC_CLK_TCK")
#: answers asked for one after another
_SCRIPT = """
local asked = {}
function init(args)
  local headers = {["Content-Type"] = "application/ocsp-request"}
  for line in io.lines("%s") do
    local path, body = line:match("^(%%S+) ?(%%x*)$")
    body = body:gsub("%%x%%x", function(octet) return string.char(tonumber(octet, 16)) end)
    asked[#asked + 1] = body == "" and wrk.format("GET", path) or wrk.format("POST", path, headers, body)
  end
end
local at = 0
request = function() at = at %% #asked + 1; return asked[at] end
"""
_NGINX = """
user root; worker_processes 1; error_log %(folder)s/error.log; pid %(folder)s/pid; events { worker_connections 512; }
http { access_log off; keepalive_requests 100000000;
  server { listen 127.0.0.1:%(port)d; root %(root)s; merge_slashes off;
    location /ocsp/ { types { } default_type application/ocsp-response; error_page 404 405 = @platform;
      log_not_found off; add_header Cache-Control "max-age=0, public, no-transform, must-revalidate"; }
    location /plain/ { }
    location @platform { return 502; } } }
"""


def ocsp() -> Iterator[Result]:
    """The embedded shape beside cfssl, and nginx with our files beside nginx with any files."""
    if (wrk := tool("wrk", "wrk")) is None:
        return
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        platform = stack.enter_context(house())
        answers = _answers(platform)
        targets: dict[str, _Target] = {"ours": stack.enter_context(_ours(platform, answers))}
        if (cfssl := tool("cfssl", "golang-cfssl")) is not None:
            targets["cfssl"] = stack.enter_context(_cfssl(cfssl, folder, answers))
        if (nginx := tool("nginx", "nginx-light")) is not None:
            port = stack.enter_context(_nginx(nginx, folder, answers))
            targets["nginx, published"], targets["nginx, any files"] = port
        found = _measure(wrk, folder, targets)
    includes = f"{_CERTIFICATES} pre-signed answers by POST, {_CONNECTIONS} kept connections, proven current in each round of the loop"
    for unit, each in (("per server CPU-second", 0), ("per second", 1)):
        value = {name: rates[each] for name, rates in found.items()}
        peers = {"cfssl ocspserve": value["cfssl"]} if "cfssl" in value else {}
        yield Result("ocsp", value["ours"], f"answers {unit}", peers, includes)
        if "nginx, published" in value:
            against = {"nginx, static files as large, names as long": value["nginx, any files"]}
            yield Result(
                "ocsp-nginx",
                value["nginx, published"],
                f"answers {unit}",
                against,
                "our published folder, our configuration",
            )


class _Target:
    """A server: its port, what to ask it – paths, with a body in hexadecimal for POST – and the CPU it has taken."""

    def __init__(self, port: int, asked: list[str], spent: Callable[[], float]) -> None:
        self.port, self.asked, self.spent = port, asked, spent


def _measure(wrk: str, folder: Path, targets: Mapping[str, _Target]) -> dict[str, tuple[float, float]]:
    """Answers per CPU-second and per second, medians over rounds in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in targets}
    for number, name in [(number, name) for number in range(_ROUNDS + 1) for name in targets]:
        target = targets[name]
        (folder / "asked").write_text("\n".join(target.asked))
        (folder / "script.lua").write_text(_SCRIPT % (folder / "asked"))
        before, began = target.spent(), time.monotonic()
        command = [
            wrk,
            "-t1",
            f"-c{_CONNECTIONS}",
            f"-d{_SECONDS}s",
            "-s",
            str(folder / "script.lua"),
            f"http://127.0.0.1:{target.port}",
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        took, wall = target.spent() - before, time.monotonic() - began
        count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
        if "Non-2xx" in said:
            raise RuntimeError(f"{name} answers wrongly: {said}")
        if number:  # the first round is for warming
            found[name].append((count / max(took, 1e-9), count / wall))
    return {name: (median(a for a, _ in each), median(b for _, b in each)) for name, each in found.items()}


def _answers(platform: Platform) -> dict[str, bytes]:
    """Question in base64 → answer."""
    for number in range(_CERTIFICATES):
        csr = CertificationRequest.build(PrivateKey.generate(INTL), {})
        holder = Holder("person", "demo-clerk", post="province-office-clerk")
        issue(platform.ca.ctx, SYSTEM, IssueRequest(f"bench:{number}", "person-signing", csr.der, holder))
    platform.ca.presign()
    own = platform.ca.certificate("intl-issuing")
    with platform.store.read() as session:
        query = sa.select(AnswerRow.serial, AnswerRow.answer).where(AnswerRow.authority == "intl-issuing")
        rows = list(session.execute(query))
    return {
        encoded(OcspRequest.build([CertId.of(int(serial, 16), own)])): answer
        for serial, answer in rows
        if answer is not None and answer_path(serial, own) is not None
    }


@contextmanager
def _ours(platform: Platform, answers: Mapping[str, bytes]) -> Iterator[_Target]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    shelf = Shelf(platform.ca.ctx)
    behind = Handed(in_front(platform.ca, shelf, platform.app), listener.getsockname(), threads=4, ident=None)
    thread = threading.Thread(target=behind.run)
    thread.start()
    loop = PlainPort(listener, Front(platform.ca, shelf), behind)
    loop.start()
    asked = [f"/ocsp {base64.b64decode(each).hex()}" for each in answers]
    try:
        yield _Target(listener.getsockname()[1], asked, time.process_time)
    finally:
        loop.close()
        behind.end()
        thread.join()
        listener.close()


@contextmanager
def _cfssl(program: str, folder: Path, answers: Mapping[str, bytes]) -> Iterator[_Target]:
    file, port = folder / "responses", _free()
    file.write_text("\n".join(base64.b64encode(each).decode() for each in answers.values()))
    command = [
        program,
        "ocspserve",
        "-address",
        "127.0.0.1",
        f"-port={port}",
        "-responses",
        str(file),
        "-loglevel=5",
    ]
    with _running(command, port) as process:
        asked = [f"/ {base64.b64decode(each).hex()}" for each in answers]
        yield _Target(port, asked, lambda: _spent(process.pid))


@contextmanager
def _nginx(program: str, folder: Path, answers: Mapping[str, bytes]) -> Iterator[tuple[_Target, _Target]]:
    root, port = folder / "root", _free()
    for name, answer in answers.items():
        for path in (root / "ocsp" / name, root / "plain" / _flat(name)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answer)
    (folder / "nginx.conf").write_text(_NGINX % {"folder": folder, "port": port, "root": root})
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]  # fmt: skip
    with _running(command, port) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

        def spent() -> float:
            return sum(_spent(int(each)) for each in children)

        published = _Target(port, [f"/ocsp/{quote(each, safe='')}" for each in answers], spent)
        yield published, _Target(port, [f"/plain/{_flat(each)}" for each in answers], spent)


def _flat(name: str) -> str:
    """A name as long, of letters and digits."""
    return re.sub("[^A-Za-z0-9]", "x", name)


@contextmanager
def _running(command: list[str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait()


def _spent(pid: int) -> float:
    """CPU seconds of another process, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def tool(name: str, package: str) -> str | None:
    """A peer's program, installed from Debian when this may be done; None, and a line that says so, without it."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    if shutil.which(name, path=path) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", package], capture_output=True, check=False)
    found = shutil.which(name, path=path)
    if found is None:
        click.echo(f"{name} is missing and is left out: apt-get install {package}", err=True)
    return found
