"""What is refused of grades."""

from yinxin.errors import Conflict, Invalid


class NoTerm(Invalid):
    """A period that says nothing, or two things."""

    code = "grade.no_term"
    zh = "保密期限须填写且只填写一项：期限长短、解密时间或解密条件。"
    en = "The period of secrecy is exactly one of a length, a day of declassification and a condition."


class GradeTooLong(Invalid):
    """Longer than the law allows for the level."""

    code = "grade.too_long"
    zh = "“{level}”的保密期限最长 {years} 年；请缩短期限，或按规定报批后改用解密条件。"
    en = "{level} is kept for {years} years at most; shorten the period, or have a condition approved."


class NotClassified(Conflict):
    """Nothing is secret about it, or not any more."""

    code = "grade.not_classified"
    zh = "{subject} 不是涉密件或已经解密；请刷新后再看。"
    en = "{subject} is not classified, or not any more; reload it and look again."


class NotLonger(Conflict):
    """An extension that would end it earlier, or the same day."""

    code = "grade.not_longer"
    zh = "延长后的保密期限须晚于现在的（{ends}）；缩短或解密请用变更密级或解密。"
    en = "An extended period ends later than the present one ({ends}); to shorten it, regrade or declassify."
