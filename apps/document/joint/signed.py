"""What stands beside the signatures of an order: the titles of those who signed (GB/T 9704-2012, 7.3.5.3)."""

from collections.abc import Sequence

from apps.document.content import organs_named
from apps.document.joint.models import Countersigner
from apps.document.models import Document


def titles(data: bytes, row: Document, joint: Sequence[Countersigner]) -> list[str]:
    """The posts they signed in, the issuing organ's first; of several organs in full (职务应当标注全称), with the organ's name.

    Empty where nobody has signed.
    """
    held = [row.signer_title, *(each.signer_title for each in joint)]
    if not joint:
        return [held[0] or ""]
    return [_full(organ, title) for organ, title in zip(organs_named(data), held, strict=True)]


def _full(organ: str, title: str | None) -> str:
    if not title:
        return ""
    return title if title.startswith(organ) else organ + title
