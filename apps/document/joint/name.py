"""Naming who issues a draft jointly, and who is to countersign it: its drafter does, and the content names the joint organs."""

from collections.abc import Sequence

from apps.document import content as contents
from apps.document.attach import rewritten
from apps.document.desk import Desk
from apps.document.desk import content as newest
from apps.document.joint import parts, rules
from apps.document.layout.kinds import Kind
from apps.document.records import DOCUMENTS
from apps.document.sites.choose import addressable
from yinxin.calendar import local_date

VERB = "document.name-countersigners"


def name(desk: Desk, document: str, joint: Sequence[str], consulted: Sequence[str]) -> None:
    """In the place of those that were named before; raises NotOfThisSite, JointTwice, NotJointly, NotEquals, NotPermitted, WrongState."""
    seen = DOCUMENTS.read(desk, document)
    known = addressable(desk, seen.organ)
    organs = {each: found for each, found in known.organs.items() if each not in known.elsewhere}
    named = (*seen.recipients, *seen.copied_to)
    issue = rules.Issue(Kind(seen.kind), organs[seen.organ], joint, consulted, named)
    subject = DOCUMENTS.subject(document)
    with desk.store.read() as session, desk.store.refusing(desk.caller.actor, VERB, subject):
        rules.check(session, issue, organs, local_date(desk.store.clock.now()))
    shown = [{"id": each, "name": organs[each].name} for each in joint]
    with DOCUMENTS.move(desk, document, VERB, seen=seen) as (act, row):
        parts.name(act.session, row, joint, consulted)
        before = newest(act.session, document).data
        after = contents.with_joint(before, shown)
        if after != before:
            rewritten(act, row, after)
        act.facts |= {"joint": list(joint), "consulted": list(consulted)}
