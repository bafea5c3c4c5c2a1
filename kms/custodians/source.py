"""The sealed secrets as a source: closed until the custodians' key is there."""

from collections.abc import Callable
from pathlib import Path

from kms.custodians.errors import NobodyWaits, Sealed, SealedFileAltered, SecretNotSealed
from kms.custodians.gather import Gathering
from kms.custodians.sealed import SealedSet
from kms.secrets.secret import Secret
from yinxin.crypto.libcrypto import cleanse


class CustodianSecrets:
    """The secrets in the sealed file. The key stays in this process's memory, and in that of what it forks."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._key = bytearray()
        self._set = ""
        #: asks another process of the installation for the key, after a renewal that reached that one only
        self.ask: Callable[[], bytes] | None = None
        #: what was gathered at this start, until it is recorded
        self.gathered: Gathering | None = None

    @property
    def open(self) -> bool:
        """Whether the key is there."""
        return bool(self._key)

    def key(self) -> bytes:
        """The key, for another process of this user; raises Sealed."""
        if not self._key:
            raise Sealed(entered=0, threshold=SealedSet.load(self.file).threshold)
        return bytes(self._key)

    def unseal(self, key: bytes, gathered: Gathering | None = None) -> None:
        """Take the key, if it opens the file; raises NoCustodians, SealedFileAltered."""
        sealed = SealedSet.load(self.file)
        sealed.open(key, self.file)
        self._key, self._set = bytearray(key), sealed.set
        self.gathered = gathered

    def seal(self) -> None:
        """Forget the key."""
        cleanse(self._key)
        self._key.clear()

    def read(self, name: str) -> Secret:
        """The secret; raises Sealed, SecretNotSealed, NoCustodians, SealedFileAltered."""
        self.key()
        sealed = SealedSet.load(self.file)
        if (
            sealed.set != self._set
        ):  # renewed behind our back: another process has the new key, or its shares are wanted
            self._again(sealed)
        key = self.key()
        value = sealed.open(key, self.file).get(name)
        if value is None:
            raise SecretNotSealed(name=name, folder=str(self.file.parent))
        place = f"{self.file}#{name}"
        return Secret(name, bytearray(value.encode()), place=place, state=f"custodians:{sealed.set}")

    def _again(self, sealed: SealedSet) -> None:
        try:
            if self.ask is not None:
                self.unseal(self.ask())
                return
        except (NobodyWaits, SealedFileAltered):
            pass
        raise Sealed(entered=0, threshold=sealed.threshold)

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:  # noqa: ARG002 - nothing is sealed without custodians
        """The secret; a new one is sealed by the custodians only. Raises as `read`."""
        return self.read(name)

    def keep(self) -> None:
        """Nothing: the file stays as it is."""

    def backup(self) -> tuple[Path, ...]:
        """The sealed file: without enough shares it tells nothing, and without it shares open nothing."""
        return (self.file,) if self.file.exists() else ()
