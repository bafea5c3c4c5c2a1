"""What the key centre adds to audit reports: the keys that exist, and their cryptography."""

from collections.abc import Iterator

from kms.service import KeyCentre
from yinxin.clock import rfc3339
from yinxin.module import ReportTable
from yinxin.text import Text


def _keys(centre: KeyCentre) -> Iterator[tuple[str, ...]]:
    for key in centre.register():
        fixed = (key.label, key.algorithm, key.suite, key.purpose.value, key.place.value, key.state.value)
        yield (*fixed, key.owner, rfc3339(key.created))


KEYS: ReportTable[KeyCentre] = ReportTable(
    "cryptography",
    "keys",
    Text("现有密钥", "Keys that exist"),
    (
        ("label", Text("名称", "Label")),
        ("algorithm", Text("算法", "Algorithm")),
        ("suite", Text("套件", "Suite")),
        ("purpose", Text("用途", "Purpose")),
        ("place", Text("存放", "Place")),
        ("state", Text("状态", "State")),
        ("owner", Text("归属", "Owner")),
        ("created", Text("创建时间", "Made at")),
    ),
    _keys,
)
