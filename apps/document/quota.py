"""What a quota counts of documents: those drafted this year, and the octets of the files attached to them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document
from apps.document.records import DOCUMENTS
from yinxin.attachment.models import Attachment, Content, Upload
from yinxin.calendar import year_of
from yinxin.quota import Measure, Quotas
from yinxin.randomness import earliest


def demand_document(quotas: Quotas, session: Session, organ: str, now: datetime) -> None:
    """Raise QuotaExceeded unless the organ may draft one more this year."""
    if (quota := quotas.held(session, organ, Measure.DOCUMENTS)) is not None:
        quota.demand(drafted(session, quota.organs, year_of(now)), 1)


def demand_file(quotas: Quotas, session: Session, organ: str, upload: str) -> None:
    """Raise QuotaExceeded unless what was uploaded may be kept for the organ; of an upload that is not complete nothing is asked."""
    if (quota := quotas.held(session, organ, Measure.OCTETS)) is not None:
        size = sa.select(Content.size).join(Upload, Upload.content == Content.sha256)
        quota.demand(attached(session, quota.organs), session.scalar(size.where(Upload.id == upload)) or 0)


def drafted(session: Session, organs: Sequence[str], since: datetime | None = None) -> int:
    """How many documents these organs have drafted, since then or ever."""
    query = sa.select(sa.func.count()).where(Document.organ.in_(organs))
    if since is not None:
        query = query.where(Document.id >= earliest(since))
    return session.scalar(query) or 0


def attached(session: Session, organs: Sequence[str]) -> int:
    """Octets of the files that are attached to documents of these organs."""
    subjects = sa.select(sa.literal(DOCUMENTS.subject("")).concat(Document.id))
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(Content.size), 0))
        .join(Attachment, Attachment.sha256 == Content.sha256)
        .where(Attachment.subject.in_(subjects.where(Document.organ.in_(organs))))
    )
    return int(session.scalar(query) or 0)
