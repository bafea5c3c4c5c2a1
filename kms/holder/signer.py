"""A person's signing key as a `yinxin.crypto` Signer, within this process."""

from kms.holder.key import HolderKey
from kms.holder.lock import Unlock
from kms.holder.service import HolderKeys
from kms.holder.sign import Signing
from yinxin.act import Actor
from yinxin.crypto.keys import PublicKey


class HolderSigner:
    """Signs for its holder, for one recorded purpose and subject; each signature is an unlocking of its own."""

    def __init__(
        self,
        holders: HolderKeys,
        actor: Actor,
        key: HolderKey,
        unlock: Unlock,
        *,
        purpose: str,
        subject: str,
    ) -> None:
        self._holders = holders
        self._actor = actor
        self._key = key
        self._unlock = unlock
        self._purpose = purpose
        self._subject = subject

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signs."""
        return self._key.public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`; raises as `HolderKeys.sign`."""
        wanted = Signing(self.public_key.prehash(message), self._purpose, self._subject)
        return self._holders.sign(self._actor, self._key.id, self._unlock, wanted).signature

    def __repr__(self) -> str:
        return f"<HolderSigner {self._key.id}>"
