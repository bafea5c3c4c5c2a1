"""Service keys: encrypting, signing and authenticating with keys that stay in the key centre."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from yinxin.client._http import Connection, segment
from yinxin.crypto.key_import import USUAL, Method, wrap_for_import
from yinxin.wire import Reply, Words

_PATH = "/api/kms/v1/service-keys"
_IMPORTS = "/api/kms/v1/service-key-imports"
Operation = Literal["encrypt", "decrypt", "rewrap", "data-key", "sign", "verify", "mac", "verify-mac"]


class ServiceKey(Reply):
    """A service key: everything but its secrets."""

    name: str
    owner: str
    purpose: str
    algorithm: str
    suite: str
    operations: tuple[str, ...]
    place: str
    condition: str
    latest: int
    min_decrypt: int
    min_encrypt: int
    created: str
    destroy_at: str | None


class ServiceKeyVersion(Reply):
    """A version; `public_key` is DER SubjectPublicKeyInfo in base64, of pairs only."""

    version: int
    created: str
    imported: bool
    destroyed: str | None
    public_key: str | None
    encryptions: int


class DataKey(Reply):
    """A data key's ciphertext, and the key itself where that was asked."""

    ciphertext: str
    version: int
    plaintext_base64: str | None

    @property
    def key(self) -> bytes:
        """The key's octets; raises ValueError when only the ciphertext was asked for."""
        if self.plaintext_base64 is None:
            raise ValueError("only the ciphertext was asked for")
        return b64decode(self.plaintext_base64)

    def __repr__(self) -> str:
        return f"<DataKey version {self.version}>"


class ItemProblem(Reply):
    """What is wrong with one item of a batch."""

    code: str
    detail: Words


class BatchAnswer(Reply):
    """One item's answer; `octets_base64` is the plaintext, data key, signature or MAC."""

    version: int | None = None
    ciphertext: str | None = None
    octets_base64: str | None = None
    problem: ItemProblem | None = None


