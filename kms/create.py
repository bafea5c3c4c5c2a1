"""Making a key, once: whatever crashes in between, the next call of the same label finishes the same key."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kms.compare import compare
from kms.engine import Engine
from kms.errors import BadKeyRequest, LabelTaken, TokenNotOurs
from kms.find import find_key
from kms.info import KeyInfo, Wrapped
from kms.mechanisms import NATIVE, WRAPPABLE
from kms.models import KeyRow, Place, Purpose, State
from kms.wrap import make_wrapped
from yinxin.act import Actor, Outcome
from yinxin.authz import PLATFORM, Decision
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.suite import INTL, Suite, suite_of_key
from yinxin.crypto.suite import suite as suite_of
from yinxin.errors import YinxinError
from yinxin.randomness import Randomness
from yinxin.steps import step
from yinxin.store import Act, Store
from yinxin.text import Text

VERB = "kms.create"
#: an algorithm that wraps keys, and the one algorithm that a key of the purpose `kek` has
KEK_ALGORITHM = "aes-256"

_LABEL = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
#: an organ of the directory, or the platform
OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """Which key is wanted; checked when made, raises BadKeyRequest."""

    label: str
    purpose: Purpose
    algorithm: str
    owner: str = PLATFORM

    def __post_init__(self) -> None:
        """Hold the fields to their rules."""
        if not _LABEL.fullmatch(self.label):
            raise BadKeyRequest(
                field="label",
                reason=Text(
                    "须为 1–64 个小写字母、数字、点或连字符，以字母或数字开头",
                    "1–64 of a–z 0–9 . - , beginning with a letter or digit",
                ),
            )
        if not OWNER.fullmatch(self.owner):
            raise BadKeyRequest(
                field="owner",
                reason=Text("须为机关标识或 platform", "the identifier of an organ, or platform"),
            )
        known = tuple(dict.fromkeys((*NATIVE, *WRAPPABLE)))
        if self.algorithm not in known:
            raise BadKeyRequest(field="algorithm", reason=one_of(known))
        secret = self.algorithm == KEK_ALGORITHM
        # a service key of the keyring encrypts with it too
        if (self.purpose is Purpose.KEK and not secret) or (
            secret and self.purpose not in (Purpose.KEK, Purpose.SERVICE)
        ):
            raise BadKeyRequest(
                field="purpose",
                reason=Text(
                    f"kek 与 {KEK_ALGORITHM} 只能相互搭配", f"kek goes with {KEK_ALGORITHM}, and only with it"
                ),
            )

    @property
    def suite(self) -> Suite:
        """The suite that the algorithm belongs to; a key that wraps is of `intl`."""
        return INTL if self.algorithm == KEK_ALGORITHM else suite_of_key(self.algorithm)


def one_of(known: Iterable[str]) -> Text:
    """What may be given instead, for a refusal."""
    listed = ", ".join(known)
    return Text(f"可用的有 {listed}", f"use one of {listed}")


def request_key(
    label: str, purpose: str, *, suite: str | None = None, algorithm: str | None = None, owner: str = PLATFORM
) -> KeyRequest:
    """The request in words: an algorithm, or a suite's own; raises BadKeyRequest or UnknownSuite."""
    if purpose not in [each.value for each in Purpose]:
        raise BadKeyRequest(field="purpose", reason=one_of(Purpose))
    if (suite is None) == (algorithm is None):
        raise BadKeyRequest(
            field="algorithm",
            reason=Text("套件与算法须且只须给出一项", "give either a suite or an algorithm"),
        )
    chosen = algorithm if algorithm is not None else suite_of(suite or "").key_algorithm
    return KeyRequest(label, Purpose(purpose), chosen, owner)


def by_hand(wanted: KeyRequest) -> None:
    """An officer may have it made by itself, by no other act: an evidence key under a label of its kind; raises BadKeyRequest."""
    if wanted.purpose is not Purpose.EVIDENCE:
        told = Text(
            f"只能为 {Purpose.EVIDENCE}；其他密钥由密钥仪式、制章等各自的程序产生",
            f"only {Purpose.EVIDENCE}; ceremonies, the making of seals and the like make the others",
        )
        raise BadKeyRequest(field="purpose", reason=told)
    if not wanted.label.startswith(f"{Purpose.EVIDENCE}-"):
        told = Text(f"须以 {Purpose.EVIDENCE}- 开头", f"it begins with {Purpose.EVIDENCE}-")
        raise BadKeyRequest(field="label", reason=told)


