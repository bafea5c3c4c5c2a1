"""The key centre: the register in the database and the token, as one service."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from kms import create as creating
from kms import sign as signing
from kms.create import KEK_ALGORITHM, KeyRequest, request_key
from kms.errors import KeyNotDeciphering
from kms.escrow import Escrow
from kms.find import active_key, find_key, list_keys
from kms.info import KeyInfo, Wrapped
from kms.initialise import SO_PIN, SoftToken, initialise
from kms.mechanisms import NATIVE, WRAPPABLE, known_to
from kms.models import Place, Purpose, State
from kms.settings import KmsSettings
from kms.sign import KeySigner, Signed, SigningRequest, permit_remote, sign_recorded
from kms.token import Token, locked, objects
from kms.wrap import unwrap_octets, unwrapped, wrap_octets
from yinxin import canonical
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.store import Store
from yinxin.text import Text


def caveat(native: Collection[str] = ()) -> Text:
    """Said wherever the centre speaks of itself, because it is the one place where law 2 leans on this process."""
    kinds = [kind.upper() for kind in WRAPPABLE if kind not in native]
    zh, en = "、".join(kinds), ", ".join(kinds)
    return Text(
        f"密码机不支持的密钥（{zh}）由其中的 AES 密钥加密保存，使用时在本进程内存中解开",
        f"keys that the HSM does not know ({en}) are wrapped under its AES key and used in this process's memory",
    )


class KeyCentre:
    """Makes, keeps and uses keys. One per process; opened at the first use, never before a fork."""

    def __init__(
        self, store: Store, settings: KmsSettings, *, folder: Path, secrets: Path, decider: Decider
    ) -> None:
        """`folder` is the key centre's own; `secrets` holds its PIN files, apart from it, in no backup."""
        self.store = store
        self.settings = settings
        self.folder = folder
        self.decider = decider
        self.secrets = secrets
        self.token = Token(settings, folder, secrets)
        #: the encryption keys of people and organs
        self.escrow = Escrow(store, self.token, settings, decider, wrapping=self)

    def initialise(self, actor: Actor) -> bool:
        """Make the software token of the embedded shape unless it is there; True when made. Recorded."""
        with locked(self.folder / "create.lock"):
            so_pin = self.secrets / SO_PIN
            wanted = SoftToken(self.settings.token, self.folder, self.token.pin_file, so_pin)
            return initialise(self.store, actor, wanted)

    def create(
        self,
        actor: Actor,
        *,
        label: str,
        purpose: Purpose | str,
        suite: Suite | None = None,
        algorithm: str | None = None,
        owner: str = PLATFORM,
    ) -> KeyInfo:
        """The key of this label, made once however often this is called; of `algorithm`, or of the suite's own.

        For the platform's own acts, which have been permitted as such. Raises BadKeyRequest, LabelTaken, or as
        `Token.use`.
        """
        named = suite.name if suite else None
        return self._create(actor, request_key(label, purpose, suite=named, algorithm=algorithm, owner=owner))

    def create_for(self, actor: Actor, wanted: KeyRequest) -> KeyInfo:
        """As `create`, for somebody the policies permit to; raises Denied besides."""
        asked = Resource(
            "Key", wanted.label, organ=wanted.owner, attributes={"purpose": wanted.purpose.value}
        )
        return self._create(actor, wanted, self.decider.require(actor, creating.VERB, asked))

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        return active_key(self.store, label)

    def register(self, *, after: str = "", limit: int | None = None) -> list[KeyInfo]:
        """The register, by label."""
        return list_keys(self.store, after=after, limit=limit)

    def register_for(self, actor: Actor, *, after: str = "", limit: int | None = None) -> list[KeyInfo]:
        """As `register`, for somebody the policies permit to; raises Denied."""
        self.decider.require(actor, "kms.list", Resource("KeyRegister", "keys", organ=PLATFORM))
        return self.register(after=after, limit=limit)

    def key_for(self, actor: Actor, label: str) -> KeyInfo:
        """As `key`, for somebody the policies permit to; raises Denied besides."""
        info = self.key(label)
        self.decider.require(actor, "kms.read", _resource(info))
        return info

    def signer(self, label: str) -> KeySigner:
        """A signer for use in this process; raises KeyUnknown, KeyNotActive or KeyNotSigning."""
        info = self.key(label)
        return signing.signer(self.token, info, self.key(info.wrapped.kek) if info.wrapped else None)

    def sign_for(self, actor: Actor, label: str, request: SigningRequest) -> Signed:
        """Sign for a caller over the network, if the policies permit it. Recorded either way.

        Raises KeyUnknown, PurposeNotRemote, Denied, or as `KeySigner.sign_prehashed`.
        """
        try:
            info = self.key(label)
            permit_remote(info)
            key = self.signer(label)
        except YinxinError as error:
            self.store.refuse(actor, signing.VERB, f"key:{label}", error)
            raise
        decision = self.decider.require(actor, signing.VERB, _resource(info))
        return sign_recorded(self.store, actor, key, request, decision)

    def protect(self, actor: Actor, context: Mapping[str, Any], secret: bytes) -> Wrapped:
        """A shared secret of another module as ciphertext, to be opened in the same `context` only.

        For secrets that a protocol must know in the clear (a MAC key); what only has to be recognised is hashed
        instead. Raises as `Token.use`.
        """
        kek = self.wrapping_key(actor)
        return wrap_octets(self.token, kek, canonical.encode(dict(context)), secret, self.store.randomness)

    def reveal(self, context: Mapping[str, Any], wrapped: Wrapped) -> bytes:
        """The secret that `protect` was given; raises WrappedKeyAltered, KeyUnknown, or as `Token.use`."""
        kek = self.key(wrapped.kek)
        return unwrap_octets(self.token, kek, canonical.encode(dict(context)), wrapped, kek.label)

    def open_envelope(self, label: str, envelope: EnvelopedData, recipient: Certificate) -> bytes:
        """What an envelope for this key holds; the key is in this process's memory for that moment.

        Raises KeyNotDeciphering, KeyUnknown, CannotDecrypt, WrappedKeyAltered, or as `Token.use`.
        """
        info = self.key(label)
        if info.purpose is not Purpose.DECIPHER or info.wrapped is None:
            raise KeyNotDeciphering(label=label, purpose=info.purpose.value)
        with unwrapped(self.token, self.key(info.wrapped.kek), info, info.wrapped) as key:
            pkcs8 = key.pkcs8()
            try:
                return envelope.open(recipient, pkcs8)
            finally:
                cleanse(pkcs8)

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The key that wraps, made when it is first needed; for the rooms of the centre."""
        return self._create(actor, KeyRequest(self.settings.kek, Purpose.KEK, KEK_ALGORITHM))

    def health(self) -> Health:
        """Whether the token answers, what it can do, and whether it holds what the register says."""
        facts: dict[str, Any] = {"token": self.settings.token, "wrapped": caveat().en}
        try:
            token = self.token.facts()
            missing, unfinished = self._disagreements()
        except YinxinError as error:
            text = Text(error.text("zh"), error.text("en"))
            return Health(ok=False, text=text, facts=facts | {"reachable": False, "error": error.code})
        native = known_to(token.mechanisms)
        said = caveat(native)
        facts |= {
            "wrapped": said.en,
            "reachable": True,
            "serial": token.serial,
            "manufacturer": token.manufacturer,
            "library": token.library,
            "native": native,
            "missing": missing,
            "unfinished": unfinished,
            "pool": [f"{algorithm}: {level}" for algorithm, level in self.escrow.levels().items()],
        }
        if missing:
            lost = "、".join(missing)
            return Health(
                ok=False,
                text=Text(
                    f"令牌中缺少已登记的密钥：{lost}", f"registered keys missing from the token: {lost}"
                ),
                facts=facts,
            )
        return Health(ok=True, text=Text(f"令牌正常；{said.zh}", f"token answers; {said.en}"), facts=facts)

    def close(self) -> None:
        """Let the token go, so that this process may fork or end."""
        self.token.close()

    def _create(self, actor: Actor, wanted: KeyRequest, decision: Decision | None = None) -> KeyInfo:
        kek = self.wrapping_key(actor) if self._wrapped(actor, wanted) else None
        with locked(self.folder / "create.lock"):
            return creating.create(self.store, self.token, actor, wanted, kek=kek, decision=decision)

    def _wrapped(self, actor: Actor, wanted: KeyRequest) -> bool:
        """Whether the key lies outside the module: as it was begun, else when the module does not know its kind.

        A key that deciphers always does: a module tells whoever asks by its errors how a padding fails.
        """
        if wanted.purpose is Purpose.DECIPHER:
            return True
        if wanted.algorithm not in WRAPPABLE:
            return False
        known = find_key(self.store, wanted.label)
        if known is not None:
            return known.place is Place.WRAPPED
        if wanted.algorithm not in NATIVE:
            return True
        try:
            return wanted.algorithm not in known_to(self.token.facts().mechanisms)
        except YinxinError as error:
            self.store.refuse(actor, creating.VERB, f"key:{wanted.label}", error)
            raise

    def _disagreements(self) -> tuple[list[str], list[str]]:
        """Labels of active keys that the token does not hold, and of keys that were begun and not finished."""
        keys = list_keys(self.store)
        held = [key for key in keys if key.place is Place.HSM and key.state is State.ACTIVE]
        missing = self.token.use(
            lambda session: [
                key.label
                for key in held
                if len(objects(session, key.handle, NATIVE[key.algorithm].kind)) != 1
            ]
        )
        return missing, [key.label for key in keys if key.state is State.MAKING]


def _resource(info: KeyInfo) -> Resource:
    """The key as policies see it."""
    return Resource("Key", info.label, organ=info.owner, attributes={"purpose": info.purpose.value})
