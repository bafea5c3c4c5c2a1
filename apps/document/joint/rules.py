"""Who may issue a document together (Regulation 2012, art. 17), and be asked to countersign it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.core import Organ
from apps.document.joint.errors import JointTwice, NotEquals, NotJointly, NotOfThisSite
from apps.document.joint.models import JointRule, Part
from apps.document.layout.kinds import KINDS, Kind
from yinxin.text import Text

#: forms without a place for other organs' marks and signatures (GB/T 9704-2012, 10.3); an order has one (7.3.5.3)
_ALONE = frozenset({Kind.MINUTES})
_LEVELS = {
    "province": Text("省级", "province"),
    "city": Text("市级", "city"),
    "county": Text("县级", "county"),
    "township": Text("乡镇级", "township"),
    "department": Text("部门", "department"),
}
_OWN = Text("发文机关", "the issuing organ")
_RECIPIENT = Text("收文机关", "a recipient")


@dataclass(frozen=True, slots=True)
class Issue:
    """Whom a document names: its kind, the organ that drafts it, those beside it, and its recipients of both roles."""

    kind: Kind
    own: Organ
    joint: Sequence[str]
    consulted: Sequence[str]
    recipients: Iterable[str]


def check(session: Session, issue: Issue, organs: Mapping[str, Organ], day: date) -> None:
    """Raise what is wrong with its joint organs and those consulted: NotOfThisSite, JointTwice, NotJointly, NotEquals.

    `organs` are those of this site, by their identifiers.
    """
    own, kind, joint = issue.own, issue.kind, issue.joint
    taken = {own.id: _OWN, **dict.fromkeys(issue.recipients, _RECIPIENT)}
    for part, named in ((Part.JOINT, joint), (Part.CONSULTED, issue.consulted)):
        for organ in named:
            if organ not in organs:
                raise NotOfThisSite(organ=organ)
            if organ in taken:
                raise JointTwice(organ=organs[organ].name, one=taken[organ], other=part.text)
            taken[organ] = part.text
    if joint and kind in _ALONE:
        raise NotJointly(kind=Text(KINDS[kind].zh, KINDS[kind].en))
    mine = rank(own, organs)
    for organ in joint:
        theirs = rank(organs[organ], organs)
        if not _equals(session, mine, theirs, day):
            raise NotEquals(organ=organs[organ].name, rank=words(theirs), own=words(mine))


def rank(organ: Organ, organs: Mapping[str, Organ]) -> str:
    """An organ's rank: its level, and of a department that of the organ that it is a department of."""
    if organ.level != "department":
        return organ.level
    above = organs.get(organ.parent or "")
    while above is not None and above.level == "department":
        above = organs.get(above.parent or "")
    return f"department/{above.level}" if above else "department"


def words(name: str) -> Text:
    """A rank in words."""
    of = name.removeprefix("department/")
    level = _LEVELS.get(of, Text(of, of))
    if of == name:
        return level
    return Text(f"{level.zh}机关的部门", f"a department of a {level.en}")


def _equals(session: Session, rank: str, other: str, day: date) -> bool:
    pair = sa.or_(
        sa.and_(JointRule.rank == rank, JointRule.other == other),
        sa.and_(JointRule.rank == other, JointRule.other == rank),
    )
    valid = (JointRule.since <= day, sa.or_(JointRule.until.is_(None), JointRule.until > day))
    return session.scalars(sa.select(JointRule.basis).where(pair, *valid).limit(1)).first() is not None
