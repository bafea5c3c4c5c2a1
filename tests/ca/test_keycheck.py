"""Weak keys, found by arithmetic, each with a key of that make; and keys on the list, refused at every moment."""

import base64
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import ca.issue
import ca.issue_many
import ca.pair.issue
from authz.directory import Directory, DirectoryFile
from ca import Holder
from ca.cli import group as commands
from ca.errors import (
    BadKeyList,
    CloseFactors,
    CompromisedKey,
    FactorKnown,
    HolderTaken,
    KeyInUse,
    KeyStaysBlocked,
    NoKeyInFile,
    RocaKey,
    UnfitExponent,
    UnfitPoint,
    UnknownBlockedKey,
    WeakKey,
)
from ca.issue import Asked, Issued, issue, issue_alone
from ca.issue_many import Wanted, issue_many
from ca.keycheck import block, blocked, sound, unburdened
from ca.keycheck.blocked import digests_of, spki_digest
from ca.keycheck.edwards import check_point
from ca.keycheck.read import key_in
from ca.keycheck.rsa import FACTORS_BELOW, check_rsa
from ca.pair import PairRequest
from ca.profile import Profile
from tests.support.locks import until_waiting
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto import der
from yinxin.crypto.errors import MalformedKey
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.steps import listen

from .conftest import CLERK, OFFICER, PROVINCE, REGISTRAR, Site
from .test_constraints import Opened

pytestmark = pytest.mark.engines("any")


WEAK = Path(__file__).parent / "weak"
#: see weak/README.md
DEBIAN_MODULUS = int(
    "D673252AF6723C3F72529403EAB7C30DEF3C52F97E799825F4A70191C616ADCF1ECE1113F1625971074C492C592025FD"
    "EADBDB146A081826BDF0D77C3C913DCF1B6F0B3B78F5108D2E493AD0EEE8CA5C021711ADC13D358E61133870FCD19C8E"
    "5C22403959782AA82E72AEE53A3D491E3912CE27B27E1A85EA69C19A527D28F7934C9823B7E56FDD657DAC83FDC65BB2"
    "2A98D843DF73238919781B714C81A5E2AFEC71F5C54AA2A27C590AD94C03C1062D50EFCFFAC743E3C8A3AE056846A1D7"
    "56EB862BF4224169D467C35215ADE0AFCC11E85FE629AFB802C4786FF2E9C929BCCF502B3D3B8876C6A11785CC398B38"
    "9F1D86BDD9CB0BD4EC13956EC3FA270D",
    16,
)
DEBIAN_LISTED = "8df20e6961a16398b85a"
DEBIAN_KEY = base64.b64decode(
    "MIIBCgKCAQEAwJZTDExKND/DiP+LbhTIi2F0hZZt0PdX897LLwPf3+b1GOCUj1OHBZvVqhJPJtOPE53W68I0NgVhaJdY6bFO"
    "A/cUUIFnN0y/ZOJOJsPNle1aXQTjxAS+FXu4CQ6a2pzcU+9+gGwed7XxAkIVCiTprfmRCI2vIKdb61S8kf5D3YdVRH/Tq977"
    "nxyYeosEGYJFBOIT+N0mqca37S8hA9hCJyD3p0AM40dD5M5ARAxpAT7+oqOXkPzfzLtCTaHYJK3+WAce121Br4NuQJPqYPVx"
    "niUPohT4YxFTqB7vwX2C4/gZ2ldpHtlgJVAHT96nOsnlz+EPa5GtwxtALD43CwOlWQIDAQAB"
)


def rsa_spki(modulus: int, exponent: int = 65537) -> bytes:
    key = der.sequence(der.integer(modulus), der.integer(exponent))
    return der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()), der.bits(key))


def profile_of(site: Site, **changed: Any) -> Profile:
    shipped = site.ctx.profiles["tls-server"].model_dump(exclude_defaults=True)
    return Profile.model_validate({**shipped, "smallest_rsa": 2048, **changed})


# --- RSA -------------------------------------------------------------------------------------------------------


def rough(n: int) -> int:
    """The next number with no small factor: for these tests as good as a prime, and quicker found."""
    n |= 1
    while any(n % each == 0 for each in range(3, FACTORS_BELOW, 2)):
        n += 2
    return n


