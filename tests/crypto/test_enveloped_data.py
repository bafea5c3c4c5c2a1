"""Envelopes: opened by OpenSSL and opening OpenSSL's, for every kind of recipient, and by nobody else."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import AES_128_CBC, AES_256_CBC, EnvelopedData, envelop, envelop_shared
from yinxin.crypto.errors import CannotDecrypt, MalformedEnvelope, UnsupportedAlgorithm
from yinxin.crypto.key_transport import opened, transport
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.suite import SM, suite

CONTENT = "任免通知".encode() * 9
_FORM = serialization.PrivateFormat.PKCS8


@pytest.fixture(scope="module", params=["rsa", "p256", "p384"])
def pair(request: pytest.FixtureRequest) -> bytes:
    """PKCS#8 of a key in DER."""
    key = {
        "rsa": lambda: rsa.generate_private_key(65537, 3072),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }[request.param]()
    return bytes(key.private_bytes(serialization.Encoding.DER, _FORM, serialization.NoEncryption()))


@pytest.fixture
def recipient(pair: bytes, tmp_path: Path, openssl: Callable[..., str]) -> Certificate:
    (tmp_path / "key.der").write_bytes(pair)
    openssl("pkey", "-inform", "DER", "-in", tmp_path / "key.der", "-out", tmp_path / "key.pem")
    made = ["req", "-x509", "-subj", "/CN=r", "-days", "9", "-key"]
    openssl(*made, tmp_path / "key.pem", "-out", tmp_path / "cert.pem")
    return Certificate.load((tmp_path / "cert.pem").read_bytes())


@pytest.mark.parametrize("by", ["certificate", "key"])
def test_openssl_opens_what_we_close(
    recipient: Certificate, tmp_path: Path, openssl: Callable[..., str], by: str
) -> None:
    whom = recipient if by == "certificate" else recipient.public_key
    (tmp_path / "e").write_bytes(envelop(CONTENT, whom, cipher=AES_128_CBC))
    decrypt = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in"]
    openssl(*decrypt, tmp_path / "e", "-recip", tmp_path / "cert.pem", "-inkey", tmp_path / "key.pem", "-out", tmp_path / "o")  # fmt: skip
    assert (tmp_path / "o").read_bytes() == CONTENT


@pytest.mark.parametrize("options", ["", "-keyid", "-aes128", "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256"])  # fmt: skip
def test_we_open_what_openssl_closes(
    recipient: Certificate, pair: bytes, tmp_path: Path, openssl: Callable[..., str], options: str
) -> None:
    if "rsa" in options and recipient.public_key.algorithm != "rsa":
        pytest.skip("OAEP is RSA's")
    (tmp_path / "c").write_bytes(CONTENT)
    given = options.split() if "rsa" in options else []
    flags = ["-aes256", *options.split()] if not given else ["-aes256"]
    agreement = [] if recipient.public_key.algorithm == "rsa" else ["-keyopt", "ecdh_kdf_md:sha256"]
    command = ["cms", "-encrypt", "-binary", "-outform", "DER", *flags, "-in", tmp_path / "c", "-out", tmp_path / "e"]  # fmt: skip
    openssl(*command, "-recip", tmp_path / "cert.pem", *given, *agreement)
    whom = recipient.public_key if "-keyid" in options else recipient
    assert EnvelopedData.load((tmp_path / "e").read_bytes()).open(whom, pair) == CONTENT


def test_the_sm_suite_and_a_shared_secret() -> None:
    key = PrivateKey.generate(SM)
    assert EnvelopedData.load(envelop(CONTENT, key.public_key)).open(key.public_key, key.pkcs8()) == CONTENT
    shared = EnvelopedData.load(envelop_shared(CONTENT, bytes(32), b"us"))
    assert shared.open_shared(bytes(32), b"us") == CONTENT
    for secret, name in ((b"\1" * 32, b"us"), (bytes(32), b"them")):
        with pytest.raises(CannotDecrypt):
            shared.open_shared(secret, name)


def test_openssl_opens_with_the_shared_secret(tmp_path: Path, openssl: Callable[..., str]) -> None:
    (tmp_path / "e").write_bytes(envelop_shared(CONTENT, b"\7" * 32, b"us"))
    decrypt = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in"]
    openssl(*decrypt, tmp_path / "e", "-secretkey", "07" * 32, "-secretkeyid", b"us".hex(), "-out", tmp_path / "o")  # fmt: skip
    assert (tmp_path / "o").read_bytes() == CONTENT


def test_nobody_else_opens_it(pair: bytes, recipient: Certificate) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    foreign = other.private_bytes(serialization.Encoding.DER, _FORM, serialization.NoEncryption())
    public = other.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sealed = EnvelopedData.load(envelop(CONTENT, recipient))
    with pytest.raises(CannotDecrypt):
        sealed.open(PublicKey(public), foreign)
    with pytest.raises((CannotDecrypt, UnsupportedAlgorithm)):
        sealed.open(recipient, foreign)


def test_every_octet_changed_is_refused_or_opens_to_something_else(
    pair: bytes, recipient: Certificate
) -> None:
    """CBC says nothing of integrity: what matters is that nothing but our own errors comes out."""
    sealed = envelop(CONTENT, recipient, cipher=AES_256_CBC)
    for place in range(0, len(sealed), 11):
        bad = sealed[:place] + bytes((sealed[place] ^ 0x41,)) + sealed[place + 1 :]
        with suppress(MalformedEnvelope, CannotDecrypt, UnsupportedAlgorithm):
            EnvelopedData.load(bad).open(recipient, pair)


def test_triple_des_is_refused(recipient: Certificate, tmp_path: Path, openssl: Callable[..., str]) -> None:
    """Seen to fail when the cipher is not looked for in the table."""
    (tmp_path / "c").write_bytes(CONTENT)
    openssl("cms", "-encrypt", "-des3", "-outform", "DER", "-in", tmp_path / "c", "-out", tmp_path / "e", tmp_path / "cert.pem")  # fmt: skip
    with pytest.raises(UnsupportedAlgorithm):
        EnvelopedData.load((tmp_path / "e").read_bytes())
    with pytest.raises(MalformedEnvelope):
        EnvelopedData.load(der.null())


@pytest.mark.parametrize("name", ["sm", "intl"])
def test_a_key_of_another_kind_opens_no_transport(name: str) -> None:
    """Seen to fail for SM2, with the library's own error."""
    key = PrivateKey.generate("rsa-3072")
    algorithm, encrypted = transport(key.public_key, bytes(32), oaep=True)
    with pytest.raises(UnsupportedAlgorithm):
        opened(PrivateKey.generate(suite(name)).pkcs8(), algorithm, encrypted)
