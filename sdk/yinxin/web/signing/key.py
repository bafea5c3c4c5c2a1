"""The signer's own key in the key centre, asked in her name: which it is, and one signature by PIN or by passkey."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from yinxin.client import Client
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.errors import NotFound
from yinxin.statement import Statement
from yinxin.store import Store
from yinxin.web._kit import own_origin
from yinxin.web.caller import Caller
from yinxin.web.signing.errors import NoHolderKey
from yinxin.web.signing.prepared import Prepared, keep, take


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser asks the passkey at `host`: see `passkey.js`."""

    nonce: str
    challenge: str
    salt: str
    host: str


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The key whose certificate signed in; what opens it still: its PIN, its passkey, or either."""

    id: str
    pin: bool
    passkey: bool
    certificate: Certificate
    chain: tuple[Certificate, ...]

    @classmethod
    def find(cls, client: Client) -> Self | None:
        """The caller's key in the key centre, if the certificate of this session is for one that is in use."""
        try:
            own, *above = client.ca.own()
        except NotFound:  # a certificate of another authority's, whose keys are elsewhere
            return None
        for each in client.kms.holders.list():
            pin, passkey = each.attempts_left > 0, bool(each.passkey_attempts_left)
            if (pin or passkey) and each.ended is None and each.verifier() == own.public_key:
                return cls(each.id, pin, passkey, own, tuple(above))
        return None

    @classmethod
    def of(cls, client: Client) -> Self:
        """As `find`; raises NoHolderKey."""
        if (found := cls.find(client)) is None:
            raise NoHolderKey
        return found


def by_pin(client: Client, store: Store, statement: bytes, pin: str) -> bytes:
    """The detached CMS signature (DER) of the caller over a statement; raises NoHolderKey, and as `client.kms.holders.sign`."""
    key = OwnKey.of(client)
    identity = client.kms.holders.identity(key.id, pin, key.certificate, key.chain)
    return cms.sign_detached(_stating(identity, statement), statement, signed_at=store.clock.now())


def ask(client: Client, store: Store, caller: Caller, statement: bytes) -> Asked:
    """Ask for the caller's passkey to say yes to her signature over this statement, made now; raises NoHolderKey.

    Every asking is its own; the one that is answered is the one that counts.
    """
    key, at, declared = OwnKey.of(client), store.clock.now(), Statement.decode(statement)
    digest = key.certificate.public_key.prehash(cms.to_sign(key.certificate, statement, signed_at=at))
    asked = client.kms.holders.challenge(key.id, digest, purpose=declared.type, subject=declared.subject)
    keep(store, caller, asked.nonce, statement, Prepared(key.id, at))
    return Asked(asked.nonce, asked.challenge, asked.salt, urlsplit(own_origin()).hostname or "")


def by_passkey(
    client: Client, store: Store, caller: Caller, statement: bytes, *, nonce: str, credential: str
) -> bytes:
    """The signature that was asked for, by the passkey's answer; the asking is used up by this, whatever comes of it.

    Raises NotPrepared, NoHolderKey, and as `client.kms.holders.sign_by_passkey`.
    """
    prepared = take(store, caller, nonce, statement)
    own, *above = client.ca.own()
    identity = client.kms.holders.identity_by_passkey(
        prepared.key, own, tuple(above), nonce=nonce, credential=credential
    )
    return cms.sign_detached(_stating(identity, statement), statement, signed_at=prepared.signed_at)


def _stating(identity: Identity, statement: bytes) -> Identity:
    declared = Statement.decode(statement)
    return identity.stating(declared.type, declared.subject)
