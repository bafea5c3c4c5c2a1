"""The re-check: everything in order is found in order, and whatever is tampered with in the tables is named."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from ca.ceremony.order import Party, order_for
from ca.cli import group as commands
from ca.errors import RecheckFound
from ca.issue import carry_out
from ca.lint.lists import list_findings
from ca.models import CertificateRow, ProfileRow, State
from ca.recheck.judge import LABEL
from ca.recheck.models import FindingRow, PassRow
from ca.status import crl
from ca.status.line import Line
from ca.status.models import CrlRow
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.status import CertificateList, Reason, Revoked, build_crl
from yinxin.crypto.suite import suite
from yinxin.crypto.tbs import assemble, throwaway_sign

from .asking import WANTED, made
from .conftest import CLERK, OFFICER, REGISTRAR, Site
from .test_constraints import Opened

pytestmark = pytest.mark.engines("any")


def tamper(site: Site, serial: str, **values: Any) -> None:
    """As somebody would who writes past the platform, straight into the table."""
    with site.store.engine.begin() as connection:
        changed = sa.update(CertificateRow.__table__).where(CertificateRow.serial == serial)
        assert connection.execute(changed.values(**values)).rowcount == 1


def faults(site: Site) -> dict[str, str]:
    site.ca.recheck.run(OFFICER)
    return {each.subject: each.faults for each in site.ca.recheck.found()}


def test_everything_that_the_platform_makes_is_in_order(site: Site) -> None:
    """Both hierarchies, every profile in both suites, a host without a dot, a revocation, lists and shards.

    The host's name seen to fail with its finding not passed over.
    """
    for name in WANTED:
        for suite_name in ("intl", "sm"):
            made(site, name, suite_name)
    site.ca.issue(REGISTRAR, site.request("one-label", san=[("dns", "localhost")], subject={}))
    site.ca.revoke(REGISTRAR, made(site, "tls-server", reference="x").serial, "superseded")
    site.ca.renew_lists()
    assert faults(site) == {}
    site.ca.recheck.sound()
    with site.store.read() as session:
        checked = {row.what: row.checked for row in session.scalars(sa.select(PassRow))}
    assert checked["certificates"] == len(site.rows())
    assert checked["lists"] > 0


def test_an_outside_authority_identifies_its_key_as_it_likes(site: Site) -> None:
    """RFC 5280 4.2.1.2 says how it may be done, not how it must. Seen to fail with the identifier always derived."""
    key = PrivateKey.generate(suite("intl")).public_key
    name = Name.of({"countryName": "CN", "organizationName": "示范国", "commonName": "示范根"})
    party = Party(key, name, key.key_id.hex(), b"as it likes")
    issuer = site.ctx.issuers.issuing("intl-root")
    order = order_for(party, site.ctx.profiles["cross"], issuer.name, "test/cross")
    carry_out(site.ctx, SYSTEM, order, issuer)
    assert faults(site) == {}


def resigned(certificate: Certificate, edit: Callable[[list[bytes]], None]) -> bytes:
    """The certificate with other fields, under a signature of somebody else's."""
    parts = der.elements(certificate.tbs)
    edit(parts)
    return throwaway_sign(der.sequence(*parts), certificate.signature_algorithm)


def flip(octets: bytes, at: int = -1) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (lambda c: {"der": flip(c.der)}, "signature: "),
        (lambda c: {"der": c.der[:-3]}, "der: "),
        (lambda c: {"der": throwaway_sign(c.tbs, c.signature_algorithm)}, "signature: "),
        (lambda c: {"fingerprint": "0" * 64}, "fingerprint: "),
        (lambda c: {"tbs": flip(c.tbs)}, "tbs: "),
        (lambda c: {"lint_certificate": c.issuer.der}, "lint_certificate: "),
        (lambda c: {"lint_certificate": resigned(c, lambda p: p.__setitem__(1, der.integer(5)))}, "lint_certificate: "),
        (lambda c: {"not_after": c.not_after + timedelta(days=1)}, "not_after: "),
        (lambda c: {"not_before": c.not_before - timedelta(days=1)}, "not_before: "),
        (lambda c: {"subject": "CN=somebody else"}, "subject: "),
        (lambda c: {"spki_digest": "0" * 64}, "spki_digest: "),
        (lambda c: {"profile": "tls-client"}, "profile: "),
        (lambda c: {"authority": "sm-issuing"}, "signature: "),
        (lambda c: {"der": resigned(c, lambda p: p.__setitem__(1, der.integer(1 << 128 | 5)))}, "serial: "),
        (lambda c: {"der": resigned(c, lambda p: p.__setitem__(7, der.explicit(3, der.sequence(*_but_key_usage(c)))))}, "lint: RFC 5280 4.2.1.3"),
        (lambda c: {"der": resigned(c, lambda p: p.__setitem__(7, der.explicit(3, der.sequence(*_but_issuer_key(c)))))}, "pkilint: "),
        (lambda c: {"state": State.ABANDONED, "revoked_at": None, "der": None, "fingerprint": None}, "state: "),
    ],
)  # fmt: skip
def test_what_is_tampered_with_is_named(
    site: Site, values: Callable[[Certificate], dict[str, Any]], named: str
) -> None:
    """Each but `der` and `authority` seen to fail with its line taken out of `ca.recheck.certificate`."""
    issued = made(site, "tls-server")
    tamper(site, issued.serial, **values(issued.certificate))
    found = faults(site)
    assert set(found) == {f"certificate:{issued.serial}"}
    assert any(each.startswith(named) for each in found[f"certificate:{issued.serial}"].split("; "))


