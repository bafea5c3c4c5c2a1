"""The outside authorities in their order: who is asked, who is left alone for a while, and what is recorded of it."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ca.outside.authority import Outside, wait
from ca.outside.errors import OutsideFailing
from ca.outside.models import OutsideRow
from yinxin.act import Actor, Outcome
from yinxin.clock import rfc3339
from yinxin.crypto.suite import HashAlgorithm
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store

if TYPE_CHECKING:
    from yinxin.crypto.path import ValidatedPath

_log = logging.getLogger("yinxin.ca")

VERB = "ca.timestamp-outside"


class Order:
    """All that are configured."""

    def __init__(self, store: Store, authorities: Iterable[Outside]) -> None:
        self._store = store
        self.authorities: Sequence[Outside] = tuple(authorities)

    def stamp(self, message: bytes, suite_name: str, hash_: HashAlgorithm, actor: Actor) -> Token | None:
        """The first token that holds; None when nobody is configured for this suite, or nobody gave one: then our own stands in.

        Each token is recorded before it is handed out, and each failure: an authority that fails is asked again after 1, 2, 4 … minutes.
        """
        for each in self.authorities:
            if each.settings.suite == suite_name and self._is_due(each):
                try:
                    return self._stamp(each, message, hash_, actor)
                except YinxinError as error:
                    self._failed(each, actor, error)
        return None

    def _stamp(self, authority: Outside, message: bytes, hash_: HashAlgorithm, actor: Actor) -> Token:
        # 1. asked, and held against everything that can be known
        nonce = int.from_bytes(self._store.randomness.token(8)) | 1
        now = self._store.clock.now()
        token = authority.ask(hash_, hash_.digest(message), nonce, now)
        step("ca.timestamp-outside.1-held")
        # 2. recorded; only then handed out
        with self._store.act(actor, VERB, f"timestamp:{token.serial:x}", authority=authority.name) as act:
            act.facts |= {"hash": hash_.name, "imprint": token.digest.hex(), "at": rfc3339(token.at)}
            self._note(
                act.session,
                authority,
                {"failures": 0, "since": None, "due": None, "error": None, "good": now},
            )
        step("ca.timestamp-outside.2-recorded")
        return token

    def _failed(self, authority: Outside, actor: Actor, error: YinxinError) -> None:
        _log.error("%s", error)
        now = self._store.clock.now()
        with self._store.act(actor, VERB, f"authority:{authority.name}", error=error.code) as act:
            act.outcome = Outcome.FAILED
            act.facts["stands_in"] = "own"
            row = act.session.get(OutsideRow, authority.name)
            failures = 1 + (row.failures if row else 0)
            values = {"failures": failures, "due": now + wait(failures), "error": error.code}
            values["since"] = row.since if row and row.since else now
            self._note(act.session, authority, values)

    @staticmethod
    def _note(session: Any, authority: Outside, values: dict[str, Any]) -> None:
        row = session.get(OutsideRow, authority.name)
        if row is None:
            row = OutsideRow(name=authority.name, failures=0, since=None, due=None, error=None, good=None)
            session.add(row)
        for name, value in values.items():
            setattr(row, name, value)

    def _is_due(self, authority: Outside) -> bool:
        with self._store.read() as session:
            row = session.get(OutsideRow, authority.name)
            return row is None or row.due is None or row.due <= self._store.clock.now()

    def standing(self, token: Token) -> tuple["ValidatedPath", tuple[bytes, ...]] | None:
        """The path and the lists (DER) of the authority whose token it is; None when it is none of these."""
        for each in self.authorities:
            try:
                return each.path(token), tuple(one.der for one in each.lists())
            except YinxinError:
                continue
        return None

    def facts(self) -> dict[str, Any]:
        """How each stands."""
        with self._store.read() as session:
            rows = {row.name: row for row in session.scalars(sa.select(OutsideRow))}
        return {each.name: _fields(rows.get(each.name)) for each in self.authorities}

    def told(self) -> dict[str, str]:
        """The same in a word each, for health: the error and since when, or when it last gave a token."""
        return {
            name: f"{each['error']} {each['since']}" if each["error"] else str(each["good"] or "-")
            for name, each in self.facts().items()
        }

    def sound(self) -> None:
        """Raise OutsideFailing when one of them fails."""
        failing = [name for name, each in self.facts().items() if each["error"]]
        if failing:
            raise OutsideFailing(names=", ".join(failing))


def _fields(row: OutsideRow | None) -> dict[str, Any]:
    if row is None:
        return {"failures": 0, "since": None, "error": None, "good": None}
    times = {name: value and rfc3339(value) for name, value in (("since", row.since), ("good", row.good))}
    return {"failures": row.failures, "error": row.error, **times}
