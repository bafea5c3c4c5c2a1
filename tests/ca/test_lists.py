"""Shards, deltas and what a list costs: every certificate's own list says what the tables say, whatever came before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ca.errors import CrlNotNewer, NoDelta, UnknownAuthority
from ca.issue import Issued
from ca.models import CertificateRow
from ca.status import changes, compose, crl, delta
from ca.status.line import Line
from ca.status.models import ChangeRow, CrlRow, LeaseRow
from ca.status.open_lists import open_lists
from tests.support.openssl import openssl
from yinxin.act import SYSTEM
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList, DistributionPoint, Reason, Revoked
from yinxin.steps import listen

from .conftest import REGISTRAR, Site


def several(site: Site, count: int, **parts: object) -> Sequence[Issued]:
    return [
        site.ca.issue(REGISTRAR, site.request(f"s-{number}-{parts.get('days', 0)}", **parts))
        for number in range(count)
    ]


def line_of(site: Site, issued: Issued) -> Line:
    return Line("intl-issuing", site.rows(serial=issued.serial)[0].shard)


def listed(site: Site, line: Line) -> CertificateList:
    return CertificateList(site.ca.crl(line.path))


# --- shards ----------------------------------------------------------------------------------------------------


def test_every_certificate_names_its_own_list_and_is_on_it(founded: Callable[..., Site]) -> None:
    """Seen to fail with the scope left out of the list, and with all shards' revocations on each."""
    site = founded(status={"shards": 3})
    made = several(site, 7)
    for each in made:
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
    lines = {each.serial: line_of(site, each) for each in made}
    assert all(line.shard == int(serial, 16) % 3 + 1 for serial, line in lines.items())
    for line in set(lines.values()):
        shard = listed(site, line)
        assert shard.scope == DistributionPoint((line.url(site.ctx.settings),))
        assert shard.serials == {int(serial, 16) for serial, its in lines.items() if its == line}
    whole = listed(site, Line("intl-issuing"))
    assert whole.scope == DistributionPoint()
    assert whole.serials == {int(serial, 16) for serial in lines}
    assert listed(site, Line("intl-root")).scope == DistributionPoint()


def test_a_changed_number_of_shards_orphans_nobody(founded: Callable[..., Site]) -> None:
    """The shard is the one in the intent, whatever the number of shards is now."""
    site = founded(status={"shards": 5})
    made = next(each for each in several(site, 12) if line_of(site, each).shard > 2)
    for shards in (2, 0):
        site = founded(status={"shards": shards})
        fresh = site.ca.issue(REGISTRAR, site.request(f"after-{shards}"))
        assert line_of(site, fresh).shard <= shards
        assert listed(site, line_of(site, made)).scope.covers(made.certificate)
    site.ca.revoke(REGISTRAR, made.serial, "keyCompromise")
    assert listed(site, line_of(site, made)).lookup(made.certificate.serial) is not None
    site.ca.renew_lists()


def test_new_certificates_get_new_lists_when_theirs_are_full(founded: Callable[..., Site]) -> None:
    """Seen to fail with certificates of full lists counted again, and with the open lists taken for the first ones."""
    there = sum(row.shard > 0 for row in founded().rows(authority="intl-issuing"))
    settings = {"shards": 2, "list_certificates": 10}
    site = founded(status=settings)
    first = several(site, 20 - there - 1)
    site.ca.renew_lists()
    assert {line_of(site, each).shard for each in first} == {1, 2}
    assert not site.events("ca.open-lists")
    last = site.ca.issue(REGISTRAR, site.request("last"))
    assert line_of(site, last).shard in (1, 2)
    site.ca.renew_lists()
    (opened,) = site.events("ca.open-lists")
    assert opened["subject"] == "authority:intl-issuing"
    assert opened["facts"] == {"first": 3, "last": 4, "changed": 1}
    fresh = several(site, 3, days=30)
    for each in fresh:
        assert line_of(site, each).shard == each.certificate.serial % 2 + 3
        assert each.certificate.crl_urls == (line_of(site, each).url(site.ctx.settings),)
    site.ca.renew_lists()
    assert len(site.events("ca.open-lists")) == 1
    # both are told for, full or open, here and by another process that was just started
    again = founded(status=settings)
    for each in (first[0], fresh[0]):
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
        for shown in (site, again):
            assert each.certificate.serial in listed(shown, line_of(site, each)).serials
    assert {Line("intl-issuing", number) for number in range(5)} <= set(crl.known(again.ctx))


