"""Attachments: a file of a gigabyte sent to a running server, its memory, and its speed beside a bare copy to the same disk."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ops.accounts import Account
from ops.bench.measure import Result
from ops.bench.served import cpu_seconds, ours
from ops.data import DataDirectory
from yinxin.client import Client, https
from yinxin.crypto.suite import INTL, SM

#: octets of the file; another number by the environment
SIZE = int(os.environ.get("YINXIN_BENCH_OCTETS", str(1 << 30)))
#: what the plan allows, in MB
_ALLOWED = 100
_CHUNK = 1 << 20


def attachment() -> Iterator[Result]:
    """Sent in parts over TLS by the SDK's client, checked and stored; every part and the whole are on disk."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as name, ours(Path(name)) as server:
        folder = Path(name)
        data = DataDirectory(folder / "yinxin")
        source = folder / "film.zip"
        _fill(source)
        copied = _copied(source, folder / "copy")
        digested = _digested(source)
        trust = https(trust=data.path("trust", "intl.root.pem"))
        assert server.client is not None  # noqa: S101 - our own servers have one
        origin = f"https://{server.connect().host}:{server.connect().port}"
        identity = Account.of(data, "demo-clerk", "intl").identity()
        with Client(origin, identity=identity, transport=trust) as client:
            client.sign_in()
            family = _family(server.process)
            before = {each: _status(each, "VmRSS") for each in family}
            for each in family:
                _forget_peak(each)
            began, cpu = time.perf_counter(), cpu_seconds(server.process)
            client.attachments.upload(source)
            took, cpu = time.perf_counter() - began, cpu_seconds(server.process) - cpu
            peaks = {each: _status(each, "VmHWM") for each in family}
        copied_after = _copied(source, folder / "copy")
    megabytes = SIZE / 1e6
    growth = max(peaks[each] - before[each] for each in family) / 1e6
    raw = (copied + copied_after) / 2
    size = f"a file of {megabytes:.0f} MB"
    yield Result(
        "attachment-memory",
        _ALLOWED / max(growth, 0.1),
        f"times less than {_ALLOWED} MB: the server grew by {growth:.1f} MB at its peak, to {max(peaks.values()) / 1e6:.0f} MB",
        {f"{_ALLOWED} MB": 1.0},
        f"{size}; VmHWM of the worker, reset before the first part, less its VmRSS then",
    )
    yield Result(
        "attachment",
        megabytes / took,
        "MB per second",
        {"copy to the same disk and fsync": raw, "SHA-256 and SM3 of it, one core": digested},
        f"{size}: digested by the sender, sent in parts over TLS, each part fsynced, read back, digested twice, renamed, recorded; "
        f"{megabytes / max(cpu, 0.01):.0f} MB per CPU-second of the server",
    )


def _fill(file: Path) -> None:
    """Octets that do not compress, of a kind that is taken."""
    block = b"PK\x03\x04" + os.urandom(_CHUNK - 4)
    with file.open("wb") as stream:
        for _ in range(SIZE // _CHUNK):
            stream.write(block)


def _copied(source: Path, target: Path) -> float:
    """MB per second of a copy, the disk awaited."""
    began = time.perf_counter()
    with source.open("rb") as stream, target.open("wb") as out:
        while data := stream.read(_CHUNK):
            out.write(data)
        out.flush()
        os.fsync(out.fileno())
    took = time.perf_counter() - began
    target.unlink()
    return SIZE / 1e6 / took


def _digested(source: Path) -> float:
    """MB per second of both digests."""
    began, running = time.perf_counter(), (INTL.hash.running(), SM.hash.running())
    with source.open("rb") as stream:
        while data := stream.read(_CHUNK):
            for each in running:
                each.update(data)
    return SIZE / 1e6 / (time.perf_counter() - began)


def _family(process: int) -> list[int]:
    """A process and its descendants that are alive."""
    found = [process]
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text("ascii").split():
                found += _family(int(child))
    return found


def _status(process: int, name: str) -> int:
    """A figure of /proc/PID/status, in octets."""
    for line in Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak(process: int) -> None:
    """Let the peak be counted from now on (proc(5), clear_refs)."""
    Path(f"/proc/{process}/clear_refs").write_text("5", "ascii")
