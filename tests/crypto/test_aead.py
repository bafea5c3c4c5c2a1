import pytest
from gmssl_pyx import sm4_gcm_decrypt, sm4_gcm_encrypt

from yinxin.crypto import aead
from yinxin.crypto.errors import CannotDecrypt
from yinxin.crypto.suite import INTL, SM

BOTH = pytest.mark.parametrize("chosen", [INTL, SM], ids=["intl", "sm"])


@BOTH
def test_seal_and_open(chosen):
    key = aead.generate_key(chosen)
    sealed = aead.seal(chosen, key, b"secret", b"user 1")
    assert aead.open_sealed(chosen, key, sealed, b"user 1") == b"secret"
    assert sealed != aead.seal(chosen, key, b"secret", b"user 1")
    with pytest.raises(CannotDecrypt):
        aead.open_sealed(chosen, key, sealed, b"user 2")
    with pytest.raises(CannotDecrypt):
        aead.open_sealed(chosen, aead.generate_key(chosen), sealed, b"user 1")
    with pytest.raises(CannotDecrypt):
        aead.open_sealed(chosen, key, sealed[:20], b"user 1")


@BOTH
def test_no_changed_octet_opens(chosen, flipped):
    key = aead.generate_key(chosen)
    for data in flipped(aead.seal(chosen, key, b"secret", b"")):
        with pytest.raises(CannotDecrypt):
            aead.open_sealed(chosen, key, data, b"")


def test_gmssl_opens_sm4_and_the_other_way():
    key = aead.generate_key(SM)
    sealed = aead.seal(SM, key, b"secret", b"user 1")
    nonce, body, tag = sealed[:12], sealed[12:-16], sealed[-16:]
    assert sm4_gcm_decrypt(key, nonce, b"user 1", body, tag) == b"secret"
    theirs = b"".join(sm4_gcm_encrypt(key, nonce, b"user 1", b"another"))
    assert aead.open_sealed(SM, key, nonce + theirs, b"user 1") == b"another"


def test_rfc_8998_vector():
    """RFC 8998 appendix A.1."""
    key, nonce = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    body = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )
    tag = bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDDEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    assert aead.open_sealed(SM, key, nonce + body + tag, associated) == plain


def test_keys_of_another_size_are_refused():
    with pytest.raises(ValueError, match="32 octets"):
        aead.seal(INTL, bytes(16), b"", b"")
