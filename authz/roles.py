"""The roles a post can carry, and the three powers among them (三员分立, GB/T 22239 8.1.5)."""

from collections.abc import Mapping

from yinxin.roles import ROLES
from yinxin.text import Text

__all__ = ["POWERS", "ROLES", "powers"]

#: what a registered system may be; no post carries these
MACHINE_ROLES: Mapping[str, Text] = {
    "directory-reader": Text("读取名录的系统", "a system that reads the directory"),
    "directory-feeder": Text("维护名录的系统", "a system that feeds the directory"),
    "clearance-reader": Text("读取涉密等级的系统", "a system that reads clearances"),
    "key-user": Text("使用服务密钥的系统", "a system that uses service keys"),
    "message-user": Text("收发跨站点消息的系统", "a system that sends and fetches messages between sites"),
}

#: these three never meet in one person at one time (law 4)
POWERS = frozenset({"administrator", "security-officer", "auditor"})


def powers(roles: frozenset[str]) -> frozenset[str]:
    """Which of the three powers are among `roles`."""
    return roles & POWERS
