"""What floors above authorization count of tenants (`authz.tenant.Figures`): documents, octets of files, the last act."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from apps.document.models import Document
from audit.part import Part
from yinxin.attachment.models import Attachment, Content

if TYPE_CHECKING:
    from ops.platform import Platform


class TenantFigures:
    """Counts for the organs of one tenant; the log is asked for the newest entry alone."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform

    def counted(self, organs: Sequence[str]) -> Mapping[str, int]:
        """Documents that they drafted, and octets of the files that belong to these."""
        own = sa.select(Document.id).where(Document.organ.in_(organs))
        files = (
            sa.select(sa.func.coalesce(sa.func.sum(Content.size), 0))
            .join(Attachment, Attachment.sha256 == Content.sha256)
            .where(
                Attachment.subject.in_(
                    sa.select(sa.literal("document:").concat(Document.id)).where(Document.organ.in_(organs))
                )
            )
        )
        with self._platform.store.read() as session:
            documents = session.scalar(sa.select(sa.func.count()).select_from(own.subquery())) or 0
            octets = session.scalar(files) or 0
        return {"documents": documents, "octets": int(octets)}

    def acted(self, organs: Sequence[str]) -> datetime | None:
        """When the newest entry of the log that is of one of them was made."""
        if not organs:
            return None
        found = self._platform.audit.entries(limit=1, part=Part(of=frozenset(organs)))
        return found[0].time if found else None
