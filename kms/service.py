"""The key centre: the register in the database and the token, as one service."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kms import create as creating
from kms import sign as signing
from kms.capability import capability
from kms.ceremony.copies import Copies
from kms.ceremony.vault import TypedPin
from kms.compare import Comparison, compare
from kms.create import KeyRequest, request_key
from kms.engine import Engine, TokenStanding
from kms.engine.local import LocalEngine
from kms.engine.mirror import Change, MirroredEngine
from kms.engine.process import MAKING, ProcessEngine
from kms.errors import HsmFull, KeyNotDeciphering, MirrorTooLate, TokenNotOurs
from kms.escrow import Escrow
from kms.escrow.keys import HELD
from kms.find import active_key, find_key, list_keys
from kms.folder import MIRROR, MIRRORED, TOKENS, has_room
from kms.generation import Generations
from kms.generation.held import KEYS
from kms.holder import HolderKeys
from kms.info import KeyInfo, Wrapped
from kms.initialise import SoftToken, initialise
from kms.keyring import Keyring
from kms.kmip.service import Kmip
from kms.mechanisms import NATIVE, WRAPPABLE, known_to
from kms.models import Place, Purpose
from kms.secrets import HSM_PIN, SECOND, SecretSource
from kms.settings import KmsSettings, MirrorSettings, member_settings
from kms.sign import KeySigner, Signed, SigningRequest, permit_remote, sign_recorded
from kms.token import locked
from kms.wrap import protected, unwrap_octets, wrap_octets
from yinxin import canonical, files
from yinxin.act import SYSTEM, Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.store import Store
from yinxin.text import Text

#: a token of the mirror failed, or is well again
FAIL_OVER = "kms.fail-over"


def caveat(native: Collection[str] = ()) -> Text:
    """Said wherever the centre speaks of itself, because it is the one place where law 2 leans on this process."""
    kinds = [kind.upper() for kind in WRAPPABLE if kind not in native]
    zh, en = "、".join(kinds), ", ".join(kinds)
    return Text(
        f"密码机不支持的密钥（{zh}）由其中的 AES 密钥加密保存，使用时在持有密码机的进程内存中解开",
        f"keys that the HSM does not know ({en}) are wrapped under its AES key and used in the memory of the process that has the module",
    )


class KeyCentre:
    """Makes, keeps and uses keys. One per process; opened at the first use, never before a fork."""

    def __init__(
        self,
        store: Store,
        settings: KmsSettings,
        *,
        folder: Path,
        secrets: SecretSource,
        decider: Decider,
        remote: Engine | None = None,
    ) -> None:
        """`folder` is the key centre's own; `secrets` is where its PINs stand, apart from it, in no backup.

        With `remote` the modules are another process's business, and nothing is opened here.
        """
        self.store = store
        self.settings = settings
        self.folder = folder
        self.decider = decider
        self.secrets = secrets
        #: the copies of keys that the vault token passes on, and its PIN while those who brought it hold a ceremony
        self.copies = Copies(store, folder)
        self.vault_pin: TypedPin | None = None
        #: the module in this process
        self.token = LocalEngine(settings, folder, lambda: secrets.read(HSM_PIN))
        #: whoever is asked for what the module does
        self.engine: Engine = remote or self._engine()
        self.remote = remote is not None
        #: the key that wraps others, and those before it
        self.generations = Generations(store, self.engine, decider, self, first=settings.kek)
        self.generations.held = lambda: (KEYS, HELD)
        #: the encryption keys of people and organs
        self.escrow = Escrow(store, self.engine, settings, decider, wrapping=self)
        #: the keys that systems use by their names
        self.keyring = Keyring(store, settings, decider, keys=self)
        #: what storage and databases keep here
        self.kmip = Kmip(store, settings.kmip, decider, keys=self)
        #: the signing keys of people, each under its holder's sole control
        self.holders = HolderKeys(store, settings, decider, keys=self)

    def initialise(self, actor: Actor) -> bool:
        """Make the software tokens of the embedded shape unless they are there; True when the first was made. Recorded.

        A token of a library that is configured is made with its vendor's tools.
        """
        if self.remote:
            return False
        with locked(self.folder / "create.lock"):
            mirror = [each for each in self.settings.mirror if not each.library]
            if mirror and not self._initialise_mirror(actor, mirror[0]):
                return False
            if self.settings.library:
                return False
            wanted = SoftToken(self.settings.token, self.folder, self.secrets)
            return initialise(self.store, actor, wanted)

    def _initialise_mirror(self, actor: Actor, mirror: MirrorSettings) -> bool:
        """Before the first token: keys must find both. False where a token of a mirror was lost: the other one serves.

        Raises MirrorTooLate when there are keys that cannot travel any more.
        """
        folder, note = self.folder / MIRROR, self.folder / MIRRORED
        there = [(each / TOKENS).is_dir() for each in (self.folder, folder)]
        if not all(there) and list_keys(self.store, limit=1):
            if note.exists() and any(there):
                return False
            if not there[1]:
                raise MirrorTooLate(token=mirror.token)
        initialise(self.store, actor, SoftToken(mirror.token, folder, self.secrets, SECOND))
        if not note.exists():
            files.replace(note, b"", mode=0o600)
        return True

    def _engine(self) -> Engine:
        settings = self.settings
        number = settings.processes or (1 if settings.mirror else 0)
        if not number:
            return self.token
        first = ProcessEngine(settings, self.folder, partial(self.secrets.read, HSM_PIN), number)
        if not settings.mirror:
            return first
        other = member_settings(settings, settings.mirror[0])
        pin = partial(self.secrets.read, HSM_PIN + SECOND)
        return MirroredEngine((first, ProcessEngine(other, self.folder / MIRROR, pin, number)), self.copies)

    def watch(self) -> None:
        """Look at the tokens of a mirror, and put on record what became of them; for the timer."""
        engine = self.engine
        if isinstance(engine, MirroredEngine):
            engine.tokens()
            engine.record(self._changed)

    def _changed(self, change: Change) -> None:
        with self.store.act(SYSTEM, FAIL_OVER, f"token:{change.label}") as act:
            act.facts |= {"token": change.token, "in_use": change.in_use}
            act.facts |= {"error": change.error} if change.error else {}

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
        """As `create`, for somebody the policies permit to: an evidence key. Raises Denied besides.

        Every other key is made by the act that it is for, with as many people as that takes. Whoever could make one by herself could have
        an authority's lie ready before its ceremony, or take the label of one that the platform makes by itself.
        """
        asked = Resource(
            "Key", wanted.label, organ=wanted.owner, attributes={"purpose": wanted.purpose.value}
        )
        decision = self.decider.require(actor, creating.VERB, asked)
        with self.store.refusing(actor, creating.VERB, f"key:{wanted.label}"):
            creating.by_hand(wanted)
        return self._create(actor, wanted, decision)

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        return active_key(self.store, label)

    def register(self, *, after: str = "", limit: int | None = None) -> list[KeyInfo]:
        """The register, by label."""
        return list_keys(self.store, after=after, limit=limit)

    def register_for(self, actor: Actor, *, after: str = "", limit: int | None = None) -> list[KeyInfo]:
        """As `register` but for tenants' keys, for somebody the policies permit to; raises Denied."""
        self.decider.require(actor, "kms.list", Resource("KeyRegister", "keys", organ=PLATFORM))
        return list_keys(self.store, after=after, limit=limit, tenants=False)

    def key_for(self, actor: Actor, label: str) -> KeyInfo:
        """As `key`, for somebody the policies permit to; raises Denied besides."""
        info = self.key(label)
        self.decider.require(actor, "kms.read", _resource(info))
        return info

    def signer(self, label: str) -> KeySigner:
        """A signer for use in this process; raises KeyUnknown, KeyNotActive or KeyNotSigning."""
        info = self.key(label)
        if info.wrapped is None:
            return signing.signer(self.engine, info, None, trusted=self._trusted(info))
        return signing.signer(self.engine, info, self.key(info.wrapped.kek), lambda: self._wrapped_now(label))

    def _trusted(self, info: KeyInfo) -> bool:
        """Whether the token's word is taken for what it signs; it is asked each time, for it may be another one by now."""
        if self.settings.signatures != "trusted" or info.algorithm not in NATIVE:
            return False
        return NATIVE[info.algorithm].use.name in self.engine.facts().hardware

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
        return wrap_octets(self.engine, kek, canonical.encode(dict(context)), secret, self.store.randomness)

    def reveal(self, context: Mapping[str, Any], wrapped: Wrapped) -> bytes:
        """The secret that `protect` was given; raises WrappedKeyAltered, KeyUnknown, or as `Token.use`."""
        kek = self.key(wrapped.kek)
        return unwrap_octets(self.engine, kek, canonical.encode(dict(context)), wrapped, kek.label)

    def open_envelope(self, label: str, envelope: EnvelopedData, recipient: Certificate) -> bytes:
        """What an envelope for this key holds; the key is in the engine's memory for that moment.

        Raises KeyNotDeciphering, KeyUnknown, CannotDecrypt, WrappedKeyAltered, or as `Token.use`.
        """
        info = self.key(label)
        if info.purpose is not Purpose.DECIPHER or info.wrapped is None:
            raise KeyNotDeciphering(label=label, purpose=info.purpose.value)
        kek = self.key(info.wrapped.kek).reference
        return self.engine.open_envelope(kek, protected(info, info.wrapped), envelope.encoded, recipient.der)

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The key that wraps now, made when it is first needed; for the rooms of the centre."""
        return self.generations.current(actor)

    def health(self) -> Health:
        """Whether the tokens answer, what they can do, and whether they hold what the register says."""
        facts: dict[str, Any] = {"token": self.settings.token, "wrapped": caveat().en}
        if self.remote:
            facts["address"] = self.settings.address
        try:
            tokens = self.engine.tokens()
            ready = self.engine.facts()
            found = compare(self.store, self.engine)
        except YinxinError as error:
            return Health(
                ok=False, text=_text(error), facts=facts | {"reachable": False, "error": error.code}
            )
        native = known_to(ready.mechanisms)
        said = caveat(native)
        facts |= {
            "wrapped": said.en,
            "reachable": True,
            "serial": ready.serial,
            "manufacturer": ready.manufacturer,
            "library": ready.library,
            "native": native,
            "missing": found.missing,
            "altered": found.altered,
            "loose": found.loose,
            "unfinished": [key.label for key in found.unfinished],
            **self.generations.facts(),
            **self.escrow.facts(),
            "tokens": [capability(each) for each in tokens],
        }
        if found.foreign:
            facts["error"] = TokenNotOurs.code
        fault = (
            found.trouble(ready.label)
            or _failed(tokens)
            or self._stuck(found, ready.label)
            or self.generations.trouble()
            or self.escrow.trouble()
        )
        text = fault or Text(f"令牌正常；{said.zh}", f"token answers; {said.en}")
        return Health(ok=fault is None, text=text, facts=facts)

    def health_for(self, actor: Actor) -> Health:
        """As `health`, for somebody the policies permit to; raises Denied."""
        self.decider.require(actor, "kms.list", Resource("KeyRegister", "keys", organ=PLATFORM))
        return self.health()

    def close(self) -> None:
        """Let the token go, so that this process may fork or end."""
        self.engine.close()

    def _create(self, actor: Actor, wanted: KeyRequest, decision: Decision | None = None) -> KeyInfo:
        kek = self.wrapping_key(actor) if self._wrapped(actor, wanted) else None
        with locked(self.folder / "create.lock"):
            return creating.create(self.store, self.engine, actor, wanted, kek=kek, decision=decision)

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
            return wanted.algorithm not in known_to(self.engine.facts().mechanisms)
        except YinxinError as error:
            self.store.refuse(actor, creating.VERB, f"key:{wanted.label}", error)
            raise

    def _wrapped_now(self, label: str) -> tuple[KeyInfo, KeyInfo]:
        """A wrapped key as it lies now, and the key over it."""
        info = self.key(label)
        if info.wrapped is None:
            raise TypeError("a key stays where it was made")
        return info, self.key(info.wrapped.kek)

    def _stuck(self, found: Comparison, token: str) -> Text | None:
        """A token without room, or keys that were begun longer ago than the making of one may take; None when nothing is."""
        if not self.remote and not all(has_room(each) for each in (self.folder, self.folder / MIRROR)):
            return _text(HsmFull(token=token, reason=str(self.folder)))
        late = self.store.clock.now() - timedelta(seconds=MAKING * self.settings.deadline)
        begun = [key.label for key in found.unfinished if key.created < late]
        if not begun:
            return None
        return Text(
            f"有密钥未创建完成：{'、'.join(begun)}；请重复创建它们的操作",
            f"keys were begun and not finished: {', '.join(begun)}; repeat the act that makes them",
        )


def _text(error: YinxinError) -> Text:
    return Text(error.text("zh"), error.text("en"))


def _failed(tokens: Sequence[TokenStanding]) -> Text | None:
    """Which tokens of a mirror have failed; None when none have."""
    failed = [f"{each.label} ({each.error})" for each in tokens if each.error]
    if not failed:
        return None
    in_use = next(each.label for each in tokens if each.in_use)
    return Text(
        f"镜像中的令牌失效：{'、'.join(failed)}；正在使用 {in_use}",
        f"a token of the mirror has failed: {', '.join(failed)}; {in_use} is in use",
    )


def _resource(info: KeyInfo) -> Resource:
    """The key as policies see it."""
    return Resource("Key", info.label, organ=info.owner, attributes={"purpose": info.purpose.value})
