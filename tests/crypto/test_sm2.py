"""SM2 against the standard's own numbers, against GmSSL, and against the openssl command, both ways."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cryptography_vectors
import gmssl_pyx
import pytest

from yinxin.crypto import der, libcrypto, sm2
from yinxin.crypto.errors import BadSignature, CannotDecrypt, LibcryptoMissing, MalformedKey
from yinxin.crypto.sm2 import SM2PrivateKey, SM2PublicKey
from yinxin.crypto.suite import SM3

# GB/T 32918.5-2017 (GM/T 0003.5-2012) annexes A and C, the recommended curve. The numbers are printed in the standard
# and stand unchanged in the test suites of OpenSSL (test/sm2_internal_test.c) and many others.
PRIVATE = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
POINT = (
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
MESSAGE = b"message digest"
ZA = "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3"
E = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
R = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
S = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
PLAINTEXT = b"encryption standard"
CIPHER_X = "04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"
CIPHER_Y = "E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
CIPHER_C3 = "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
CIPHER_C2 = "21886CA989CA9C7D58087307CA93092D651EFA"


def spki_of(point: bytes) -> bytes:
    return der.sequence(sm2.ALGORITHM, der.bits(point))


def pkcs8_of(private: bytes, point: bytes) -> bytes:
    """PrivateKeyInfo (RFC 5208) around ECPrivateKey (RFC 5915)."""
    key = der.sequence(der.integer(1), der.octets(private), der.explicit(1, der.bits(point)))
    return der.sequence(der.integer(0), sm2.ALGORITHM, der.octets(key))


@pytest.fixture(scope="module")
def standard() -> SM2PrivateKey:
    return SM2PrivateKey.load(pkcs8_of(bytes.fromhex(PRIVATE), bytes.fromhex(POINT)))


def test_the_standards_key(standard: SM2PrivateKey):
    assert standard.public_key.point.hex().upper() == POINT
    assert standard.public_key.spki == spki_of(bytes.fromhex(POINT))


def test_the_standards_digest(standard: SM2PrivateKey):
    assert standard.public_key.za().hex().upper() == ZA
    assert standard.public_key.prehash(MESSAGE).hex().upper() == E


def test_the_standards_signature_verifies(standard: SM2PrivateKey):
    signature = der.sequence(der.integer(int(R, 16)), der.integer(int(S, 16)))
    standard.public_key.verify(signature, MESSAGE)
    standard.public_key.verify_digest(signature, bytes.fromhex(E))
    with pytest.raises(BadSignature):
        standard.public_key.verify(signature, MESSAGE + b".")
    with pytest.raises(BadSignature):
        standard.public_key.verify(signature, MESSAGE, identity=b"ALICE123@YAHOO.COM")


def test_the_standards_ciphertext_opens(standard: SM2PrivateKey):
    ciphertext = der.sequence(
        der.integer(int(CIPHER_X, 16)),
        der.integer(int(CIPHER_Y, 16)),
        der.octets(bytes.fromhex(CIPHER_C3)),
        der.octets(bytes.fromhex(CIPHER_C2)),
    )
    assert standard.decrypt(ciphertext) == PLAINTEXT


def sm3_vectors() -> list[tuple[str, str]]:
    """From cryptography-vectors, whose file names GM/T 0004 and the Linux kernel as its sources."""
    file = Path(cryptography_vectors.__file__).parent / "hashes/SM3/oscca.txt"
    lines = [line.partition(" = ") for line in file.read_text().splitlines()]
    fields = [(name, value) for name, _, value in lines if name in ("Len", "Msg", "MD")]
    return [
        ("" if size == "0" else message, digest)
        for (_, size), (_, message), (_, digest) in zip(fields[::3], fields[1::3], fields[2::3], strict=True)
    ]


@pytest.mark.parametrize(("message", "digest"), sm3_vectors())
def test_sm3(message: str, digest: str):
    assert SM3.digest(bytes.fromhex(message)).hex() == digest


# --- against GmSSL ---------------------------------------------------------------------------------------------


def raw(key: SM2PrivateKey) -> tuple[bytes, bytes]:
    """(private scalar, X ‖ Y), as GmSSL takes them."""
    private = der.content(der.elements(der.content(der.elements(key.pkcs8())[2]))[1])
    return private.rjust(32, b"\0"), key.public_key.point[1:]


def test_signatures_agree_with_gmssl_both_ways():
    for turn in range(60):
        key = SM2PrivateKey.generate()
        private, public = raw(key)
        message = bytes([turn]) * turn
        assert gmssl_pyx.sm2_verify(public, message, key.sign(message))
        key.public_key.verify(gmssl_pyx.sm2_sign(private, public, message), message)
        digest = key.public_key.prehash(message)
        assert gmssl_pyx.sm2_verify_sm3_digest(public, digest, key.sign_digest(digest))
        key.public_key.verify_digest(gmssl_pyx.sm2_sign_sm3_digest(private, digest), digest)


def test_encryption_agrees_with_gmssl_both_ways():
    for size in (1, 16, 19, 200, 255):
        key = SM2PrivateKey.generate()
        private, public = raw(key)
        plaintext = bytes(range(size))
        assert gmssl_pyx.sm2_decrypt(private, key.public_key.encrypt(plaintext)) == plaintext
        assert key.decrypt(gmssl_pyx.sm2_encrypt(public, plaintext)) == plaintext


# --- against the openssl command -------------------------------------------------------------------------------


def test_signatures_agree_with_openssl_both_ways(openssl: Callable[..., str], files):
    key = SM2PrivateKey.generate()
    private, public = files.write("key.der", key.pkcs8()), files.write("public.der", key.public_key.spki)
    message = files.write("message", "关于开展安全检查的通知")
    ours = files.write("ours.sig", key.sign(message.read_bytes()))
    theirs = files.directory / "theirs.sig"
    identity = ("-sigopt", "distid:1234567812345678")
    openssl("dgst", "-sm3", "-verify", public, "-keyform", "DER", *identity, "-signature", ours, message)
    openssl("dgst", "-sm3", "-sign", private, "-keyform", "DER", *identity, "-out", theirs, message)
    key.public_key.verify(theirs.read_bytes(), message.read_bytes())


def test_keys_made_by_openssl_load(openssl: Callable[..., str], files):
    out = files.directory / "key.der"
    traditional = files.directory / "traditional.der"
    openssl("genpkey", "-algorithm", "SM2", "-outform", "DER", "-out", traditional)
    openssl(
        "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", traditional, "-outform", "DER", "-out", out
    )
    key = SM2PrivateKey.load(out.read_bytes())
    key.public_key.verify(key.sign(b"x"), b"x")


# --- what it refuses -------------------------------------------------------------------------------------------


def test_no_changed_bit_of_a_signature_verifies():
    key = SM2PrivateKey.generate()
    signature = key.sign(b"x")
    for place in range(8 * len(signature)):
        changed = bytearray(signature)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(BadSignature):
            key.public_key.verify(bytes(changed), b"x")


N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (0, 0), (N, 1), (1, N), (N, N), (1, N - 1), (-1, 1)])
def test_signatures_out_of_range_are_refused(standard: SM2PrivateKey, r: int, s: int):
    with pytest.raises(BadSignature):
        standard.public_key.verify(der.sequence(der.integer(r), der.integer(s)), MESSAGE)


def test_ciphertexts_that_were_changed_do_not_open():
    key = SM2PrivateKey.generate()
    ciphertext = key.public_key.encrypt(b"secret")
    for place in range(len(ciphertext)):
        changed = bytearray(ciphertext)
        changed[place] ^= 1
        with pytest.raises(CannotDecrypt):
            key.decrypt(bytes(changed))


def test_points_off_the_curve_are_refused():
    point = bytearray.fromhex(POINT)
    point[-1] ^= 1
    with pytest.raises(MalformedKey):
        SM2PublicKey(spki_of(bytes(point)))


def test_private_keys_that_do_not_fit_their_public_part_are_refused():
    other = SM2PrivateKey.generate().public_key.point
    with pytest.raises(MalformedKey):
        SM2PrivateKey.load(pkcs8_of(bytes.fromhex(PRIVATE), other))


def test_only_whole_digests_are_signed(standard: SM2PrivateKey):
    with pytest.raises(ValueError, match="32 octets"):
        standard.sign_digest(b"short")


def test_no_secret_in_the_repr(standard: SM2PrivateKey):
    assert repr(standard) == "<SM2PrivateKey>"


def test_threads_share_one_key():
    key = SM2PrivateKey.generate()

    def work(turn: int) -> None:
        message = turn.to_bytes(4, "big")
        key.public_key.verify(key.sign(message), message)
        assert key.decrypt(key.public_key.encrypt(message)) == message

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(400)))


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    libcrypto.library.cache_clear()
    monkeypatch.setattr(libcrypto, "LIBRARY", "libcrypto.so.99")
    try:
        with pytest.raises(LibcryptoMissing) as caught:
            SM2PrivateKey.generate()
    finally:
        libcrypto.library.cache_clear()
    assert "libssl3" in caught.value.text("en")
    assert "libssl3" in caught.value.text("zh")


def test_secrets_are_wiped():
    secret = bytearray(b"secret")
    libcrypto.cleanse(secret)
    assert secret == bytes(6)
