"""What the kinds of days are called."""

from collections.abc import Mapping

from yinxin.calendar import DayKind
from yinxin.text import Text

KINDS: Mapping[DayKind, Text] = {
    DayKind.WORKDAY: Text("工作日", "working day"),
    DayKind.WEEKEND: Text("周末", "weekend"),
    DayKind.HOLIDAY: Text("放假", "holiday"),
    DayKind.MADE_UP: Text("调休上班", "worked instead"),
}
