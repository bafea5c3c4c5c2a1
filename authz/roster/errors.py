"""What an import can be refused for."""

from yinxin.errors import Conflict, Invalid


class RosterUnreadable(Invalid):
    """A folder or table that cannot be read."""

    code = "authz.roster_unreadable"
    zh = "导入表 {file} 无法读取（{reason}）：请提供 UTF-8 编码、首行为列名的 CSV 文件；未导入任何内容。"
    en = "Table {file} cannot be read ({reason}): give CSV in UTF-8 with the columns' names in the first line; nothing was imported."


class RosterFaulty(Invalid):
    """Tables with faults; the report of a dry run names every one."""

    code = "authz.roster_faulty"
    zh = "导入表有 {count} 处错误，首处在 {file} 第 {line} 行 {field}：{reason}。请用 --dry-run 查看全部并更正；未导入任何内容。"
    en = "The tables have {count} faults, the first in {file} line {line}, {field}: {reason}. See all with --dry-run and correct them; nothing was imported."


class RosterChanged(Conflict):
    """Tables that are not those that were approved."""

    code = "authz.roster_changed"
    zh = "导入表与获批提案的内容不同（应为 {approved}，实为 {found}）：请交出获批的那一份；未导入任何内容。"
    en = "The tables are not those that were approved ({approved}, and these are {found}): hand in the approved ones; nothing was imported."
