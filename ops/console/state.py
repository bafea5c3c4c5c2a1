"""How the installation is: every module's word for itself, the database's and the job queue's."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ops.console.facts import Fact, facts_of
from ops.modules import MODULES
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.store import Queue
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform

_log = logging.getLogger("yinxin.console")

_TITLES = {
    "kms": Text("密码机与密钥管理中心", "HSM and key centre"),
    "ca": Text("数字认证中心", "Certificate authority"),
}


@dataclass(frozen=True, slots=True)
class State:
    """One part: whether it is well, in words, with its facts."""

    name: str
    title: Text
    ok: bool
    text: Text
    facts: tuple[Fact, ...]


def states(platform: "Platform") -> list[State]:
    """Every part, in the order in which they stand on each other."""
    found = [
        _state("database", Text("数据库", "Database"), lambda: _database(platform)),
        _state("queue", Text("任务队列", "Job queue"), lambda: _queue(platform)),
    ]
    for module in MODULES:
        if module.health is not None:
            ask, service = module.health, platform.service(module)
            title = _TITLES.get(module.name, module.title)
            found.append(_state(module.name, title, lambda ask=ask, service=service: ask(service)))  # type: ignore[misc]
    return found


def _state(name: str, title: Text, ask: "Callable[[], Health]") -> State:
    """What the part says; one that cannot even say it is not well, and does not take the page with it."""
    try:
        health = ask()
    except YinxinError as error:
        health = Health(ok=False, text=Text(error.text("zh"), error.text("en")), facts={})
    except Exception:  # noqa: BLE001 - whatever is broken, the console says so and stands
        _log.exception("the health of %s", name)
        text = Text("无法取得状态，原因见系统日志", "No answer; the server's log says why")
        health = Health(ok=False, text=text, facts={})
    return State(name, title, health.ok, health.text, tuple(facts_of(health.facts)))


def _database(platform: "Platform") -> Health:
    with platform.store.read() as session:
        session.execute(sa.text("SELECT 1"))
    facts = {"engine": platform.store.engine.dialect.name}
    return Health(ok=True, text=Text("数据库应答正常", "The database answers"), facts=facts)


def _queue(platform: "Platform") -> Health:
    now = platform.clock.now()
    with platform.store.read() as session:
        jobs = session.scalars(sa.select(Queue)).all()
        facts: Mapping[str, Any] = {
            "jobs": len(jobs),
            "leased": sum(1 for job in jobs if job.leased_until and job.leased_until > now),
            "failing": sorted(job.key for job in jobs if job.last_error),
        }
    if facts["failing"]:
        text = Text("有任务失败，正在按间隔重试", "Some jobs fail and are being tried again")
        return Health(ok=False, text=text, facts=facts)
    return Health(ok=True, text=Text("任务按时运行", "Jobs run on time"), facts=facts)