def create(
    store: Store,
    engine: Engine,
    actor: Actor,
    wanted: KeyRequest,
    *,
    kek: KeyInfo | None = None,
    decision: Decision | None = None,
) -> KeyInfo:
    """The key of this label, made if need be, wrapped under `kek` if one is given; the caller lets one in at a time.

    1. Intent: the row, `making`, and its record.
    2. The secret: in the module under the row's identifier, or wrapped.
    3. Done: public key and ciphertext in the row, `active`, and its record.

    Raises LabelTaken when the label names another kind of key, TokenNotOurs, and as `Token.use`; a failure after the
    intent leaves the row `making`.
    """
    record = decision.record() if decision is not None else None
    place = Place.HSM if kek is None else Place.WRAPPED
    info = find_key(store, wanted.label)
    if info is not None:
        _same(info, wanted)
        if info.state is not State.MAKING:
            return info
    if place is Place.HSM:
        with store.refusing(actor, VERB, f"key:{wanted.label}"):
            _demand_our_token(store, engine)
    if info is None:
        info = _intend(store, actor, wanted, place, record)
    step("kms.create.1-intended")
    try:
        public_key, wrapped = _secret(engine, info, kek, store.randomness)
    except YinxinError as error:
        store.refuse(actor, VERB, f"key:{info.label}", error)
        raise
    step("kms.create.2-made")
    done = replace(info, state=State.ACTIVE, public_key=public_key, wrapped=wrapped)
    with store.act(actor, VERB, f"key:{info.label}", **_facts(done)) as act:
        act.decision = record
        _finish(act, done)
    step("kms.create.3-done")
    return done


def _intend(
    store: Store, actor: Actor, wanted: KeyRequest, place: Place, record: dict[str, Any] | None
) -> KeyInfo:
    row = KeyRow(
        id=store.identifier(),
        label=wanted.label,
        purpose=wanted.purpose.value,
        algorithm=wanted.algorithm,
        suite=wanted.suite.name,
        owner=wanted.owner,
        place=place.value,
        state=State.MAKING.value,
        created=store.clock.now(),
    )
    info = KeyInfo.of(row)
    with store.act(actor, VERB, f"key:{row.label}", outcome=Outcome.INTENT, **_facts(info)) as act:
        act.decision = record
        act.session.add(row)
    return info


def _demand_our_token(store: Store, engine: Engine) -> None:
    """Raise TokenNotOurs where none of our keys is in the token: what is made in another one is lost when ours is back."""
    found = compare(store, engine)
    if found.foreign:
        raise TokenNotOurs(token=engine.facts().label, number=found.registered)


def _same(info: KeyInfo, wanted: KeyRequest) -> None:
    for field in ("purpose", "algorithm", "owner"):
        if getattr(info, field) != getattr(wanted, field):
            raise LabelTaken(label=wanted.label, field=field)


def _secret(
    engine: Engine, info: KeyInfo, kek: KeyInfo | None, randomness: Randomness
) -> tuple[PublicKey | None, Wrapped | None]:
    if info.place is Place.HSM:
        spki = engine.make_key(info.reference)
        return PublicKey.load(spki) if spki else None, None
    if kek is None:
        raise TypeError("a wrapped key needs a wrapping key")
    return make_wrapped(engine, kek, info, randomness)


def _finish(act: Act, done: KeyInfo) -> None:
    """From `making` to `active`, or not at all."""
    row = act.session.get_one(KeyRow, done.id, with_for_update=True)
    if row.state != State.MAKING.value:
        raise LabelTaken(label=done.label, field="state")
    row.state = State.ACTIVE.value
    row.spki = done.public_key.spki if done.public_key else None
    if done.wrapped:
        row.kek, row.nonce, row.blob = done.wrapped.kek, done.wrapped.nonce, done.wrapped.blob


def _facts(info: KeyInfo) -> dict[str, Any]:
    facts = info.fields()
    return {name: facts[name] for name in facts if name not in ("label", "created", "state")}
