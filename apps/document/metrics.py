"""What monitoring is told of documents: copies that nobody has signed for in time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from apps.document.states import COPIES
from yinxin.distribution import Copy
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.text import Text

if TYPE_CHECKING:
    from apps.document.service import Documents

OVERDUE = Figure(
    "yinxin_document_overdue_copies",
    Text("逾期未签收的公文份数", "copies of documents that nobody has signed for in time"),
)


def _copies(documents: "Documents") -> Iterator[Sample]:
    query = sa.select(sa.func.count()).select_from(Copy).where(COPIES.overdue(documents.store.clock.now()))
    with documents.store.read() as session:
        yield OVERDUE.at(session.scalar(query) or 0)


METRICS: "tuple[Metrics[Documents], ...]" = (Metrics("document.copies", (OVERDUE,), _copies),)
