"""Signing with a key of the centre: hashed here, signed where the key is, verified before it is released.

Only where the installation says so (`kms.signatures`), and the token says that it signs in hardware, is its word taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kms.engine import Engine
from kms.errors import BadDigest, FaultySignature, KeyLost, KeyNotSigning, PurposeNotRemote
from kms.info import KeyInfo
from kms.mechanisms import NATIVE
from kms.models import Purpose
from kms.wrap import protected
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.errors import BadSignature, UnsupportedAlgorithm
from yinxin.crypto.keys import PublicKey
from yinxin.personal import Personal
from yinxin.store import Store

VERB = "kms.sign"
#: the only purpose whose keys sign for callers over the network as they are; a seal is put on by the register of seals
REMOTE = frozenset({Purpose.EVIDENCE})


class KeySigner:
    """Signs with one key of the centre (`yinxin.crypto.keys.Signer`). Take a new one for each act: keys retire."""

    def __init__(
        self,
        info: KeyInfo,
        public_key: PublicKey,
        use: Callable[[bytes], bytes],
        *,
        whole: bool = False,
        trusted: bool = False,
    ) -> None:
        """`use` signs what `prehash` gave, or with `whole` the message, and gives the signature as the platform writes it.

        `trusted`: the token answers for its signatures, and they are not verified here.
        """
        self.info = info
        self._public_key = public_key
        self._use = use
        self.whole = whole
        self._trusted = trusted

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signs."""
        return self._public_key

    @property
    def verified_by(self) -> PublicKey | None:
        """The key by which `sign` verifies what it gives out (`yinxin.crypto.keys.verified_by`); None where it takes the token's word."""
        return None if self._trusted else self._public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA and SM2, raw for Ed25519, ML-DSA and RSA (PKCS #1 v1.5).

        Raises FaultySignature, WrappedKeyAltered, KeyLost, or as `Token.use`.
        """
        signature = self._use(message if self.whole else self._public_key.prehash(message))
        if self._trusted:
            return signature
        try:
            self._public_key.verify(signature, message)
        except BadSignature as error:
            raise FaultySignature(label=self.info.label) from error
        return signature

    def sign_prehashed(self, digest: bytes) -> bytes:
        """The signature over what `PublicKey.prehash` gave; raises BadDigest, UnsupportedAlgorithm, or as `sign`."""
        if self.whole:
            raise UnsupportedAlgorithm(what="prehash", algorithm=self.info.algorithm)
        expected = self._public_key.prehash_size
        if len(digest) != expected:
            raise BadDigest(
                size=len(digest), label=self.info.label, algorithm=self.info.algorithm, expected=expected
            )
        signature = self._use(digest)
        if self._trusted:
            return signature
        try:
            self._public_key.verify_prehashed(signature, digest)
        except BadSignature as error:
            raise FaultySignature(label=self.info.label) from error
        return signature

    def __repr__(self) -> str:
        return f"<KeySigner {self.info.label}>"


def signer(
    engine: Engine,
    info: KeyInfo,
    kek: KeyInfo | None,
    now: Callable[[], tuple[KeyInfo, KeyInfo]] | None = None,
    *,
    trusted: bool = False,
) -> KeySigner:
    """A signer for an active key; raises KeyNotSigning. `kek` is the key that wraps it, if it is wrapped.

    `trusted` is said of what the token signs itself: what is signed beside it is always verified. `now` reads both again: a
    signer that is kept outlives the wrapping key that it was made with.
    """
    public_key = info.public_key
    if public_key is None:
        raise KeyNotSigning(label=info.label, algorithm=info.algorithm)
    if info.wrapped is not None and kek is not None:
        lying = [(info, kek)]

        def beside(digest: bytes) -> bytes:
            try:
                return _beside(engine, *lying[0], digest)
            except KeyLost:
                if now is None or (again := now()) == lying[0]:
                    raise
            lying[0] = again
            return _beside(engine, *again, digest)

        return KeySigner(info, public_key, beside, whole=info.algorithm == "ed25519")
    use = partial(engine.sign, info.reference)
    return KeySigner(info, public_key, use, whole=NATIVE[info.algorithm].whole, trusted=trusted)


def _beside(engine: Engine, info: KeyInfo, kek: KeyInfo, digest: bytes) -> bytes:
    if info.wrapped is None:
        raise TypeError("a key in the module is not used beside it")
    return engine.sign_protected(kek.reference, protected(info, info.wrapped), digest)


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What a caller over the network wants signed: a digest, or a message that is hashed here.

    `subject` names it (`document:…`), `note` the act it is for (`document.seal`).
    """

    content: bytes
    hashed: bool
    subject: str
    note: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, how it was made, and the audit entry that records it."""

    signature: bytes
    algorithm: str
    entry: str


def permit_remote(info: KeyInfo) -> None:
    """Raise PurposeNotRemote unless keys of this purpose sign over the network."""
    if info.purpose not in REMOTE:
        raise PurposeNotRemote(label=info.label, purpose=info.purpose.value)


def sign_recorded(
    store: Store, actor: Actor, key: KeySigner, request: SigningRequest, decision: Decision
) -> Signed:
    """Sign for somebody who was permitted to: the record commits first, then the signature is handed out."""
    public_key = key.public_key
    with store.act(actor, VERB, f"key:{key.info.label}", note=Personal(request.note, actor.id)) as act:
        act.decision = decision.record()
        digest = request.content if request.hashed else _digest(key, request.content)
        act.facts |= {"digest": digest.hex(), "for": request.subject}
        # a module that wants the message itself refuses a digest
        whole = key.whole and not request.hashed
        signature = key.sign(request.content) if whole else key.sign_prehashed(digest)
    return Signed(signature, public_key.signature_algorithm.name, act.id)


def _digest(key: KeySigner, message: bytes) -> bytes:
    """What the record names the message by: what is signed, or the digest of a message that is signed whole."""
    public_key = key.public_key
    return public_key.signature_algorithm.hash.digest(message) if key.whole else public_key.prehash(message)
