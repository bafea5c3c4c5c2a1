import pytest

from tests.support.hollow import hollowed
from yinxin.crypto.errors import MalformedRequest
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError

BOTH = pytest.mark.parametrize("chosen", [INTL, SM], ids=["intl", "sm"])
SAN = (("dns", "gov.example"), ("email", "a@b.cn"))


@BOTH
def test_a_request_says_what_was_asked(chosen):
    key = PrivateKey.generate(chosen)
    made = CertificationRequest.build(key, {"C": "CN", "CN": "某省 网关"}, SAN)
    for again in (CertificationRequest.load(made.der), CertificationRequest.load(made.pem.encode())):
        again.verify()
        assert again.subject == Name.of({"C": "CN", "CN": "某省 网关"})
        assert again.san == SAN
        assert again.public_key == key.public_key


def test_openssl_verifies_it(openssl, files):
    made = CertificationRequest.build(PrivateKey.generate(INTL), {"CN": "x"}, SAN)
    said = openssl("req", "-verify", "-noout", "-text", "-in", files.write("r.pem", made.pem))
    assert "verify OK" in said
    assert "DNS:gov.example" in said


def test_openssl_verifies_the_sm2_one(openssl, files):
    made = CertificationRequest.build(PrivateKey.generate(SM), {"CN": "x"}, SAN)
    identity = ("-vfyopt", "distid:1234567812345678")
    assert "verify OK" in openssl(
        "req", "-verify", "-noout", *identity, "-in", files.write("r.pem", made.pem)
    )


@pytest.mark.parametrize("kind", [["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-newkey", "rsa:2048"], ["-newkey", "ed25519"],
    ["-newkey", "sm2", "-sm3", "-sigopt", "distid:1234567812345678"]], ids=["p256", "rsa", "ed25519", "sm2"])  # fmt: skip
def test_requests_of_openssl_are_read(openssl, files, kind):
    out = files.directory / "r.pem"
    openssl(
        "req",
        "-new",
        *kind,
        "-nodes",
        "-keyout",
        files.directory / "k.pem",
        "-out",
        out,
        "-subj",
        "/CN=x",
        "-addext",
        "subjectAltName=DNS:a.example",
    )
    made = CertificationRequest.load(out.read_bytes())
    made.verify()
    assert made.san == (("dns", "a.example"),)


@BOTH
def test_no_changed_octet_keeps_the_proof(chosen, flipped):
    made = CertificationRequest.build(PrivateKey.generate(chosen), {"CN": "x"}, SAN)
    for data in flipped(made.der):
        with pytest.raises(YinxinError):
            CertificationRequest.load(data).verify()


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE REQUEST-----\n", b"junk"])
def test_junk_is_no_request(data):
    with pytest.raises(MalformedRequest):
        CertificationRequest.load(data)


@BOTH
def test_a_request_that_lacks_something_is_refused_as_such(chosen):
    """Seen to fail: by a plain ValueError, which no protocol has an answer for, where its signature is by no algorithm."""
    for each in hollowed(CertificationRequest.build(PrivateKey.generate(chosen), {"CN": "x"}, SAN).der):
        with pytest.raises(YinxinError):
            CertificationRequest(each).verify()
