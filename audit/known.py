"""What a question names must be something that can be: of a misspelt verb nothing was ever done, and that would be proved."""

from difflib import get_close_matches

from audit.entries import Filters
from audit.errors import ActorUnknown, KindUnknown, VerbUnknown
from audit.service import Log
from audit.words import ACTORS, KINDS
from yinxin.evidence import Question
from yinxin.text import Text

#: names that are offered instead
_NEAR = 3


def hold_known(log: Log, question: Question, *, anybody: bool = False) -> None:
    """Raise VerbUnknown, KindUnknown or ActorUnknown for what neither the platform knows nor the log has ever seen.

    `anybody`: the actor is meant as it stands, though nobody knows it: known by a certificate alone, or erased since. A log
    without floors above it knows no verbs, and takes every question. It may bring the index up to date, so it is not
    asked inside an act.
    """
    verbs = [name for name, _ in log.around.verbs()]
    if not verbs:
        return
    for verb in question.verbs:
        known = any(each.startswith(verb) if verb.endswith(".") else each == verb for each in verbs)
        if not known and not _seen(log, Filters(verb=verb)):
            modules = sorted({f"{each.partition('.')[0]}." for each in verbs})
            raise VerbUnknown(verb=verb, near=_near(verb, modules if verb.endswith(".") else verbs))
    subject = question.subject
    if subject is not None:
        kind = subject.partition(":")[0]
        if kind not in KINDS and not _seen(log, Filters(subject=subject)):
            raise KindUnknown(subject=subject, kind=kind, near=_near(kind, list(KINDS)))
    actor = question.actor
    if actor is None or anybody or actor in ACTORS or log.around.person(actor):
        return
    if not _seen(log, Filters(actor=actor)):
        raise ActorUnknown(actor=actor)


def _seen(log: Log, filters: Filters) -> bool:
    return bool(log.entries(filters, limit=1))


def _near(name: str, known: list[str]) -> Text:
    found = get_close_matches(name, known, _NEAR)
    if not found:
        return Text("", "")
    return Text(f"；相近的有 {'、'.join(found)}", f"; near it are {', '.join(found)}")
