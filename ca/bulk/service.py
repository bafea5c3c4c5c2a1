"""Bulk enrolment as one service: judge a list, enrol it, tell what became of each row."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ca.bulk.judge import Judge
from ca.bulk.keys import KeyFolder
from ca.bulk.read import Entry, Table
from ca.bulk.run import Progress, Run, outcome
from ca.context import Context
from yinxin.act import Actor
from yinxin.authz import Decider
from yinxin.crypto.suite import suite as suite_of
from yinxin.errors import YinxinError


class Bulk:
    """Enrols from files; one per process."""

    def __init__(self, ctx: Context, decider: Decider) -> None:
        self._ctx, self._decider = ctx, decider

    def judge(self, actor: Actor, table: Table, suite: str = "intl") -> Mapping[int, Entry | YinxinError]:
        """Every row as it would go, nothing changed: the entry, or the error that would refuse it."""
        return Judge(self._ctx, self._decider, actor, suite_of(suite)).rows(table)

    def enrol(
        self,
        actor: Actor,
        table: Table,
        *,
        progress: Progress,
        keys: Path | None = None,
        suite: str = "intl",
        most: int | None = None,
        skip: int = 0,
    ) -> str:
        """Enrol what is pending, or `most` of it after `skip` rows; the batch's identifier. `keys` is the folder for PKCS#12 files that the platform makes.

        Raises OSError when the folder cannot be written.
        """
        folder = KeyFolder(keys, suite_of(suite), self._ctx.store.randomness) if keys else None
        if folder is not None:
            folder.prepare()
        judge = Judge(self._ctx, self._decider, actor, suite_of(suite))
        return Run(self._ctx, actor, judge, folder).carry_out(table, progress, most, skip)

    def outcome(self, batch: str) -> Iterator[dict[str, Any]]:
        """What became of each row: row, state, serial, code, reason in both languages."""
        return outcome(self._ctx, batch)
