"""ML-KEM in CMS (RFC 9629, 9936): the RFC's own example, every step by others' hands, and nothing changed that opens.

Seen to fail when: the length is left out of what HKDF is told; the wrap is not checked; the tag is not checked.
"""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1_alt_modules import rfc5083, rfc5084, rfc5652, rfc9629, rfc9936

from tests.crypto.vectors import RFC_9936
from yinxin.crypto import der
from yinxin.crypto.authenticated_envelope import AuthenticatedEnvelope, envelop_authenticated
from yinxin.crypto.enveloped_data import EnvelopedData, envelop
from yinxin.crypto.errors import CannotDecrypt, MalformedEnvelope, UnsupportedAlgorithm
from yinxin.crypto.kem_recipient import KemRecipient
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.received_key import open_received
from yinxin.errors import YinxinError

CONTENT = "收件人可读 / for the recipient".encode()


@pytest.fixture(params=["ml-kem-768", "ml-kem-1024"])
def key(request):
    return PrivateKey.generate(request.param)


def test_the_example_of_the_rfc_opens_by_its_shared_secret():
    """Appendix C is ML-KEM-512, which nobody has here: everything after the decapsulation."""
    data = AuthenticatedEnvelope.load(RFC_9936["message"])
    (info,) = data.recipients
    asked = KemRecipient.read(info)
    assert asked.rid == der.tlv(0x80, RFC_9936["key_id"])
    begins, size = RFC_9936["encapsulation"]
    assert (asked.encapsulation[:32], len(asked.encapsulation), asked.wrapped) == (
        begins,
        size,
        RFC_9936["wrapped"],
    )
    derived = HKDF(hashes.SHA256(), 16, None, bytes.fromhex("3010300B0609608648016503040105020110"))
    assert derived.derive(RFC_9936["shared_secret"]) == RFC_9936["wrapping_key"]
    key = asked.key(RFC_9936["shared_secret"])
    assert key == RFC_9936["content_key"]
    assert data.decrypt(key) == b"Hello, world!"
    with pytest.raises(ValueError, match="unwrap"):
        asked.key(bytes(32))


def by_others(message, key):
    """The recipient's steps written out, on the module of the RFC and the library's primitives alone."""
    outer, _ = decode(message, asn1Spec=rfc5652.ContentInfo())
    assert outer["contentType"] == rfc5083.id_ct_authEnvelopedData
    data, _ = decode(bytes(outer["content"]), asn1Spec=rfc5083.AuthEnvelopedData())
    assert encode(data) == bytes(outer["content"])
    ori = data["recipientInfos"][0]["ori"]
    assert ori["oriType"] == rfc9629.id_ori_kem
    info, _ = decode(bytes(ori["oriValue"]), asn1Spec=rfc9629.KEMRecipientInfo())
    assert encode(info) == bytes(ori["oriValue"])
    kem = {"ml-kem-768": rfc9936.id_alg_ml_kem_768, "ml-kem-1024": rfc9936.id_alg_ml_kem_1024}
    assert info["kem"]["algorithm"] == kem[key.public_key.algorithm]
    assert not info["kem"]["parameters"].hasValue()
    for field, wanted in (("kdf", rfc9936.id_alg_hkdf_with_sha256), ("wrap", rfc9936.id_aes256_wrap)):
        assert info[field]["algorithm"] == wanted
        assert not info[field]["parameters"].hasValue()
    told = rfc9629.CMSORIforKEMOtherInfo()
    told["wrap"], told["kekLength"] = info["wrap"], info["kekLength"]
    private = serialization.load_der_private_key(key.pkcs8(), None)
    secret = private.decapsulate(bytes(info["kemct"]))
    kek = HKDF(hashes.SHA256(), int(info["kekLength"]), None, encode(told)).derive(secret)
    content_key = aes_key_unwrap(kek, bytes(info["encryptedKey"]))
    encrypted = data["authEncryptedContentInfo"]
    gcm, _ = decode(encrypted["contentEncryptionAlgorithm"]["parameters"], asn1Spec=rfc5084.GCMParameters())
    body = bytes(encrypted["encryptedContent"]) + bytes(data["mac"])
    return AESGCM(content_key).decrypt(bytes(gcm["aes-nonce"]), body, None), info


def test_what_is_written_is_opened_by_others_and_by_us(key):
    message = envelop_authenticated(CONTENT, key.public_key)
    content, info = by_others(message, key)
    assert content == CONTENT
    assert info["rid"].getName() == "subjectKeyIdentifier"
    assert AuthenticatedEnvelope.load(message).open(key.public_key, key.pkcs8()) == CONTENT


def test_a_certificate_is_named_by_issuer_and_serial_number(key, pq):
    wanted = pq.template(Name.of({"CN": "x"}), key_usage=frozenset({"keyEncipherment"}))
    certificate = pq.issue(wanted, key=key).certificate
    message = envelop_authenticated(CONTENT, certificate)
    assert by_others(message, key)[1]["rid"].getName() == "issuerAndSerialNumber"
    assert AuthenticatedEnvelope.load(message).open(certificate, key.pkcs8()) == CONTENT
    with pytest.raises(CannotDecrypt):
        AuthenticatedEnvelope.load(message).open(key.public_key, key.pkcs8())
    plain = envelop(CONTENT, certificate)
    assert EnvelopedData.load(plain).open(certificate, key.pkcs8()) == CONTENT
    data, _ = decode(
        bytes(decode(plain, asn1Spec=rfc5652.ContentInfo())[0]["content"]), asn1Spec=rfc5652.EnvelopedData()
    )
    assert int(data["version"]) == 3  # RFC 5652 6.1: an OtherRecipientInfo


