"""Sealing on a schedule: what people decided in the table of periods is carried out, and it is said when it was not.

Several people decide how long entries are kept; that they are sealed then follows from it. Without a folder nothing seals by itself.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from audit.archive.errors import ArchiveUnderWay, NothingDue
from audit.archive.make import ARCHIVE, MOST, make
from audit.archive.models import LookRow
from audit.archive.periods import due
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.text import Text

if TYPE_CHECKING:
    from audit.service import Log

_log = logging.getLogger("yinxin.audit")
#: archives of one run; a backlog takes several
_AT_ONCE = 20
_ONLY = 1


def tend(log: "Log") -> int:
    """Seal what is past its period into the configured folder; how many archives. Then note what is overdue, for health.

    A failure is recorded and noted, and tried again at the next run.
    """
    made, error = 0, None
    if folder := log.settings.archive.folder:
        try:
            while made < _AT_ONCE:
                make(log, SYSTEM, Path(folder))
                made += 1
        except (NothingDue, ArchiveUnderWay):
            pass
        except YinxinError as failed:
            _log.exception("entries past their period could not be sealed")
            log.store.refuse(SYSTEM, ARCHIVE, "log", failed)
            error = failed.code
    grace = timedelta(days=log.settings.archive.overdue_days)
    now = log.store.clock.now()
    with log.store.read() as session:
        late = due(session, now - grace, log.settings.forward.receivers, MOST)
        oldest = min((each.time for each in late), default=None)
    with Session(log.store.engine) as session, session.begin():
        session.merge(LookRow(number=_ONLY, at=now, overdue=len(late), oldest=oldest, error=error))
    return made


def facts(session: Session) -> dict[str, Any]:
    """What the last run found: when, how many entries (5,000 at most) are overdue, the time of the oldest, what failed."""
    row = session.get(LookRow, _ONLY)
    if row is None:
        return {"at": None, "overdue": 0, "oldest": None, "error": None}
    return {
        "at": rfc3339(row.at),
        "overdue": row.overdue,
        "oldest": row.oldest and rfc3339(row.oldest),
        "error": row.error,
    }


def trouble(found: dict[str, Any]) -> Text | None:
    """What health says of it, when there is something to do."""
    if not found["overdue"] and not found["error"]:
        return None
    more = "+" if found["overdue"] >= MOST else ""
    reason = f" ({found['error']})" if found["error"] else ""
    return Text(
        f"有 {found['overdue']}{more} 条审计记录早过了保存期而未归档{reason}：请设置 audit.archive.folder，或由审计员运行 yinxin audit archive make",
        f"{found['overdue']}{more} audit entries are long past their period and not sealed{reason}: set audit.archive.folder, or have an auditor run yinxin audit archive make",
    )
