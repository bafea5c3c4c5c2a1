"""What a review can be refused for."""

from yinxin.errors import Conflict, Invalid, NotFound


class UnknownReview(NotFound):
    """No such review, or no such appointment in it."""

    code = "authz.unknown_review"
    zh = "没有复核 {review}，或其中没有该任职：请核对标识。"
    en = "There is no review {review}, or no such appointment in it: check the identifiers."


class ReviewClosed(Conflict):
    """A review or an appointment in it that was decided."""

    code = "authz.review_closed"
    zh = "复核 {review} 已结束，或该任职已有结论：不再更改。"
    en = "Review {review} is closed, or this appointment was decided: it changes no more."


class ReviewTooShort(Invalid):
    """A deadline that leaves the reviewers no time."""

    code = "authz.review_too_short"
    zh = "复核期限 {deadline} 过近：应至少在 {days} 天之后；未作任何更改。"
    en = "The deadline {deadline} is too near: it lies at least {days} days ahead; nothing was changed."


class NothingToReview(Invalid):
    """A part of the tree where nobody holds a post."""

    code = "authz.nothing_to_review"
    zh = "机关 {organ} 及其下级没有在任岗位，无需复核。"
    en = "Nobody holds a post at or below organ {organ}: there is nothing to review."
