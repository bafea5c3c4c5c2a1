"""Opinions on any record: by post, threaded, never changed but corrected by another, seen by the organ that gives them."""

from yinxin.comment.comments import Comments, Opinion
from yinxin.comment.errors import NoSuchComment, NotYours
from yinxin.comment.models import CommentRow

__all__ = ["CommentRow", "Comments", "NoSuchComment", "NotYours", "Opinion"]
