"""The real people whom a change of the policies would touch: whose posts carry the roles that suffice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.look import in_force
from authz.models import AppointmentRow, PersonRow, PostRole
from authz.proof import Difference
from yinxin.store import Store
from yinxin.text import Text

#: people named; the rest are counted
NAMED = 5


@dataclass(frozen=True)
class Affected:
    """A difference, how many people it touches, and the first of them by name."""

    difference: Difference
    count: int
    names: tuple[str, ...]

    @property
    def text(self) -> Text:
        """The difference and the people, in words."""
        change = self.difference.text
        begins = (
            Text("新允许", "newly allowed")
            if self.difference.allowed
            else Text("不再允许", "no longer allowed")
        )
        zh, en = "、".join(self.names), ", ".join(self.names)
        if self.count > len(self.names):
            zh, en = f"{zh} 等", f"{en} and others"
        if not self.count:
            zh, en = "目前无人", "nobody at present"
        return Text(
            f"{begins.zh}：{change.zh}；涉及 {self.count} 人（{zh}）",
            f"{begins.en}: {change.en}; this touches {self.count} people ({en})",
        )


def affected(store: Store, found: Iterable[Difference], at: datetime) -> tuple[Affected, ...]:
    """Each difference with the people who hold, at `at`, a post with all of its roles."""
    with store.read() as session:
        known: dict[frozenset[str], tuple[int, tuple[str, ...]]] = {}
        told = []
        for each in found:
            if each.roles not in known:
                known[each.roles] = _holders(session, each.roles, at)
            told.append(Affected(each, *known[each.roles]))
        return tuple(told)


def _holders(session: Session, roles: frozenset[str], at: datetime) -> tuple[int, tuple[str, ...]]:
    held = sa.select(AppointmentRow.person).where(in_force(at))
    for role in sorted(roles):
        held = held.where(AppointmentRow.post.in_(sa.select(PostRole.post).where(PostRole.role == role)))
    count = session.scalar(sa.select(sa.func.count(sa.distinct(held.subquery().c.person)))) or 0
    names = sa.select(PersonRow.name).where(PersonRow.id.in_(held)).order_by(PersonRow.id).limit(NAMED)
    return count, tuple(session.scalars(names))
