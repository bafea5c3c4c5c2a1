"""Vetting: an officer says what was checked and what was found; the record holds the words, the log their digest."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ca.context import Context
from ca.registration.change import change
from ca.registration.errors import BadCheck
from ca.registration.models import RegistrationRow, State
from yinxin import canonical
from yinxin.act import Actor
from yinxin.crypto.suite import INTL

VERB = "ca.vet"
#: checks that one vetting holds, and characters of each text
MOST, LONGEST = 20, 500


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked (身份证件, 任职文件), and what was found."""

    subject: str
    finding: str


def vet(
    ctx: Context, actor: Actor, id_: str, checks: Sequence[Check], decision: dict[str, object]
) -> RegistrationRow:
    """Record the vetting of a submitted application, once; raises BadCheck, WrongState. For authorised callers."""
    with ctx.store.act(actor, VERB, f"registration:{id_}") as act:
        act.decision = decision
        told = _told(checks)
        act.facts["checks"] = INTL.hash.digest(canonical.encode(told)).hex()
        return change(
            act.session,
            ctx.store.clock,
            id_,
            (State.SUBMITTED,),
            State.VETTED,
            vetted_by=actor.id,
            vetted_at=ctx.store.clock.now(),
            checks=told,
        )


def _told(checks: Sequence[Check]) -> list[dict[str, str]]:
    if not 0 < len(checks) <= MOST:
        raise BadCheck(field=f"1–{MOST}")
    told = [{name: text.strip() for name, text in asdict(each).items()} for each in checks]
    for number, each in enumerate(told):
        for name, text in each.items():
            if not 0 < len(text) <= LONGEST:
                raise BadCheck(field=f"checks[{number}].{name}")
    return told
