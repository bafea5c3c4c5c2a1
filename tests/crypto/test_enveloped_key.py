"""SM2EnvelopedKey: there and back, for nobody else, and nothing malformed gets through.

The three refused octet strings are those of gmsm's own tests (github.com/emmansun/gmsm, MIT, sm2_envelopedkey_test.go).
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinxin.crypto import der, sm2
from yinxin.crypto.enveloped_key import SM4, SM4_ECB, envelop, open_enveloped
from yinxin.crypto.errors import CannotDecrypt, MalformedKey
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError

HOLDER, KEY = PrivateKey.generate(SM), PrivateKey.generate(SM)
ENVELOPE = envelop(HOLDER.public_key, KEY)


@pytest.mark.parametrize("algorithm", [SM4_ECB, SM4])
def test_there_and_back(algorithm):
    for _ in range(20):  # a private number with a leading zero octet comes once in 256
        key = PrivateKey.generate(SM)
        assert (
            open_enveloped(HOLDER, envelop(HOLDER.public_key, key, algorithm=algorithm)).pkcs8()
            == key.pkcs8()
        )


def test_it_is_built_as_the_standard_says():
    algorithm, wrapped, point, private = der.elements(ENVELOPE)
    assert algorithm == der.sequence(der.oid("1.2.156.10197.1.104.1"), der.null())
    assert len(HOLDER.decrypt(wrapped)) == 16
    assert der.octets_of_bits(point) == sm2.SM2PublicKey(KEY.public_key.spki).point
    assert len(der.octets_of_bits(private)) == 32


def test_it_opens_for_its_holder_only():
    with pytest.raises(CannotDecrypt):
        open_enveloped(PrivateKey.generate(SM), ENVELOPE)


def test_another_public_key_is_told():
    """Seen to fail when the private key is taken as it comes."""
    algorithm, wrapped, _, private = der.elements(ENVELOPE)
    other = der.bits(sm2.SM2PublicKey(HOLDER.public_key.spki).point)
    with pytest.raises(MalformedKey):
        open_enveloped(HOLDER, der.sequence(algorithm, wrapped, other, private))


@pytest.mark.parametrize("key", [(HOLDER.public_key, PrivateKey.generate(INTL)), (PrivateKey.generate(INTL).public_key, KEY)])  # fmt: skip
def test_both_are_sm2(key):
    with pytest.raises(MalformedKey):
        envelop(*key)


@pytest.mark.parametrize(
    "octets",
    [
        "3081ea06082a811ccf550168013079022003858a7ca681c2e7034804d2bcece2d1c200e128ca973f3ad12541b59ec639cd022100bcf5834c775d5d43615abc27d3aeee399985d30942c65cdbe95afc87d96b12860420f84efafe256413fb28af65a57d815cb9a2fc64f754ab29adc1a78e81c433cfe90410fd485762e9c5714a6ee008e76675a14c0441049355f3009f1db15d6a6f751531f3c4741a36a43d1146fc1b0f660314e5fc3b825ed2fda18cb2f624ac6afb370b3755bb267b5747dd8f15836c830b52d4a74d2c04206fd2ef53be43aaa7f0440e96aafd846096f993e254e2a79a9a5b583204487183",
        "3081ef300c06082a811ccf55016802050030780220760c5d4eb80f7ec4bb12026586e4badcd41c293b416618575894d9278214aa6c02203fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b20420685f05616055daf4948e44d76c366b16745f7a487614c0542d16871baa34be8704104abfcab6cea65caf2c130b222ebe519903420004944a5887f6fad9808516755e81c62f41566dab0f56ca55ad7909880acc051ce157694b11557eba725291166508868e6988c596a30472bef32e03a3dcef6866270321003ec6b59fece00ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9",
        "308183300c06082a811ccf550168010500300c06082a811ccf55016801050003420004cb51edb59a99b3b6bc894f203465bf04045eb8a85f5a14ba7c894aadbba7f7b5093e568351675d4ffd6d90be77ae182656eb98a80289358cd4ad4d65fafec5dc03210074bd8d993eeeb0220a664087b80478c43ddf322dd75e16db1642f5938ca34a0c",
    ],
    ids=["structure", "cipher", "wrapped-key"],
)
def test_refused_elsewhere_too(octets):
    with pytest.raises((MalformedKey, CannotDecrypt)):
        open_enveloped(HOLDER, bytes.fromhex(octets))


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_octet_never_gives_a_key(place, flip):
    """Everything is bound: the wrapped key by its own digest, the private key by its public one."""
    changed = bytearray(ENVELOPE)
    changed[place] ^= flip
    try:
        opened = open_enveloped(HOLDER, bytes(changed))
    except YinxinError:
        return
    # parameters of the algorithm are read over; what comes out is the key or nothing
    assert opened.pkcs8() == KEY.pkcs8()
