"""Self-service renewal: the old key's word, once, in time, and for nothing but what there is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from authz.errors import CannotBind
from authz.models import AppointmentRow
from ca import Holder
from ca.cli import group as commands
from ca.enrolment.errors import RenewalDiffers
from ca.errors import ReferenceReused, UnknownCertificate
from ca.registration.errors import TooEarly
from kms.errors import HsmGone
from kms.sign import KeySigner
from yinxin.act import SYSTEM
from yinxin.crypto import cms
from yinxin.crypto.errors import BadSignature, CertificateRevoked, DigestMismatch, Expired
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, suite
from yinxin.errors import YinxinError
from yinxin.renewal import renewal_statement

from .conftest import OFFICER, REGISTRAR, Site
from .test_faces import Opened, app, client, raw  # noqa: F401 - fixtures
from .test_status import gone
from .test_suspend import at_once


def held(site: Site, name: str = "intl", **parts: Any) -> Identity:
    """Her key and certificate, within the time in which it is renewed."""
    key = PrivateKey.generate(suite(name))
    issued = site.ca.issue(
        REGISTRAR, site.person(f"old-{site.store.identifier()}", key=key, days=60, **parts)
    )
    site.clock.advance(timedelta(days=31))
    return Identity(key, issued.certificate, issued.chain)


def asked(old: Identity, key: PrivateKey | None = None, san: Any = ()) -> tuple[bytes, bytes]:
    """A request for `key`, a new one when there is none, and the old key's word for it."""
    csr = CertificationRequest.build(
        key or PrivateKey.generate(old.certificate.public_key.suite), {}, san
    ).der
    return csr, cms.sign_detached(old, renewal_statement(csr), signed_at=None)


def refused(site: Site, error: type[YinxinError], act: Callable[[], object]) -> None:
    before = len(site.rows(state="issued"))
    with pytest.raises(error):
        act()
    last = site.events()[-1]
    assert (last["outcome"], last["error"]) == ("refused", error.code)
    assert len(site.rows(state="issued")) == before


@pytest.mark.parametrize("name", ["intl", "sm"])
def test_a_person_renews_with_a_new_key(site: Site, name: str) -> None:
    old = held(site, name)
    csr, word = asked(old)
    issued = site.ca.renew_own(csr, word)
    assert issued.certificate.subject == old.certificate.subject
    assert issued.certificate.public_key == CertificationRequest(csr).public_key
    site.ca.checker.check(issued.certificate, (), site.clock.now())
    site.ca.checker.check(old.certificate, (), site.clock.now())
    intent = next(e for e in site.events("ca.issue") if e["facts"].get("reference", "").startswith("renewal/") and e["outcome"] == "intent")  # fmt: skip
    assert (intent["actor"]["id"], intent["actor"]["via"]) == ("zhang", "renewal")
    assert intent["decision"] == {"renews": f"{old.certificate.serial:x}"}


def test_one_successor_however_often_it_is_asked_for(site: Site) -> None:
    """Seen to fail when the reference holds anything but the old serial number."""
    old = held(site)
    csr, word = asked(old)
    outcomes = at_once(8, lambda: site.ca.renew_own(csr, word).serial)
    serials = {each for each in outcomes if isinstance(each, str)}
    assert len(serials) == 1
    assert {site.ca.renew_own(csr, word).serial} == serials
    refused(site, ReferenceReused, lambda: site.ca.renew_own(*asked(old)))


def test_the_same_key_may_be_kept(site: Site) -> None:
    old = held(site)
    assert isinstance(old.key, PrivateKey)
    issued = site.ca.renew_own(*asked(old, old.key), supersede=True)
    assert issued.certificate.public_key == old.certificate.public_key
    # nothing was superseded: the key is the same
    site.ca.checker.check(old.certificate, (), site.clock.now())


def test_a_replaced_key_is_superseded_when_she_wants(site: Site) -> None:
    old = held(site)
    csr, word = asked(old)
    site.ca.renew_own(csr, word, supersede=True)
    (row,) = site.rows(serial=f"{old.certificate.serial:x}")
    assert row.reason == "superseded"
    # the word of a certificate that is revoked by now counts no more
    refused(site, CertificateRevoked, lambda: site.ca.renew_own(csr, word, supersede=True))


