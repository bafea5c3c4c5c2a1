"""What an import can be refused for."""

from yinxin.errors import Conflict, Invalid, NotPermitted


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


class ComesToElse(Conflict):
    """The approved tables, which come to something else than the approvers were told."""

    code = "authz.roster_comes_to_else"
    zh = "导入表 {table} 的结果（{found}）与批准人所见（{approved}）不同：提案所写有误，或名录其间已变；请重新试算并另行提案；未导入任何内容。"
    en = "Table {table} comes to {found}, and the approvers were told {approved}: the proposal was wrong, or the directory changed meanwhile; rehearse and propose anew; nothing was imported."


class GivesToDecider(NotPermitted):
    """Tables by which somebody who approved them, or carries them out, gets something."""

    code = "authz.import_gives_to_decider"
    zh = "导入表会给 {people} 新的任职、职责或涉密等级，而其批准或执行了本次导入：请另提案，由不相干的人批准和执行；未作任何更改。"
    en = "The tables give {people} a post, roles or a clearance, and they approved the import or carry it out: propose it anew and let others approve and carry it out; nothing was changed."
