"""What leaders decided of a document's secrecy since it was signed off, each a statement that they signed, chained to the one before it.

The statement says what its secrecy is from then on, so that any site that has the document can hold it to the issuing organ's own words:

    {"sealed": digests, "grade": {level, period, basis, since} or null, "after": digest of the statement before, "reason": {"text": …}}
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from sqlalchemy.orm import Session

from apps.document.models import Document
from apps.document.records import DOCUMENTS
from yinxin.authz import Level
from yinxin.flow import Signature
from yinxin.grade import Grade
from yinxin.statement import Statement

REGRADE: Final = "document.regrade"
EXTEND: Final = "document.extend-secrecy"
DECLASSIFY: Final = "document.declassify"
VERBS: Final = (REGRADE, EXTEND, DECLASSIFY)
#: as forms and the API name them
NAMED: Final = {"regrade": REGRADE, "extend": EXTEND, "declassify": DECLASSIFY}
#: what is no secret any more is not public by that
AFTER: Final[Level] = "internal"
#: characters of a reason
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """What a statement decides: the grade since a day, or None; after which other decision (digest, hexadecimal; empty for the first), and why."""

    declared: Statement
    grade: tuple[Grade, date] | None
    after: str
    reason: str

    @property
    def level(self) -> Level:
        """The level that the document has by it."""
        return self.grade[0].level if self.grade else AFTER


def said(data: bytes) -> Decision:
    """Read a statement; raises ValueError, TypeError, KeyError, AttributeError, NoTerm, MalformedStatement, NotCanonical of anything else."""
    declared = Statement.decode(data)
    content = declared.content
    grade, after, reason = content["grade"], content["after"], content["reason"]["text"]
    if declared.type not in VERBS or (grade is None) != (declared.type == DECLASSIFY):
        raise ValueError(declared.type)
    if (
        not isinstance(after, str)
        or not isinstance(reason, str)
        or not 0 < len(reason) <= _LONGEST
        or "\0" in reason
    ):
        raise ValueError(after, reason)
    return Decision(declared, Grade.of(grade) if grade is not None else None, after, reason)


def content_of(
    sealed: dict[str, str], grade: tuple[Grade, date] | None, after: str, reason: str
) -> dict[str, Any]:
    """What a decision is signed as."""
    fields = grade[0].fields(grade[1]) if grade else None
    return {"sealed": sealed, "grade": fields, "after": after, "reason": {"text": reason}}


def of(session: Session, row: Document) -> list[Signature]:
    """The signed decisions of the issuing organ, in their order."""
    every = DOCUMENTS.signatures(session, row.id)
    return [each for each in every if each.type in VERBS and each.organ == row.organ]


def head(known: Sequence[Signature]) -> str:
    """What the next decision comes after."""
    return digest(known[-1].statement) if known else ""


def digest(statement: bytes) -> str:
    """How the next decision names this one, hexadecimal."""
    return sha256(statement).hexdigest()
