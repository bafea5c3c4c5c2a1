"""Sends copies of the log to its receivers, each in a thread of its own, so that none stops another or an act.

At least once, in order: the cursor moves when the receiver has acknowledged, and after a crash, of either side, sending
goes on from it. What was acknowledged and not yet noted comes again; receivers tell it by its index.
"""

import logging
import threading
from typing import Any

import sqlalchemy as sa

from audit.checkpoint import newest, signed_size
from audit.errors import LogTampered
from audit.forward import alarms, cursor
from audit.forward.connection import Connection, Sent
from audit.forward.cursor import Claim
from audit.forward.errors import LeaseLost, UnknownReceiver
from audit.forward.models import CursorRow, LossRow
from audit.forward.operational import OperationalLogs
from audit.forward.records import checkpoint_record, entry_record
from audit.forward.settings import ForwardSettings, ReceiverSettings
from audit.models import EntryRow
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store

_log = logging.getLogger("yinxin.audit.forward")

#: entries of one batch, and octets after which it ends
BATCH, LARGEST = 256, 1 << 20


class Courier:
    """The copies outward of one site. Shared by the threads of a process; any number of processes may have one."""

    def __init__(self, store: Store, settings: ForwardSettings, *, site: str) -> None:
        """`site`: the log's origin, which every copy carries. Nothing is connected before there is something to send."""
        self.store = store
        self.settings = settings
        self.site = site
        self.operational = OperationalLogs(settings.operational, site)
        self._threads: dict[str, threading.Thread] = {}
        self._stop = threading.Event()
        self._ticking = threading.Lock()

    def receiver(self, name: str) -> ReceiverSettings:
        """The settings of a receiver; raises UnknownReceiver."""
        try:
            return self.settings.receivers[name]
        except KeyError:
            known = ", ".join(self.settings.receivers) or "-"
            raise UnknownReceiver(receiver=name[:60], known=known) from None

    def tick(self) -> None:
        """Have whatever is due sent, in the background. A job of a second; returns at once."""
        with self._ticking:
            for name in self.settings.receivers:
                thread = self._threads.get(name)
                if (thread is None or not thread.is_alive()) and self._due(name):
                    thread = threading.Thread(
                        target=self._send, args=(name,), name=f"copies-{name}", daemon=True
                    )
                    self._threads[name] = thread
                    thread.start()
            alarms.losses(self.store, self.operational)

    def close(self) -> None:
        """Stop sending and let the operational logs go out; waits for the batches that are on their way."""
        self._stop.set()
        for thread in self._threads.values():
            thread.join()
        self.operational.close()

    def send(self, name: str) -> int:
        """Send a receiver what it has not acknowledged; the number of entries that it has now acknowledged.

        Does nothing while another sends to it or a wait after a failure is on. Raises what the receiver did wrong, after
        that was noted.
        """
        settings = self.receiver(name)
        if not self._due(name) or (held := cursor.claim(self.store, name)) is None:
            return 0
        began = held.acknowledged
        try:
            with Connection(name, settings, site=self.site, randomness=self.store.randomness) as connection:
                while not self._stop.is_set() and (batch := self._batch(held, settings)):
                    held = self._deliver(connection, held, batch)
        except LeaseLost:
            pass  # it goes on elsewhere
        except YinxinError as error:
            since = cursor.fail(self.store, held, error.code)
            if since is not None:
                alarms.failing(self.store, self.settings, held, since, error.code)
            raise
        finally:
            cursor.release(self.store, held)
        if held.acknowledged > began:
            alarms.ended(self.store, held)
        return held.acknowledged - began

    def facts(self) -> dict[str, Any]:
        """How far each receiver is, for `status`; plain values."""
        with self.store.read() as session:
            size = signed_size(session)
            rows = {row.receiver: row for row in session.scalars(sa.select(CursorRow))}
            losses = session.scalars(sa.select(LossRow)).all()
        found = {name: _facts(rows.get(name), size) for name in self.settings.receivers}
        dropped = {row.source: {"dropped": row.dropped, "last": rfc3339(row.at)} for row in losses}
        return {
            "receivers": found,
            "operational": {"host": self.settings.operational.host or None, "dropped": dropped},
        }

    def trouble(self) -> tuple[str, ...]:
        """The receivers that fail for so long that an alarm was recorded, or whose copies differ from the log."""
        facts = self.facts()["receivers"]
        return tuple(name for name, each in facts.items() if each["alarmed"] or each["differing"] is not None)

    # --- inside ------------------------------------------------------------------------------------------------

    def _due(self, name: str) -> bool:
        with self.store.read() as session:
            size = signed_size(session)
        return cursor.due(self.store, name, size)

    def _send(self, name: str) -> None:
        try:
            self.send(name)
        except YinxinError as error:
            _log.warning("copies to %s: %s", name, error)
        except Exception:  # noqa: BLE001 - a thread of its own: what went wrong is for the operator, and it is tried again
            _log.exception("copies to %s", name)

    def _batch(self, held: Claim, settings: ReceiverSettings) -> "list[tuple[bytes, Sent]]":
        """The next signed entries, as they are sent; at their end the checkpoint that signs them."""
        first = held.acknowledged
        with self.store.read() as session:
            size = signed_size(session)
            query = sa.select(EntryRow).where(EntryRow.index >= first, EntryRow.index < size)
            batch: list[tuple[bytes, Sent]] = []
            octets = 0
            for at, row in enumerate(session.scalars(query.order_by(EntryRow.index).limit(BATCH)), first):
                if row.index != at:
                    raise LogTampered(index=at, part="index")
                batch.append((row.leaf_sha256, (row.time, entry_record(row, settings, self.site))))
                octets += len(row.data)
                if octets >= LARGEST:
                    break
            signed = newest(session)
            if batch and signed is not None and first + len(batch) == signed.size:
                batch.append((b"", (signed.time, checkpoint_record(signed, self.site))))
            return batch

    def _deliver(self, connection: Connection, held: Claim, batch: "list[tuple[bytes, Sent]]") -> Claim:
        # 1. What the receiver has not acknowledged, read from the log.
        step("audit.forward.1-read")
        connection.deliver(held.acknowledged, [event for _, event in batch])
        # 2. Acknowledged by the receiver.
        step("audit.forward.2-acknowledged")
        leaves = [leaf for leaf, _ in batch if leaf]
        moved = cursor.advance(self.store, held, held.acknowledged + len(leaves), leaves)
        # 3. Noted: it is not sent again.
        step("audit.forward.3-noted")
        return moved


def _facts(row: CursorRow | None, size: int) -> dict[str, Any]:
    def instant(at: Any) -> str | None:
        return None if at is None else rfc3339(at)

    return {
        "acknowledged": row.acknowledged if row else 0,
        "behind": max(0, size - (row.acknowledged if row else 0)),
        "acknowledged_at": instant(row and row.acknowledged_at),
        "failing_since": instant(row and row.failing_since),
        "error": row.error if row else None,
        "next_try": instant(row and row.due),
        "alarmed": bool(row and row.alarmed),
        "reconciled": row.reconciled if row else 0,
        "reconciled_at": instant(row and row.reconciled_at),
        "differing": row.differing if row else None,
    }
