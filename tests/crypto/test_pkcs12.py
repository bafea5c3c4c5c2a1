import shutil
import stat
import subprocess

import pytest
from asn1crypto import pkcs12 as asn1
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12 as library

from yinxin.crypto import pkcs12
from yinxin.crypto.errors import CannotOpenKeyFile, KeyMismatch, UnsupportedAlgorithm, WrongPassword
from yinxin.crypto.keys import Identity, PrivateKey

PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
PASSWORD = "口令 密码-1"


class Handle:
    """A key that stays in its device."""

    def __init__(self, key):
        self._key = key
        self.public_key = key.public_key

    def sign(self, message):
        return self._key.sign(message)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(pkcs12, "ITERATIONS", 2048)


def test_an_identity_survives_its_file(hierarchy, tmp_path):
    person, path = hierarchy.person(), tmp_path / "person.p12"
    person.save_p12(path, PASSWORD)
    again = Identity.load_p12(path, PASSWORD)
    assert again.certificate == person.certificate
    assert set(again.chain) == set(person.chain)
    person.certificate.public_key.verify(again.key.sign(b"x"), b"x")


def test_the_file_is_for_its_owner_alone_and_replaces_whole(hierarchy, tmp_path):
    path = tmp_path / "person.p12"
    path.write_bytes(b"old")
    hierarchy.person().save_p12(path, PASSWORD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["person.p12"]


def test_a_failed_write_leaves_the_old_file(intl, tmp_path, monkeypatch):
    path = tmp_path / "person.p12"
    intl.person().save_p12(path, PASSWORD)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        intl.person().save_p12(path, PASSWORD)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["person.p12"]


def test_openssl_reads_it(classical, openssl, files):
    person, path = classical.person(), files.directory / "person.p12"
    person.save_p12(path, "ascii-password")
    said = openssl("pkcs12", "-info", "-in", path, "-passin", "pass:ascii-password", "-nodes")
    assert "PBES2, PBKDF2, AES-256-CBC" in said
    assert "BEGIN PRIVATE KEY" in said
    assert person.certificate.pem in said


def test_cryptography_reads_the_intl_one_and_we_read_its(intl, tmp_path):
    person, path = intl.person(), tmp_path / "person.p12"
    person.save_p12(path, PASSWORD)
    key, certificate, more = library.load_key_and_certificates(path.read_bytes(), PASSWORD.encode())
    assert certificate.public_bytes(serialization.Encoding.DER) == person.certificate.der
    assert len(more) == 2
    strong = serialization.BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(library.serialize_key_and_certificates(b"x", key, certificate, more, strong))
    assert Identity.load_p12(path, PASSWORD).certificate == person.certificate


def test_others_open_the_parts_of_the_pq_one(pq, openssl, tmp_path):
    """No reader of whole files is known yet: OpenSSL 3.0 holds the MAC and the certificates, `cryptography` the key."""
    person, path = pq.person(), tmp_path / "person.p12"
    person.save_p12(path, "ascii-password")
    said = openssl("pkcs12", "-in", path, "-passin", "pass:ascii-password", "-nokeys")
    assert person.certificate.pem in said
    safe = asn1.Pfx.load(path.read_bytes())["auth_safe"]["content"].native
    (bag,) = asn1.SafeContents.load(asn1.AuthenticatedSafe.load(safe)[1]["content"].native)
    key = serialization.load_der_private_key(bag["bag_value"].untag().dump(), b"ascii-password")
    assert key.private_bytes(*PKCS8) == person.key.pkcs8()


@pytest.mark.skipif(shutil.which("pk12util") is None, reason="needs libnss3-tools")
def test_browsers_import_it(classical, files):
    """NSS is what Firefox and Chromium on Linux keep their certificates with."""
    database = f"sql:{files.directory}"
    path, secret = files.directory / "person.p12", files.write("password", PASSWORD + "\n")
    classical.person().save_p12(path, PASSWORD)
    subprocess.run(["certutil", "-N", "-d", database, "--empty-password"], check=True)
    command = ["pk12util", "-i", str(path), "-d", database, "-w", str(secret)]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "IMPORT SUCCESSFUL" in said.stdout
    keys = subprocess.run(["certutil", "-K", "-d", database], check=True, capture_output=True, text=True)
    assert "张三" in keys.stdout


def test_what_openssl_writes_is_read(classical, openssl, files):
    person = classical.person()
    key, certificate = (
        files.write("key.der", person.key.pkcs8()),
        files.certificates("c.pem", person.certificate),
    )
    path = files.directory / "theirs.p12"
    pem = files.directory / "key.pem"
    openssl("pkey", "-inform", "DER", "-in", key, "-out", pem)
    openssl("pkcs12", "-export", "-inkey", pem, "-in", certificate, "-out", path, "-passout", "pass:x")
    assert Identity.load_p12(path, "x").certificate == person.certificate


def test_old_schemes_are_refused(intl, openssl, files):
    person = intl.person()
    key, certificate = (
        files.write("key.der", person.key.pkcs8()),
        files.certificates("c.pem", person.certificate),
    )
    path, pem = files.directory / "old.p12", files.directory / "key.pem"
    openssl("pkey", "-inform", "DER", "-in", key, "-out", pem)
    old = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES")
    openssl("pkcs12", "-export", "-inkey", pem, "-in", certificate, "-out", path, "-passout", "pass:x", *old)
    with pytest.raises(CannotOpenKeyFile, match="old password scheme"):
        Identity.load_p12(path, "x")


def test_a_wrong_password_is_said_plainly(hierarchy, tmp_path):
    path = tmp_path / "person.p12"
    hierarchy.person().save_p12(path, PASSWORD)
    with pytest.raises(WrongPassword) as caught:
        Identity.load_p12(path, "wrong")
    assert "口令" in caught.value.text("zh")
    assert PASSWORD not in str(caught.value)
    with pytest.raises(CannotOpenKeyFile):
        Identity.load_p12(tmp_path / "missing.p12", PASSWORD)


def test_a_changed_file_does_not_open(hierarchy, tmp_path, flipped):
    path = tmp_path / "person.p12"
    person = hierarchy.person()
    person.save_p12(path, PASSWORD)
    for data in flipped(path.read_bytes(), step=7):
        path.write_bytes(data)
        try:
            again = Identity.load_p12(path, PASSWORD)
        except CannotOpenKeyFile:
            continue
        assert again.certificate == person.certificate  # the flip was in a tag the MAC does not cover


def test_keys_in_a_device_cannot_be_saved(hierarchy, tmp_path):
    person = hierarchy.person()
    kept = Identity(Handle(person.key), person.certificate)
    with pytest.raises(UnsupportedAlgorithm):
        kept.save_p12(tmp_path / "x.p12", PASSWORD)


def test_a_key_without_its_certificate_is_no_identity(hierarchy):
    with pytest.raises(KeyMismatch):
        Identity(PrivateKey.generate(hierarchy.suite), hierarchy.person().certificate)