def _but_key_usage(certificate: Certificate) -> list[bytes]:
    return [each.der for oid, each in certificate.extensions.items() if oid != oids.KEY_USAGE]


def _but_issuer_key(certificate: Certificate) -> list[bytes]:
    return [each.der for oid, each in certificate.extensions.items() if oid != oids.AUTHORITY_KEY_ID]


def test_a_profile_whose_stored_text_changed_is_named_with_all_its_certificates(site: Site) -> None:
    issued = made(site, "tls-server")
    (row,) = site.rows(serial=issued.serial)
    with site.store.engine.begin() as connection:
        stored = sa.update(ProfileRow.__table__).where(ProfileRow.hash == row.profile_hash)
        connection.execute(stored.values(data=site.ctx.profiles["tls-client"].data))
    assert "profile_hash: " in faults(site)[f"certificate:{issued.serial}"]


@pytest.mark.parametrize("name", ["-a", "a-", "1234", "a_b", "a" * 64, "a b"])
def test_what_is_no_label_is_still_named(name: str) -> None:
    """Seen to fail with every name without a dot passed over."""
    assert not LABEL.fullmatch(name)


def test_a_fault_that_is_put_right_leaves_the_list_and_both_are_recorded(site: Site) -> None:
    """However often it is seen in between. Seen to fail with each sight recorded."""
    issued = made(site, "tls-server")
    subject = f"certificate:{issued.serial}"
    tamper(site, issued.serial, subject="CN=somebody else")
    assert subject in faults(site)
    (first,) = site.ca.recheck.found()
    site.clock.advance(timedelta(hours=25))
    assert subject in faults(site)
    (again,) = site.ca.recheck.found()
    assert (again.first_seen, again.last_seen > first.last_seen) == (first.first_seen, True)
    with pytest.raises(RecheckFound) as found:
        site.ca.recheck.sound()
    assert found.value.facts["subject"] == subject
    health = site.ca.health()
    assert not health.ok
    assert subject in health.text.zh
    tamper(site, issued.serial, subject=issued.certificate.subject.text)
    assert faults(site) == {}
    assert site.ca.health().ok
    assert "recheck.certificates" in site.ca.health().facts
    told = [event["facts"]["faults"] for event in site.events("ca.recheck") if event["subject"] == subject]
    assert [bool(each) for each in told] == [True, False]


def test_intents_are_reconciled_before_a_pass(site: Site) -> None:
    issued = made(site, "tls-server")
    tamper(site, issued.serial, state=State.INTENT, der=None, fingerprint=None)
    site.clock.advance(timedelta(minutes=5))
    assert faults(site) == {}
    (row,) = site.rows(serial=issued.serial)
    assert (row.state, row.revoked_at is not None) == (State.ABANDONED, True)


