"""What is refused of opinions."""

from yinxin.errors import Conflict, NotFound


class NoSuchComment(NotFound):
    """No such opinion on this record, or one of another organ."""

    code = "comment.not_found"
    zh = "没有意见 {comment}；请刷新后再看。"
    en = "There is no opinion {comment}; reload the record and look again."


class NotYours(Conflict):
    """Correcting what somebody else said, or what has been corrected already."""

    code = "comment.not_yours"
    zh = "只能更正自己的意见，且每条只更正一次（更正后的可再更正）；对他人的意见请另写一条答复。"
    en = "One corrects one's own opinion only, and each once (the correction can be corrected); answer somebody else's with one of your own."
