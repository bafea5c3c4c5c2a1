"""Signing with a key of the centre: hashed here, signed where the key is, verified before it is released."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms.errors import BadDigest, FaultySignature, KeyNotSigning, PurposeNotRemote
from kms.info import KeyInfo
from kms.mechanisms import NATIVE, from_signed, to_sign
from kms.models import Purpose
from kms.token import Token
from kms.wrap import unwrapped
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto import sm2
from yinxin.crypto.errors import BadSignature, UnsupportedAlgorithm
from yinxin.crypto.keys import PublicKey
from yinxin.store import Store

VERB = "kms.sign"
#: the only purposes whose keys sign for callers over the network
REMOTE = frozenset({Purpose.SEAL, Purpose.EVIDENCE})


class KeySigner:
    """Signs with one key of the centre (`yinxin.crypto.keys.Signer`). Take a new one for each act: keys retire."""

    def __init__(self, info: KeyInfo, public_key: PublicKey, use: Callable[[bytes], bytes]) -> None:
        """`use` signs a digest (for Ed25519 the message) and gives the signature as the platform writes it."""
        self.info = info
        self._public_key = public_key
        self._use = use

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this signs."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA and SM2, raw for Ed25519 and RSA (PKCS #1 v1.5).

        Raises FaultySignature, WrappedKeyAltered, KeyLost, or as `Token.use`.
        """
        hashed = self._public_key.algorithm != "ed25519"
        signature = self._use(self._public_key.prehash(message) if hashed else message)
        try:
            self._public_key.verify(signature, message)
        except BadSignature as error:
            raise FaultySignature(label=self.info.label) from error
        return signature

    def sign_prehashed(self, digest: bytes) -> bytes:
        """The signature over what `PublicKey.prehash` gave; raises BadDigest, UnsupportedAlgorithm, or as `sign`."""
        if self._public_key.algorithm == "ed25519":
            raise UnsupportedAlgorithm(what="prehash", algorithm="ed25519")
        expected = self._public_key.signature_algorithm.hash.size
        if len(digest) != expected:
            raise BadDigest(
                size=len(digest), label=self.info.label, algorithm=self.info.algorithm, expected=expected
            )
        signature = self._use(digest)
        try:
            _verify_prehashed(self._public_key, signature, digest)
        except (BadSignature, InvalidSignature) as error:
            raise FaultySignature(label=self.info.label) from error
        return signature

    def __repr__(self) -> str:
        return f"<KeySigner {self.info.label}>"


def signer(token: Token, info: KeyInfo, kek: KeyInfo | None) -> KeySigner:
    """A signer for an active key; raises KeyNotSigning. `kek` is the key that wraps it, if it is wrapped."""
    public_key, wrapped = info.public_key, info.wrapped
    if public_key is None:
        raise KeyNotSigning(label=info.label, algorithm=info.algorithm)
    if wrapped is not None and kek is not None:

        def in_memory(digest: bytes) -> bytes:
            with unwrapped(token, kek, info, wrapped) as key:
                return key.sign_prehashed(digest)

        return KeySigner(info, public_key, in_memory)
    native = NATIVE[info.algorithm]

    def in_module(digest: bytes) -> bytes:
        prepared = to_sign(native, public_key, digest)
        raw = token.use_key(
            info.label, info.handle, native.kind, lambda key: bytes(key.sign(prepared, mechanism=native.use))
        )
        return from_signed(native, raw)

    return KeySigner(info, public_key, in_module)


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
    with store.act(actor, VERB, f"key:{key.info.label}", note=request.note) as act:
        act.decision = decision.record()
        digest = request.content if request.hashed else public_key.prehash(request.content)
        act.facts |= {"digest": digest.hex(), "for": request.subject}
        signature = key.sign_prehashed(digest)
    return Signed(signature, public_key.signature_algorithm.name, act.id)


def _verify_prehashed(public_key: PublicKey, signature: bytes, digest: bytes) -> None:
    if public_key.algorithm == "sm2":
        sm2.SM2PublicKey(public_key.spki).verify_digest(signature, digest)
        return
    key = load_der_public_key(public_key.spki)
    name = public_key.signature_algorithm.hash.name
    prehashed = utils.Prehashed(getattr(hashes, name.upper())())
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, digest, padding.PKCS1v15(), prehashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, digest, ec.ECDSA(prehashed))
    else:
        raise UnsupportedAlgorithm(what="prehash", algorithm=public_key.algorithm)
