"""What the register of calendars can refuse."""

from yinxin.errors import Conflict, Misconfigured, NotFound


class YearUnknown(NotFound):
    """No arrangement of that year, or not in that version."""

    code = "calendar.year_unknown"
    zh = "{year} 年的放假安排（版本 {version}）尚未公布；跨入该年的期限只能暂定。"
    en = "There is no arrangement of {year} (version {version}) yet; deadlines that reach into that year are provisional."


class YearUnchanged(Conflict):
    """A proposal of what is in force already."""

    code = "calendar.year_unchanged"
    zh = "所提 {year} 年放假安排与现行第 {version} 版相同，无需公布。"
    en = "The arrangement of {year} is the one in force (version {version}); there is nothing to publish."


class YearMoved(Conflict):
    """Made from a version that is in force no longer."""

    code = "calendar.year_moved"
    zh = "所提 {year} 年放假安排基于第 {replaces} 版，现行为第 {version} 版：请对照现行版本重新提出。"
    en = "This arrangement of {year} replaces version {replaces}, but version {version} is in force: make it again from that one."


class CalendarForged(Misconfigured):
    """An arrangement in the database that does not bear the site's signature."""

    code = "calendar.forged"
    zh = "数据库中 {year} 年第 {version} 版放假安排与本平台的签名不符（{reason}），期限停止计算：请由审计员核查并从备份恢复。"
    en = "Version {version} of the arrangement of {year} in the database does not agree with this site's signature ({reason}); no deadline is counted: have an auditor look, and restore from backup."
