"""Quotas 额度: how much an organ may have here at most. Whoever agreed on them keeps them; whoever adds something asks first.

An application asks in the transaction that adds:

    if (quota := quotas.held(session, organ, Measure.DOCUMENTS)) is not None:
        quota.demand(used=count(session, quota.organs), more=1)

From `held` on until the transaction ends nobody else adds to the same quota, so that two at the border do not both pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from yinxin.errors import Conflict
from yinxin.text import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: of a quota used, from which on it is warned of
NEAR = 0.9
GIB = 1024**3
_STEP, _UNITS = 1024, ("B", "KiB", "MiB", "GiB", "TiB")


class Measure(StrEnum):
    """What is counted: people in post, documents drafted in this calendar year, octets of attached files."""

    PEOPLE = "people"
    DOCUMENTS = "documents"
    OCTETS = "octets"

    @property
    def text(self) -> Text:
        """In words."""
        return _TEXT[self]

    @property
    def remedy(self) -> Text:
        """What makes room without a larger quota."""
        return _REMEDY[self]

    def said(self, number: int) -> Text:
        """So much of it, as people read it."""
        if self is Measure.OCTETS:
            size = octets(number)
            return Text(size, size)
        return Text(f"{number} 人" if self is Measure.PEOPLE else f"{number} 件", str(number))


_TEXT = {
    Measure.PEOPLE: Text("在岗人员", "people in post"),
    Measure.DOCUMENTS: Text("本年度公文", "documents of this year"),
    Measure.OCTETS: Text("附件容量", "attached files"),
}

_REMEDY = {
    Measure.PEOPLE: Text("请先终止不再需要的任职", "End appointments that are not needed"),
    Measure.DOCUMENTS: Text("额度按年计，下一年度另计", "It is counted anew from next year on"),
    Measure.OCTETS: Text("请先移除不再需要的附件", "Remove attachments that are not needed"),
}


def octets(number: int) -> str:
    """So many octets as people read them."""
    size, unit = float(number), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


class QuotaExceeded(Conflict):
    """What would go beyond what was agreed on; nothing was added."""

    code = "quota.exceeded"
    zh = "租户“{tenant}”的{measure}额度不足：约定最多 {most}，已用 {used}，本次还需 {more}；{remedy}；或由本机关安全管理员向“{host}”申请调整额度。未作任何更改。"
    en = "The quota of tenant {tenant} for {measure} is used up: at most {most} were agreed, {used} are used, and this takes {more} more. {remedy}, or have your security officer ask {host} for a larger one; nothing was changed."


@dataclass(frozen=True, slots=True)
class Quota:
    """What was agreed of one measure: `most` for these organs of a tenant together; its name, and that of its host, whom to ask for more."""

    measure: Measure
    most: int
    organs: Sequence[str]
    tenant: Text
    host: Text

    def demand(self, used: int, more: int) -> None:
        """Raise QuotaExceeded unless `more` can be added to what is `used`."""
        if more > 0 and used + more > self.most:
            raise QuotaExceeded(
                tenant=self.tenant,
                host=self.host,
                measure=self.measure.text,
                most=self.measure.said(self.most),
                used=self.measure.said(used),
                more=self.measure.said(more),
                remedy=self.measure.remedy,
            )


class Quotas(Protocol):
    """Where quotas are kept."""

    def held(self, session: "Session", organ: str, measure: Measure) -> Quota | None:
        """What was agreed for this organ, held until the transaction ends; None where there is no limit."""
        ...
