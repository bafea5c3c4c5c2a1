"""Where the encryption key of a pair is delivered to: the signing key, or the transport key that it signed for.

A key of ML-DSA signs and nothing else. So its request brings a second key beside it, of ML-KEM, in an attribute: the
signature of the request is the signing key's own word that what is for its holder may be given to whoever holds this one.
An encapsulation key cannot sign, and shows that it is held by opening what it is sent; whoever names another's key gives her
own encryption key away, or to nobody, and can do so only over her own signature.
"""

from ca.pair.envelope import dialects
from ca.pair.errors import TransportNeeded, TransportUnwanted
from ca.request import Application, Order
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, PQ


def transport_of(csr: bytes | Application, signing: PublicKey) -> PublicKey | None:
    """The transport key of a request that was found good; None when the signing key opens envelopes itself.

    Raises CannotReceive, TransportNeeded, TransportUnwanted.
    """
    given = None if isinstance(csr, Application) else CertificationRequest.load(csr).transport_key
    known = ", ".join(PQ.encryption_keys)
    if signing.suite is not PQ:
        dialects(signing)
        if given is not None:
            raise TransportUnwanted(algorithm=given.algorithm, known=known)
        return None
    if given is None:
        raise TransportNeeded(algorithm=signing.algorithm, known=known)
    if given.algorithm not in PQ.encryption_keys:
        raise TransportUnwanted(algorithm=given.algorithm, known=known)
    return given


def requested(csr: bytes | Application) -> bytes | None:
    """The request in DER, which proves what the signing key said; None where another protocol read it."""
    return None if isinstance(csr, Application) else CertificationRequest.load(csr).der


def digest_of(csr: bytes | Application, order: Order) -> str:
    """SHA-256 of all that is asked for, hexadecimal, the transport key included."""
    key = transport_of(csr, order.public_key)
    if key is None:
        return order.digest
    return INTL.hash.digest(order.digest.encode() + key.spki).hex()
