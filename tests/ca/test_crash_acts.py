"""Acts killed with SIGKILL where their record is made and something is left to do: the next one, or the timer, does it.

Each test is seen to fail when the step it dies at is taken out: the process then ends by itself.
"""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ca.errors import AlreadyRevoked
from ca.keycheck.blocked import spki_digest
from ca.keycheck.models import BlockedKeyRow
from kms.escrow.errors import RecoveryUnknown
from kms.escrow.models import UserKeyRow
from tests.support.forked import run
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.status import CertificateList, Good, Revoked
from yinxin.crypto.suite import INTL

from .conftest import CLERK, OFFICER, REGISTRAR, Site
from .crasher import GIVEN, act, leave_words
from .test_crash import answered
from .test_pair import opened
from .test_recovery import Safe
from .test_registration import staffed, vetted  # noqa: F401 - a fixture
from .test_renew import asked, held

pytestmark = pytest.mark.engines("any")

Killed = Callable[..., Site]


@pytest.fixture
def killed(founded: Callable[..., Site]) -> Killed:
    """Has a process do one of `crasher.ACTS` and die at a step; gives the site as the next process finds it."""

    def kill(site: Site, name: str, step: str, *words: str, after: float = 0) -> Site:
        leave_words(site.folder, *words)
        site.keys.close()
        assert run(act, site.url, site.folder, name, step, after) == -signal.SIGKILL
        again = founded(recheck={"batch": 5})
        again.clock.advance(timedelta(seconds=after))
        return again

    return kill


def on_the_list(site: Site, serial: str) -> bool:
    return CertificateList(site.ca.crl("intl-issuing")).lookup(int(serial, 16)) is not None


def test_a_suspension_and_its_end_reach_the_list(site: Site, killed: Killed) -> None:
    serial = site.ca.issue(REGISTRAR, site.request()).serial
    site = killed(site, "suspend", "ca.suspend.1-recorded", serial)
    assert isinstance(answered(site, serial), Revoked)
    assert on_the_list(site, serial)
    site = killed(site, "resume", "ca.resume.1-recorded", serial)
    assert isinstance(answered(site, serial), Good)
    assert not on_the_list(site, serial)


def test_a_key_blocked_is_blocked_and_the_sweep_goes_on(site: Site, killed: Killed) -> None:
    key = PrivateKey.generate(INTL)
    serials = {site.ca.issue(REGISTRAR, site.request(f"r-{n}", key=key)).serial for n in range(2)}
    digest = spki_digest(key.public_key)
    site = killed(site, "block", "ca.block.1-recorded", digest)
    assert site.ca.blocklist.find(digest).by == OFFICER.id
    site = killed(site, "sweep", "ca.block.2-revoked", digest)
    (first,) = [row.serial for row in site.rows(spki_digest=digest) if row.revoked_at]
    swept = site.ca.blocklist.revoke_all(OFFICER, digest)
    assert set(swept.revoked) == serials - {first}
    with pytest.raises(AlreadyRevoked):
        site.ca.revoke(OFFICER, first, "keyCompromise")


def test_a_list_half_imported_is_imported_again(site: Site, killed: Killed) -> None:
    (site.folder / "weak").write_text("".join(f"{n:064x}\n" for n in range(2500)), "ascii")
    site = killed(site, "import", "ca.block.3-imported")

    def listed() -> int:
        with site.store.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(BlockedKeyRow)) or 0

    assert listed() == 2000
    assert site.ca.blocklist.load(OFFICER, site.folder / "weak") == 500
    assert listed() == 2500


def test_a_check_of_everything_looks_again_at_what_it_did_not_pass_over(site: Site, killed: Killed) -> None:
    site = killed(site, "recheck", "ca.recheck.2-kept")
    assert "recheck.certificates" not in site.ca.health().facts
    for _ in range(10):
        site.ca.recheck.tick()
    assert "recheck.certificates" in site.ca.health().facts


def test_a_renewal_asked_for_again_gives_the_one_and_ends_the_old(site: Site, killed: Killed) -> None:
    old = held(site, "intl")
    csr, word = asked(old)
    days = timedelta(days=31).total_seconds()
    site = killed(site, "renew", "ca.renew.3-issued", csr.hex(), word.hex(), after=days)
    (made,) = [row for row in site.rows(state="issued") if row.reference.startswith("renewal/")]
    assert site.ca.renew_own(csr, word, supersede=True).serial == made.serial
    (row,) = site.rows(serial=f"{old.certificate.serial:x}")
    assert row.reason == "superseded"


def test_an_application_approved_is_issued_by_the_timer(staffed: Site, killed: Killed) -> None:  # noqa: F811
    application = vetted(staffed)
    site = killed(staffed, "approve", "ca.approve.1-approved", application.id)
    assert site.ca.registrations.show(OFFICER, application.id).state == "approved"
    site.ca.tend_registrations()
    assert site.ca.registrations.show(OFFICER, application.id).state == "issued"


def standing(site: Site) -> list[tuple[str, str | None]]:
    with site.store.read() as session:
        rows = session.scalars(sa.select(UserKeyRow).order_by(UserKeyRow.id))
        return [(row.standing, row.reference) for row in rows]


def test_a_pool_half_filled_holds_nothing_that_is_not_on_record(site: Site, killed: Killed) -> None:
    site = killed(site, "fill", "kms.make-user-keys.1-made")
    assert standing(site) == []
    assert site.keys.escrow.fill() == len(standing(site)) > 0


def test_a_key_given_is_given_again_to_the_same_reference(site: Site, killed: Killed) -> None:
    site = killed(site, "give", "kms.give-user-key.1-given")
    assert standing(site) == [("in-use", GIVEN.reference)]
    assert site.keys.escrow.give(SYSTEM, GIVEN)
    assert len(standing(site)) == 1


@pytest.mark.parametrize("step", ["1-claimed", "2-carried-out", "3-recorded"])
def test_a_recovery_is_carried_out_once(site: Site, killed: Killed, step: str) -> None:
    safe = Safe.of(site)
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")
    safe.site = killed(site, "recover", f"authz.execute.{step}", id_)
    if step != "3-recorded":
        with pytest.raises(RecoveryUnknown):
            safe.site.keys.escrow.recovered(CLERK, id_)
        assert safe.execute(id_) == "executed"
    envelope = safe.site.keys.escrow.recovered(CLERK, id_)
    assert opened(safe.key, envelope, safe.new.signing).public_key == safe.old.encryption.public_key
    done = [each for each in safe.site.events("authz.execute") if each["outcome"] == "done"]
    assert len(done) == 1
