"""What travels when service keys are used: the bodies of the operations, and their answers."""

from typing import Annotated, Literal

from pydantic import Field

from yinxin.wire import Model, Octets, Words

#: octets of one message, plaintext or context; what is longer is encrypted under a data key, or signed by its digest
LONGEST = 1 << 16
#: characters of a ciphertext of the longest plaintext
_LONGEST_TEXT = 1 << 17
#: items of a batch, and octets of its body
MOST_ITEMS = 500
LONGEST_BODY = 1 << 23

Message = Annotated[Octets, Field(max_length=LONGEST)]
Context = Annotated[Octets, Field(max_length=1024)]
Given = Annotated[Octets, Field(max_length=8192)]
VersionNumber = Annotated[int, Field(ge=1, le=10**9 - 1)]
_EMPTY = b""


class EncryptIn(Model):
    """What to encrypt; the context must be given again to decrypt (such as `table:row`), and is kept nowhere."""

    plaintext_base64: Message
    context_base64: Context = _EMPTY
    version: VersionNumber | None = None
    """The newest when left out."""


class DecryptIn(Model):
    """A ciphertext, and the context it was encrypted in."""

    ciphertext: str = Field(max_length=_LONGEST_TEXT)
    context_base64: Context = _EMPTY


class DataKeyIn(Model):
    """A secret key for data that is encrypted elsewhere; `plain` gives it in the clear beside its ciphertext."""

    context_base64: Context = _EMPTY
    size: Literal[16, 32, 64] = 32
    plain: bool = True
    version: VersionNumber | None = None


class SignIn(Model):
    """What to sign: the message, or its digest (for SM2, e = SM3(ZA ‖ M); for ML-DSA, μ) as `digest` says."""

    data_base64: Message
    digest: bool = False
    version: VersionNumber | None = None


class VerifyIn(SignIn):
    """A signature, and what was signed."""

    signature_base64: Given


class MacIn(Model):
    """What to authenticate."""

    data_base64: Message
    version: VersionNumber | None = None


class VerifyMacIn(MacIn):
    """A MAC, and its message."""

    mac_base64: Given


class CiphertextOut(Model):
    """A ciphertext, which says its key and version."""

    ciphertext: str
    version: int


class PlaintextOut(Model):
    """What was encrypted."""

    plaintext_base64: str
    version: int


class DataKeyOut(CiphertextOut):
    """A data key; in the clear only where that was asked."""

    plaintext_base64: str | None


class SignatureMade(Model):
    """The signature in base64: DER for ECDSA and SM2, raw for the others."""

    signature_base64: str
    version: int


class MacMade(Model):
    """The MAC in base64, whole."""

    mac_base64: str
    version: int


class VersionSeen(Model):
    """It holds; the version it was verified with."""

    version: int


class RandomIn(Model):
    """How many octets."""

    size: int = Field(default=32, ge=1, le=4096)


class RandomOut(Model):
    """Random octets."""

    octets_base64: str


class BatchItemIn(Model):
    """One item: what the operation by itself takes, `data_base64` standing for plaintext and message alike."""

    data_base64: Message = _EMPTY
    context_base64: Context = _EMPTY
    ciphertext: str = Field(default="", max_length=_LONGEST_TEXT)
    given_base64: Given = _EMPTY
    """The signature or MAC to be verified."""
    digest: bool = False
    size: Literal[16, 32, 64] = 32
    plain: bool = True
    version: VersionNumber | None = None


class BatchIn(Model):
    """Many uses of one key: one decision, one record, an answer for each."""

    operation: Literal["encrypt", "decrypt", "rewrap", "data-key", "sign", "verify", "mac", "verify-mac"]
    items: tuple[BatchItemIn, ...] = Field(min_length=1, max_length=MOST_ITEMS)


class RefusedItem(Model):
    """What is wrong with one item."""

    code: str
    detail: Words


class BatchItemOut(Model):
    """One item's answer: what the operation gives, or what is wrong."""

    version: int | None = None
    ciphertext: str | None = None
    octets_base64: str | None = None
    """Plaintext, data key, signature or MAC."""
    problem: RefusedItem | None = None


class BatchOut(Model):
    """The answers, in the order of the items."""

    items: tuple[BatchItemOut, ...]
