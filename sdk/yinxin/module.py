"""How a module registers itself: one value, in one place of its own, collected by `ops`."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from yinxin.metrics import Metrics
from yinxin.proposal import ProposalKind
from yinxin.settings import Section
from yinxin.text import Text

if TYPE_CHECKING:
    from flask import Blueprint

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Verb:
    """An act a module records: `name` as it stands in the log, and its words on pages and reports.

    `fresh`: whoever acts in a session must have proved the certificate's key in it just now (step-up). `personal`: which
    personal facts its records may have, of the vocabulary in `yinxin.personal`.
    """

    name: str
    text: Text
    fresh: bool = False
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job(Generic[S]):
    """Background work: `run(service)` every `every`, in one process at a time (leased by name)."""

    name: str
    every: timedelta
    run: Callable[[S], object]


@dataclass(frozen=True, slots=True)
class ReportTable(Generic[S]):
    """What a module adds to an audit report of the kind `report`: how things are now, which the log tells only as changes.

    `columns` are names in files and words on the page; each row is text, in their order.
    """

    report: str
    name: str
    title: Text
    columns: tuple[tuple[str, Text], ...]
    rows: Callable[[S], Iterator[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Health:
    """What a module says of itself in `status` and on the console."""

    ok: bool
    text: Text
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Module(Generic[S]):
    """A module's registration; `S` is the type of its service, built by `ops` at assembly.

    `models` are the import names of the modules that define its tables; `commands` that of its click group
    (`ca.cli:group`); `routes` those of the functions that make its HTTP faces (`ca.api:routes`): imported only when
    used. `policies` is its folder of Cedar policies; `backup` gives the files and folders that hold its state beside
    the database; `proposals` are the acts that it carries out only when several people have approved; `reports` the
    tables that it adds to audit reports; `wrapped` the import names of what says how the ciphertexts in its tables are
    bound (`kms.escrow.keys:HELD`), so that a new wrapping key reaches them all; `metrics` what monitoring is told.
    """

    name: str
    title: Text
    settings: type[Section]
    verbs: tuple[Verb, ...] = ()
    models: tuple[str, ...] = ()
    commands: str | None = None
    routes: tuple[str, ...] = ()
    jobs: tuple[Job[S], ...] = ()
    health: Callable[[S], Health] | None = None
    policies: Path | None = None
    backup: Callable[[S], tuple[Path, ...]] | None = None
    proposals: tuple[ProposalKind[S, Any], ...] = ()
    reports: tuple[ReportTable[S], ...] = ()
    wrapped: tuple[str, ...] = ()
    metrics: tuple[Metrics[S], ...] = ()

    def blueprints(self, service: S) -> "Iterator[Blueprint]":
        """Its HTTP faces, for the web application."""
        for name in self.routes:
            yield from imported(name)(service)


def imported(name: str) -> Any:
    """What an import name of the form `package.module:attribute` stands for."""
    place, _, attribute = name.partition(":")
    return getattr(importlib.import_module(place), attribute)
