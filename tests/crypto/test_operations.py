"""What service keys are made of, held against published vectors and against OpenSSL, GmSSL and plain arithmetic.

The vectors are those of `cryptography-vectors` (PyPI), which keeps each file as its source published it: NIST CAVP (GCM, key
wrap), RFC 8998 (SM4-GCM), the RFCs 4231 (HMAC), BoringSSL and OpenSSL (ChaCha20-Poly1305), the HPKE drafts. Those of SM2, SM3,
ML-DSA and ML-KEM are run in `test_sm2.py` and `test_post_quantum.py` through the same functions.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography_vectors import open_vector_file

from tests.crypto.test_sm2 import (
    CIPHER_C2,
    CIPHER_C3,
    CIPHER_X,
    CIPHER_Y,
    PLAINTEXT,
    POINT,
    PRIVATE,
    pkcs8_of,
)
from tests.support.openssl import openssl
from yinxin.crypto import der, operations, sm2
from yinxin.crypto.errors import BadSignature, CannotDecrypt, MalformedKey
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.operations import KINDS, KeyKind
from yinxin.crypto.suite import SM3

pytestmark = pytest.mark.engines("any")
TEXT = "省人社厅档案".encode()


def kind(name: str) -> KeyKind:
    return KINDS[name]


def vectors(path: str, most: int = 10_000) -> Iterator[dict[str, str]]:
    """The groups of `NAME = value` lines of a file, names in lower case."""
    found: dict[str, str] = {}
    with open_vector_file(path, "r") as file:
        for line in file:
            name, separator, value = line.strip().partition("=")
            name = name.strip().lower()
            if name == "count" and found.keys() - {"count"}:
                yield found
                most -= 1
                if not most:
                    return
                found = {}
            if separator and not line.startswith(("#", "[")):
                found[name] = value.strip()
            elif line.strip() == "FAIL":
                found["fail"] = ""
    yield found


def octets(text: str) -> bytes:
    return text[1:-1].encode() if text.startswith('"') else bytes.fromhex(text)


# --- vectors ---


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("aes-256-gcm", "ciphers/AES/GCM/gcmDecrypt256.rsp"),
        ("sm4-gcm", "ciphers/SM4/rfc8998.txt"),
        ("chacha20-poly1305", "ciphers/ChaCha20Poly1305/boringssl.txt"),
        ("chacha20-poly1305", "ciphers/ChaCha20Poly1305/openssl.txt"),
    ],
)
def test_authenticated_encryption_vectors(name: str, file: str) -> None:
    """Every vector with a nonce of 96 bits and a whole tag, those that must not open among them."""
    run = refused = 0
    for each in vectors(file):
        nonce = octets(each.get("iv", each.get("nonce", "")))
        tag = octets(each["tag"])
        if len(nonce) != 12 or len(tag) != 16:
            continue
        body = octets(each.get("ct", each.get("ciphertext", "")))
        bound, secret = octets(each.get("aad", each.get("ad", ""))), octets(each["key"])
        if "fail" in each or each.get("result", "").endswith("ERROR"):
            with pytest.raises(CannotDecrypt):
                operations.unseal(kind(name), secret, nonce + body + tag, bound)
            refused += 1
            continue
        opened = operations.unseal(kind(name), secret, nonce + body + tag, bound)
        assert opened == octets(each.get("pt", each.get("plaintext", each.get("in", ""))))
        run += 1
    assert run >= 1
    assert (refused > 0) is (name != "sm4-gcm" and "boringssl" not in file)


@pytest.mark.parametrize("name", ["sha256", "sha512"])
def test_hmac_vectors(name: str) -> None:
    for each in vectors(f"HMAC/rfc-4231-{name}.txt"):
        secret, message = bytes.fromhex(each["key"]), bytes.fromhex(each["msg"])
        right = bytes.fromhex(each["md"])
        made = operations.mac(kind(f"hmac-{name}"), secret, message)
        assert made[: len(right)] == right
        operations.verify_mac(kind(f"hmac-{name}"), secret, made, message)


def test_hmac_of_sm3_is_its_definition_and_gmssls() -> None:
    for size in (1, 32, 64, 65, 200):
        secret = bytes(range(size))
        made = operations.mac(kind("hmac-sm3"), secret, TEXT)
        assert made == gmssl_pyx.sm3_hmac(secret, TEXT) if size <= 64 else made
        block = (SM3.digest(secret) if size > 64 else secret).ljust(64, b"\0")
        inner = SM3.digest(bytes(each ^ 0x36 for each in block) + TEXT)
        assert made == SM3.digest(bytes(each ^ 0x5C for each in block) + inner)


def test_sm2_encryption_of_the_standard() -> None:
    """GB/T 32918.5 annex C, through the path of a service key: the plaintext there is too short to name a binding."""
    secret = pkcs8_of(bytes.fromhex(PRIVATE), bytes.fromhex(POINT))
    x, y = int(CIPHER_X, 16), int(CIPHER_Y, 16)
    cipher = der.sequence(
        der.integer(x),
        der.integer(y),
        der.octets(bytes.fromhex(CIPHER_C3)),
        der.octets(bytes.fromhex(CIPHER_C2)),
    )
    assert PrivateKey.load(secret, proved=True).decrypt(cipher) == PLAINTEXT
    with pytest.raises(CannotDecrypt):
        operations.unseal(kind("sm2-encryption"), secret, cipher, b"")


# --- HPKE, by the letters of RFC 9180 ---


def _opened(  # noqa: PLR0917 - the parts of one message
    shared: bytes, suite: tuple[int, int, int], info: bytes, key_size: int, sealed: bytes, aad: bytes
) -> bytes:
    """Section 5.1, base mode, the first message, with hashlib's HMAC-SHA256."""
    mark = b"HPKE" + b"".join(each.to_bytes(2, "big") for each in suite)

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + mark + label + ikm, "sha256")

    def expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
        labelled = size.to_bytes(2, "big") + b"HPKE-v1" + mark + label + context
        block, out, number = b"", b"", 1
        while len(out) < size:
            block = hmac.digest(secret, block + labelled + bytes((number,)), "sha256")
            out, number = out + block, number + 1
        return out[:size]

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, key_size), expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed, aad)


