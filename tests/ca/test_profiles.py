"""Profiles: what each kind of certificate says, judged by OpenSSL and pkilint; and files that contradict themselves."""

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from authz.models import CertificateBinding
from ca.errors import BadPlan, ProfileRefuses, UnknownProfile
from ca.inventory import Filter
from ca.issue import issue
from ca.profile import FOLDER, Profile, Profiles
from ca.profile.census import counted
from ca.profile.census import hashes as hashes_used
from ca.recheck.judge import certificate_faults
from ca.request import Holder
from ca.revoke_many import Target
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.requests import CertificationRequest
from yinxin.text import Text

from .asking import WANTED, asked, made
from .conftest import OFFICER, REGISTRAR, Site
from .test_lint import pkilint

#: pkilint says of every wildcard that it is no domain name of RFC 5280, which leaves wildcards to others (4.2.1.6)
FORGIVEN = {"tls-wildcard": {"pkix.invalid_domain_name_syntax"}}

pytestmark = pytest.mark.engines("any")


#: what OpenSSL's verifier is told that each certificate is for; it knows no purpose of seals
PURPOSES = {
    "tls-server": "sslserver",
    "tls-wildcard": "sslserver",
    "tls-client": "sslclient",
    "device-8021x": "sslclient",
    "person-signing": "sslclient",
    "smime": "smimesign",
    "person-encryption": "any",
    "organ-encryption": "any",
    "organ-seal": "any",
    "vpn-gateway": "any",
    "code-signing": "any",
}


def test_certificates_of_a_profile_that_was_taken_away_are_found_suspended_and_revoked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: each of these answered `ca.unknown_profile`, so that such a certificate could not be revoked at all."""
    serial = site.ca.issue(REGISTRAR, site.request()).serial
    monkeypatch.delitem(site.ctx.profiles._profiles, "tls-server")
    assert ("tls-server" in site.ctx.profiles, "tls-client" in site.ctx.profiles) == (False, True)
    assert [row.serial for row in site.ca.search(OFFICER, Filter(profile="tls-server"))] == [serial]
    site.ca.suspend(OFFICER, serial)
    site.ca.resume(OFFICER, serial)
    assert [row.serial for row in site.ca.targeted(OFFICER, Target(organ="city"))] == [serial]
    assert site.ca.revoke(OFFICER, serial, "superseded").serial == serial


def test_a_profile_that_never_was_is_told_when_certificates_are_sought(site: Site) -> None:
    """Seen to fail: the list was empty, as if there were no such certificates."""
    with pytest.raises(UnknownProfile):
        site.ca.search(OFFICER, Filter(profile="tls-sever"))


def test_an_unknown_profile_is_told_with_those_that_may_be_asked_for() -> None:
    """Seen to fail: it offered roots, and second halves of pairs."""
    profiles = Profiles()
    with pytest.raises(UnknownProfile) as unknown:
        profiles["tls-sever"]
    known = str(unknown.value.facts["known"]).split(", ")
    assert {"tls-server", "person-signing"} <= set(known)
    assert [each for each in known if profiles[each].ceremony_only or profiles[each].escrow] == []


def test_certificates_are_counted_by_version_in_a_part_of_the_tree(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with every organ counted."""
    first = site.ca.issue(REGISTRAR, site.request())
    site.ca.issue(REGISTRAR, site.request("r-2", holder=Holder("service", "b", None, "county-a"), days=10))
    site.ca.issue(OFFICER, site.request("r-3", holder=Holder("service", "c", None, "city")))
    site.ca.revoke(OFFICER, first.serial, "superseded")
    old = site.ctx.profiles["tls-server"]
    new = Profile.model_validate(old.model_dump() | {"days": 30})
    monkeypatch.setitem(site.ctx.profiles._profiles, "tls-server", new)
    site.ca.issue(REGISTRAR, site.request("r-4", holder=Holder("service", "d", None, "county-a")))

    def told(organ: str, profile: str | None = "tls-server") -> dict[str, tuple[int, int]]:
        return {each.hash: (each.issued, each.in_force) for each in counted(site.store, organ, profile)}

    assert old.hash != new.hash
    assert told("county-a") == {old.hash: (2, 1), new.hash: (1, 1)}
    assert told("city") == {old.hash: (3, 2), new.hash: (1, 1)} == told("city", None)
    assert told("county-b") == {} == told("county-a", "tls-client")
    site.clock.advance(timedelta(days=20))
    assert told("county-a") == {old.hash: (2, 0), new.hash: (1, 1)}
    assert {("tls-server", old.hash), ("tls-server", new.hash)} <= set(hashes_used(site.store))


