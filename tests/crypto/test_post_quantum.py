"""ML-DSA and ML-KEM, and the further classical kinds of key, against vectors and against `cryptography`'s OpenSSL."""

import hashlib
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography_vectors import open_vector_file

from tests.crypto.conftest import AT, Hierarchy, authority, self_signed, template
from yinxin.crypto import cms, der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    BadSignature,
    CannotDecrypt,
    MalformedKey,
    UnsupportedAlgorithm,
)
from yinxin.crypto.keys import Identity, PrivateKey, PublicKey
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import Good, Reason, Revoked
from yinxin.crypto.suite import INTL, ML_DSA_44, ML_DSA_87, PQ, SHA512, suite_of_key
from yinxin.crypto.tbs import throwaway_sign

SIGNING = [kind for each in (INTL, PQ) for kind in each.signing_keys]
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_SIGNERS = {44: mldsa.MLDSA44PrivateKey, 65: mldsa.MLDSA65PrivateKey, 87: mldsa.MLDSA87PrivateKey}


def vectors(name: str, count: int) -> Iterator[dict[str, bytes]]:
    """The first `count` vectors of a NIST response file."""
    found: dict[str, bytes] = {}
    with open_vector_file(f"asymmetric/{name}", "r") as file:
        for line in file:
            key, _, value = line.strip().partition(" = ")
            if key == "count" and found:
                yield found
                found = {}
                count -= 1
                if not count:
                    return
            elif key not in ("count", "mlen", "smlen", ""):
                found[key] = bytes.fromhex(value)


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    return {kind: PrivateKey.generate(kind) for kind in SIGNING}


# --- vectors ---


@pytest.mark.parametrize("size", _SIGNERS)
def test_ml_dsa_vectors(size: int) -> None:
    """μ is computed from its definition by hashlib's SHAKE256, so that no part of it is taken on trust.

    Seen to fail with a context in `representative`.
    """
    for vector in vectors(f"MLDSA/kat_MLDSA_{size}_det_pure.rsp", 25):
        made = _SIGNERS[size].from_seed_bytes(vector["xi"])
        key = PrivateKey.load(made.private_bytes(*PKCS8))
        public = key.public_key
        assert public.algorithm == f"ml-dsa-{size}"
        assert der.octets_of_bits(der.elements(public.spki)[1]) == vector["pk"]
        signature = vector["sm"][: len(vector["sm"]) - len(vector["msg"])]
        domain = bytes((0, len(vector["ctx"]))) + vector["ctx"]
        mu = hashlib.shake_256(hashlib.shake_256(vector["pk"]).digest(64) + domain + vector["msg"]).digest(64)
        public.verify_prehashed(signature, mu)
        with pytest.raises(BadSignature):
            public.verify_prehashed(signature, mu[::-1])
        empty = hashlib.shake_256(hashlib.shake_256(vector["pk"]).digest(64) + bytes(2) + vector["msg"])
        assert public.prehash(vector["msg"]) == empty.digest(64)
        with pytest.raises(BadSignature):
            public.verify(signature, vector["msg"])  # made for a context, and ours is empty


@pytest.mark.parametrize(
    ("size", "kind"), [(768, mlkem.MLKEM768PrivateKey), (1024, mlkem.MLKEM1024PrivateKey)]
)
def test_ml_kem_vectors(size: int, kind: type[mlkem.MLKEM768PrivateKey]) -> None:
    for vector in vectors(f"MLKEM/kat_MLKEM_{size}.rsp", 25):
        made = kind.from_seed_bytes(vector["d"] + vector["z"])
        key = PrivateKey.load(made.private_bytes(*PKCS8))
        assert key.public_key.algorithm == f"ml-kem-{size}"
        assert der.octets_of_bits(der.elements(key.public_key.spki)[1]) == vector["pk"]
        assert key.decapsulate(vector["ct"]) == vector["ss"]
        assert (
            key.decapsulate(vector["ct_n"]) == vector["ss_n"]
        )  # changed: another secret, as FIPS 203 has it


def test_a_secret_reaches_the_holder_and_nobody_else() -> None:
    holder, other = PrivateKey.generate("ml-kem-768"), PrivateKey.generate("ml-kem-768")
    secret, encapsulation = holder.public_key.encapsulate()
    assert holder.decapsulate(encapsulation) == secret
    assert other.decapsulate(encapsulation) != secret
    with pytest.raises(CannotDecrypt):
        holder.decapsulate(encapsulation[:-1])


