"""What the index can refuse, and what a check can find wrong with it."""

from yinxin.errors import Unavailable, YinxinError


class IndexBehind(Unavailable):
    """The index lags so far that an answer now would be incomplete; it catches up by itself."""

    code = "audit.index_behind"
    retryable = True
    zh = "审计索引正在补建：已到第 {indexed} 条，日志共 {size} 条。为免漏查，本次未作答；请稍后重试。"
    en = "The log's index is being brought up to date: {indexed} of {size} entries. Nothing was answered, so that nothing is missed; try again shortly."


class IndexBroken(YinxinError):
    """The index leaves out an entry, or names one that does not belong: answers of it cannot be relied on."""

    code = "audit.index_broken"
    exit = 65
    zh = "审计索引与日志第 {index} 条不符，据此查询的结果不可信；日志本身不受影响。请按安全事件处理，并执行 yinxin audit reindex 重建索引。"
    en = "The index disagrees with entry {index} of the log, so answers by it cannot be relied on; the log itself is not affected. Treat this as an incident, and build the index anew with yinxin audit reindex."