@pytest.fixture(scope="module")
def modulus() -> int:
    return rsa.generate_private_key(65537, 3072).public_key().public_numbers().n


def test_good_keys_pass(modulus: int) -> None:
    check_rsa(modulus, 65537)
    for bits in (2048, 4096):
        check_rsa(rsa.generate_private_key(65537, bits).public_key().public_numbers().n, 65537)


@pytest.mark.parametrize("exponent", [1, 3, 17, 65535, 65536, 65538, 1 << 256, (1 << 256) + 1])
def test_an_exponent_that_is_not_fit_for_use(modulus: int, exponent: int) -> None:
    with pytest.raises(UnfitExponent):
        check_rsa(modulus, exponent)
    check_rsa(modulus, (1 << 256) - 1)


@pytest.mark.parametrize("factor", [2, 3, 101, 8191])
def test_a_modulus_with_a_small_factor(factor: int) -> None:
    """Seen to fail with `FACTORS_BELOW` at 2^12."""
    with pytest.raises(FactorKnown) as refused:
        check_rsa(factor * rough((1 << 3000) + (0xC0FFEE << 2000)), 65537)
    assert refused.value.facts["factor"] == factor


@pytest.mark.parametrize("file", ["roca-pubkey03.pem", "roca-csr05.pem"])
def test_published_keys_with_the_roca_defect(site: Site, file: str) -> None:
    """Seen to fail with `_not_roca` made to return at once."""
    data = (WEAK / file).read_bytes()
    with pytest.raises(RocaKey):
        sound(key_in(data, file), profile_of(site))


def test_primes_of_the_roca_make_are_found_whatever_their_size(modulus: int) -> None:
    """p = k·M + (65537^a mod M), as the library of CVE-2017-15361 made them (here without asking for primality)."""
    primes = [p for p in range(2, 702) if all(p % q for q in range(2, p))]
    product = 1
    for prime in primes[:126]:
        product *= prime
    p = 37 * product + pow(65537, 123456789, product)
    q = 41 * product + pow(65537, 987654321, product)
    with pytest.raises((RocaKey, CloseFactors)) as refused:
        check_rsa(p * q, 65537)
    assert refused.type is RocaKey
    check_rsa(modulus, 65537)


@pytest.mark.parametrize("gap", [2, 1 << 20, 1 << 512], ids=["2", "2^20", "2^512"])
def test_close_primes_are_found_by_fermat(gap: int) -> None:
    """Seen to fail with `FERMAT_STEPS` at 0. 2^512 is within 32 · n^(1/4) for 2048 bits."""
    p = rough((1 << 1023) + (0xC0FFEE << 900))
    q = rough(p + gap)
    with pytest.raises(CloseFactors):
        check_rsa(p * q, 65537)


def test_a_square_is_no_modulus() -> None:
    p = rough((1 << 1023) + (0xC0FFEE << 900))
    with pytest.raises(CloseFactors):
        check_rsa(p * p, 65537)


def test_a_published_request_with_close_primes_is_refused(site: Site) -> None:
    csr = CertificationRequest.load((WEAK / "fermat.pem").read_bytes())
    with pytest.raises(CloseFactors):
        sound(csr.public_key, profile_of(site))


def test_a_weak_key_is_refused_at_the_door_and_recorded(site: Site) -> None:
    """As any protocol's request: nothing is made; the refusal is of the WeakKey kind and says what is wrong."""
    before = len(site.rows())
    with pytest.raises(WeakKey) as refused:
        issue(site.ctx, REGISTRAR, site.request(csr=(WEAK / "roca-csr05.pem").read_bytes()))
    assert refused.type is RocaKey
    assert "CVE-2017-15361" in refused.value.text("zh")
    assert len(site.rows()) == before
    assert site.events()[-1]["error"] == "ca.roca_key"


def test_a_modulus_beyond_the_profile_is_refused(site: Site) -> None:
    key = PublicKey(rsa_spki(rsa.generate_private_key(65537, 4096).public_key().public_numbers().n))
    with pytest.raises(WeakKey):
        sound(key, profile_of(site, largest_rsa=3072))
    sound(key, profile_of(site))


