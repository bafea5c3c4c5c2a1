"""Making a service key, giving it a new version, and taking old versions out of use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from kms.create import OWNER, one_of
from kms.keyring.errors import BadServiceKey, ServiceKeyMoved, ServiceKeyTaken, VersionUnknown
from kms.keyring.find import find_key, key_of
from kms.keyring.key import ServiceKey
from kms.keyring.models import Condition, SealedRow, ServiceKeyRow, ServiceKeyVersionRow
from kms.keyring.secret import IN_MODULE, Keys, make
from kms.models import Place
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.operations import KINDS, KeyKind, Operation, kind_of
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Act, Store
from yinxin.text import Text

CREATE = "kms.create-service-key"
ROTATE = "kms.rotate-service-key"
LIMIT = "kms.limit-service-key"

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,47}")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True, slots=True)
class ServiceKeyRequest:
    """Which service key is wanted; checked when made, raises BadServiceKey. No operations: all of its kind."""

    name: str
    owner: str
    purpose: str
    algorithm: str
    operations: tuple[str, ...] = ()
    place: Place = Place.WRAPPED

    def __post_init__(self) -> None:
        """Hold the fields to their rules."""
        form = Text(
            "须由小写字母、数字、点或连字符组成，以字母或数字开头",
            "a–z 0–9 . - , beginning with a letter or digit",
        )
        for field, pattern in (("name", _NAME), ("purpose", _PURPOSE)):
            if not pattern.fullmatch(getattr(self, field)):
                raise BadServiceKey(field=field, reason=form)
        if not OWNER.fullmatch(self.owner):
            reason = Text("须为机关标识或 platform", "the identifier of an organ, or platform")
            raise BadServiceKey(field="owner", reason=reason)
        if self.algorithm not in KINDS:
            raise BadServiceKey(field="algorithm", reason=one_of(KINDS))
        can = self.kind.operations
        if unknown := set(self.operations) - {each.value for each in can}:
            raise BadServiceKey(field=f"operations ({min(unknown)[:20]})", reason=one_of(sorted(can)))
        if self.place is Place.HSM and self.algorithm not in IN_MODULE:
            raise BadServiceKey(field="place", reason=one_of(IN_MODULE))

    @property
    def kind(self) -> KeyKind:
        """The kind of key."""
        return kind_of(self.algorithm)

    @property
    def does(self) -> frozenset[Operation]:
        """What the key will do."""
        return frozenset(map(Operation, self.operations)) or self.kind.operations


def create(
    store: Store,
    keys: Keys,
    actor: Actor,
    wanted: ServiceKeyRequest,
    decision: Decision,
    *,
    verb: str = CREATE,
    given: bytes | None = None,
    within: Callable[[Act], None] | None = None,
) -> ServiceKey:
    """The key of this name, made once however often this is called.

    1. Its first secret: made, or taken as `given`, and wrapped; or made in the module.
    2. The rows, what `within` does besides, and their record.

    Raises ServiceKeyTaken when the name is another key's, and as `kms.keyring.secret.make`; then nothing is stored.
    """
    subject, brought = f"service-key:{wanted.name}", given is not None
    known = find_key(store, wanted.name)
    if known is not None:
        with store.refusing(actor, verb, subject):
            return _same(known, wanted, brought=brought)
    row = ServiceKeyRow(
        id=store.identifier(),
        name=wanted.name,
        owner=wanted.owner,
        purpose=wanted.purpose,
        algorithm=wanted.algorithm,
        suite=wanted.kind.suite.name,
        operations=",".join(sorted(each.value for each in wanted.does)),
        place=wanted.place.value,
        condition=Condition.ACTIVE.value,
        latest=1,
        min_decrypt=1,
        min_encrypt=1,
        created=store.clock.now(),
        destroy_at=None,
        proposal=None,
    )
    key = ServiceKey.of(row)
    try:
        version = make(store, keys, actor, key, 1, given=given)
    except YinxinError as error:
        store.refuse(actor, verb, subject, error)
        raise
    step("kms.create-service-key.1-made")

    def given_away() -> YinxinError | None:
        """The refusal, where another key has the name since a moment ago; None for the very key that is wanted."""
        try:
            _same(key_of(store, wanted.name), wanted, brought=brought)
        except YinxinError as error:
            return error
        return None

    try:
        with store.act(actor, verb, subject, taken=given_away, **_facts(key)) as act:
            act.decision = decision.record()
            if within is not None:
                within(act)
            act.session.add(row)
            act.session.flush()
            _add(act, version)
    except IntegrityError:  # somebody else made this very key
        return key_of(store, wanted.name)
    step("kms.create-service-key.2-done")
    return key


def rotate(store: Store, keys: Keys, actor: Actor, key: ServiceKey, decision: Decision | None) -> ServiceKey:
    """The key with one version more, the newest from now on; its older ones still open what they sealed.

    1. The secret of the new version, as in `create`.
    2. Its row, the key's newest version, and their record.

    Raises ServiceKeyMoved when somebody else rotated it meanwhile, and what `ServiceKey.usable` and `make` raise.
    """
    number = key.latest + 1
    try:
        key.usable()
        version = make(store, keys, actor, key, number)
    except YinxinError as error:
        store.refuse(actor, ROTATE, f"service-key:{key.name}", error)
        raise
    step("kms.rotate-service-key.1-made")
    with store.act(actor, ROTATE, f"service-key:{key.name}", version=number) as act:
        act.decision = decision.record() if decision is not None else None
        row = _held(act, key)
        row.latest = number
        _add(act, version)
        act.session.flush()
        done = ServiceKey.of(row)
    step("kms.rotate-service-key.2-done")
    return done


def limit(
    store: Store, actor: Actor, key: ServiceKey, decision: Decision, *, min_decrypt: int, min_encrypt: int
) -> ServiceKey:
    """The least versions that still open or verify, and that seal or sign; raises VersionUnknown, ServiceKeyMoved.

    What is sealed is opened: the least that encrypts is not below the least that decrypts.
    """
    facts: dict[str, Any] = {"min_decrypt": min_decrypt, "min_encrypt": min_encrypt}
    with store.act(actor, LIMIT, f"service-key:{key.name}", **facts) as act:
        act.decision = decision.record()
        for least in (min_decrypt, min_encrypt):
            if not 1 <= least <= key.latest:
                raise VersionUnknown(name=key.name, version=least, latest=key.latest)
        if min_encrypt < min_decrypt:
            reason = Text("不得低于 min_decrypt", "not below min_decrypt")
            raise BadServiceKey(field="min_encrypt", reason=reason)
        row = _held(act, key)
        row.min_decrypt, row.min_encrypt = min_decrypt, min_encrypt
        act.session.flush()
        return ServiceKey.of(row)


def _held(act: Act, key: ServiceKey) -> ServiceKeyRow:
    """The row, held to the end of the act; raises ServiceKeyMoved unless it is as it was seen, and what `usable` raises."""
    row = act.session.get_one(ServiceKeyRow, key.id, with_for_update=True)
    now = ServiceKey.of(row)
    now.usable()
    if now.latest != key.latest:
        raise ServiceKeyMoved(name=key.name, latest=now.latest)
    return row


def _add(act: Act, version: ServiceKeyVersionRow) -> None:
    act.session.add(version)
    act.session.add(SealedRow(key=version.key, version=version.version, number=0))


def _same(known: ServiceKey, wanted: ServiceKeyRequest, *, brought: bool) -> ServiceKey:
    """The key that is there, if it is the one that is wanted; raises ServiceKeyTaken, and what `usable` raises.

    A secret that is brought in is never taken for one that is there.
    """
    known.usable()
    theirs = (known.owner, known.purpose, known.kind.name, known.operations, known.place)
    ours = (wanted.owner, wanted.purpose, wanted.algorithm, wanted.does, wanted.place)
    names = ("owner", "purpose", "algorithm", "operations", "place")
    if brought:
        raise ServiceKeyTaken(name=wanted.name, field="secret")
    for field, one, other in zip(names, theirs, ours, strict=True):
        if one != other:
            raise ServiceKeyTaken(name=wanted.name, field=field)
    return known


def _facts(key: ServiceKey) -> dict[str, Any]:
    told = ("owner", "purpose", "algorithm", "operations", "place")
    return {name: value for name, value in key.fields().items() if name in told}
