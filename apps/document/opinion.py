"""Opinions on a document before and after it is decided: of the organ whose people give them."""

from apps.document.desk import Desk
from apps.document.records import DOCUMENTS
from apps.document.states import COMMENTS

COMMENT = "document.comment"


def give(
    desk: Desk, document: str, text: str, *, parent: str | None = None, corrects: str | None = None
) -> str:
    """Give one, as an answer to `parent` or in the place of one's own; its identifier. Raises NoSuchComment, NotYours."""
    with DOCUMENTS.move(desk, document, COMMENT) as (act, _):
        return COMMENTS.add(desk, act, document, text, parent=parent, corrects=corrects).id
