"""Signing a file on one's own side, with the time and the state of the certificates from the platform's public addresses."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from yinxin.client.ca import Ca
from yinxin.crypto import cms, timestamps
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.status import CertId, OcspRequest
from yinxin.crypto.suite import Suite
from yinxin.evidence.signed_file import SignedFile


def sign_file(ca: Ca, identity: Identity, name: str, data: bytes, *, at: datetime) -> bytes:
    """An `.asice` of the file, signed by `identity` at `at`; `yinxin verify` checks it offline, years later.

    Needs no session. The signature covers the certificates and their state as it was asked just before; its time is proved by a
    timestamp. Raises Unreachable, TimestampRejected, NotFound for a certificate of no authority of this platform, and
    what signing raises.
    """
    suite = identity.certificate.public_key.suite
    chain = _chain(ca, identity.certificate)
    stamping = _stamp(ca, suite, data)  # only to learn whose certificates the timestamp will bring
    chains = [chain, *(_chain(ca, each) for each in stamping.certificates if not each.is_self_issued)]
    below = {each.fingerprint: each for chain in chains for each in chain[:-1]}
    issuers = {each.fingerprint: each for chain in chains for each in chain[1:]}
    crls = [ca.crl(ca.authority_of(issuers[each].public_key)) for each in sorted(issuers)]
    ocsp = ca.ocsp(OcspRequest.build([CertId.of(identity.certificate.serial, chain[1])]))
    file = SignedFile(name, data, [below[each].der for each in sorted(below)], crls, [ocsp])
    bare = Identity(identity.key, identity.certificate, tuple(chain[1:-1]))
    signature = cms.sign_detached(bare, file.to_sign(), signed_at=at)
    token = _stamp(ca, suite, cms.signature_value(signature))
    return file.pack(cms.with_timestamp(signature, token.der))


def _stamp(ca: Ca, suite: Suite, message: bytes) -> timestamps.Token:
    request = timestamps.request(suite.hash, suite.hash.digest(message))
    return timestamps.Token.from_response(ca.timestamp(request, suite=suite.name), request)


def _chain(ca: Ca, certificate: Certificate) -> list[Certificate]:
    """The certificate and those above it, up to and with the root."""
    chain = [certificate]
    while not chain[-1].is_self_issued:
        chain.append(ca.authority(_name(chain[-1].ca_issuer_urls)))
    return chain


def _name(urls: Iterable[str]) -> str:
    """The authority's name in the address at which its certificate can be had."""
    return next((PurePosixPath(urlsplit(each).path).stem for each in urls), "")