# --- forms ---


def test_a_key_with_seed_and_expansion_loads_and_one_without_its_seed_is_refused() -> None:
    """OpenSSL 3.5 writes both by default; the vector file has one expanded key alone."""
    key = PrivateKey.generate("ml-dsa-65")
    version, algorithm, private = der.elements(key.pkcs8())
    seed = der.octets(der.content(der.content(private, der.OCTET_STRING)))
    both = der.sequence(version, algorithm, der.octets(der.sequence(seed, der.octets(bytes(4032)))))
    assert PrivateKey.load(both).public_key == key.public_key
    with open_vector_file("asymmetric/MLDSA/mldsa65_noseed_priv.der", "rb") as file:
        expanded = file.read()
    with pytest.raises(UnsupportedAlgorithm, match="without its seed"):
        PrivateKey.load(expanded)
    with pytest.raises(MalformedKey):
        PrivateKey.load(der.sequence(version, algorithm, der.octets(der.implicit(0, der.octets(bytes(31))))))


@pytest.mark.parametrize("kind", [*PQ.signing_keys, *PQ.encryption_keys])
def test_the_identifier_has_no_parameters(kind: str) -> None:
    """RFC 9881 section 2 and RFC 9935 section 3: with NULL it is another object, and refused."""
    spki = PrivateKey.generate(kind).public_key.spki
    algorithm, bits = der.elements(spki)
    (name,) = der.elements(algorithm)
    with pytest.raises((MalformedKey, UnsupportedAlgorithm)):
        PublicKey(der.sequence(der.sequence(name, der.null()), bits))
    with pytest.raises(MalformedKey):
        PublicKey(der.sequence(algorithm, der.bits(der.octets_of_bits(bits)[:-1])))


def test_an_encapsulation_key_outside_its_range_is_refused() -> None:
    """FIPS 203 section 7.2: every coefficient is below 3329."""
    algorithm, bits = der.elements(PrivateKey.generate("ml-kem-768").public_key.spki)
    with pytest.raises(MalformedKey):
        PublicKey(der.sequence(algorithm, der.bits(b"\xff\xff\xff" + der.octets_of_bits(bits)[3:])))


def test_keys_of_one_strength_do_not_verify_as_another() -> None:
    key = PrivateKey.generate("ml-dsa-65")
    for other in (ML_DSA_44, ML_DSA_87):
        with pytest.raises(UnsupportedAlgorithm):
            key.public_key.verify(key.sign(b"x"), b"x", other)


def test_an_encapsulation_key_signs_and_verifies_nothing() -> None:
    """Seen to fail with `signature_algorithm` giving the suite's own to every key and `_verify` without its last `else`."""
    key = PrivateKey.generate("ml-kem-768")
    assert not key.public_key.signs
    assert key.public_key.suite is PQ
    for act in (
        lambda: key.sign(b"x"),
        lambda: key.sign_prehashed(bytes(64)),
        lambda: key.public_key.verify(b"", b"x"),
        lambda: key.public_key.verify(b"", b"x", ML_DSA_44),
        lambda: key.public_key.verify_prehashed(b"", bytes(64)),
        PrivateKey.generate("ml-dsa-65").public_key.encapsulate,
        lambda: PrivateKey.generate("ml-dsa-65").decapsulate(b""),
        lambda: CertificationRequest.build(key, {"commonName": "x"}),
    ):
        with pytest.raises(UnsupportedAlgorithm):
            act()


# --- every kind that signs ---


@pytest.mark.parametrize("kind", SIGNING)
def test_it_signs_by_what_fits_its_key(kind: str, keys: dict[str, PrivateKey]) -> None:
    key = keys[kind]
    public = key.public_key
    assert public.algorithm == ("rsa" if kind.startswith("rsa") else kind)
    assert suite_of_key(kind) is public.suite
    assert PrivateKey.load(key.pkcs8()).public_key == public
    public.verify(key.sign(b"x"), b"x", public.signature_algorithm)
    with pytest.raises(BadSignature):
        public.verify(key.sign(b"x"), b"y")
    if kind == "ed25519":
        return
    digest = public.prehash(b"x")
    assert len(digest) == public.prehash_size
    public.verify(key.sign_prehashed(digest), b"x")
    public.verify_prehashed(key.sign(b"x"), digest)
    for wrong in (digest[::-1], digest[:-1]):
        with pytest.raises(BadSignature):
            public.verify_prehashed(key.sign(b"x"), wrong)


