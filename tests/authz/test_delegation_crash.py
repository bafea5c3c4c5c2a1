"""Processes killed with SIGKILL while somebody is appointed, lent a post, acts in it or gives it back: all of it, or nothing.

Seen to fail when: the delegation is committed apart from the appointment that rests on it; an act's record is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from authz import errors
from authz.change import Appoint
from authz.delegation import errors as refused
from authz.directory.models import DelegationRow
from authz.models import AppointmentRow, SessionRow
from tests.authz.conftest import Site
from tests.authz.killing import killed
from yinxin.act import Actor, Kind
from yinxin.store import Base, OutboxRow

from .delegating import give, wish

pytestmark = pytest.mark.engines("any")
OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")


@dataclass
class Seen:
    """What there is of delegations, appointments and sessions, and how many acts are on record."""

    delegations: int
    ended: int
    appointments: int
    sessions: int
    acts: dict[str, int]


def look(site: Site) -> Seen:
    """What stands in the database."""

    def count(session: Any, table: type[Base], *where: sa.ColumnElement[bool]) -> int:
        return int(session.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0)

    with site.store.read() as session:
        records = session.scalars(sa.select(OutboxRow.data)).all()
        verbs = ("authz.delegate", "authz.end-delegation", "authz.act-for", "authz.appoint")
        return Seen(
            count(session, DelegationRow),
            count(session, DelegationRow, DelegationRow.ended_at.is_not(None)),
            count(session, AppointmentRow),
            count(session, SessionRow, SessionRow.opened_from.is_not(None)),
            {
                verb: sum(
                    f'"verb":"{verb}"' in str(each) and '"outcome":"done"' in str(each) for each in records
                )
                for verb in verbs
            },
        )


def die(site: Site, url: str, verb: str, steps: tuple[str, str], act: Callable[[Site], object]) -> None:
    """Killed inside the transaction: nothing. Killed after it: everything, and its record."""
    before = look(site)
    killed(site, url, steps[0], act)
    assert look(site) == before
    killed(site, url, steps[1], act)
    after = look(site)
    assert after.acts[verb] == before.acts[verb] + 1
    assert after != before


def test_a_delegation_is_given_used_and_ended_whole_or_not_at_all(city: Site, database_url: str) -> None:
    wanted = wish(city, 0, 7)
    die(
        city,
        database_url,
        "authz.delegate",
        ("authz.delegate.1-entered", "authz.delegate.2-recorded"),
        lambda site: give(_with(site, city), wanted),
    )
    (given,) = city.authz.delegations.of("zhou")
    own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
    die(
        city,
        database_url,
        "authz.act-for",
        ("authz.act-for.1-opened", "authz.act-for.2-recorded"),
        lambda site: site.authz.sessions.act_for(own, "leader-city", given.id),
    )
    token, acting = city.authz.sessions.act_for(own, "leader-city", given.id)
    leader = city.authz.sessions.authenticate(city.sign_in(city.leader)).actor
    die(
        city,
        database_url,
        "authz.end-delegation",
        ("authz.end-delegation.1-ended", "authz.end-delegation.2-recorded"),
        lambda site: site.authz.delegations.end(leader, given.id),
    )
    # and after it nobody acts by it: not by the session that was opened, not by one whose token was never seen
    with pytest.raises(errors.SessionEnded):
        city.authz.sessions.authenticate(token)
    assert [each.id for each in city.authz.sessions.open_of("zhou")] == [own.session]
    with pytest.raises(refused.DelegationOver):
        city.authz.delegations.held(acting.actor, given.id)


def test_an_appointment_is_made_whole_or_not_at_all(city: Site, database_url: str) -> None:
    change = Appoint(appointment={"person": "qian", "post": "clerk-a"})
    die(
        city,
        database_url,
        "authz.appoint",
        ("authz.change.1-made", "authz.change.2-recorded"),
        lambda site: site.authz.changes.make(OFFICER, change),
    )
    assert city.authz.directory.standing("qian", "clerk-a").appointed


def _with(site: Site, city: Site) -> Site:
    site.leader = city.leader
    return site