@pytest.mark.engines("both")
def test_the_timer_goes_through_everything_in_bounded_batches_and_goes_on_where_it_was(
    founded: Callable[..., Site],
) -> None:
    """The next batch goes on where the last one ended."""
    site = founded(recheck={"batch": 5})
    total = len(site.rows())
    assert total > 10
    seen = []
    for _ in range(total // 5 + 2):
        site.ca.recheck.tick()
        with site.store.read() as session:
            row = session.get_one(PassRow, "certificates")
            seen.append(row.checked)
    assert seen[:2] == [5, 10]
    assert (seen[-1], row.cursor, row.ended is not None) == (total, "", True)
    began = row.began
    site.ca.recheck.tick()
    with site.store.read() as session:
        assert session.get_one(PassRow, "certificates").began == began
    site.clock.advance(timedelta(hours=25))
    site.ca.recheck.tick()
    with site.store.read() as session:
        assert session.get_one(PassRow, "certificates").checked == 5


def test_a_certificate_that_was_there_before_a_rule_alarms_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named; what else is wrong with it, or with one that was made by that rule, is a fault.

    Seen to fail with every rule held to be as old as any, with the date left out, and with the later faults first.
    """
    monkeypatch.setattr("ca.naming.text_fault", lambda _: None)
    monkeypatch.setattr("ca.lint.rfc5280.text_fault", lambda _: None)
    old, other = (
        made(site, "tls-client", reference=each, subject={"commonName": "a\u3164b"}) for each in "ab"
    )
    monkeypatch.undo()
    site.clock.advance(timedelta(hours=1))
    found = faults(site)
    assert set(found) == {f"certificate:{each.serial}" for each in (old, other)}
    assert all(each.startswith("later rule: lint: RFC 5280 7.1") for each in found.values())
    site.ca.recheck.sound()
    assert site.ca.health().facts["recheck.later_rules"] == "2"
    tamper(site, other.serial, subject="CN=somebody else")
    assert faults(site)[f"certificate:{other.serial}"].startswith("subject: ")
    with pytest.raises(RecheckFound) as raised:
        site.ca.recheck.sound()
    assert (raised.value.facts["count"], raised.value.facts["subject"]) == (1, f"certificate:{other.serial}")
    tamper(site, other.serial, subject=other.certificate.subject.text)
    # as if it had been made since, past the rule
    tamper(site, old.serial, created=site.clock.now())
    assert faults(site)[f"certificate:{old.serial}"].startswith("lint: ")


def test_the_report_says_when_nothing_was_checked_yet(site: Site) -> None:
    """Seen to fail: it told of 0 that were checked and 0 at fault."""

    def report() -> Any:
        return CliRunner().invoke(commands, ["recheck", "--report"], obj=Opened(site, OFFICER))

    assert "no pass has ended yet, 0 found" in report().output
    site.ca.recheck.run(OFFICER)
    assert (
        f"the last pass ended {site.ca.recheck.facts()['recheck.certificates']}, 0 at fault"
        in report().output
    )


# --- lists -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (lambda row: {"der": flip(row.der)}, "list: [crypto.bad_signature]"),
        (lambda row: {"der": row.der[:-2]}, "list: [crypto."),
        (lambda row: {"entries": row.entries + 1}, "list: entries: "),
        (lambda row: {"this_update": row.this_update - timedelta(hours=1)}, "list: this_update: "),
        (lambda row: {"next_update": row.next_update + timedelta(hours=1)}, "list: next_update: "),
    ],
)
def test_a_list_that_is_tampered_with_is_named(
    site: Site, values: Callable[[CrlRow], dict[str, Any]], named: str
) -> None:
    crl.current(site.ctx, "intl-issuing")
    with site.store.read() as session:
        query = sa.select(CrlRow).options(sa.orm.undefer(CrlRow.der))
        wanted = query.where(CrlRow.authority == "intl-issuing", CrlRow.shard == 0, CrlRow.der.is_not(None))
        row = session.scalars(wanted.order_by(CrlRow.number.desc())).first()
        assert row is not None
    with site.store.engine.begin() as connection:
        one = sa.and_(
            CrlRow.authority == row.authority, CrlRow.shard == row.shard, CrlRow.number == row.number
        )
        connection.execute(sa.update(CrlRow.__table__).where(one).values(**values(row)))
    found = faults(site)
    assert list(found) == [f"list:intl-issuing:0:{row.number}"]
    assert found[f"list:intl-issuing:0:{row.number}"].startswith(named)


def crafted(
    site: Site, edit: Callable[[list[bytes]], None], **parts: Any
) -> tuple[CertificateList, Certificate]:
    """A list of the issuing authority with other fields, signed by its own key."""
    own = site.ca.certificate("intl-issuing")
    signer = site.ctx.issuers.get("intl-issuing").signer()
    at = site.clock.now().replace(microsecond=0)
    given = {"number": 7, "this_update": at, "next_update": at + timedelta(hours=1), **parts}
    fields = der.elements(der.elements(build_crl(signer=signer, issuer=own, **given))[0])
    edit(fields)
    tbs = der.sequence(*fields)
    return CertificateList(assemble(tbs, own.signature_algorithm, signer.sign(tbs))), own


def extended(edit: Callable[[list[Extension]], list[Extension]]) -> Callable[[list[bytes]], None]:
    def change(fields: list[bytes]) -> None:
        listed = [Extension.read(each) for each in der.elements(der.content(fields[-1]))]
        fields[-1] = der.explicit(0, der.sequence(*(each.der for each in edit(listed))))

    return change


def nothing(_: list[bytes]) -> None:
    """As the platform makes it."""


def entry(serial: int, reason: Reason | None = None, **moved: float) -> Callable[[Site], dict[str, Any]]:
    return lambda site: {
        "revoked": [(serial, Revoked(site.clock.now().replace(microsecond=0) + timedelta(**moved), reason))]
    }


BROKEN: list[tuple[str, Callable[[list[bytes]], None], Callable[[Site], dict[str, Any]]]] = [
    ("5.1.2.3", lambda fields: fields.__setitem__(2, der.sequence()), lambda _: {}),
    ("5.1.2.4", nothing, lambda site: {"next_update": site.clock.now().replace(microsecond=0)}),
    ("5.1.2.4", lambda fields: fields.__setitem__(4, der.tlv(0x18, b"20400101000000Z")), lambda _: {}),
    ("5.1.2.6", lambda fields: fields.insert(5, der.sequence()), lambda _: {}),
    ("5.2.1", extended(lambda listed: listed[1:]), lambda _: {}),
    ("5.2.3", nothing, lambda _: {"number": 1 << 160}),
    ("5.2.4", nothing, lambda _: {"delta_base": 7}),
    ("5.2", extended(lambda listed: [*listed, Extension("1.2.3.4", False, der.null())]), lambda _: {}),
    ("5.2", extended(lambda listed: [Extension(each.oid, True, each.value) for each in listed]), lambda _: {}),
    ("5.3", nothing, entry(5, hours=2)),
    ("5.3", nothing, lambda site: {"revoked": [*entry(5)(site)["revoked"], *entry(5)(site)["revoked"]]}),
    ("5.3", nothing, entry(5, Reason.REMOVE_FROM_CRL)),
]  # fmt: skip


def test_every_rule_about_lists_can_fail(site: Site) -> None:
    good, own = crafted(site, nothing, **entry(5, Reason.KEY_COMPROMISE)(site))
    assert list_findings(good, own, entries=True) == ()
    for position, (clause, edit, parts) in enumerate(BROKEN):
        made_, issuer = crafted(site, edit, **parts(site))
        found = [each.clause for each in list_findings(made_, issuer, entries=True)]
        assert any(each.startswith(f"RFC 5280 {clause}") for each in found), (
            f"BROKEN[{position}] {clause}: {found}"
        )
    other = site.ca.certificate("sm-issuing")
    assert "RFC 5280 5.1.1.2" in [each.clause for each in list_findings(good, other)]


def test_every_list_in_force_keeps_the_rules(site: Site) -> None:
    made(site, "tls-server")
    for name in site.ca.authorities():
        for shard in (0, 1) if name.endswith("issuing") else (0,):
            published = crl.in_force(site.ctx, Line(name, shard))
            for encoded in filter(None, (published.der, published.delta)):
                assert list_findings(CertificateList(encoded), site.ca.certificate(name), entries=True) == ()


# --- command ---------------------------------------------------------------------------------------------------


def test_the_command_tells_what_is_wrong_by_its_exit_status(site: Site) -> None:
    def run(*arguments: str, person: Any = OFFICER) -> Any:
        return CliRunner().invoke(commands, ["recheck", *arguments], obj=Opened(site, person))

    issued = made(site, "tls-server")
    fine = run("--json")
    assert (fine.exit_code, json.loads(fine.output)["found"]) == (0, [])
    tamper(site, issued.serial, subject="CN=somebody else")
    bad = run("--json")
    answer = json.loads(bad.output)
    assert (bad.exit_code, [each["subject"] for each in answer["found"]]) == (
        RecheckFound.exit,
        [f"certificate:{issued.serial}"],
    )
    assert bad.exit_code != 0
    assert run("--report").exit_code == RecheckFound.exit
    assert issued.serial in run("--report").output
    assert isinstance(run(person=CLERK).exception, Denied)
    with site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(FindingRow)) == 1
