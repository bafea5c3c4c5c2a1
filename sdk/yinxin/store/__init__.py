"""The store kit: one database, transactions that leave a record, jobs with leases."""

from yinxin.store._act import Store
from yinxin.store._alone import alone
from yinxin.store._base import LONG, Base, Instant, housekeeping
from yinxin.store._begun import Act
from yinxin.store._engine import DatabaseSettings, open_engine
from yinxin.store._jobs import Jobs, Queue
from yinxin.store._number import SourceRow, name_of
from yinxin.store._outbox import OutboxRow
from yinxin.store._prepared import Sql, Within, listed
from yinxin.store._request import current_entries, marking, request_scope
from yinxin.store._restate import Held, KeysChanged, accounted_now, held, restate
from yinxin.store._rows import RecordedRow, committed
from yinxin.store._several import Several
from yinxin.store._shape import shape_of
from yinxin.store._stock import take_stock
from yinxin.store._taken import Taken, as_good
from yinxin.store._together import Together
from yinxin.store._trouble import trouble_of
from yinxin.store._visible import Columns, Kept, Lead, Road, newest, newest_by
from yinxin.store._written import Said, Written
from yinxin.store.errors import NoColumn, RowsMoved, StoreFull, StoreUnavailable, UnrecordedChange

__all__ = [
    "LONG",
    "Act",
    "Base",
    "Columns",
    "DatabaseSettings",
    "Held",
    "Instant",
    "Jobs",
    "Kept",
    "KeysChanged",
    "Lead",
    "NoColumn",
    "OutboxRow",
    "Queue",
    "RecordedRow",
    "Road",
    "RowsMoved",
    "Said",
    "Several",
    "SourceRow",
    "Sql",
    "Store",
    "StoreFull",
    "StoreUnavailable",
    "Taken",
    "Together",
    "UnrecordedChange",
    "Within",
    "Written",
    "accounted_now",
    "alone",
    "as_good",
    "committed",
    "current_entries",
    "held",
    "housekeeping",
    "listed",
    "marking",
    "name_of",
    "newest",
    "newest_by",
    "open_engine",
    "request_scope",
    "restate",
    "shape_of",
    "take_stock",
    "trouble_of",
]
