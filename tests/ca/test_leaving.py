"""The end of certificates: many at once, of those who left, and announced before it comes."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import AppointmentRow
from ca import Holder
from ca.errors import WrongCount
from ca.issue_many import Wanted, issue_many
from ca.registration.models import NoticeRow
from ca.registration.notices import Notice, notify
from ca.revoke_many import Target
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL

from .conftest import CLERK, OFFICER, REGISTRAR, Site
from .test_faces import app, client, post, raw, run  # noqa: F401 - fixtures


@pytest.fixture
def filled(site: Site) -> Site:
    """Two certificates of a person, three of services of her county, one of the other county's person."""
    asked = [
        Wanted(site.person("z-1")),
        Wanted(site.person("z-2")),
        *(Wanted(site.request(f"s-{n}")) for n in range(3)),
    ]
    issue_many(site.ctx, SYSTEM, [*asked, Wanted(site.person("l", "li", "clerk-b"))])
    return site


def reasons(site: Site) -> dict[str, str | None]:
    return {row.reference: row.reason for row in site.rows() if not row.reference.startswith("ceremony")}


@pytest.mark.parametrize(
    ("target", "gone"),
    [
        (Target(person="zhang"), {"z-1", "z-2"}),
        (Target(organ="county-a"), {"z-1", "z-2", "s-0", "s-1", "s-2"}),
        (Target(organ="city"), {"z-1", "z-2", "s-0", "s-1", "s-2", "l"}),
    ],
)
def test_many_are_revoked_each_by_its_own_act(filled: Site, target: Target, gone: set[str]) -> None:
    done, failed = filled.ca.revoke_many(OFFICER, target, "cessationOfOperation", len(gone))
    assert (len(done), failed) == (len(gone), [])
    assert {name for name, reason in reasons(filled).items() if reason} == gone
    acts = [each for each in filled.events("ca.revoke") if each["outcome"] == "done"]
    assert len({each["subject"] for each in acts}) == len(gone)
    assert filled.ca.targeted(OFFICER, target) == ()


def test_by_key_and_only_in_the_number_that_was_confirmed(filled: Site) -> None:
    """Another number is a refusal, and recorded. Seen to fail with `expected` not compared, and with nothing recorded."""
    key = PrivateKey.generate(INTL)
    for number in range(2):
        filled.ca.issue(
            REGISTRAR, filled.request(f"k-{number}", key=key, holder=Holder("service", "k", None, "county-a"))
        )
    (row, _) = filled.rows(holder="k")
    target = Target(key=row.spki_digest)
    with pytest.raises(WrongCount):
        filled.ca.revoke_many(OFFICER, target, "keyCompromise", 1)
    (refused,) = (each for each in filled.events("ca.revoke") if each["outcome"] == "refused")
    assert refused["subject"] == f"certificates:key:{row.spki_digest}"
    assert not any(reasons(filled).values())
    filled.ca.revoke_many(OFFICER, target, "keyCompromise", 2)
    assert {name for name, reason in reasons(filled).items() if reason} == {"k-0", "k-1"}


def test_who_may_not_revokes_none(filled: Site) -> None:
    other = Actor(Kind.PERSON, "wu", post="registration-a", organ="county-a")
    for actor, target in ((CLERK, Target(person="zhang")), (other, Target(organ="city"))):
        with pytest.raises(Denied):
            filled.ca.revoke_many(actor, target, "superseded", 2)
    assert not any(reasons(filled).values())


def test_on_the_command_line_and_over_http(filled: Site, run: Callable[..., Any], raw: Any) -> None:  # noqa: F811
    assert (
        run("revoke", "--person", "zhang", "--reason", "superseded", "--dry-run", "--json")["would_revoke"]
        == 2
    )
    slip = run("revoke", "--person", "zhagn", "--reason", "superseded", "--dry-run")
    assert "check the identifier" in slip
    assert "no certificate ends within 1 days" in run("expiring", "--days", "1")
    for more in ((), ("--yes", "3")):
        with pytest.raises(WrongCount):
            run("revoke", "--person", "zhang", "--reason", "superseded", *more)
    assert not any(reasons(filled).values())
    assert (
        len(run("revoke", "--person", "zhang", "--reason", "superseded", "--yes", "2", "--json")["revoked"])
        == 2
    )
    asked = {"organ": "county-b", "reason": "superseded"}
    assert len(post(raw, "/revocations", "officer", asked).json()["serials"]) == 1
    done = post(raw, "/revocations", "officer", {**asked, "expected": 1}, "k2").json()
    assert (done["carried_out"], len(done["serials"])) == (True, 1)
    assert post(raw, "/revocations", "officer", {**asked, "key": "0" * 64}, "k3").status_code == 422


# --- those who left --------------------------------------------------------------------------------------------


def test_certificates_of_a_post_that_was_left_end_after_the_grace(filled: Site) -> None:
    """Seen to fail when the grace is left out."""
    with filled.store.act(SYSTEM, "test.end", "x") as act:
        ends = sa.update(AppointmentRow).where(AppointmentRow.person == "zhang")
        act.session.execute(ends.values(valid_to=filled.clock.now()))
    filled.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    filled.ca.revoke_departed()
    assert not any(reasons(filled).values())
    filled.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        filled.ca.revoke_departed()
        assert {n: r for n, r in reasons(filled).items() if r} == dict.fromkeys(
            ("z-1", "z-2"), "affiliationChanged"
        )
    assert len(filled.events("ca.revoke")) == 2


# --- notices ---------------------------------------------------------------------------------------------------


class Taken:
    """Keeps the notices that it was given."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def take(self, session: Session, notices: Sequence[Notice]) -> None:
        assert session.in_transaction()
        self.notices += notices


def test_each_certificate_is_announced_once_for_each_horizon(site: Site) -> None:
    """Seen to fail when what was announced is not looked at, and when a certificate met late gets every notice."""
    site.ca.issue(REGISTRAR, site.request("short", days=20))
    site.ca.issue(REGISTRAR, site.request("long", days=100))
    site.ca.revoke(REGISTRAR, site.ca.issue(REGISTRAR, site.request("gone", days=20)).serial, "superseded")
    taken = Taken()
    told = []
    for days in range(101):
        given = notify(site.ctx, taken) + notify(site.ctx, taken)
        told += [(days, each.days) for each in taken.notices[-given:]] if given else []
        site.clock.advance(timedelta(days=1))
    assert told == [(0, 30), (10, 90), (13, 7), (70, 30), (93, 7)]
    with site.store.read() as session:
        assert len(session.scalars(sa.select(NoticeRow)).all()) == 5
    assert len([e for e in site.events("ca.notify") if e["subject"].startswith("certificate:")]) == 5


def test_what_has_a_successor_is_not_announced(site: Site) -> None:
    serial = site.ca.issue(REGISTRAR, site.request("old", days=20)).serial
    site.ca.issue(REGISTRAR, site.request(f"renewal/{serial}", days=300))
    assert notify(site.ctx) == 0


def test_they_are_listed_and_counted(site: Site, run: Callable[..., Any]) -> None:  # noqa: F811
    site.ca.issue(REGISTRAR, site.request("short", days=20))
    site.ca.issue(REGISTRAR, site.request("long", days=100))
    assert [each["reference"] for each in run("expiring", "--json")] == ["short"]
    assert [each["reference"] for each in run("expiring", "--days", "200", "--json")] == ["short", "long"]
    facts = site.ca.health().facts
    assert (facts["expiring_30"], facts["expiring_7"]) == ("1", "0")