def test_lists_that_were_used_with_more_shards_are_not_opened_again(founded: Callable[..., Site]) -> None:
    """Seen to fail with the lists that were made not asked for: the third was opened, which has certificates already."""
    site = founded(status={"shards": 4, "list_certificates": 0})
    site.ca.renew_lists()
    site = founded(status={"shards": 2, "list_certificates": 1})
    several(site, 2)
    site.clock.advance(timedelta(minutes=1))
    site.ca.renew_lists()
    assert {each["facts"]["first"] for each in site.events("ca.open-lists")} == {5}


def test_two_processes_open_lists_once(founded: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the number of before not asked for in the change."""
    site = founded(status={"shards": 1, "list_certificates": 1})
    several(site, 1)
    site.clock.advance(timedelta(minutes=1))
    act = site.store.act

    def meanwhile(*arguments: Any, **facts: Any) -> Any:
        monkeypatch.setattr(site.store, "act", act)
        open_lists(site.ctx)
        return act(*arguments, **facts)

    monkeypatch.setattr(site.store, "act", meanwhile)
    open_lists(site.ctx)
    mine = [each for each in site.events("ca.open-lists") if each["subject"] == "authority:intl-issuing"]
    assert [each["facts"]["changed"] for each in mine] == [1, 0]
    assert site.ctx.issuers.issuing("intl-issuing").lists_full == 1


def test_an_authority_may_have_a_number_of_its_own(founded: Callable[..., Site]) -> None:
    site = founded(status={"shards_of": {"intl-issuing": 0}})
    assert line_of(site, site.ca.issue(REGISTRAR, site.request())).shard == 0


@pytest.mark.parametrize(
    "path", ["intl-issuing/9", "intl-issuing/0", "intl-issuing/x", "intl-root/1", "pq/1", ""]
)
def test_a_list_that_nobody_names_does_not_exist(site: Site, path: str) -> None:
    with pytest.raises(UnknownAuthority):
        site.ca.crl(path)


def test_a_shard_proves_a_certificate_to_others(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    root, issuing = site.ca.certificate("intl-root"), site.ca.certificate("intl-issuing")
    lists = tuple(CertificateList(site.ca.crl(each)) for each in ("intl-root", line_of(site, issued).path))
    at = site.clock.now()
    validate(
        issued.certificate,
        [issuing],
        [root],
        at=at,
        usage=Usage.ANY,
        revocation=RevocationEvidence((), lists),
    )
    folder = site.folder
    (folder / "lists.pem").write_text("".join(each.pem for each in lists))
    (folder / "leaf.pem").write_text(issued.certificate.pem)
    trust = folder / "trust"
    arguments = ("verify", "-crl_check_all", "-extended_crl", "-CRLfile", folder / "lists.pem", "-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem", folder / "leaf.pem")  # fmt: skip
    assert "OK" in openssl(*arguments)
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    lists = tuple(CertificateList(site.ca.crl(each)) for each in ("intl-root", line_of(site, issued).path))
    (folder / "lists.pem").write_text("".join(each.pem for each in lists))
    assert "certificate revoked" in openssl(*arguments, status=2)


# --- what a list says ------------------------------------------------------------------------------------------


def test_entries_of_the_list_before_are_kept_as_they_are(
    founded: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation reads the changes since the list before and nothing else; seen to fail with `_only_adds` false."""
    site = founded(status={"shards": 0})
    made = several(site, 6)
    for each in made[:3]:
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
    before = listed(site, Line("intl-issuing"))
    monkeypatch.setattr(compose, "_anew", None)
    for each in made[3:]:
        site.ca.revoke(REGISTRAR, each.serial, "keyCompromise")
        after = listed(site, Line("intl-issuing"))
        assert after.entries.startswith(before.entries)
        assert len(after) == len(before) + 1
        before = after
    assert before.serials == {each.certificate.serial for each in made}


def test_an_entry_leaves_after_a_list_beyond_its_certificates_end(site: Site) -> None:
    """RFC 5280 3.3. Seen to fail with nothing left out, and with entries left out at their certificate's end."""
    short, long = (
        site.ca.issue(REGISTRAR, site.request("a", days=3)),
        site.ca.issue(REGISTRAR, site.request("b")),
    )
    for each in (short, long):
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
    whole = Line("intl-issuing")
    assert len(listed(site, whole)) == 2
    stayed = 0
    for _ in range(12):
        site.clock.advance(timedelta(hours=13))
        now = listed(site, whole)
        assert now.lookup(long.certificate.serial) is not None
        if short.certificate.serial in now.serials:
            stayed += site.clock.now() > short.certificate.not_after
        elif stayed == 0:
            pytest.fail("it left before any list beyond its certificate's end")
    assert short.certificate.serial not in now.serials
    # and a revocation does not bring it back
    other = site.ca.issue(REGISTRAR, site.request("c"))
    site.ca.revoke(REGISTRAR, other.serial, "superseded")
    assert listed(site, whole).serials == {long.certificate.serial, other.certificate.serial}


def test_a_hold_comes_goes_and_becomes_final(site: Site) -> None:
    """Seen to fail with what was listed before taken for new (`known_before`): the first reason stays."""
    issued = site.ca.issue(REGISTRAR, site.request())
    serial, line = issued.certificate.serial, line_of(site, issued)
    for each in (line, Line("intl-issuing")):
        base = listed(site, each)
    site.ca.suspend(REGISTRAR, issued.serial)
    for each in (line, Line("intl-issuing")):
        held = listed(site, each).lookup(serial)
        assert held is not None
        assert held.reason is Reason.CERTIFICATE_HOLD
        assert CertificateList(site.ca.delta(each.path)).lookup(serial) == held
    site.ca.resume(REGISTRAR, issued.serial)
    for each in (line, Line("intl-issuing")):
        assert listed(site, each).lookup(serial) is None
        told = CertificateList(site.ca.delta(each.path)).lookup(serial)
        assert told is not None
        assert told.reason is Reason.REMOVE_FROM_CRL
    site.ca.suspend(REGISTRAR, issued.serial)
    site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
    for each in (line, Line("intl-issuing")):
        now = listed(site, each)
        assert len(now) == 1
        found = now.lookup(serial)
        assert found is not None
        assert found.reason is Reason.KEY_COMPROMISE
    assert base.number < now.number


# --- deltas ----------------------------------------------------------------------------------------------------


def applied(base: CertificateList, difference: CertificateList) -> set[int]:
    """What a reader makes of a list it kept and a delta."""
    assert difference.delta_base is not None
    assert difference.delta_base <= base.number <= difference.number
    gone = {each for each in difference.serials if _reason(difference, each) is Reason.REMOVE_FROM_CRL}
    return (set(base.serials) | set(difference.serials)) - gone


def _reason(found: CertificateList, serial: int) -> Reason | None:
    what = found.lookup(serial)
    assert isinstance(what, Revoked)
    return what.reason


def test_any_list_since_the_base_and_the_delta_give_the_list_in_force(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the delta taken from the list before instead of its base."""
    monkeypatch.setattr(delta, "MOST", 4)
    whole, kept = Line("intl-issuing"), []
    made = several(site, 9)
    with pytest.raises(NoDelta):
        site.ca.delta(Line("sm-issuing").path)
    kept.append(listed(site, whole))
    for number, each in enumerate(made):
        if number == 2:
            site.ca.suspend(REGISTRAR, made[8].serial)
            kept.append(listed(site, whole))
            site.ca.resume(REGISTRAR, made[8].serial)
        site.ca.revoke(REGISTRAR, each.serial, "superseded")
        now, difference = listed(site, whole), CertificateList(site.ca.delta(whole.path))
        difference.verify(site.ca.certificate("intl-issuing"))
        assert (difference.number, difference.scope) == (now.number, now.scope)
        assert now.freshest == ()
        shard = line_of(site, each)
        assert [point.urls for point in listed(site, shard).freshest] == [
            (shard.delta_url(site.ctx.settings),)
        ]
        usable = [old for old in kept if old.number >= (difference.delta_base or 0)]
        assert usable
        assert len(difference) <= 6
        for old in usable:
            assert applied(old, difference) == set(now.serials)
        kept.append(now)


# --- who makes them --------------------------------------------------------------------------------------------


def test_the_number_decides_between_two_that_make_the_same_list(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stores second makes the next one; seen to fail with IntegrityError let through."""
    issuer = site.ctx.issuers.get("intl-issuing")
    before = listed(site, Line("intl-issuing")).number
    monkeypatch.setattr(crl, "leased", lambda *_: nullcontext())
    inside: list[int] = []

    def reached(name: str) -> None:
        if name == "ca.crl.2-signed" and not inside:
            inside.append(0)
            inside[0] = crl.renew(site.ctx, issuer).number

    listen(reached)
    try:
        made = crl.renew(site.ctx, issuer).number
    finally:
        listen(None)
    assert (inside[0], made) == (before + 1, before + 2)


def test_whoever_waited_takes_the_list_that_was_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without `_made_meanwhile`."""
    issuer = site.ctx.issuers.get("intl-issuing")
    before = listed(site, Line("intl-issuing")).number
    true = crl.leased

    @contextmanager
    def waited(*arguments: object) -> Iterator[None]:
        monkeypatch.setattr(crl, "leased", true)
        crl.renew(site.ctx, issuer)
        yield

    monkeypatch.setattr(crl, "leased", waited)
    assert crl.renew(site.ctx, issuer).number == before + 1
    assert listed(site, Line("intl-issuing")).number == before + 1


def test_a_dead_holder_of_the_lease_holds_nobody_up(site: Site) -> None:
    """The lease is for economy; the number is for safety."""
    line = Line("intl-issuing")
    before = listed(site, line).number
    until = site.clock.now() + timedelta(days=1)
    with site.store.housekeep() as session:
        row = session.get(LeaseRow, ("intl-issuing", 0))
        assert row is not None
        row.holder, row.until = "dead", until
    assert crl.renew(site.ctx, site.ctx.issuers.get("intl-issuing")).number == before + 1


@pytest.mark.parametrize("fault", ["number", "scope", "delta_base", "entries", "signature"])
def test_nothing_replaces_the_list_in_force_that_is_not_as_it_should_be(
    site: Site, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Seen to fail, for each fault, with both checks, of the list and of its delta, left out."""
    issued = site.ca.issue(REGISTRAR, site.request())
    line = line_of(site, issued)
    for _ in range(2):
        site.ca.crl(line.path)
        site.clock.advance(timedelta(hours=13))
    in_force = site.ca.crl(line.path)
    true = crl.build_crl

    def wrong(**parts: object) -> bytes:
        if fault == "signature":
            good = bytearray(true(**parts))  # type: ignore[arg-type]
            good[-5] ^= 1
            return bytes(good)
        other = {
            "number": CertificateList(in_force).number,
            "scope": None,
            "delta_base": 1,
            "entries": b"",
        }[fault]
        if fault == "entries":
            parts["revoked"] = ()
        return true(**{**parts, fault: other})  # type: ignore[arg-type]

    monkeypatch.setattr(crl, "build_crl", wrong)
    assert site.ca.revoke(REGISTRAR, issued.serial, "superseded").crl_number is None
    with pytest.raises(CrlNotNewer):
        site.ca.crl(line.path)
    monkeypatch.undo()
    with site.store.read() as session:
        newest = session.scalar(
            sa.select(sa.func.max(CrlRow.number)).where(
                CrlRow.shard == line.shard, CrlRow.authority == line.authority
            )
        )
    assert newest == CertificateList(in_force).number
    assert listed(site, line).number == CertificateList(in_force).number + 1


# --- what the database writes by itself --------------------------------------------------------------------------


def test_no_path_of_code_can_change_a_status_unseen(site: Site) -> None:
    """Seen to fail without the triggers: a bare UPDATE is on the next list, like any other revocation."""
    issued = site.ca.issue(REGISTRAR, site.request())
    line = line_of(site, issued)
    assert listed(site, line).serials == set()
    at = site.clock.now()
    change = sa.update(CertificateRow).where(CertificateRow.serial == issued.serial)
    with site.store.act(SYSTEM, "ca.revoke", "certificate:x") as act:
        act.session.execute(change.values(revoked_at=at, reason="keyCompromise"))
    assert listed(site, line).serials == {issued.certificate.serial}
    with site.store.read() as session:
        assert changes.newest(session, line) == changes.newest(session)
        row = session.scalars(sa.select(ChangeRow)).one()
    assert (row.serial, row.shard, row.reason) == (issued.serial, line.shard, "keyCompromise")