def test_every_profile_that_can_be_asked_for_is_tried_here(site: Site) -> None:
    profiles = site.ctx.profiles.items()
    # tests/ca/test_hybrid.py has the hierarchy that this site lacks
    open_ = {name for name, each in profiles if not each.ceremony_only and each.hierarchy != "hybrid"}
    assert open_ == set(WANTED) == set(PURPOSES)


@pytest.mark.parametrize("name", WANTED)
def test_openssl_and_pkilint_accept_every_profile(site: Site, name: str) -> None:
    issued = made(site, name)
    leaf, chain, root = (site.folder / each for each in ("leaf.pem", "chain.pem", "root.pem"))
    leaf.write_text(issued.certificate.pem, "utf-8")
    chain.write_text(issued.chain[0].pem, "utf-8")
    root.write_text(issued.chain[-1].pem, "utf-8")
    openssl("verify", "-x509_strict", "-purpose", PURPOSES[name], "-CAfile", root, "-untrusted", chain, leaf)
    assert set(pkilint(issued.certificate.der)) <= FORGIVEN.get(name, set())
    assert certificate_faults(issued.certificate.der, issued.certificate.public_key) == ()


@pytest.mark.parametrize("name", WANTED)
def test_every_profile_is_there_in_the_national_suite(site: Site, name: str) -> None:
    issued = made(site, name, "sm")
    issued.certificate.issued_by(issued.chain[0])
    found = pkilint(issued.certificate.der)
    # RFC 8813 3 forbids an EC key what GM/T 0015 has an SM2 key do; pkilint knows SM2 for an EC key
    allowed = {"pkix.key_usage_value_prohibited_for_ec"} if site.ctx.profiles[name].escrow else set()
    assert set(found) <= allowed | FORGIVEN.get(name, set())


@pytest.mark.parametrize(
    ("name", "usages"),
    [
        ("person-encryption", {"keyEncipherment", "dataEncipherment"}),
        ("organ-encryption", {"keyEncipherment", "dataEncipherment"}),
        ("smime", {"digitalSignature", "keyEncipherment"}),
        ("vpn-gateway", {"digitalSignature"}),
    ],
)
def test_an_rsa_key_is_given_the_usages_it_can_have(site: Site, name: str, usages: set[str]) -> None:
    issued = made(site, name, csr=_rsa_request(site, name))
    assert issued.certificate.key_usage == usages
    assert pkilint(issued.certificate.der) == []


def _rsa_request(site: Site, name: str) -> bytes:
    wanted = CertificationRequest.load(asked(site, name).csr)
    builder = x509.CertificateSigningRequestBuilder(x509.Name.from_rfc4514_string(wanted.subject.text))
    names = [
        x509.RFC822Name(t) if kind == "email" else x509.IPAddress(ip_address(t)) for kind, t in wanted.san
    ]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    key = rsa.generate_private_key(65537, 3072)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("name", ["person-encryption", "organ-encryption"])
def test_nobody_brings_a_key_of_her_own_for_a_certificate_in_escrow(site: Site, name: str) -> None:
    """Seen to fail with the check of `escrow` taken out of `_open_profile`."""
    before = len(site.rows())
    with pytest.raises(ProfileRefuses) as refused:
        issue(site.ctx, REGISTRAR, asked(site, name))
    assert refused.value.facts["field"] == "profile"
    reason = refused.value.facts["reason"]
    assert isinstance(reason, Text)
    assert "双证书" in reason.zh
    assert len(site.rows()) == before
    assert site.events()[-1]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("person-signing", "signing"), ("person-encryption", "encryption"), ("smime", "other")],
)
def test_only_a_signing_certificate_signs_in(site: Site, name: str, purpose: str) -> None:
    """Seen to fail with every certificate of a person bound for signing."""
    issued = made(site, name)
    with site.store.read() as session:
        assert session.get_one(CertificateBinding, issued.certificate.fingerprint).purpose == purpose


def test_the_second_half_of_a_pair_ends_with_its_issuer(site: Site) -> None:
    """Only where the profile says so; tests/ca/test_issue.py has the refusal. Seen to fail with `clamp` ignored."""
    end = site.ca.certificate("intl-issuing").not_after
    site.clock.advance((end - site.clock.now()) * 0.99)
    issued = made(site, "person-encryption")
    assert issued.certificate.not_after == end
    with pytest.raises(ProfileRefuses):
        made(site, "person-signing")


