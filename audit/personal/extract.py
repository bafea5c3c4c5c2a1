"""Making an extract: entries with their proof under one checkpoint, personal fields opened but for those withheld."""

from collections.abc import Collection, Sequence

from audit.archive.errors import EntrySealed
from audit.ask import LOG, entry_for, part_for
from audit.entries import Entry, Filters
from audit.errors import OpeningBroken
from audit.personal.check import REASONS
from audit.personal.errors import ExtractTooLarge, NothingToExtract, UnknownPersonalField
from audit.question.questions import question_for
from audit.service import Log
from audit.tree import TREES
from yinxin.act import Actor
from yinxin.crypto.suite import Suite
from yinxin.evidence.extract import MOST_ENTRIES, Extract, ExtractedEntry
from yinxin.evidence.stretch import signed_by
from yinxin.personal import FIELDS, Opening

EXTRACT = "audit.extract"


def extract_for(
    log: Log,
    actor: Actor,
    wanted: str | Filters,
    withhold: Collection[str] = (),
    *,
    question: str | None = None,
    suite: Suite = TREES[0],
) -> Extract:
    """The entry of an identifier, or all that match, oldest first, with the fields named by `withhold` not opened.

    `question` is a saved one, within the filters' time. Raises Denied, UnknownPersonalField, EntryNotFound, EntrySealed,
    QuestionNotFound, NothingToExtract, ExtractTooLarge, OpeningBroken, IndexBehind, LogUnavailable.
    """
    decision, _ = part_for(log, actor)
    unknown = sorted(set(withhold) - FIELDS.keys())
    if unknown:
        raise UnknownPersonalField(field=unknown[0][:80], known=", ".join(FIELDS))
    if question is not None and isinstance(wanted, Filters):
        asked = question_for(log, actor, question).at(log.store.clock.now())
        wanted = asked.within(wanted.since, wanted.until)
    entries = _found(log, actor, wanted)
    extract = _make(log, entries, frozenset(withhold), suite)
    subject = f"entry:{wanted}" if isinstance(wanted, str) else LOG
    with log.store.act(actor, EXTRACT, subject, withheld=sorted(set(withhold)), suite=suite.name) as act:
        act.decision = decision.record()
        act.facts["count"] = len(entries)
        if isinstance(wanted, Filters):
            act.facts["filters"] = wanted.fields()
    return extract


def _found(log: Log, actor: Actor, wanted: str | Filters) -> Sequence[Entry]:
    if isinstance(wanted, str):
        log.settle(wanted)
        return (entry_for(log, actor, wanted),)
    log.sequence()  # what was done before now is in the log
    _, part = part_for(log, actor)
    found = log.entries(wanted, limit=MOST_ENTRIES + 1, part=part)
    if not found:
        raise NothingToExtract
    if len(found) > MOST_ENTRIES:
        raise ExtractTooLarge(most=MOST_ENTRIES)
    log.settle(found[0].event)
    return found[::-1]


def _make(log: Log, entries: Sequence[Entry], withheld: frozenset[str], suite: Suite) -> Extract:
    for each in entries:
        if each.sealed:
            raise EntrySealed(event=each.event, archive="-")
    note, paths = log.places([each.index for each in entries], suite, proving=True)
    extracted = tuple(
        ExtractedEntry(each.index, each.data, path, _opened(each, withheld))
        for each, path in zip(entries, paths, strict=True)
    )
    return Extract(note, extracted, signed_by((note,), log.witnesses.keys(suite)))


def _opened(entry: Entry, withheld: frozenset[str]) -> dict[str, Opening]:
    """What opens the fields that are not withheld; one that does not hold is no evidence."""
    found = {}
    for each in entry.personal():
        if each.state in REASONS and each.name not in withheld:
            raise OpeningBroken(index=entry.index, field=each.name, reason=REASONS[each.state])
        if each.opening is not None and each.name not in withheld:
            found[each.name] = each.opening
    return found