def test_hpke_is_rfc_9180s() -> None:
    """The arithmetic above opens the drafts' own vector of ML-KEM-768, and so does it open ours."""
    with open_vector_file("HPKE/hpke-pq-test-vectors.json", "r") as file:
        (given,) = [each for each in json.load(file) if (each["kem_id"], each["kdf_id"]) == (65, 1)]
    first = given["encryptions"][0]
    shared, info = bytes.fromhex(given["shared_secret"]), bytes.fromhex(given["info"])
    sealed, aad = bytes.fromhex(first["ct"]), bytes.fromhex(first["aad"])
    assert _opened(shared, (65, 1, given["aead_id"]), info, 16, sealed, aad) == bytes.fromhex(first["pt"])
    for name, kem, size in (("ml-kem-768", 65, 1088), ("ml-kem-1024", 66, 1568)):
        secret, spki = operations.generate(kind(name))
        made = operations.seal(kind(name), None, spki, TEXT, b"binding")
        shared = PrivateKey.load(secret).decapsulate(made[:size])
        assert _opened(shared, (kem, 1, 2), b"binding", 32, made[size:], b"") == TEXT


# --- judges outside ---


@pytest.fixture(scope="module")
def rsa() -> tuple[bytes, bytes]:
    secret, spki = operations.generate(kind("rsa-3072-oaep"))
    assert spki is not None
    return secret, spki


def pem(tmp_path: Path, secret: bytes) -> str:
    """A private key that OpenSSL reads."""
    form = serialization.PrivateFormat.PKCS8
    key = serialization.load_der_private_key(secret, None)
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return str(file)


def test_openssl_opens_what_an_rsa_key_sealed_and_the_other_way(
    tmp_path: Path, rsa: tuple[bytes, bytes]
) -> None:
    secret, spki = rsa
    options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"]
    options += ["-pkeyopt", "rsa_mgf1_md:sha256", "-pkeyopt", f"rsa_oaep_label:{b'binding'.hex()}"]
    file = tmp_path / "in"
    file.write_bytes(operations.seal(kind("rsa-3072-oaep"), None, spki, TEXT, b"binding"))
    key, out = pem(tmp_path, secret), tmp_path / "out"
    openssl("pkeyutl", "-decrypt", "-inkey", key, "-in", str(file), "-out", str(out), *options)
    assert out.read_bytes() == TEXT
    file.write_bytes(TEXT)
    openssl("pkeyutl", "-encrypt", "-inkey", key, "-in", str(file), "-out", str(out), *options)
    assert operations.unseal(kind("rsa-3072-oaep"), secret, out.read_bytes(), b"binding") == TEXT


