"""Suspension: in effect everywhere at once, lifted everywhere at once, and never forgotten."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.errors import CertificateRevoked as SignInRevoked
from authz.errors import SessionEnded
from authz.service import Authz
from authz.settings import AuthzSettings
from ca.check import evidence
from ca.errors import AlreadyRevoked, NotInForce, NotSuspended, UnderARoot, UnknownCertificate
from ca.models import HoldRow
from ca.status import crl
from kms.errors import HsmGone
from kms.sign import KeySigner
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.errors import CertificateRevoked
from yinxin.crypto.status import CertificateList, Good, Reason, Revoked
from yinxin.errors import YinxinError

from .conftest import AUDITOR, CLERK, OFFICER, REGISTRAR, ROOT, Site
from .test_faces import app, client, raw, run  # noqa: F401 - fixtures
from .test_status import gone, status

HOUR = timedelta(hours=1)


def listed(site: Site, serial: int) -> Revoked | None:
    return CertificateList(site.ca.crl("intl-issuing")).lookup(serial)


def at_once(times: int, act: Callable[[], object]) -> list[object]:
    """What came of `act` when it was done by so many threads together: answers, and types of refusals."""
    done: list[object] = []

    def once() -> None:
        try:
            done.append(act())
        except YinxinError as error:
            done.append(type(error))

    threads = [threading.Thread(target=once) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_a_suspension_holds_everywhere_until_it_is_lifted(site: Site) -> None:
    """Seen to fail with `restore_binding` left out, and with `holds_ended` left out of what a complete list is."""
    certificate = site.ca.issue(REGISTRAR, site.person()).certificate
    began = site.clock.now().replace(microsecond=0)
    site.ca.suspend(REGISTRAR, f"{certificate.serial:x}")
    held = Revoked(began, Reason.CERTIFICATE_HOLD)
    assert (status(site, certificate.serial), listed(site, certificate.serial)) == (held, held)
    with pytest.raises(CertificateRevoked):
        site.ca.checker.check(certificate, (), site.clock.now())
    assert site.ca.show(REGISTRAR, certificate.fingerprint).reason == "certificateHold"

    site.clock.advance(HOUR)
    lifted = site.ca.resume(REGISTRAR, certificate.fingerprint)
    assert (lifted.began.replace(microsecond=0), lifted.ended) == (began, site.clock.now())
    assert (status(site, certificate.serial), listed(site, certificate.serial)) == (Good(), None)
    site.ca.checker.check(certificate, (), site.clock.now())
    (row,) = site.rows(serial=f"{certificate.serial:x}")
    assert (row.revoked_at, row.reason, row.released_at) == (None, None, site.clock.now())


def test_the_list_is_made_anew_when_one_hold_ends_and_another_begins_meanwhile(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many entries as before, but others. Seen to fail when completeness counts the entries alone."""
    first = site.ca.issue(REGISTRAR, site.request("r-1")).certificate.serial
    second = site.ca.issue(REGISTRAR, site.request("r-2")).certificate.serial
    site.ca.suspend(REGISTRAR, f"{first:x}")
    with monkeypatch.context() as patched:
        patched.setattr(KeySigner, "sign", gone)
        assert site.ca.resume(REGISTRAR, f"{first:x}").crl_number is None
        assert site.ca.suspend(REGISTRAR, f"{second:x}").crl_number is None
        with pytest.raises(HsmGone):
            crl.current(site.ctx, "intl-issuing")
    assert listed(site, first) is None
    assert listed(site, second) is not None


def test_what_was_done_during_a_hold_stays_worthless(site: Site) -> None:
    """Seen to fail with `not_held` left out of `evidence`, and of the check."""
    certificate = site.ca.issue(REGISTRAR, site.person()).certificate
    moments = [site.clock.now()]
    for act in (site.ca.suspend, site.ca.resume):
        site.clock.advance(HOUR)
        act(REGISTRAR, certificate.fingerprint)
        site.clock.advance(HOUR)
        moments.append(site.clock.now())
    before, during, after = moments
    for fine in (before, after):
        assert evidence(site.ctx, certificate, fine).ocsp
        site.ca.checker.check(certificate, (), fine)
    for proof in (
        lambda: evidence(site.ctx, certificate, during),
        lambda: site.ca.checker.check(certificate, (), during),
    ):
        with pytest.raises(CertificateRevoked) as refused:
            proof()
        assert refused.value.facts["reason"] == Reason.CERTIFICATE_HOLD