def test_too_early_or_too_late(site: Site) -> None:
    key = PrivateKey.generate(INTL)
    issued = site.ca.issue(REGISTRAR, site.person("old", key=key, days=60))
    old = Identity(key, issued.certificate, issued.chain)
    site.clock.advance(timedelta(days=29))
    refused(site, TooEarly, lambda: site.ca.renew_own(*asked(old)))
    site.clock.advance(timedelta(days=32))
    refused(site, Expired, lambda: site.ca.renew_own(*asked(old)))


def test_who_is_suspended_revoked_or_gone_renews_nothing(site: Site) -> None:
    """Seen to fail when `standing` is not asked."""
    old = held(site)
    site.ca.suspend(REGISTRAR, old.certificate.fingerprint)
    refused(site, CertificateRevoked, lambda: site.ca.renew_own(*asked(old)))
    site.ca.resume(REGISTRAR, old.certificate.fingerprint)
    with site.store.act(SYSTEM, "test.end", "x") as act:
        act.session.execute(sa.update(AppointmentRow).where(AppointmentRow.person == "zhang").values(valid_to=site.clock.now()))  # fmt: skip
    refused(site, CannotBind, lambda: site.ca.renew_own(*asked(old)))
    site.ca.revoke(REGISTRAR, old.certificate.fingerprint, "keyCompromise")
    refused(site, CertificateRevoked, lambda: site.ca.renew_own(*asked(old)))


def test_nobody_renews_for_another(site: Site) -> None:
    old = held(site)
    csr, word = asked(old)
    other, _ = asked(old)
    refused(site, DigestMismatch, lambda: site.ca.renew_own(other, word))
    # signed by a key that only claims the certificate
    refused(site, BadSignature, lambda: site.ca.renew_own(csr, word[:-1] + bytes([word[-1] ^ 1])))


def test_a_certificate_of_nobody_we_know_is_no_word(site: Site) -> None:
    from ca.bulk.keys import placeholder

    key = PrivateKey.generate(INTL)
    stranger = Identity(key, placeholder(key, "x", site.clock.now()), ())
    refused(site, UnknownCertificate, lambda: site.ca.renew_own(*asked(stranger)))


def test_a_service_keeps_its_names_and_gets_no_others(site: Site) -> None:
    """Seen to fail when the names of the request are taken."""
    key = PrivateKey.generate(INTL)
    san = [("dns", "a.example.gov.cn")]
    asked_for = site.request("s", key=key, days=60, holder=Holder("service", "a", None, "county-a"))
    issued = site.ca.issue(OFFICER, asked_for)
    old = Identity(key, issued.certificate, issued.chain)
    site.clock.advance(timedelta(days=31))
    refused(
        site, RenewalDiffers, lambda: site.ca.renew_own(*asked(old, san=[*san, ("dns", "b.example.gov.cn")]))
    )
    renewed = site.ca.renew_own(*asked(old)).certificate
    assert (renewed.san, renewed.subject) == (old.certificate.san, old.certificate.subject)


def test_over_http_without_a_session(site: Site, client: Callable[[str], Any]) -> None:  # noqa: F811
    old = held(site)
    renewed = client("nobody").ca.renew(old, PrivateKey.generate(INTL), supersede=True)
    assert renewed.certificate.subject == old.certificate.subject
    assert site.rows(serial=f"{old.certificate.serial:x}")[0].reason == "superseded"
    with pytest.raises(TooEarly):
        client("nobody").ca.renew(renewed, PrivateKey.generate(INTL))


def test_on_the_command_line_cut_off_and_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, password = held(site), tmp_path / "password"
    password.write_text("secret")
    old.save_p12(tmp_path / "old.p12", "secret")

    def run() -> Any:
        opened = Opened(site)
        opened.identity, opened.password_file = tmp_path / "old.p12", password  # type: ignore[attr-defined]
        return CliRunner().invoke(commands, ["renew", "--out", str(tmp_path / "new.p12")], obj=opened)

    with monkeypatch.context() as patched:
        patched.setattr(KeySigner, "sign", gone)
        assert isinstance(run().exception, HsmGone)
    done = run()
    assert done.exception is None, done.exception
    new = Identity.load_p12(tmp_path / "new.p12", "secret")
    site.ca.checker.check(new.certificate, (), site.clock.now())
    assert len(site.rows(holder="zhang", state="issued")) == 2
    assert sorted(each.name for each in tmp_path.glob("*.p12*")) == ["new.p12", "old.p12"]
