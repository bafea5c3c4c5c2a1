"""What sites say to each other about a document: the parcel, that it is asked back, urged or to be given back, what became of it; how its secrecy was decided since, and which document answers it.

All are messages of the kind `document` (`yinxin.exchange`); each has one reference for its copy, so that it is sent once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from apps.document.sites.errors import ParcelUnfit
from yinxin.text import Text

KIND: Final = "document"
FORMAT: Final = 1
PARCEL, RECALL, REPORT, URGE, CALL_IN = "parcel", "recall", "report", "urge", "call-in"
SECRECY, ANSWER = "secrecy", "answer"


def reference(what: str, document: str, organ: str) -> str:
    """The reference of what is said of a copy."""
    return f"{KIND}:{document}:{organ}:{what}"


def body(what: str, document: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the message says."""
    return {"v": FORMAT, "what": what, "document": document, **said}


@contextmanager
def fitting() -> Iterator[None]:
    """A field that is missing or of another kind is a misfit, not a crash; raises ParcelUnfit."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ParcelUnfit(reason=Text("字段不符", "fields do not fit")) from error


def unfit(holds: bool, zh: str, en: str) -> None:  # noqa: FBT001 - the condition itself
    """Raise ParcelUnfit with these words unless it holds."""
    if not holds:
        raise ParcelUnfit(reason=Text(zh, en))