# --- files ---

GOOD = """
title = { zh = "某", en = "some" }
holders = ["service"]
keys = ["ecdsa-p256"]
days = 10
most_days = 20
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth"]
[subject]
commonName = "request"
"""


def test_the_version_of_a_profile_is_what_it_says(tmp_path: Path) -> None:
    """The hash stands in intents and in the log: a field added to the model, or a default changed, must not move it.

    Seen to fail with defaults written into `data`; the subject's order counts too.
    """
    (tmp_path / "some.toml").write_text(GOOD, "utf-8")
    first = Profiles(tmp_path)["some"]
    assert first.hash == "ed7601f451467bde7e4d7453692af173ad5b80124f20a4ae712c278bedb688c2"
    assert Profile.model_validate_json(first.data) == first
    swapped = GOOD.replace('commonName = "request"', 'countryName = "=CN"\ncommonName = "request"')
    (tmp_path / "some.toml").write_text(swapped, "utf-8")
    one = Profiles(tmp_path)["some"]
    assert list(Profile.model_validate_json(one.data).subject) == ["countryName", "commonName"]
    (tmp_path / "some.toml").write_text(
        GOOD.replace('commonName = "request"', 'commonName = "request"\ncountryName = "=CN"'), "utf-8"
    )
    assert Profiles(tmp_path)["some"].hash != one.hash
    (tmp_path / "some.toml").write_text(GOOD.replace("most_days = 20", "most_days = 21"), "utf-8")
    assert Profiles(tmp_path)["some"].hash != first.hash


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("days = 10", "days = 30", "*"),
        ('["digitalSignature"]', '["digitalSignatures"]', "key_usage"),
        ('["clientAuth"]', '["clientAuth", "clientAuth"]', "extended_key_usage"),
        ("most_days", 'escrow = true\npair_of = "other"\nmost_days', "*"),
        ("most_days", "escrow = true\nmost_days", "*"),
        ("most_days", "key_usage_by_key = { rsa = [] }\nmost_days", "key_usage_by_key"),
        ("most_days", 'key_usage_by_key = { rsa = ["keyEncipherment"] }\nmost_days', "*"),
        ("most_days", "colour = 1\nmost_days", "colour"),
        ('"request"', '"person.shoe-size"', "subject"),
        ("days = 10", "days = ", "*"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused_by_file_and_field(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    (tmp_path / "some.toml").write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(BadPlan) as refused:
        Profiles(tmp_path)
    assert refused.value.facts["file"] == "some.toml"
    assert refused.value.facts["field"] in (field, "")


def test_a_pair_needs_its_signing_half(tmp_path: Path) -> None:
    for path in FOLDER.glob("*-encryption.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(BadPlan) as refused:
        Profiles(shipped=tmp_path)
    assert refused.value.facts["field"] == "pair_of"


def test_what_is_stored_of_every_profile_reads_back(site: Site) -> None:
    for profile in site.ctx.profiles.values():
        assert Profile.model_validate_json(profile.data).hash == profile.hash


def test_the_certificate_of_a_gateway_says_ike(site: Site) -> None:
    certificate: Certificate = made(site, "vpn-gateway").certificate
    assert certificate.extended_key_usage == {"ipsecIKE"}
    assert certificate.san == (("ip", "10.9.0.1"),)


def test_the_versions_that_the_manual_types_are_there(site: Site) -> None:
    """Commands with a hash of another day answer `ca.unknown_version`."""
    text = (FOLDER.parents[1] / "docs" / "ca" / "profiles.md").read_text("utf-8")
    typed = re.findall(r"^yinxin ca profile .*?([a-z-]+) (?:--version )?([0-9a-f]{8})\b", text, re.MULTILINE)
    assert len(typed) == 2
    for name, version in typed:
        assert site.ctx.profiles[name].hash.startswith(version), name


def test_the_manual_lists_every_profile_as_it_is(site: Site) -> None:
    """The page is held against the profiles' own data."""
    text = (FOLDER.parents[1] / "docs" / "ca" / "profiles.md").read_text("utf-8")
    for name, profile in site.ctx.profiles.items():
        cells = (
            f"`{name}`",
            profile.title.zh,
            ", ".join(profile.holders),
            ", ".join(profile.key_usage),
            ", ".join(profile.extended_key_usage),
            f"{profile.days} ({profile.most_days})",
            ", ".join(profile.san),
        )
        row = "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"
        assert row in text