# --- points ----------------------------------------------------------------------------------------------------

P = (1 << 255) - 19
#: y of the points of order 8 (RFC 7748 section 7 speaks of their like)
EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


def little(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


@pytest.mark.parametrize(
    "encoded",
    [
        little(1),
        little(P - 1),
        little(0),
        little(0, 1),
        little(EIGHT),
        little(EIGHT, 1),
        little(P - EIGHT),
        little(P - EIGHT, 1),
        little(1, 1),  # x = 0 has one sign only
        little(P),  # 0 and 1 in a second encoding
        little(P + 1),
        little(2),  # on no curve
    ],
)
def test_points_under_which_anybody_can_forge(encoded: bytes) -> None:
    """Seen to fail with the three doublings left out, and with the library alone: it loads every one of them."""
    ed25519.Ed25519PublicKey.from_public_bytes(encoded)
    with pytest.raises(UnfitPoint):
        check_point(encoded)


def test_good_points_pass() -> None:
    for _ in range(8):
        key = ed25519.Ed25519PrivateKey.generate().public_key()
        check_point(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


@pytest.mark.parametrize("curve", ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.2.156.10197.1.301"])
@pytest.mark.parametrize("point", ["off", "infinity"])
def test_a_point_off_its_curve_or_at_infinity_is_no_key(curve: str, point: str) -> None:
    size = 48 if curve == "1.3.132.0.34" else 32
    encoded = b"\0" if point == "infinity" else b"\x04" + bytes(2 * size - 1) + b"\x01"
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(curve))
    with pytest.raises(MalformedKey):
        PublicKey(der.sequence(algorithm, der.bits(encoded)))


# --- the list --------------------------------------------------------------------------------------------------


def test_debians_weak_keys_are_named_as_debian_names_them() -> None:
    assert digests_of(PublicKey(rsa_spki(DEBIAN_MODULUS)))[1] == DEBIAN_LISTED
    assert len(digests_of(PrivateKey.generate(INTL).public_key)) == 1


@pytest.mark.engines("both")
def test_a_list_of_weak_keys_is_imported_and_holds(site: Site, tmp_path: Path) -> None:
    other = der.elements(DEBIAN_KEY)
    by_spki = PublicKey(rsa_spki(der.number(other[0])))
    file = tmp_path / "blacklist.RSA-2048"
    file.write_text(
        f"# openssl-blacklist\n{DEBIAN_LISTED}\n{spki_digest(by_spki).upper()} # seen\n\n", "ascii"
    )
    assert site.ca.blocklist.load(OFFICER, file, "Debian") == 2
    assert site.ca.blocklist.load(OFFICER, file) == 0
    with site.store.read() as session:
        for key in (PublicKey(rsa_spki(DEBIAN_MODULUS)), by_spki):
            with pytest.raises(CompromisedKey):
                blocked(session, [key])
        blocked(session, [PrivateKey.generate(INTL).public_key])


@pytest.mark.parametrize("line", ["8df20e6961a16398b85", "no key", "8df20e6961a16398b85a 1", "0x" + "a" * 64])
def test_a_file_that_is_no_list_changes_nothing(site: Site, tmp_path: Path, line: str) -> None:
    file = tmp_path / "list"
    file.write_text(f"{DEBIAN_LISTED}\n{line}\n", "ascii")
    with pytest.raises(BadKeyList) as refused:
        site.ca.blocklist.load(OFFICER, file)
    assert refused.value.facts["line"] == 2
    assert site.ca.blocklist.search(OFFICER) == []


def test_a_blocked_key_is_never_certified(site: Site) -> None:
    key = PrivateKey.generate(INTL)
    site.ca.blocklist.add(OFFICER, spki_digest(key.public_key), "keyCompromise", "found in a repository")
    with pytest.raises(CompromisedKey) as refused:
        site.ca.issue(REGISTRAR, site.request(key=key))
    assert refused.value.facts["reason"] == "keyCompromise"
    assert [event["error"] for event in site.events("ca.issue") if event["outcome"] == "refused"]
    (answer,) = issue_many(site.ctx, REGISTRAR, [Wanted(site.request("b-1", key=key))])
    assert isinstance(answer, CompromisedKey)


def test_a_revocation_as_compromised_blocks_the_key_in_its_own_transaction(site: Site) -> None:
    """Seen to fail with `block` taken out of the revocation."""
    key = PrivateKey.generate(INTL)
    issued = site.ca.issue(REGISTRAR, site.request(key=key))
    site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
    assert site.ca.blocklist.find(spki_digest(key.public_key)).by == REGISTRAR.id
    with pytest.raises(CompromisedKey):
        site.ca.issue(REGISTRAR, site.request("r-2", key=key))
    with pytest.raises(KeyStaysBlocked):
        site.ca.blocklist.remove(OFFICER, spki_digest(key.public_key))


@pytest.mark.parametrize("step", ["ca.issue.3-intended", "ca.issue.4-signed"])
def test_a_key_blocked_while_its_certificate_is_made_is_not_certified(site: Site, step: str) -> None:
    """Seen to fail with `blocked` taken out of `store_issued`."""
    key = PrivateKey.generate(INTL)

    def blocking(name: str) -> None:
        if name == step:
            with site.store.act(OFFICER, "ca.block", "key:x") as act:
                block(
                    act.session, spki_digest(key.public_key), "keyCompromise", at=site.clock.now(), by="zhao"
                )

    listen(blocking)
    try:
        with pytest.raises(CompromisedKey):
            site.ca.issue(REGISTRAR, site.request(key=key))
    finally:
        listen(None)
    (row,) = site.rows(reference="r-1")
    assert (row.state, row.der, row.revoked_at is not None) == ("abandoned", None, True)


@pytest.mark.engines("both")
def test_blocking_and_issuing_race_and_nothing_is_left(site: Site) -> None:
    """Whoever blocks and then revokes all finds every certificate that was not stopped."""
    keys = [PrivateKey.generate(INTL) for _ in range(6)]
    requests = [site.request(f"race/{number}", key=key) for number, key in enumerate(keys)]
    start = threading.Barrier(2 * len(keys))

    def issuing(request: Any) -> None:
        start.wait()
        with contextlib.suppress(YinxinError):
            site.ca.issue(REGISTRAR, request)

    def blocking(key: PrivateKey) -> None:
        digest = spki_digest(key.public_key)
        start.wait()
        site.ca.blocklist.add(OFFICER, digest, "keyCompromise")
        site.ca.blocklist.revoke_all(OFFICER, digest)

    threads = [threading.Thread(target=issuing, args=(each,)) for each in requests]
    threads += [threading.Thread(target=blocking, args=(each,)) for each in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = [row for row in site.rows() if row.reference.startswith("race/") and row.revoked_at is None]
    assert left == []


def test_every_valid_certificate_of_a_key_is_revoked_each_by_its_own_act(site: Site) -> None:
    key = PrivateKey.generate(INTL)
    serials = [
        site.ca.issue(
            REGISTRAR, site.request(f"r-{n}", key=key, holder=Holder("service", "a", None, "county-a"))
        ).serial
        for n in range(3)
    ]
    site.ca.suspend(REGISTRAR, serials[1])
    digest = spki_digest(key.public_key)
    with pytest.raises(UnknownBlockedKey):
        site.ca.blocklist.revoke_all(OFFICER, digest)
    assert site.ca.blocklist.add(OFFICER, digest, "keyCompromise")
    swept = site.ca.blocklist.revoke_all(OFFICER, digest)
    assert (set(swept.revoked), swept.failed) == (set(serials), ())
    assert {row.reason for row in site.rows(spki_digest=digest)} == {"keyCompromise"}
    acts = [event["subject"] for event in site.events("ca.revoke") if event["outcome"] == "done"]
    assert sorted(acts) == sorted(f"certificate:{serial}" for serial in serials)
    assert site.ca.blocklist.revoke_all(OFFICER, digest).revoked == ()
    assert not site.ca.blocklist.add(OFFICER, digest, "keyCompromise")


def test_what_the_officer_may_not_revoke_is_told_and_left(site: Site) -> None:
    authority = site.ca.certificate("intl-issuing").public_key
    site.ca.blocklist.add(OFFICER, spki_digest(authority), "keyCompromise")
    swept = site.ca.blocklist.revoke_all(OFFICER, spki_digest(authority))
    assert swept.revoked == ()
    assert [error.code for _, error in swept.failed] == ["ca.authority_certificate"]


def test_only_a_security_officer_blocks(site: Site) -> None:
    for actor in (REGISTRAR, CLERK):
        with pytest.raises(Denied):
            site.ca.blocklist.add(actor, "a" * 64, "keyCompromise")
        with pytest.raises(Denied):
            site.ca.blocklist.remove(actor, "a" * 64)
    with pytest.raises(UnknownBlockedKey):
        site.ca.blocklist.remove(OFFICER, "a" * 64)


# --- commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def run(site: Site) -> Callable[..., Any]:
    def invoke(*arguments: object, person: Any = OFFICER) -> Any:
        return CliRunner().invoke(commands, ["blocklist", *map(str, arguments)], obj=Opened(site, person))

    return invoke


def _files(folder: Path) -> dict[str, Path]:
    """One key as a certificate, a request, a public and a private key, each in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = serialization.PrivateFormat
    texts = {
        "request": request.public_bytes(pem),
        "public": key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        "private": key.private_bytes(pem, private.PKCS8, plain),
        "ec": key.private_bytes(pem, private.TraditionalOpenSSL, plain),
    }
    for each, text in texts.items():
        (folder / each).write_bytes(text)
    return {each: folder / each for each in texts}


def test_a_key_is_named_by_whatever_file_is_at_hand(
    site: Site, run: Callable[..., Any], tmp_path: Path
) -> None:
    found = {name: key_in(path.read_bytes(), name) for name, path in _files(tmp_path).items()}
    assert len({key.spki for key in found.values()}) == 1
    done = run("add", "--file", tmp_path / "private", "--note", "posted to a forum", "--json")
    assert done.exit_code == 0, done.output
    assert "PRIVATE" not in done.output
    assert spki_digest(found["public"]) in run("list").output
    assert run("list", "--digest", spki_digest(found["public"])).exit_code == 0
    assert "removed: True" in run("remove", spki_digest(found["public"])).output
    empty = tmp_path / "empty"
    empty.write_text("nothing\n", "ascii")
    assert isinstance(run("add", "--file", empty).exception, NoKeyInFile)
    assert isinstance(run("add", "--digest", "12").exception, NoKeyInFile)
    assert run("add").exit_code == 2


def test_a_key_is_blocked_by_one_of_its_certificates_and_all_are_revoked(
    site: Site, run: Callable[..., Any], tmp_path: Path
) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    done = run("add", "--serial", issued.serial, "--revoke-all", "--json")
    assert done.exit_code == 0, done.output
    assert f'"revoked": ["{issued.serial}"]' in done.output
    file = tmp_path / "weak"
    file.write_text(DEBIAN_LISTED, "ascii")
    assert "added: 1" in run("import", file).output


# --- holders ---------------------------------------------------------------------------------------------------


def enter_chen(site: Site) -> None:
    """A person called chen comes into the directory."""
    appointed = {"person": "chen", "post": "clerk-a", "valid_from": "2020-01-01T00:00:00+08:00"}
    people = [*PROVINCE["people"], {"id": "chen", "name": "陈昶"}]
    file = {**PROVINCE, "people": people, "appointments": [*PROVINCE["appointments"], appointed]}
    Directory(site.store).load(SYSTEM, DirectoryFile.parse(file))


@pytest.mark.parametrize("many", [False, True])
def test_no_service_is_called_like_a_person_nor_a_person_like_a_service(site: Site, many: bool) -> None:
    """Seen to fail with the directory, and with the certificates there are, not asked."""

    def refused(request: Any) -> HolderTaken:
        if many:
            (found,) = issue_many(site.ctx, REGISTRAR, [Wanted(request)])
            assert isinstance(found, HolderTaken)
            return found
        with pytest.raises(HolderTaken) as error:
            issue(site.ctx, REGISTRAR, request)
        return error.value

    told = refused(site.request("like-li", holder=Holder("service", "li", None, "county-a")))
    assert told.facts == {"id": "li", "kind": "person"}
    issue(site.ctx, REGISTRAR, site.request("chen", holder=Holder("service", "chen", None, "county-a")))
    enter_chen(site)
    told = refused(site.person("like-chen", "chen"))
    assert told.facts == {"id": "chen", "kind": "service"}
    assert site.rows(reference="like-li") == site.rows(reference="like-chen") == []


def test_what_is_being_issued_takes_its_holders_name(site: Site) -> None:
    """Seen to fail with certificates asked alone that are issued: both were."""
    refused: list[Any] = []

    def meanwhile(name: str) -> None:
        if name == "ca.issue.3-intended":
            listen(None)
            enter_chen(site)
            refused.append(ask(site, "alone", "like-chen", person="chen"))

    listen(meanwhile)
    try:
        issue(site.ctx, REGISTRAR, site.request("chen", holder=Holder("service", "chen", None, "county-a")))
    finally:
        listen(None)
    assert [each.facts for each in refused] == [{"id": "chen", "kind": "service"}]


# --- two at once -----------------------------------------------------------------------------------------------


def ask(site: Site, way: str, reference: str, **parts: Any) -> Any:
    """The answer to a person who asks for a certificate over a key, one way or another."""
    request = site.person(reference, **parts)
    try:
        if way == "pair":
            csr, holder = request.csr, request.holder
            return site.ca.pairs.issue(OFFICER, PairRequest(reference, "person-signing", csr, holder))
        if way == "many":
            other = replace(site.ctx, turn=threading.Lock())  # another process has its own turns
            return issue_many(other, SYSTEM, [Wanted(request)])[0]
        return issue_alone(site.ctx, Asked(SYSTEM, Wanted(request)))
    except YinxinError as error:
        return error


@pytest.mark.engines("both")
@pytest.mark.parametrize("way", ["alone", "many", "pair"])
def test_a_key_that_two_ask_for_at_once_is_one_holders(
    site: Site, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The first has written its intent and not committed. Seen to fail on PostgreSQL, each way, with nobody held back: both had one."""
    ask(
        site, way, "before"
    )  # two first uses of one version of a profile wait for each other, whatever the key
    module = {"alone": ca.issue, "many": ca.issue_many, "pair": ca.pair.issue}[way]
    write, first, key = module.keep_intents, threading.Lock(), PrivateKey.generate(INTL)
    others: list[Future[Any]] = []

    def written(*arguments: Any) -> None:
        write(*arguments)
        if first.acquire(blocking=False):
            others.append(pool.submit(ask, site, way, "p-2", person="li", post="clerk-b", key=key))
            if site.store.engine.dialect.name == "postgresql":
                waits.append(until_waiting(site.store.engine, others[0]))

    waits: list[bool] = []
    monkeypatch.setattr(module, "keep_intents", written)
    with ThreadPoolExecutor() as pool:
        answer = ask(site, way, "p-1", key=key)
    assert not isinstance(answer, YinxinError)
    assert isinstance(others[0].result(), KeyInUse)
    assert waits in ([], [True])
    assert {row.holder for row in site.rows(spki_digest=spki_digest(key.public_key))} == {"zhang"}


@pytest.mark.engines("both")
def test_a_name_that_two_ask_for_at_once_is_one_holders(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, over two keys. Seen to fail on PostgreSQL with the keys alone held."""
    if site.store.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    site.ca.issue(REGISTRAR, site.request("before"))
    site.ca.issue(REGISTRAR, site.person("before-2"))
    write, judge = ca.issue.keep_intents, unburdened
    others: list[Future[Any]] = []

    def written(*arguments: Any) -> None:
        write(*arguments)
        if not others:
            others.append(pool.submit(ask, site, "alone", "like-chen", person="chen"))
            assert until_waiting(site.store.engine, others[0])

    def judged(*arguments: Any) -> None:
        judge(*arguments)
        if not others:
            pool.submit(enter_chen, site).result()

    monkeypatch.setattr(ca.issue, "keep_intents", written)
    monkeypatch.setattr(ca.issue, "unburdened", judged)
    with ThreadPoolExecutor() as pool:
        holder = Holder("service", "chen", None, "county-a")
        issued = issue_alone(site.ctx, Asked(SYSTEM, Wanted(site.request("chen", holder=holder))))
    assert isinstance(issued, Issued)
    assert isinstance(others[0].result(), HolderTaken)
