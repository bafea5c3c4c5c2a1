"""Publishing a year's arrangement as an act of several people: every deadline of the site rests on it."""

from typing import TYPE_CHECKING

from pydantic import Field

from yinxin.calendar import Arrangement
from yinxin.calendar.register.service import VERB
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from yinxin.calendar.register.service import Calendars


class PublishContent(Model):
    """The whole arrangement, and the version of that year that it replaces."""

    arrangement: Arrangement
    replaces: int = Field(default=0, ge=0)
    """0 when nothing is published of that year."""


def _check(calendars: "Calendars", content: PublishContent) -> None:
    calendars.check(content.arrangement, content.replaces)


def _describe(_calendars: "Calendars", content: PublishContent) -> tuple[Text, ...]:
    wanted = content.arrangement
    what = (
        Text(
            f"公布 {wanted.year} 年工作日历，依据 {wanted.document}",
            f"publish the working-day calendar of {wanted.year}, by {wanted.document}",
        )
        if not content.replaces
        else Text(
            f"以新的安排取代 {wanted.year} 年工作日历第 {content.replaces} 版，依据 {wanted.document}",
            f"replace version {content.replaces} of the working-day calendar of {wanted.year}, by {wanted.document}",
        )
    )
    told = [what]
    for each in wanted.holidays:
        work = "、".join(map(str, each.work)), ", ".join(map(str, each.work))
        told.append(
            Text(
                f"{each.zh}：{each.first} 至 {each.last} 放假" + (f"，{work[0]} 上班" if each.work else ""),
                f"{each.en}: {each.first} to {each.last} off" + (f", {work[1]} worked" if each.work else ""),
            )
        )
    told.append(
        Text(
            "未了结的期限将按新日历重新计算", "deadlines that still run are counted again by the new calendar"
        )
    )
    return tuple(told)


def _publish(calendars: "Calendars", approved: Approved[PublishContent]) -> Outcome:
    content = approved.content
    done = calendars.publish(approved, content.arrangement, content.replaces)
    return {"year": done.arrangement.year, "version": done.version, "sha256": done.sha256}


PUBLISH: "ProposalKind[Calendars, PublishContent]" = ProposalKind(
    name=VERB,
    title=Text("公布工作日历", "publish a year's working-day calendar"),
    content=PublishContent,
    proposers=frozenset({"security-officer", "leader"}),
    approvers=frozenset({"security-officer", "leader"}),
    executors=frozenset({"security-officer", "leader"}),
    check=_check,
    describe=_describe,
    execute=_publish,
    repeatable=True,
    basis_required=True,
)
