"""Using a service key: done in memory, written down, and only then given out.

The transaction of the record asks once more whether the key may be used, and counts what was encrypted: so nothing comes
of a key that was destroyed meanwhile, and no version makes more encryptions than it may.

The record names key, versions, how many were done and refused, and the SHA-256 of what is public about them: ciphertexts,
signatures, MACs. Never the plaintext, the message or the context, nor a digest of them: what has few possible values is
found again from its digest. Where several requests of one caller for one use of one key were served together, it is one record,
which lists each request with the SHA-256 of what was made for it; `digest` is then that of these digests, as in a batch.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from kms.keyring.ciphertext import Ciphertext, bound
from kms.keyring.errors import (
    BadCiphertext,
    CiphertextElsewhere,
    CiphertextNotOpened,
    NoDigestHere,
    PlaintextTooLong,
    VersionTooOld,
    VersionUnknown,
    VersionUsedUp,
)
from kms.keyring.key import ServiceKey, in_condition
from kms.keyring.models import Condition, SealedRow, ServiceKeyRow
from kms.keyring.secret import Hand
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.errors import BadSignature
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.operations import Operation
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.store import Sql, Store

#: what is wrong with one item of a batch and with no other
OF_ITEMS = (
    *(BadCiphertext, CiphertextElsewhere, CiphertextNotOpened, NoDigestHere, PlaintextTooLong),
    *(VersionTooOld, VersionUnknown, BadSignature),
)
_KEY = cast("sa.Table", ServiceKeyRow.__table__).c
_SEALED = cast("sa.Table", SealedRow.__table__)
_COUNTED = Sql(
    sa.update(_SEALED)
    .where(
        _SEALED.c.key == sa.bindparam("of"),
        _SEALED.c.version == sa.bindparam("numbered"),
        _SEALED.c.number <= sa.bindparam("least"),
    )
    .values(number=_SEALED.c.number + sa.bindparam("more"))
)
_STANDING = Sql(
    sa.select(_KEY.condition, _KEY.destroy_at).where(_KEY.id == sa.bindparam("id")).with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class Item:
    """What one use is given; each use reads its own fields. None of it shows in a `repr`."""

    data: bytes = field(default=b"", repr=False)
    context: bytes = field(default=b"", repr=False)
    ciphertext: str = field(default="", repr=False)
    #: the signature or MAC to be verified
    given: bytes = field(default=b"", repr=False)
    version: int | None = None
    #: `data` is what `PublicKey.prehash` gives
    hashed: bool = False
    #: octets of a data key, and whether it is given in the clear as well
    size: int = 32
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What one use gave; `public` is what the record's digest is over, `sealed` the encryptions of `version` it took."""

    version: int
    public: bytes
    ciphertext: str = ""
    octets: bytes = field(default=b"", repr=False)
    sealed: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """One way to use a key: its verb, what the key must do, and whether the record waits for the disk.

    What opens, signs or hands out a secret waits. What encrypts or verifies does not by itself (`Store.note`).
    """

    verb: str
    operations: tuple[Operation, ...]
    run: Callable[[Hand, Item], Result]
    lasting: bool


def _encrypt(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.ENCRYPT, item.version)
    return _sealed(hand, version, item.data, item.context)


def _sealed(hand: Hand, version: int, plaintext: bytes, context: bytes) -> Result:
    key = hand.key
    sealed = hand.seal(version, plaintext, bound(key.name, version, key.kind.name, context))
    text = str(Ciphertext(key.name, version, sealed))
    return Result(version, text.encode(), ciphertext=text, sealed=1)


def _decrypt(hand: Hand, item: Item) -> Result:
    key, read = hand.key, Ciphertext.parse(item.ciphertext)
    if read.name != key.name:
        raise CiphertextElsewhere(other=read.name, name=key.name)
    version = key.version_for(Operation.DECRYPT, read.version)
    plaintext = hand.unseal(version, read.sealed, bound(key.name, version, key.kind.name, item.context))
    return Result(version, item.ciphertext.encode(), octets=plaintext)


def _rewrap(hand: Hand, item: Item) -> Result:
    """The same plaintext under the newest version; it does not leave this function."""
    opened = _decrypt(hand, item)
    try:
        again = _sealed(hand, hand.key.latest, opened.octets, item.context)
    finally:
        cleanse(opened.octets)
    return Result(again.version, opened.public + again.public, ciphertext=again.ciphertext, sealed=1)


def _data_key(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.ENCRYPT, item.version)
    secret = secrets.token_bytes(item.size)
    sealed = _sealed(hand, version, secret, item.context)
    if not item.plain:
        cleanse(secret)
        secret = b""
    return Result(version, sealed.public, ciphertext=sealed.ciphertext, octets=secret, sealed=1)