def test_openssl_verifies_pss_and_the_other_way(tmp_path: Path, rsa: tuple[bytes, bytes]) -> None:
    secret, spki = rsa
    options = ["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    key, message, signature = pem(tmp_path, secret), tmp_path / "message", tmp_path / "signature"
    message.write_bytes(TEXT)
    signature.write_bytes(operations.sign(kind("rsa-3072-pss"), secret, TEXT))
    said = openssl("dgst", *options, "-prverify", key, "-signature", str(signature), str(message))
    assert "Verified OK" in said
    openssl("dgst", *options, "-sign", key, "-out", str(signature), str(message))
    operations.verify(kind("rsa-3072-pss"), spki, signature.read_bytes(), TEXT)
    with pytest.raises(BadSignature):
        operations.verify(kind("rsa-3072-pss"), spki, signature.read_bytes(), TEXT + b"x")


def test_openssl_and_gmssl_open_what_an_sm2_key_sealed_and_the_other_way(tmp_path: Path) -> None:
    """Before the plaintext stands the SM3 of what it is bound to."""
    secret, spki = operations.generate(kind("sm2-encryption"))
    assert spki is not None
    sealed = operations.seal(kind("sm2-encryption"), None, spki, TEXT, b"binding")
    whole = SM3.digest(b"binding") + TEXT
    file, key, out = tmp_path / "in", tmp_path / "key.der", tmp_path / "out"
    file.write_bytes(sealed)
    key.write_bytes(secret)
    inkey = ["-inkey", str(key), "-keyform", "DER"]
    openssl("pkeyutl", "-decrypt", *inkey, "-in", str(file), "-out", str(out))
    assert out.read_bytes() == whole
    file.write_bytes(whole)
    openssl("pkeyutl", "-encrypt", *inkey, "-in", str(file), "-out", str(out))
    assert operations.unseal(kind("sm2-encryption"), secret, out.read_bytes(), b"binding") == TEXT
    number = der.content(der.elements(der.content(der.elements(secret)[2]))[1])
    assert gmssl_pyx.sm2_decrypt(number, sealed) == whole
    point = sm2.SM2PublicKey(spki).point[1:]
    theirs = gmssl_pyx.sm2_encrypt(point, whole)
    assert operations.unseal(kind("sm2-encryption"), secret, theirs, b"binding") == TEXT


def test_gmssl_opens_what_sm4_sealed_and_the_other_way() -> None:
    secret, _ = operations.generate(kind("sm4-gcm"))
    sealed = operations.seal(kind("sm4-gcm"), secret, None, TEXT, b"binding")
    opened = gmssl_pyx.sm4_gcm_decrypt(
        key=secret, iv=sealed[:12], aad=b"binding", ciphertext=sealed[12:-16], tag=sealed[-16:]
    )
    assert opened == TEXT
    theirs, tag = gmssl_pyx.sm4_gcm_encrypt(key=secret, iv=bytes(12), aad=b"binding", plaintext=TEXT)
    assert operations.unseal(kind("sm4-gcm"), secret, bytes(12) + theirs + tag, b"binding") == TEXT


def test_nonces_are_never_alike() -> None:
    secret, _ = operations.generate(kind("aes-256-gcm"))
    made = {operations.seal(kind("aes-256-gcm"), secret, None, b"", b"")[:12] for _ in range(2000)}
    assert len(made) == 2000


# --- secrets from elsewhere ---


@pytest.mark.parametrize("name", [each for each in KINDS if "rsa" not in each])
def test_a_secret_is_read_back_as_itself_and_as_nothing_else(name: str) -> None:
    secret, spki = operations.generate(kind(name))
    assert operations.read(kind(name), secret) == (secret, spki)
    wrong = [secret[:-1], b"", b"x" * 1000, secret + b"x"]
    other, _ = operations.generate(kind("ecdsa-p384" if kind(name).key != "ecdsa-p384" else "ed25519"))
    for each in (*wrong, other):
        with pytest.raises(MalformedKey):
            operations.read(kind(name), each)


def test_an_rsa_key_of_another_size_is_another_kind(rsa: tuple[bytes, bytes]) -> None:
    assert operations.read(kind("rsa-3072-pss"), rsa[0]) == rsa
    with pytest.raises(MalformedKey):
        operations.read(kind("rsa-4096-pss"), rsa[0])


def test_the_longest_plaintext_of_rsa() -> None:
    assert operations.longest_plaintext(kind("rsa-3072-oaep")) == 384 - 2 * hashlib.sha256().digest_size - 2
    assert operations.longest_plaintext(kind("rsa-4096-oaep")) == 512 - 2 * hashlib.sha384().digest_size - 2
    assert operations.longest_plaintext(kind("sm2-encryption")) is None
