"""A passkey as another way to open one's key: it says yes to this very signature, and its own secret is part of the wrapping.

The challenge that the passkey signs is a digest over a nonce of ours and what is to be signed, so its answer opens the
key for that and for nothing else. The secret is what its PRF extension (WebAuthn Level 3, 10.1.4; CTAP hmac-secret) gives
for the key's own salt: the authenticator computes it only when its user unlocks it, and it is kept nowhere here. An
authenticator or browser without PRF opens no holder key; its owner has her PIN.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from kms.holder.errors import NoPasskeySecret, WrongHolderPasskey
from kms.holder.key import HolderKey
from kms.holder.lock import Unlock
from kms.holder.models import Way
from kms.holder.sign import Signing
from yinxin import canonical
from yinxin.act import Actor
from yinxin.crypto.errors import MalformedJose
from yinxin.crypto.jose import decode64
from yinxin.crypto.suite import INTL
from yinxin.errors import NotAuthenticated

ADD = "kms.add-holder-passkey"
REMOVE = "kms.remove-holder-passkey"
#: octets that the PRF extension gives
_SECRET = 32


class Attested(Protocol):
    """An answer that held."""

    @property
    def passkey(self) -> str:
        """The passkey's identifier."""
        ...

    def count(self, session: Session) -> None:
        """Move its counter on, in the transaction of what it was for; raises when another answer was quicker."""
        ...


class Passkeys(Protocol):
    """The passkeys of this site."""

    def nonce(self) -> str:
        """A new one, good for one answer."""
        ...

    def attest(self, actor: Actor, credential: str, nonce: str, challenge: bytes) -> Attested:
        """The actor's passkey that answered `challenge`; raises NotAuthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the browser asks the passkey: to sign `challenge`, and for the secret that belongs to `salt`."""

    nonce: str
    challenge: bytes
    salt: bytes


def challenge_of(key: HolderKey, nonce: str, wanted: Signing) -> Challenge:
    """What is asked for this key, nonce and signature; whoever verifies computes the same."""
    told: Mapping[str, Any] = {
        "v": 1,
        "type": "kms.holder-challenge",
        "nonce": nonce,
        "key": key.id,
        "digest": wanted.digest.hex(),
        "purpose": wanted.purpose,
        "subject": wanted.subject,
    }
    salt = canonical.encode({"v": 1, "type": "kms.holder-secret", "key": key.id})
    return Challenge(nonce, INTL.hash.digest(canonical.encode(told)), INTL.hash.digest(salt))


def adding(key: HolderKey) -> Signing:
    """What a passkey says yes to when it is added: no signature."""
    return Signing(b"", ADD, key.subject)


def attested(
    passkeys: Passkeys, actor: Actor, key: HolderKey, *, nonce: str, credential: str, wanted: Signing
) -> tuple[Unlock, Callable[[Session], None]]:
    """What the passkey's answer opens, and what is to be done in the transaction of the outcome: its counter moves on.

    Raises WrongHolderPasskey, NoPasskeySecret; so does the second.
    """
    asked = challenge_of(key, nonce, wanted)
    with _wrong(key):
        done = passkeys.attest(actor, credential, nonce, asked.challenge)

    def count(session: Session) -> None:
        with _wrong(key):
            done.count(session)

    return Unlock(Way.PASSKEY, _secret(credential), done.passkey), count


@contextmanager
def _wrong(key: HolderKey) -> Iterator[None]:
    """She is signed in; it is this answer that is not believed."""
    try:
        yield
    except NotAuthenticated as error:
        raise WrongHolderPasskey(key=key.id, reason=error) from error


def _secret(credential: str) -> bytes:
    """What the PRF extension gave; raises NoPasskeySecret."""
    try:
        given = json.loads(credential)["clientExtensionResults"]["prf"]["results"]["first"]
        secret = decode64(given, "prf")
    except (ValueError, KeyError, TypeError, MalformedJose):
        raise NoPasskeySecret from None
    if len(secret) != _SECRET:
        raise NoPasskeySecret
    return secret
