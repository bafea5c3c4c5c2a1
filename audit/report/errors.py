"""What making reports can fail by."""

from yinxin.errors import Conflict, Invalid, NotFound


class UnknownKind(NotFound):
    """No kind of report of that name."""

    code = "audit.unknown_report_kind"
    zh = "没有名为“{kind}”的报告种类；可用的有 {known}。"
    en = "There is no kind of report “{kind}”; there are {known}."


class AboutWhat(Invalid):
    """A dossier without its person or thing, or a report of the whole platform with one."""

    code = "audit.report_about"
    zh = "报告“{kind}”的对象填写不对：个人卷宗须填人员标识，对象卷宗须填对象标识（如 certificate:…），其余种类不填。"
    en = "What the report {kind} is about is not right: a dossier needs its person's identifier or its object's (certificate:…), the others take none."


class NoPeriod(Invalid):
    """A period that ends before it begins, or has not ended."""

    code = "audit.report_period"
    zh = "报告期不对：须先有起始、后有截止，且截止不晚于现在；请改正日期。"
    en = "The period is not right: its end comes after its beginning and not after the present; put the dates right."


class ReportTooLarge(Invalid):
    """More entries than one report holds: it is whole, or it is not made."""

    code = "audit.report_too_large"
    zh = "报告期内有超过 {most} 条记录；为保证报告完整，请缩短报告期分成几份编制。"
    en = "More than {most} entries fall into the period; a report is whole or not made, so make several of shorter periods."


class ReportNotFound(NotFound):
    """No report of that identifier, or no such file in it."""

    code = "audit.report_not_found"
    zh = "没有编号为 {report} 的报告或其中的文件 {file}；请从清单中选择。"
    en = "There is no report {report}, or no file {file} in it; choose from the list."


class ScheduleNotFound(NotFound):
    """No schedule of that identifier, or it has ended."""

    code = "audit.schedule_not_found"
    zh = "没有编号为 {schedule} 的定期报告，或它已经停止；请从清单中选择。"
    en = "There is no schedule {schedule}, or it has ended; choose from the list."


class AlreadyMade(Conflict):
    """The schedule's report of this period is there."""

    code = "audit.report_already_made"
    zh = "定期报告 {schedule} 截至 {until} 的一份已经编制，没有重复编制。"
    en = "The report of the schedule {schedule} up to {until} has been made already; it was not made twice."