def _sign(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.SIGN, item.version)
    signature = hand.sign(version, item.data, hashed=item.hashed)
    return Result(version, signature, octets=signature)


def _verify(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.VERIFY, item.version)
    hand.verify(version, item.given, item.data, hashed=item.hashed)
    return Result(version, item.given)


def _mac(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.MAC, item.version)
    made = hand.mac(version, item.data)
    return Result(version, made, octets=made)


def _verify_mac(hand: Hand, item: Item) -> Result:
    version = hand.key.version_for(Operation.VERIFY_MAC, item.version)
    hand.verify_mac(version, item.given, item.data)
    return Result(version, item.given)


#: every way to use a key, by the name it has in batches and on the command line
USES: Mapping[str, Use] = {
    "encrypt": Use("kms.encrypt", (Operation.ENCRYPT,), _encrypt, lasting=False),
    "decrypt": Use("kms.decrypt", (Operation.DECRYPT,), _decrypt, lasting=True),
    "rewrap": Use("kms.rewrap-ciphertext", (Operation.DECRYPT, Operation.ENCRYPT), _rewrap, lasting=False),
    "data-key": Use("kms.make-data-key", (Operation.ENCRYPT,), _data_key, lasting=True),
    "sign": Use("kms.sign", (Operation.SIGN,), _sign, lasting=True),
    "verify": Use("kms.verify", (Operation.VERIFY,), _verify, lasting=False),
    "mac": Use("kms.mac", (Operation.MAC,), _mac, lasting=True),
    "verify-mac": Use("kms.verify-mac", (Operation.VERIFY_MAC,), _verify_mac, lasting=False),
}


def run(hand: Hand, use: Use, items: Iterable[Item]) -> list[Result | YinxinError]:
    """Each item's result, or what is wrong with it; what is wrong with more than one item is raised."""
    found: list[Result | YinxinError] = []
    for item in items:
        try:
            found.append(use.run(hand, item))
        except OF_ITEMS as error:
            found.append(error)
    return found


def record(
    store: Store,
    actor: Actor,
    use: Use,
    key: ServiceKey,
    found: Iterable[Result | YinxinError],
    *,
    decision: Decision,
    most: int,
) -> None:
    """Write down what was done before anybody gets it; one record, however many items.

    Raises ServiceKeyDestroyed, ServiceKeyEnding or VersionUsedUp, recorded as refusals, and what the store raises.
    """
    listed = list(found)
    sealed: Counter[int] = Counter()
    for each in listed:
        if isinstance(each, Result):
            sealed[each.version] += each.sealed
    facts, subject = facts_of(listed), f"service-key:{key.name}"

    def within(connection: sa.Connection) -> None:
        still(connection, key)
        for version, number in sorted(sealed.items()):
            count(connection, key, version, number, most)

    if use.lasting:
        with store.act(actor, use.verb, subject, **facts) as act:
            act.decision = decision.record()
            within(act.connection)
        return
    try:
        store.note(actor, use.verb, subject, within=within, decision=decision.record(), **facts)
    except YinxinError as error:
        store.refuse(actor, use.verb, subject, error)
        raise


def facts_of(found: Sequence[Result | YinxinError], requests: Sequence[str] = ()) -> dict[str, Any]:
    """What a record says of what was done; of several `requests` together, one result each, what was done for each."""
    results = [each for each in found if isinstance(each, Result)]
    digests = [INTL.hash.digest(each.public) for each in results]
    facts: dict[str, Any] = {
        "versions": sorted({each.version for each in results}),
        "number": len(results),
        "failed": len(found) - len(results),
        "digest": INTL.hash.digest(b"".join(digests)).hex(),
    }
    if requests:
        facts["requests"] = [
            {"request": request, "version": result.version, "digest": digest.hex()}
            for request, result, digest in zip(requests, results, digests, strict=True)
        ]
    return facts


def permit(key: ServiceKey, use: Use) -> None:
    """Raise unless the key may be used, and so."""
    key.usable()
    key.allows(*use.operations)


def still(connection: sa.Connection, key: ServiceKey) -> None:
    """The key may still be used; a destruction that begins now waits for this transaction."""
    (found,) = _STANDING.all(connection, {"id": key.id})
    in_condition(key.name, Condition(found.condition), found.destroy_at)


def count(connection: sa.Connection, key: ServiceKey, version: int, number: int, most: int) -> None:
    """Count so many more encryptions, where nonces bear only so many; raises VersionUsedUp."""
    if not number or key.kind.most_sealed is None:
        return
    named = {"of": key.id, "numbered": version, "more": number, "least": most - number}
    if _COUNTED.run(connection, named) != 1:
        raise VersionUsedUp(name=key.name, version=version, most=most)