def test_sessions_end_with_a_suspension_and_do_not_come_back(site: Site) -> None:
    """Seen to fail when `suspend_binding` leaves the sessions alone."""
    policies = {"authz": ROOT.parent / "authz" / "policies", "ca": ROOT / "policies"}
    authz = Authz(
        site.store,
        AuthzSettings(),
        site.ca.checker,
        policies,
        origins=("https://localhost",),
        keys=SoftwareKeys(),
        http=nobody_to_tell,
    )
    certificate = site.ca.issue(REGISTRAR, site.person()).certificate
    token, _ = authz.sign_in.by_tls(certificate.der)
    site.ca.suspend(REGISTRAR, certificate.fingerprint)
    with pytest.raises(SessionEnded):
        authz.sessions.authenticate(token)
    with pytest.raises(SignInRevoked):
        authz.sign_in.by_tls(certificate.der)
    site.ca.resume(REGISTRAR, certificate.fingerprint)
    with pytest.raises(SessionEnded):
        authz.sessions.authenticate(token)
    _, caller = authz.sign_in.by_tls(certificate.der)
    assert caller.actor.id == "zhang"


def test_a_hold_made_final_counts_from_its_beginning(site: Site) -> None:
    """Seen to fail when the revocation writes its own time."""
    certificate = site.ca.issue(REGISTRAR, site.person()).certificate
    began = site.clock.now()
    site.ca.suspend(REGISTRAR, certificate.fingerprint)
    site.clock.advance(HOUR)
    done = site.ca.revoke(OFFICER, certificate.fingerprint, "keyCompromise")
    assert done.revoked_at == began
    final = Revoked(began.replace(microsecond=0), Reason.KEY_COMPROMISE)
    assert (status(site, certificate.serial), listed(site, certificate.serial)) == (final, final)
    with pytest.raises(NotSuspended):
        site.ca.resume(OFFICER, certificate.fingerprint)
    with pytest.raises(AlreadyRevoked):
        site.ca.revoke(OFFICER, certificate.fingerprint, "superseded")
    with site.store.read() as session:
        hold = session.scalars(sa.select(HoldRow)).one()
    assert (hold.ended, hold.ended_by) == (site.clock.now(), OFFICER.id)


def test_of_eight_at_once_one_is_done(site: Site) -> None:
    name = site.ca.issue(REGISTRAR, site.person()).serial
    suspended = at_once(8, lambda: site.ca.suspend(REGISTRAR, name).serial)
    assert (suspended.count(name), suspended.count(NotInForce)) == (1, 7)
    resumed = at_once(8, lambda: site.ca.resume(REGISTRAR, name).serial)
    assert (resumed.count(name), resumed.count(NotSuspended)) == (1, 7)
    with site.store.read() as session:
        assert len(session.scalars(sa.select(HoldRow)).all()) == 1


@pytest.mark.parametrize("actor", [CLERK, AUDITOR])
def test_who_may_not_suspends_nothing(site: Site, actor: object) -> None:
    issued = site.ca.issue(REGISTRAR, site.person())
    for act in (site.ca.suspend, site.ca.resume):
        with pytest.raises(Denied):
            act(actor, issued.serial)
        assert site.events()[-1]["outcome"] == "refused"
    assert site.rows(serial=issued.serial)[0].revoked_at is None


def test_what_cannot_be_suspended_is_said(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.person())
    with pytest.raises(NotSuspended):
        site.ca.resume(REGISTRAR, issued.serial)
    with pytest.raises(UnknownCertificate):
        site.ca.suspend(OFFICER, "ff")
    with pytest.raises(UnderARoot):
        site.ca.suspend(OFFICER, site.ca.certificate("intl-issuing").fingerprint)
    site.ca.revoke(REGISTRAR, issued.serial, "superseded")
    with pytest.raises(NotInForce):
        site.ca.suspend(REGISTRAR, issued.serial)
    assert site.events()[-1]["error"] == NotInForce.code


def test_over_http_and_on_the_command_line(site: Site, client, run) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    serial = site.ca.issue(REGISTRAR, site.request()).serial
    ca = client("registrar").ca
    ca.suspend(serial)
    assert ca.certificate(serial).state == "suspended"
    assert [each.serial for each in ca.certificates(state="suspended")] == [serial]
    assert list(ca.certificates(state="revoked")) == []
    lifted = run("resume", "--serial", serial, "--json")
    assert lifted["ended"] == rfc3339(site.clock.now())
    assert run("suspend", "--serial", serial, "--json")["ended"] is None
    ca.resume(serial)
    assert ca.certificate(serial).state == "issued"
    since = ca.revoke(serial, "superseded")
    assert since == site.clock.now()