def test_the_hash_is_as_strong_as_the_key(keys: dict[str, PrivateKey]) -> None:
    used = {kind: key.public_key.signature_algorithm.hash.name for kind, key in keys.items()}
    strong = {"ecdsa-p384": "sha384", "rsa-4096": "sha384", "ecdsa-p256": "sha256", "rsa-3072": "sha256"}
    assert {kind: used[kind] for kind in strong} == strong


@pytest.mark.parametrize("kind", SIGNING)
def test_others_verify_what_authorities_of_every_kind_sign(kind: str, keys: dict[str, PrivateKey]) -> None:
    """`cryptography`, with an OpenSSL of its own, reads request, certificate and list, and verifies each."""
    suite = suite_of_key(kind)
    root = self_signed(suite, authority(Name.of({"commonName": f"root {kind}"})), keys[kind])
    hierarchy = Hierarchy(suite, root, root)
    leaf = hierarchy.issue(template(Name.of({"commonName": "leaf"})))
    above = x509.load_der_x509_certificate(root.certificate.der)
    x509.load_der_x509_certificate(leaf.certificate.der).verify_directly_issued_by(above)
    hierarchy.judge(leaf.certificate, AT, intermediates=())
    revoked = [(leaf.certificate.serial, Revoked(AT, Reason.KEY_COMPROMISE))]
    made = hierarchy.crl(root, revoked, AT)
    made.verify(root.certificate)
    assert x509.load_der_x509_crl(made.der).is_signature_valid(above.public_key())
    asked = CertificationRequest.build(keys[kind], {"commonName": "x"}, [("dns", "x.example")])
    asked.verify()
    assert x509.load_der_x509_csr(asked.der).is_signature_valid
    hierarchy.ocsp(leaf.certificate, Good(), AT).verify(root.certificate, AT)
    tbs = leaf.certificate.tbs
    assert Certificate(throwaway_sign(tbs, root.certificate.public_key.signature_algorithm)).tbs == tbs


@pytest.mark.parametrize("kind", INTL.signing_keys)
def test_openssl_verifies_the_classical_kinds(kind, keys, openssl, files, at) -> None:
    root = self_signed(INTL, authority(Name.of({"commonName": f"root {kind}"})), keys[kind])
    leaf = Hierarchy(INTL, root, root).issue(template(Name.of({"commonName": "leaf"})))
    anchors, own = (
        files.certificates("root.pem", root.certificate),
        files.certificates("l.pem", leaf.certificate),
    )
    openssl("verify", "-attime", str(int(at.timestamp())), "-check_ss_sig", "-CAfile", anchors, own)


def test_cryptography_signs_what_we_verify() -> None:
    """The other way round: a certificate and a request that another maker wrote."""
    key = mldsa.MLDSA87PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")])
    days = {
        "not_valid_before": AT.replace(tzinfo=None),
        "not_valid_after": AT.replace(tzinfo=None, year=2030),
    }
    made = x509.CertificateBuilder(name, name, key.public_key(), 5, **days).sign(key, None)
    read = Certificate(made.public_bytes(serialization.Encoding.DER))
    read.issued_by(read)
    asked = x509.CertificateSigningRequestBuilder(name).sign(key, None)
    CertificationRequest(asked.public_bytes(serialization.Encoding.DER)).verify()


# --- messages ---


@pytest.mark.parametrize("kind", PQ.signing_keys)
def test_a_signature_says_what_rfc_9882_wants(kind: str, keys: dict[str, PrivateKey]) -> None:
    root = self_signed(PQ, template(Name.of({"commonName": "signer"})), keys[kind])
    signed = cms.sign_detached(Identity(root.key, root.certificate), b"text", signed_at=AT)
    assert cms.verify_detached(signed, b"text").certificate == root.certificate
    *_, infos = der.elements(der.tagged(der.elements(signed)[1], 0))
    _, _, digest, _, algorithm, _ = der.elements(der.elements(infos, der.SET)[0])
    assert digest == SHA512.identifier
    assert algorithm == der.sequence(der.oid(keys[kind].public_key.signature_algorithm.oid))
    assert der.dotted(der.elements(algorithm)[0]).startswith(oids.ML_DSA_44.rpartition(".")[0])


def test_unknown_kinds_are_refused_by_name() -> None:
    for ask in (PrivateKey.generate, suite_of_key):
        with pytest.raises(UnsupportedAlgorithm, match="ml-dsa-66"):
            ask("ml-dsa-66")