def test_nobody_else_opens_it(key):
    other = PrivateKey.generate(key.public_key.algorithm)
    smaller = PrivateKey.generate("ml-kem-1024" if key.public_key.algorithm == "ml-kem-768" else "ml-kem-768")
    message = envelop_authenticated(CONTENT, key.public_key)
    for wrong in (other, smaller):
        with pytest.raises(CannotDecrypt):
            AuthenticatedEnvelope.load(message).open(wrong.public_key, wrong.pkcs8())
        with pytest.raises((CannotDecrypt, UnsupportedAlgorithm)):  # in the recipient's name
            AuthenticatedEnvelope.load(message).open(key.public_key, wrong.pkcs8())
    with pytest.raises(UnsupportedAlgorithm):
        envelop_authenticated(CONTENT, PrivateKey.generate("ml-dsa-65").public_key)


def test_no_changed_octet_opens(key, flipped):
    message = envelop_authenticated(CONTENT, key.public_key)
    pkcs8 = key.pkcs8()
    for changed in flipped(message, step=7):
        with pytest.raises(YinxinError):
            AuthenticatedEnvelope.load(changed).open(key.public_key, pkcs8)


def rewritten(message, **fields):
    """The message with other fields of its KEMRecipientInfo, by position."""
    outer, wrapped = der.elements(message)
    parts = der.elements(der.tagged(wrapped, 0))
    (info,) = der.elements(parts[1], der.SET)
    kind, value = der.elements(info, 0xA4)
    inner = der.elements(value)
    for position, field in fields.items():
        inner[int(position[1:])] = field
    parts[1] = der.set_of([der.tlv(0xA4, kind + der.sequence(*inner))])
    return der.sequence(outer, der.explicit(0, der.sequence(*parts)))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"_0": der.integer(1)}, CannotDecrypt),
        ({"_2": der.sequence(der.oid("1.2.3"))}, UnsupportedAlgorithm),
        ({"_2": der.sequence(der.oid("2.16.840.1.101.3.4.4.2"), der.null())}, UnsupportedAlgorithm),
        ({"_3": der.octets(b"short")}, CannotDecrypt),
        ({"_4": der.sequence(der.oid("1.2.840.113549.1.9.16.3.29"))}, UnsupportedAlgorithm),
        ({"_5": der.integer(16)}, CannotDecrypt),
        ({"_6": der.sequence(der.oid("2.16.840.1.101.3.4.1.5"))}, CannotDecrypt),
        ({"_6": der.sequence(der.oid("1.2.3"))}, UnsupportedAlgorithm),
        ({"_7": der.octets(bytes(40))}, CannotDecrypt),
    ],
)
def test_what_is_not_of_the_rfc_is_refused(fields, error):
    key = PrivateKey.generate("ml-kem-768")
    message = rewritten(envelop_authenticated(CONTENT, key.public_key), **fields)
    with pytest.raises(error):
        AuthenticatedEnvelope.load(message).open(key.public_key, key.pkcs8())


def test_further_keying_material_is_heard():
    """ukm, which others may send: bound into the wrapping key."""
    key = PrivateKey.generate("ml-kem-768")
    secret, encapsulation = key.public_key.encapsulate()
    wrap = der.sequence(der.oid("2.16.840.1.101.3.4.1.45"))
    told = der.sequence(wrap, der.integer(32), der.explicit(0, der.octets(b"ukm")))
    kek = HKDF(hashes.SHA256(), 32, None, told).derive(secret)
    fields = (
        der.integer(0), der.tlv(0x80, key.public_key.key_id), der.sequence(der.oid("2.16.840.1.101.3.4.4.2")),
        der.octets(encapsulation), der.sequence(der.oid("1.2.840.113549.1.9.16.3.28")), der.integer(32),
    )  # fmt: skip
    for ukm, opens in ((b"ukm", True), (b"other", False)):
        info = der.tlv(
            0xA4,
            der.oid("1.2.840.113549.1.9.16.13.3")
            + der.sequence(
                *fields, der.explicit(0, der.octets(ukm)), wrap, der.octets(aes_key_wrap(kek, bytes(32)))
            ),
        )
        if opens:
            assert KemRecipient.read(info).opened(key) == bytes(32)
            continue
        with pytest.raises(ValueError, match="unwrap"):
            KemRecipient.read(info).opened(key)


def test_an_encryption_key_is_received_by_a_transport_key(key):
    inside = PrivateKey.generate("ml-kem-768")
    for made in (
        envelop_authenticated(inside.pkcs8(), key.public_key),
        envelop(inside.pkcs8(), key.public_key),
    ):
        assert open_received(made, key, None).public_key == inside.public_key
    with pytest.raises(MalformedEnvelope):
        open_received(b"\x30\x03\x02\x01\x00", key, None)
