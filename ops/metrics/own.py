"""What the assembly itself tells: the process, its answers over HTTP, the database, and the jobs."""

import os
import resource
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from yinxin.metrics import Figure, Metrics, Sample
from yinxin.store import Queue
from yinxin.text import Text
from yinxin.web.counts import ANSWERS, SECONDS

if TYPE_CHECKING:
    from ops.platform import Platform

#: the database's size in octets, by engine
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")

BUILD = Figure(
    "yinxin_build",
    Text("版本、形态与数据库", "version, shape and database"),
    ("version", "shape", "database"),
    "info",
)
CPU = Figure(
    "process_cpu_seconds", Text("本进程用去的处理器秒数", "processor time of this process"), kind="counter"
)
RESIDENT = Figure(
    "process_resident_memory_bytes", Text("本进程占用的内存", "memory that this process has resident")
)
VIRTUAL = Figure("process_virtual_memory_bytes", Text("本进程的虚拟内存", "virtual memory of this process"))
OPEN = Figure("process_open_fds", Text("打开的文件描述符数", "file descriptors that are open"))
MOST = Figure("process_max_fds", Text("文件描述符数上限", "file descriptors that may be open"))
THREADS = Figure("process_threads", Text("线程数", "threads"))
START = Figure(
    "process_start_time_seconds",
    Text("本进程启动的时刻（Unix 秒）", "when this process started, in Unix time"),
)
DATABASE = Figure("yinxin_database_size_bytes", Text("数据库大小", "size of the database"))
JOBS = Figure(
    "yinxin_jobs",
    Text(
        "后台任务数：waiting 到期未做，leased 正在做，failing 上次失败",
        "background jobs that are due and not begun (waiting), being done (leased), or failed last (failing)",
    ),
    ("state",),
)
LATE = Figure(
    "yinxin_job_late_seconds",
    Text(
        "到期最久而未做的任务已迟的秒数，按种类", "for how long the job of a kind is due that is due longest"
    ),
    ("kind",),
)
FAILED = Figure(
    "yinxin_job_failures",
    Text("任务连续失败的次数，按种类；只列正在失败的", "failures in a row of jobs that fail, by kind"),
    ("kind",),
)


def _process(platform: "Platform") -> Iterator[Sample]:
    settings = platform.settings
    engine = platform.store.engine.dialect.name
    yield BUILD.at(1, version("yinxin-platform"), settings.shape, engine)
    # proc(5): after the name in parentheses, which may hold anything, the third field is the first
    stat = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()
    yield CPU.at((int(stat[11]) + int(stat[12])) / _TICKS)
    yield VIRTUAL.at(int(stat[20]))
    yield RESIDENT.at(int(stat[21]) * _PAGE)
    boot = next(
        line for line in Path("/proc/stat").read_text("ascii").splitlines() if line.startswith("btime ")
    )
    yield START.at(int(boot.split()[1]) + int(stat[19]) / _TICKS)
    yield OPEN.at(sum(1 for _ in Path("/proc/self/fd").iterdir()))
    yield MOST.at(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield THREADS.at(threading.active_count())


def _http(platform: "Platform") -> Iterator[Sample]:
    return platform.counts.samples()


def _database(platform: "Platform") -> Iterator[Sample]:
    with platform.store.read() as session:
        yield DATABASE.at(session.scalar(sa.text(_SIZE[platform.store.engine.dialect.name])) or 0)


def _jobs(platform: "Platform") -> Iterator[Sample]:
    """By kind, never by key: a key may say what the job is about."""
    now = platform.clock.now()
    with platform.store.read() as session:
        rows = session.execute(
            sa.select(Queue.kind, Queue.due, Queue.leased_until, Queue.attempts, Queue.last_error)
        ).all()
    states = {"waiting": 0, "leased": 0, "failing": 0}
    late: dict[str, float] = {}
    failed: dict[str, int] = {}
    for kind, due, leased, attempts, error in rows:
        held = leased is not None and leased > now
        states["leased"] += held
        states["waiting"] += not held and due <= now
        late[kind] = max(late.get(kind, 0.0), 0.0 if held else max(0.0, (now - due).total_seconds()))
        if error:
            states["failing"] += 1
            failed[kind] = max(failed.get(kind, 0), attempts)
    for state, number in states.items():
        yield JOBS.at(number, state)
    for kind in sorted(late):
        yield LATE.at(late[kind], kind)
    for kind in sorted(failed):
        yield FAILED.at(failed[kind], kind)


METRICS: "tuple[Metrics[Platform], ...]" = (
    Metrics("process", (BUILD, CPU, RESIDENT, VIRTUAL, OPEN, MOST, THREADS, START), _process),
    Metrics("http", (ANSWERS, SECONDS), _http),
    Metrics("database", (DATABASE,), _database),
    Metrics("jobs", (JOBS, LATE, FAILED), _jobs),
)