class Keyring:
    """Calls that use and manage service keys. A context (such as `table:row`) must be given again to decrypt."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- keys ---

    def create(
        self,
        name: str,
        *,
        owner: str,
        purpose: str,
        algorithm: str,
        operations: Sequence[str] = (),
        place: Literal["wrapped", "hsm"] = "wrapped",
    ) -> ServiceKey:
        """A service key, made once however often this is called; raises ServiceKeyTaken, BadServiceKey, Denied."""
        body = {"name": name, "owner": owner, "purpose": purpose, "algorithm": algorithm, "place": place}
        made = self._connection.json("POST", _PATH, json=body | {"operations": list(operations)})
        return ServiceKey.model_validate(made)

    def keys(self, *, owner: str = "", algorithm: str = "") -> Iterator[ServiceKey]:
        """An organ's keys, the own organ's without one; raises Denied."""
        query = {"owner": owner, "algorithm": algorithm}
        return (ServiceKey.model_validate(each) for each in self._connection.pages(_PATH, query))

    def show(self, name: str) -> ServiceKey:
        """One key; raises ServiceKeyUnknown, Denied."""
        return ServiceKey.model_validate(self._connection.json("GET", f"{_PATH}/{segment(name)}"))

    def versions(self, name: str) -> Iterator[ServiceKeyVersion]:
        """A key's versions, oldest first."""
        pages = self._connection.pages(f"{_PATH}/{segment(name)}/versions", {})
        return (ServiceKeyVersion.model_validate(each) for each in pages)

    def rotate(self, name: str) -> ServiceKey:
        """The key with a new version; what the older ones sealed is still opened."""
        return ServiceKey.model_validate(self._post(name, "versions", {}))

    def limit(self, name: str, *, min_decrypt: int, min_encrypt: int) -> ServiceKey:
        """The least versions that open or verify, and that seal or sign."""
        body = {"min_decrypt": min_decrypt, "min_encrypt": min_encrypt}
        path = f"{_PATH}/{segment(name)}/minimum-versions"
        return ServiceKey.model_validate(self._connection.json("PUT", path, json=body))

    def bring(
        self,
        name: str,
        key: bytes,
        *,
        owner: str,
        purpose: str,
        algorithm: str,
        operations: Sequence[str] = (),
        method: Method = USUAL,
    ) -> ServiceKey:
        """A service key of a secret that is held here: octets of a secret key, or DER PrivateKeyInfo of a pair.

        It is encrypted here, to a public key that the key centre makes for it alone; wipe it here afterwards. Raises
        ServiceKeyTaken, ImportNotOpened when it is no key of this algorithm, Denied.
        """
        body = {"name": name, "owner": owner, "purpose": purpose, "algorithm": algorithm, "method": method}
        begun = self._connection.json("POST", _IMPORTS, json=body | {"operations": list(operations)})
        wrapped = wrap_for_import(method, b64decode(begun["public_key"]), key, begun["id"])
        path = f"{_IMPORTS}/{segment(begun['id'])}/key"
        made = self._connection.json("POST", path, json={"wrapped_base64": _text(wrapped)})
        return ServiceKey.model_validate(made)

    def keep(self, name: str) -> ServiceKey:
        """Call off the destruction that waits; raises NotEnding. Destroying one is a proposal, `kms.destroy-service-key`."""
        path = f"{_PATH}/{segment(name)}/destruction"
        return ServiceKey.model_validate(self._connection.json("DELETE", path))

    # --- encryption ---

    def encrypt(self, name: str, plaintext: bytes, *, context: bytes = b"") -> str:
        """The ciphertext, `yx:v1:<name>:<version>:<base64>`."""
        body = {"plaintext_base64": _text(plaintext), "context_base64": _text(context)}
        return str(self._post(name, "ciphertexts", body)["ciphertext"])

    def decrypt(self, name: str, ciphertext: str, *, context: bytes = b"") -> bytes:
        """What was encrypted; raises CiphertextNotOpened when it was changed or the context is another."""
        body = {"ciphertext": ciphertext, "context_base64": _text(context)}
        return b64decode(self._post(name, "plaintexts", body)["plaintext_base64"])

    def rewrap(self, name: str, ciphertext: str, *, context: bytes = b"") -> str:
        """The same plaintext under the newest version; it does not leave the key centre."""
        body = {"ciphertext": ciphertext, "context_base64": _text(context)}
        return str(self._post(name, "rewrapped-ciphertexts", body)["ciphertext"])

    def data_key(self, name: str, *, context: bytes = b"", size: int = 32, plain: bool = True) -> DataKey:
        """A key for data that is encrypted elsewhere, of 16, 32 or 64 octets; keep the ciphertext beside the data."""
        body = {"context_base64": _text(context), "size": size, "plain": plain}
        return DataKey.model_validate(self._post(name, "data-keys", body))

    # --- signatures and MACs ---

    def sign(self, name: str, data: bytes, *, digest: bool = False) -> tuple[bytes, int]:
        """(signature, version) over the message, or with `digest` over what `PublicKey.prehash` gave."""
        made = self._post(name, "signatures", {"data_base64": _text(data), "digest": digest})
        return b64decode(made["signature_base64"]), int(made["version"])

    def verify(
        self, name: str, data: bytes, signature: bytes, *, version: int | None = None, digest: bool = False
    ) -> None:
        """Raise BadSignature unless it is this version's, the newest without one."""
        body: dict[str, Any] = {"data_base64": _text(data), "signature_base64": _text(signature)}
        self._post(name, "verified-signatures", body | {"version": version, "digest": digest})

    def mac(self, name: str, data: bytes) -> tuple[bytes, int]:
        """(MAC, version) of the message."""
        made = self._post(name, "macs", {"data_base64": _text(data)})
        return b64decode(made["mac_base64"]), int(made["version"])

    def verify_mac(self, name: str, data: bytes, mac: bytes, *, version: int | None = None) -> None:
        """Raise BadSignature unless it is this version's, the newest without one."""
        body = {"data_base64": _text(data), "mac_base64": _text(mac), "version": version}
        self._post(name, "verified-macs", body)

    # --- many at once, and chance ---

    def batch(self, name: str, operation: Operation, items: Sequence[dict[str, Any]]) -> list[BatchAnswer]:
        """Up to 500 uses at once, each with its own answer; `items` have the fields of the API's `BatchItemIn`."""
        answer = self._post(name, "batches", {"operation": operation, "items": [*items]})
        return [BatchAnswer.model_validate(each) for each in answer["items"]]

    def random(self, size: int = 32) -> bytes:
        """Random octets, up to 4096."""
        answer = self._connection.json("POST", "/api/kms/v1/random-octets", json={"size": size})
        return b64decode(answer["octets_base64"])

    def _post(self, name: str, part: str, body: dict[str, Any]) -> Any:
        return self._connection.json("POST", f"{_PATH}/{segment(name)}/{part}", json=body)


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
