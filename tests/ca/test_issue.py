"""Issuance: what is granted, what is refused and recorded, and that nothing is signed, stored or handed out out of turn."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

import ca.issue
import ca.prepare
from authz.errors import CannotBind
from authz.models import CertificateBinding
from ca.errors import (
    CompromisedKey,
    IntentLost,
    IssuanceUnderWay,
    KeyInUse,
    LintFailed,
    Misissued,
    NoSerial,
    ReferenceReused,
    TokenForeign,
    TokenSpent,
)
from ca.issuer import Issuer
from ca.models import CertificateRow, ProfileRow
from ca.prepare import Prepared, prepare
from ca.request import examine
from ca.sign import sign
from kms import KeyCentre
from kms.engine.local import LocalEngine
from kms.errors import FaultySignature, HsmGone
from kms.sign import KeySigner
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey, PublicKey, Signer, verified_by
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.randomness import SystemRandomness

from .conftest import OFFICER, REGISTRAR, Site


def last(site: Site) -> dict[str, object]:
    return site.events()[-1]


# --- granted ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_a_person_is_certified_in_the_name_on_record(site: Site, suite: str) -> None:
    issued = site.ca.issue(REGISTRAR, site.person(suite=suite))
    assert issued.certificate.subject.pairs == (
        ("countryName", "CN"),
        ("organizationName", "子县人民政府"),
        ("organizationalUnitName", "经办岗"),
        ("commonName", "张喆"),
        ("serialNumber", "zhang"),
    )
    root = site.ca.certificate(f"{suite}-root")
    validate(
        issued.certificate,
        issued.chain,
        [root],
        at=site.clock.now(),
        usage=Usage.CLIENT,
        require_revocation=False,
    )
    with site.store.read() as session:
        binding = session.get_one(CertificateBinding, issued.certificate.fingerprint)
    assert (binding.person, binding.post, binding.serial) == ("zhang", "clerk-a", issued.serial)


def test_intent_and_issue_are_recorded_with_decision_and_profile(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.person())
    intent, done = [
        each for each in site.events("ca.issue") if each["subject"] == f"certificate:{issued.serial}"
    ]
    assert (intent["outcome"], done["outcome"]) == ("intent", "done")
    assert intent["decision"]["policies"] == ["ca.registration-officer"]
    assert intent["actor"]["id"] == "wu"
    assert done["facts"]["fingerprint"] == issued.certificate.fingerprint
    (row,) = site.rows(serial=issued.serial)
    with site.store.read() as session:
        assert session.get_one(ProfileRow, row.profile_hash).data == site.ctx.profiles["person-signing"].data
    assert row.tbs == Certificate(row.lint_certificate).tbs == issued.certificate.tbs
    assert "张" not in str(site.events("ca.issue"))


def test_a_server_gets_the_names_it_asked_for(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.request(san=[("dns", "A.example.gov.cn"), ("ip", "10.0.0.7")]))
    assert issued.certificate.san == (("dns", "a.example.gov.cn"), ("ip", "10.0.0.7"))
    (row,) = site.rows(serial=issued.serial)
    assert issued.certificate.crl_urls == (f"http://127.0.0.1:8080/crl/intl-issuing/{row.shard}.crl",)
    assert issued.certificate.ocsp_urls == ("http://127.0.0.1:8080/ocsp",)
    assert issued.certificate.serial.bit_length() <= 136
    assert issued.certificate.serial >> 128 == site.ctx.settings.node


def test_openssl_makes_a_request_and_verifies_the_answer(site: Site) -> None:
    folder = site.folder
    openssl("req", "-new", "-newkey", "rsa:3072", "-nodes", "-keyout", folder / "k.pem", "-out", folder / "r.pem", "-subj", "/CN=a.example.gov.cn", "-addext", "subjectAltName=DNS:a.example.gov.cn")  # fmt: skip
    issued = site.ca.issue(REGISTRAR, site.request(csr=(folder / "r.pem").read_bytes()))
    (folder / "c.pem").write_text(issued.certificate.pem)
    openssl("verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.example.gov.cn", "-CAfile", folder / "trust" / "intl.root.pem", "-untrusted", folder / "trust" / "intl.issuing.pem", folder / "c.pem")  # fmt: skip


def test_the_same_reference_gives_the_same_certificate(site: Site) -> None:
    key = PrivateKey.generate(INTL)
    first = site.ca.issue(REGISTRAR, site.request("again", key=key))
    # a new request for the same things: the signature in it differs
    second = site.ca.issue(REGISTRAR, site.request("again", key=key))
    assert first.certificate == second.certificate
    with pytest.raises(ReferenceReused) as refused:
        site.ca.issue(REGISTRAR, site.request("again", key=key, days=30))
    assert refused.value.facts["serial"] == first.serial
    assert last(site)["outcome"] == "refused"


def test_eight_at_once_under_one_reference_give_one_certificate(site: Site) -> None:
    request = site.request("at-once")
    certificates: set[str] = set()
    refused: list[YinxinError] = []

    def ask() -> None:
        try:
            certificates.add(site.ca.issue(REGISTRAR, request).serial)
        except YinxinError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(error, IssuanceUnderWay) and error.retryable for error in refused)
    assert len(certificates) == 1
    assert [row.state for row in site.rows(reference="at-once")] == ["issued"]


def test_a_holder_renews_with_the_same_key_and_nobody_else_uses_it(site: Site) -> None:
    key = PrivateKey.generate(INTL)
    first = site.ca.issue(REGISTRAR, site.person("p-1", key=key))
    renewed = site.ca.issue(REGISTRAR, site.person("p-2", key=key))
    assert renewed.serial != first.serial
    with pytest.raises(KeyInUse):
        site.ca.issue(OFFICER, site.person("p-3", "li", "clerk-b", key=key))


def test_a_compromised_key_is_never_certified_again(site: Site) -> None:
    key = PrivateKey.generate(SM)
    first = site.ca.issue(REGISTRAR, site.person("p-1", key=key))
    site.ca.revoke(REGISTRAR, first.serial, "keyCompromise")
    with pytest.raises(CompromisedKey):
        site.ca.issue(REGISTRAR, site.person("p-2", key=key))


# --- serial numbers --------------------------------------------------------------------------------------------


class Colliding(SystemRandomness):
    """A random source that gives `stuck` as every serial number, `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def token(self, size: int) -> bytes:
        if size == 16 and self.times > 0:
            self.times -= 1
            return b"\7" * 16
        return super().token(size)


def test_a_colliding_serial_number_is_chosen_again(founded: Callable[..., Site]) -> None:
    site = founded(randomness=Colliding(2))
    first = site.ca.issue(REGISTRAR, site.request("one"))
    second = site.ca.issue(REGISTRAR, site.request("two"))
    assert first.serial == "1" + "07" * 16
    assert second.serial != first.serial


def test_a_broken_random_source_is_a_clean_refusal(founded: Callable[..., Site]) -> None:
    site = founded(randomness=Colliding(99))
    site.ca.issue(REGISTRAR, site.request("one"))
    with pytest.raises(NoSerial):
        site.ca.issue(REGISTRAR, site.request("two"))
    assert [row.reference for row in site.rows(serial="1" + "07" * 16)] == ["one"]
    assert site.rows(reference="two") == []
    assert last(site)["error"] == NoSerial.code


# --- between the steps -----------------------------------------------------------------------------------------


def test_what_fails_the_lint_is_not_signed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    true = ca.prepare.to_be_signed
    monkeypatch.setattr(
        ca.prepare, "to_be_signed", lambda template, **parts: true(template, **{**parts, "serial": 5})
    )
    monkeypatch.setattr(KeySigner, "sign", lambda *_: pytest.fail("the security module was asked"))
    before = len(site.rows())
    with pytest.raises(LintFailed) as refused:
        site.ca.issue(REGISTRAR, site.request())
    assert "profile: serial" in refused.value.facts["findings"]
    assert len(site.rows()) == before
    assert last(site)["error"] == LintFailed.code


def prepared(site: Site) -> tuple[Prepared, Issuer]:
    order = examine(site.request(), site.ctx.profiles["tls-server"], site.ctx.register, site.ctx.settings)
    issuer = site.ctx.issuers.get("intl-issuing")
    return prepare(order, issuer, site.ctx.settings, site.clock, site.randomness), issuer


def test_a_lint_token_is_redeemed_once(site: Site) -> None:
    ready, issuer = prepared(site)
    sign(ready, issuer)
    with pytest.raises(TokenSpent):
        sign(ready, issuer)


def test_a_lint_token_belongs_to_its_octets_and_its_issuer(site: Site) -> None:
    ready, issuer = prepared(site)
    for position in range(0, len(ready.tbs), 7):
        octets = bytearray(ready.tbs)
        octets[position] ^= 1
        with pytest.raises(TokenForeign):
            ready.cleared.redeem(bytes(octets), issuer)
    with pytest.raises(TokenForeign):
        ready.cleared.redeem(ready.tbs, site.ctx.issuers.get("sm-issuing"))
    assert ready.cleared.redeem(ready.tbs, issuer) == ready.tbs


def test_a_security_module_that_signs_something_else_is_caught(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = LocalEngine.sign
    digest = INTL.hash.digest(b"something else")
    monkeypatch.setattr(LocalEngine, "sign", lambda self, key, _asked: true(self, key, digest))
    with pytest.raises(FaultySignature):
        site.ca.issue(REGISTRAR, site.request())
    (row,) = site.rows(reference="r-1")
    assert (row.state, row.der, row.revoked_at) == ("abandoned", None, site.clock.now())


def test_the_authority_verifies_what_the_key_centre_took_on_the_tokens_word(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when `KeySigner.verified_by` names its key all the same."""
    true = LocalEngine.sign
    digest = INTL.hash.digest(b"something else")
    monkeypatch.setattr(KeyCentre, "_trusted", lambda *_: True)
    monkeypatch.setattr(LocalEngine, "sign", lambda self, key, _asked: true(self, key, digest))
    with pytest.raises(Misissued):
        site.ca.issue(REGISTRAR, site.request())
    (row,) = site.rows(reference="r-1")
    assert (row.state, row.der) == ("abandoned", None)


class Signing:
    """A signer that signs something else, and says of itself what it is told to say."""

    def __init__(self, key: Signer, **claims: PublicKey) -> None:
        self.public_key = key.public_key
        self._key = key
        vars(self).update(claims)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message + b"!")


@pytest.mark.parametrize("claims", [{}, {"verified_by": PrivateKey.generate(INTL).public_key}])
def test_a_signer_that_does_not_verify_by_the_authority_s_key_has_its_signature_verified(
    site: Site, claims: dict[str, PublicKey]
) -> None:
    """Seen to fail when every signer, or one that verifies by any key at all, is believed."""
    ready, issuer = prepared(site)
    with pytest.raises(Misissued):
        sign(ready, replace(issuer, signer=lambda: Signing(issuer.signer(), **claims)))
    # and the key centre's own says by which key it does
    assert verified_by(issuer.signer()) == issuer.public_key


def test_a_dead_security_module_leaves_no_half_act(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> bytes:
        raise HsmGone(token="t", reason="gone")

    with monkeypatch.context() as patch:
        patch.setattr(KeySigner, "sign", gone)
        with pytest.raises(HsmGone) as refused:
            site.ca.issue(REGISTRAR, site.request())
        assert refused.value.retryable
    (row,) = site.rows(reference="r-1")
    assert row.state == "abandoned"
    # the security module is back: the same reference works, under a new serial number
    issued = site.ca.issue(REGISTRAR, site.request())
    assert issued.serial != row.serial


def fail_on(site: Site, when: str) -> None:
    """A trigger that makes one kind of change to certificates fail."""
    with site.store.engine.begin() as connection:
        if site.store.engine.dialect.name == "sqlite":
            body = f"BEFORE {when} BEGIN SELECT RAISE(ABORT, 'refused by trigger'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER broken {body}")
            return
        connection.exec_driver_sql(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by trigger'; END $$"
        )
        timing, _, condition = when.partition(" WHEN ")
        clause = f"WHEN ({condition})" if condition else ""
        connection.exec_driver_sql(
            f"CREATE TRIGGER broken BEFORE {timing} FOR EACH ROW {clause} EXECUTE FUNCTION broken()"
        )


def mend(site: Site) -> None:
    with site.store.engine.begin() as connection:
        on = " ON ca_certificate" if site.store.engine.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER broken{on}")


def test_a_certificate_that_cannot_be_stored_is_not_handed_out(site: Site) -> None:
    fail_on(site, "UPDATE ON ca_certificate WHEN NEW.state = 'issued'")
    with pytest.raises(sa.exc.DBAPIError):
        site.ca.issue(REGISTRAR, site.request())
    # it was signed: it is found by its serial number, is revoked, and nothing of it is a certificate
    (row,) = site.rows(reference="r-1")
    assert (row.state, row.reason, row.der) == ("abandoned", "unspecified", None)
    mend(site)
    assert site.ca.issue(REGISTRAR, site.request()).serial != row.serial


def test_an_intent_that_cannot_be_stored_is_not_signed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_on(site, "INSERT ON ca_certificate")
    monkeypatch.setattr(KeySigner, "sign", lambda *_: pytest.fail("the security module was asked"))
    with pytest.raises((sa.exc.DBAPIError, NoSerial)):
        site.ca.issue(REGISTRAR, site.request())


def test_an_intent_revoked_while_it_was_signed_is_not_handed_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = KeySigner.sign
    done = threading.Event()

    def slow(self: KeySigner, message: bytes) -> bytes:
        signature = true(self, message)
        if self.info.label == "intl-issuing" and not done.is_set():
            done.set()
            (row,) = site.rows(reference="r-1")
            site.ca.revoke(OFFICER, row.serial, "unspecified")
        return signature

    monkeypatch.setattr(KeySigner, "sign", slow)
    with pytest.raises(IntentLost):
        site.ca.issue(REGISTRAR, site.request())
    (row,) = site.rows(reference="r-1")
    assert (row.state, row.reason) == ("abandoned", "unspecified")


def test_a_binding_that_fails_takes_the_certificate_with_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise CannotBind(person="zhang", post="clerk-a")

    monkeypatch.setattr(ca.issue, "bind", refuse)
    with pytest.raises(CannotBind):
        site.ca.issue(REGISTRAR, site.person())
    (row,) = site.rows(reference="p-1")
    assert (row.state, row.der) == ("abandoned", None)


def test_a_serial_column_is_unique(site: Site) -> None:
    (row,) = site.rows(profile="root", authority="intl-root")
    table = CertificateRow.__table__
    with site.store.engine.begin() as connection:
        values = connection.execute(table.select().where(table.c.serial == row.serial)).mappings().one()
    again = table.insert().values({**values, "reference": "another", "fingerprint": "0" * 64})
    with site.store.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(again)
