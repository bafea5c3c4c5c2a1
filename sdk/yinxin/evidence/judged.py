"""What a verification tells that is no reason to believe."""

from yinxin.text import Text


class NotJudged(Text):
    """Something that was seen and not judged, because the reader gave nothing to judge it by: it is told without a tick."""

    __slots__ = ()
