"""Bringing in a key that was made elsewhere: encrypted on its owner's side to a public key made for it alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kms.generation.held import Held
from kms.info import Wrapped
from kms.keyring import create as creating
from kms.keyring.create import ServiceKeyRequest
from kms.keyring.errors import ImportNotOpened, ImportUnknown, ServiceKeyTaken
from kms.keyring.find import find_key
from kms.keyring.key import ServiceKey
from kms.keyring.models import ImportRow
from kms.keyring.secret import Keys
from kms.models import Place
from kms.wrap import unwrap_octets, wrap_octets
from yinxin import canonical
from yinxin.act import Actor, Outcome
from yinxin.authz import Decision
from yinxin.crypto import operations
from yinxin.crypto.errors import CannotDecrypt, MalformedKey
from yinxin.crypto.key_import import METHODS, open_import
from yinxin.crypto.libcrypto import cleanse
from yinxin.errors import YinxinError
from yinxin.store import Act, Store

VERB = "kms.import-service-key"
#: how long the public key of an import is good for
LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Import:
    """A key that may be brought in until `expires`: how, and to which public key it is encrypted."""

    id: str
    method: str
    spki: bytes
    expires: datetime


def begin(
    store: Store, keys: Keys, actor: Actor, wanted: ServiceKeyRequest, *, method: str, decision: Decision
) -> Import:
    """A public key for this one key; recorded as an intent. Raises ServiceKeyTaken, or as `Token.use`."""
    if find_key(store, wanted.name) is not None:
        error = ServiceKeyTaken(name=wanted.name, field="id")
        store.refuse(actor, VERB, f"service-key:{wanted.name}", error)
        raise error
    id_, created = store.identifier(), store.clock.now()
    kek = keys.wrapping_key(actor)
    secret, spki = operations.generate(METHODS[method])
    try:
        wrapped = wrap_octets(keys.engine, kek, _bound(id_, wanted, kek.label), secret, store.randomness)
    finally:
        cleanse(secret)
    row = ImportRow(
        id=id_,
        method=method,
        wanted=_fields(wanted),
        spki=spki or b"",
        kek=wrapped.kek,
        nonce=wrapped.nonce,
        blob=wrapped.blob,
        expires=created + LASTS,
    )
    begun = Import(id_, method, row.spki, row.expires)
    facts: dict[str, Any] = {
        "owner": wanted.owner,
        "algorithm": wanted.algorithm,
        "method": method,
        "import": id_,
    }
    with store.act(actor, VERB, f"service-key:{wanted.name}", outcome=Outcome.INTENT, **facts) as act:
        act.decision = decision.record()
        act.session.add(row)
    return begun


def wanted_by(store: Store, id_: str) -> ServiceKeyRequest:
    """Which key an import is for; raises ImportUnknown when it was used, has expired, or never was."""
    with store.read() as session:
        row = session.get(ImportRow, id_[:26])
        if row is None or row.expires <= store.clock.now():
            raise ImportUnknown(reference=id_[:40])
        return _request(row)


def finish(
    store: Store, keys: Keys, actor: Actor, id_: str, *, wrapped: bytes, decision: Decision
) -> ServiceKey:
    """The service key, of the secret that `wrapped` holds.

    1. The secret is opened, held to its kind, and wrapped again under the KEK; it is in memory meanwhile.
    2. The key's rows, the end of the import, and their record.

    Raises ImportUnknown, ImportNotOpened, ServiceKeyTaken, or as `Token.use`; then the import is as it was.
    """
    wanted = wanted_by(store, id_)
    given = b""
    try:
        given = _opened(store, keys, id_, wanted, wrapped)
        return creating.create(
            store, keys, actor, wanted, decision, verb=VERB, given=given, within=lambda act: _used(act, id_)
        )
    except YinxinError as error:
        store.refuse(actor, VERB, f"service-key:{wanted.name}", error)
        raise
    finally:
        cleanse(given)


def forget_expired(store: Store) -> None:
    """Private keys of imports that nobody finished in time are deleted; for the timer."""
    with store.housekeep() as session:
        session.execute(sa.delete(ImportRow).where(ImportRow.expires <= store.clock.now()))


def _opened(store: Store, keys: Keys, id_: str, wanted: ServiceKeyRequest, wrapped: bytes) -> bytes:
    with store.read() as session:
        row = session.get(ImportRow, id_[:26])
        if row is None:
            raise ImportUnknown(reference=id_[:40])
        method, own = row.method, Wrapped(row.kek, row.nonce, row.blob)
    kek = keys.key(own.kek)
    secret = unwrap_octets(keys.engine, kek, _bound(id_, wanted, kek.label), own, f"import {id_}")
    try:
        given = open_import(method, secret, wrapped, id_)
        operations.read(wanted.kind, given)
    except (CannotDecrypt, MalformedKey):
        raise ImportNotOpened(name=wanted.name, algorithm=wanted.algorithm, method=method) from None
    finally:
        cleanse(secret)
    return given


def _used(act: Act, id_: str) -> None:
    """The import is over: of two who finish it at once, one does."""
    ended = act.session.execute(sa.delete(ImportRow).where(ImportRow.id == id_))
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise ImportUnknown(reference=id_)


def _fields(wanted: ServiceKeyRequest) -> dict[str, object]:
    return {
        "name": wanted.name,
        "owner": wanted.owner,
        "purpose": wanted.purpose,
        "algorithm": wanted.algorithm,
        "operations": list(wanted.operations),
    }


def _request(row: Any) -> ServiceKeyRequest:
    kept = row.wanted
    return ServiceKeyRequest(
        kept["name"],
        kept["owner"],
        kept["purpose"],
        kept["algorithm"],
        tuple(kept["operations"]),
        Place.WRAPPED,
    )


def _bound(id_: str, wanted: ServiceKeyRequest, kek: str) -> bytes:
    """What the import's private key is bound to: for another key it does not open."""
    return canonical.encode({"v": 1, "type": "kms.import", "id": id_, "kek": kek, **_fields(wanted)})


#: how the private keys of imports are bound, for rewrapping
HELD = Held(ImportRow, lambda row, kek: _bound(row.id, _request(row), kek))
