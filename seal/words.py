"""States, sorts and reasons in words."""

from collections.abc import Mapping

from seal.models import Sort, State
from yinxin.text import Text

STATES: Mapping[State, Text] = {
    State.ACTIVE: Text("在用", "in use"),
    State.SUSPENDED: Text("停用", "suspended"),
    State.REPLACED: Text("已换发", "replaced"),
    State.DESTROYED: Text("已注销", "destroyed"),
}
SORTS: Mapping[Sort, Text] = {
    Sort.UNIT: Text("单位章", "a unit's"),
    Sort.PERSONAL: Text("人名章", "personal"),
}
#: why a seal is suspended or destroyed
REASONS: Mapping[str, Text] = {
    "lost": Text("遗失", "lost"),
    "compromised": Text("疑似盗用", "suspected misuse"),
    "organ-ended": Text("机构撤销或更名", "the organ ended or was renamed"),
    "left-office": Text("持有人离任", "the holder left office"),
    "damaged": Text("损坏或不再使用", "damaged, or no longer used"),
    "replaced": Text("换发", "replaced"),
}
