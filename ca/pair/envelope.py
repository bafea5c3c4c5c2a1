"""The encryption key on its way to its holder: for her signing key, or the transport key that this one signed for.

Every vendor reads another one of these, so that the form is the asker's choice; what is inside is the same key.
"""

from enum import StrEnum

from ca.pair.errors import CannotReceive, UnknownDialect
from yinxin.crypto import enveloped_key
from yinxin.crypto.authenticated_envelope import envelop_authenticated
from yinxin.crypto.enveloped_data import envelop
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.recipients import Recipient, key_of
from yinxin.crypto.suite import INTL, PQ, SM


class Dialect(StrEnum):
    """The forms of envelope."""

    #: SM2EnvelopedKey of GB/T 35276-2017 7.4: SM4-ECB named as such
    GBT_35276 = "gbt35276"
    #: the same of GM/T 0009-2012 7.4, where SM4 is named without its mode
    GMT_0009 = "gmt0009"
    #: EnvelopedData of GB/T 35275-2017 (GM/T 0010): PKCS#8 inside, the recipient named by issuer and serial number
    GBT_35275 = "gbt35275"
    #: the same with the recipient named by its key identifier, as CFCA's software writes it
    GBT_35275_KEY_ID = "gbt35275-key-id"
    #: EnvelopedData of RFC 5652: PKCS#8 inside
    CMS = "cms"
    #: the same with the recipient named by its key identifier
    CMS_KEY_ID = "cms-key-id"
    #: AuthEnvelopedData of RFC 5083, AES-256-GCM: what a key that was encapsulated is to be used with
    CMS_AUTHENTICATED = "cms-authenticated"


_SM = (Dialect.GBT_35276, Dialect.GMT_0009, Dialect.GBT_35275, Dialect.GBT_35275_KEY_ID)
_CMS = (Dialect.CMS, Dialect.CMS_KEY_ID)
_PQ = (Dialect.CMS_AUTHENTICATED, Dialect.CMS, Dialect.CMS_KEY_ID)
#: kinds of key that can open an envelope: SM2, and those that a secret can be encrypted to, agreed with or encapsulated to
RECEIVING = (*SM.encryption_keys, *INTL.encryption_keys, *PQ.encryption_keys)


def dialects(key: PublicKey) -> tuple[Dialect, ...]:
    """The forms for a receiving key, the usual one first; raises CannotReceive for one that does nothing but sign."""
    if not key.usages & {"keyAgreement", "keyEncipherment"}:
        raise CannotReceive(algorithm=key.algorithm, known=", ".join(RECEIVING))
    if key.suite is PQ:
        return _PQ
    return _SM if key.suite is SM else _CMS


def seal(key: PrivateKey, recipient: Recipient, dialect: Dialect | None) -> bytes:
    """`key` for the holder of `recipient`, a certificate or a bare key; without a dialect, the usual one.

    Raises CannotReceive, UnknownDialect.
    """
    public_key = key_of(recipient)
    algorithm = public_key.algorithm
    known = dialects(public_key)
    chosen = dialect or known[0]
    if chosen not in known or (chosen in _SM[:2] and key.public_key.algorithm not in SM.encryption_keys):
        raise UnknownDialect(algorithm=algorithm, dialect=str(chosen), known=", ".join(known))
    if chosen is Dialect.GBT_35276:
        return enveloped_key.envelop(public_key, key)
    if chosen is Dialect.GMT_0009:
        return enveloped_key.envelop(public_key, key, algorithm=enveloped_key.SM4)
    by_key = chosen in (Dialect.GBT_35275_KEY_ID, Dialect.CMS_KEY_ID)
    pkcs8 = key.pkcs8()
    try:
        if chosen is Dialect.CMS_AUTHENTICATED:
            return envelop_authenticated(pkcs8, recipient)
        return envelop(pkcs8, public_key if by_key else recipient)
    finally:
        cleanse(pkcs8)
