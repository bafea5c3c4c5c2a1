"""What the store can refuse."""

from yinxin.errors import Misconfigured, Unavailable, YinxinError


class StoreUnavailable(Unavailable):
    """The database does not answer, or gave up the transaction."""

    code = "store.unavailable"
    zh = "数据库暂不可用，本次操作没有做任何更改；请稍后重试，并请管理员查看数据库状态。"
    en = "The database is unavailable and nothing was changed; try again, and have an operator look at the database."


class StoreFull(Unavailable):
    """No room for the change or its record."""

    code = "store.full"
    status = 507
    exit = 74
    zh = "磁盘空间不足，本次操作没有做任何更改；请管理员清理或扩大数据目录所在的磁盘。"
    en = "The disk is full and nothing was changed; free or enlarge the disk that holds the data directory."


class RowsMoved(Unavailable):
    """Another transaction changed which rows a change meets, between the look at them and the change itself; both are undone."""

    code = "store.rows_moved"
    zh = "另一操作同时更改了 {table} 中的相关记录，本次操作没有做任何更改；请重试。"
    en = "Another act changed rows of {table} at the same moment and nothing was changed by this one; try again."


class UnrecordedChange(YinxinError):
    """A change outside an act: a fault of our own code, stopped before it reached the database."""

    code = "store.unrecorded_change"
    zh = "程序试图在没有审计记录的情况下修改 {table}，已阻止。"
    en = "Code tried to change {table} without an audit record; it was stopped."


class NoColumn(Misconfigured):
    """A list whose table does not keep something that the policies ask of its rows."""

    code = "store.no_column"
    zh = "授权规则要求的属性“{attribute}”不在列表的数据表中，无法列出：请联系应用开发者补上该列。"
    en = "The policies ask of {attribute}, which the list's table does not keep: have the application's developer add the column."
