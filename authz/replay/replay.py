"""A recorded decision taken again, for an auditor: permitted by the log's own policies, and itself recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.ask import entry_for
from audit.errors import LogUnavailable
from audit.service import Log
from authz.answers import VERB as ANSWERED
from authz.answers import Again, Answers
from authz.decide import Decisions
from authz.errors import NothingDecided, ReplayDiffers
from yinxin.act import Actor, Kind
from yinxin.authz import Decision


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the entry says, and what comes out now: the decision or all answers, or which field of the record is another."""

    entry: Mapping[str, Any]
    record: Mapping[str, Any]
    decision: Decision | None
    differs: ReplayDiffers | None
    #: of an entry that stands for answers without an act
    again: Again | None = None


class Replays:
    """Decides again what the log says. `log` is handed in at assembly: it stands below, but its keys are made above."""

    def __init__(self, decisions: Decisions, answers: Answers) -> None:
        self._decisions = decisions
        self._answers = answers
        self.log: Callable[[], Log] = _none

    def replay(self, actor: Actor, entry: str) -> Replayed:
        """The entry and the decision taken again; what does not agree is told and not raised.

        Raises Denied (recorded), EntryNotFound, NothingDecided, LogUnavailable.
        """
        fields = entry_for(self.log(), actor, entry).fields()
        answered = fields["verb"] == ANSWERED
        record = fields["facts"] if answered else fields.get("decision")
        if record is None:
            raise NothingDecided(entry=entry)
        who = Actor(Kind(fields["actor"]["kind"]), fields["actor"]["id"])
        try:
            if answered:
                return Replayed(fields, record, None, None, self._answers.replay(who, record))
            return Replayed(fields, record, self._decisions.replay(who, record), None)
        except ReplayDiffers as error:
            return Replayed(fields, record, None, error)


def _none() -> Log:
    raise LogUnavailable(reason="assembly")
