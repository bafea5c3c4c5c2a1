"""Create and Register (KMIP 1.2, 4.1 and 4.3): a key made here, or a key or secret brought in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.kmip import attributes, fields, material
from kms.kmip.attributes import Attribute
from kms.kmip.errors import (
    KmipFeatureUnknown,
    KmipFormUnknown,
    KmipInvalidField,
    KmipMissingData,
    KmipNameTaken,
    KmipTooManyObjects,
)
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.models import KmipAttributeRow, KmipClientRow, KmipObjectRow
from kms.kmip.ttlv import Item, Type
from kms.kmip.words import Algorithm, Form, ObjectType, Tag
from yinxin.crypto.libcrypto import cleanse
from yinxin.text import Text

CREATE = "kms.create-kmip-object"
REGISTER = "kms.register-kmip-object"

#: bits of an AES key (FIPS 197)
_AES = (128, 192, 256)
#: octets of what is brought in, at most
_LONGEST_SECRET = 4096
#: bits that a MAC key has at least (RFC 2104 3: no fewer than half the digest), and at most
_MAC_BITS = (128, 4096)


@dataclass(slots=True)
class _Wanted:
    """What a template says."""

    algorithm: int | None = None
    length: int | None = None
    usage: int | None = None
    dates: dict[str, datetime] = field(default_factory=dict)
    written: list[tuple[str, Item | None]] = field(default_factory=list)


def create(exchange: Exchange, payload: Fields) -> Item:
    """An AES key, made here and Pre-Active unless its Activation Date has come; one record."""
    payload_type = payload.chosen(Tag.OBJECT_TYPE, ObjectType)
    wanted = _template(payload.structure(Tag.TEMPLATE_ATTRIBUTE))
    payload.end()
    if payload_type is not ObjectType.SYMMETRIC_KEY:
        raise KmipInvalidField(
            field=fields.title(Tag.OBJECT_TYPE), rule=Text("只生成对称密钥", "symmetric keys are made")
        )
    if wanted.algorithm is None or wanted.length is None:
        missing = "Cryptographic Algorithm" if wanted.algorithm is None else "Cryptographic Length"
        raise KmipMissingData(field=missing)
    if wanted.algorithm != Algorithm.AES:
        raise KmipInvalidField(
            field=fields.title(Tag.CRYPTOGRAPHIC_ALGORITHM), rule=Text("只生成 AES", "AES is made")
        )
    _fits(wanted.algorithm, wanted.length)
    secret = exchange.store.randomness.token(wanted.length // 8)
    row = _row(exchange, payload_type, wanted, form=Form.RAW, length=wanted.length)
    id_ = _keep(exchange, CREATE, row, wanted, secret)
    return fields.structure(
        Tag.RESPONSE_PAYLOAD,
        fields.choice(Tag.OBJECT_TYPE, payload_type),
        fields.text(Tag.UNIQUE_IDENTIFIER, id_),
    )


def register(exchange: Exchange, payload: Fields) -> Item:
    """A key or secret of the client's own, in the clear in its request and nowhere else; one record."""
    payload_type = payload.chosen(Tag.OBJECT_TYPE, ObjectType)
    wanted = _template(payload.structure(Tag.TEMPLATE_ATTRIBUTE))
    secret_type = None
    if payload_type is ObjectType.SYMMETRIC_KEY:
        given = payload.structure(Tag.SYMMETRIC_KEY)
    else:
        given = payload.structure(Tag.SECRET_DATA)
        secret_type = given.needed(Tag.SECRET_DATA_TYPE, Type.ENUMERATION)
        if secret_type not in (1, 2):
            raise KmipInvalidField(
                field=fields.title(Tag.SECRET_DATA_TYPE), rule=Text("口令或种子", "password or seed")
            )
    block = given.structure(Tag.KEY_BLOCK)
    given.end()
    payload.end()
    form, secret = _opened(block, payload_type, wanted)
    length = len(secret) * 8
    if wanted.length not in (None, length):
        raise KmipInvalidField(
            field=fields.title(Tag.CRYPTOGRAPHIC_LENGTH), rule=Text("与密钥不符", "not that of the key")
        )
    if payload_type is ObjectType.SYMMETRIC_KEY:
        if wanted.algorithm is None:
            raise KmipMissingData(field=fields.title(Tag.CRYPTOGRAPHIC_ALGORITHM))
        _fits(wanted.algorithm, length)
    row = _row(exchange, payload_type, wanted, form=form, length=length, secret_type=secret_type)
    id_ = _keep(exchange, REGISTER, row, wanted, secret)
    return fields.structure(Tag.RESPONSE_PAYLOAD, fields.text(Tag.UNIQUE_IDENTIFIER, id_))


def _opened(block: Fields, object_type: ObjectType, wanted: _Wanted) -> tuple[int, bytes]:
    """Format and octets of a Key Block; what it says of the key is taken as the template's."""
    form = block.needed(Tag.KEY_FORMAT_TYPE, Type.ENUMERATION)
    kept = {ObjectType.SYMMETRIC_KEY: (Form.RAW,), ObjectType.SECRET_DATA: (Form.RAW, Form.OPAQUE)}
    if form not in kept[object_type]:
        raise KmipFormUnknown(form=form, kept=", ".join(each.name for each in kept[object_type]))
    if block.item(Tag.KEY_COMPRESSION_TYPE) is not None:
        raise KmipFeatureUnknown(feature=fields.title(Tag.KEY_COMPRESSION_TYPE))
    if block.item(Tag.KEY_WRAPPING_DATA) is not None:
        raise KmipFeatureUnknown(feature=fields.title(Tag.KEY_WRAPPING_DATA))
    value = block.structure(Tag.KEY_VALUE)
    secret = value.needed(Tag.KEY_MATERIAL, Type.OCTETS)
    for each in value.items(Tag.ATTRIBUTE):
        _take(Attribute.of(each), wanted)
    value.end()
    _same(wanted, "algorithm", block.value(Tag.CRYPTOGRAPHIC_ALGORITHM, Type.ENUMERATION))
    _same(wanted, "length", block.value(Tag.CRYPTOGRAPHIC_LENGTH, Type.INTEGER))
    block.end()
    if not 0 < len(secret) <= _LONGEST_SECRET:
        rule = Text(f"1 至 {_LONGEST_SECRET} 字节", f"1 to {_LONGEST_SECRET} octets")
        raise KmipInvalidField(field=fields.title(Tag.KEY_MATERIAL), rule=rule)
    return form, secret


def _template(given: Fields) -> _Wanted:
    """What a Template-Attribute says; templates of the server it may not name."""
    wanted = _Wanted()
    items = given.items(Tag.ATTRIBUTE)
    given.end()
    if len(items) > attributes.MOST:
        rule = Text(f"至多 {attributes.MOST} 项", f"{attributes.MOST} at most")
        raise KmipInvalidField(field="Attribute", rule=rule)
    for each in items:
        _take(Attribute.of(each), wanted)
    return wanted


#: attributes that are fixed, with the type of their value
_FIXED = {
    "Cryptographic Algorithm": ("algorithm", Type.ENUMERATION),
    "Cryptographic Length": ("length", Type.INTEGER),
    "Cryptographic Usage Mask": ("usage", Type.INTEGER),
}


def _take(given: Attribute, wanted: _Wanted) -> None:
    name, value = given.name, given.value
    if name in _FIXED:
        part, type_ = _FIXED[name]
        if value is None:
            raise KmipMissingData(field=name)
        _same(wanted, part, fields.value_of(value, type_))
    elif name in attributes.DATES:
        wanted.dates[attributes.DATES[name]] = attributes.date_of(name, value)
    else:
        attributes.written(name, value)
        rule = attributes.rule_of(name)
        if rule is not None and not rule.several and name in [each for each, _ in wanted.written]:
            raise KmipInvalidField(field=name, rule=Text("只能有一个", "there is one of it"))
        wanted.written.append((name, value))


def _same(wanted: _Wanted, part: str, value: int | None) -> None:
    """Take it, unless something else was said before."""
    if value is None:
        return
    if getattr(wanted, part) not in (None, value):
        name = next(name for name, (each, _) in _FIXED.items() if each == part)
        raise KmipInvalidField(field=name, rule=Text("前后不一致", "it is said twice, differently"))
    setattr(wanted, part, value)


def _fits(algorithm: int, length: int) -> None:
    """Raise KmipInvalidField unless the algorithm is kept here and takes keys of this length."""
    known = fields.one_of(Tag.CRYPTOGRAPHIC_ALGORITHM, algorithm, Algorithm)
    if known is Algorithm.AES:
        good, rule = length in _AES, Text("AES 为 128、192 或 256 位", "128, 192 or 256 bits for AES")
    else:
        least, most = _MAC_BITS
        good = least <= length <= most and not length % 8
        rule = Text(f"{least} 至 {most} 位", f"{least} to {most} bits")
    if not good:
        raise KmipInvalidField(field=fields.title(Tag.CRYPTOGRAPHIC_LENGTH), rule=rule)


def _row(
    exchange: Exchange,
    object_type: ObjectType,
    wanted: _Wanted,
    *,
    form: int,
    length: int,
    secret_type: int | None = None,
) -> KmipObjectRow:
    """The row, without its ciphertext."""
    if wanted.usage is None:
        raise KmipMissingData(field=fields.title(Tag.CRYPTOGRAPHIC_USAGE_MASK))
    if wanted.usage < 0:
        raise KmipInvalidField(
            field=fields.title(Tag.CRYPTOGRAPHIC_USAGE_MASK), rule=Text("不得为负", "not below 0")
        )
    now = exchange.now
    dates: dict[str, datetime | None] = dict.fromkeys(attributes.DATES.values())
    row = KmipObjectRow(
        id=exchange.store.identifier(),
        client=exchange.client,
        object_type=object_type.value,
        algorithm=wanted.algorithm,
        length=length,
        usage=wanted.usage,
        form=int(form),
        secret_type=secret_type,
        created=now,
        changed=now,
        **(dates | wanted.dates),
    )
    attributes.in_order(row)
    return row


def _keep(exchange: Exchange, verb: str, row: KmipObjectRow, wanted: _Wanted, secret: bytes) -> str:
    """Wrap the secret, then store object and attributes with their record; its identifier, the ID Placeholder from then on."""
    store, id_ = exchange.store, row.id
    row.imported = verb == REGISTER
    try:
        given = _attributes(exchange, row, wanted.written)
        material.put(exchange.keys, exchange.actor, row, secret, store.randomness)
    finally:
        cleanse(secret)
    facts: dict[str, Any] = {
        "object_type": row.object_type,
        "algorithm": row.algorithm,
        "length": row.length,
        "usage": row.usage,
        "attributes": len(given),
    }
    titles = [each.title for each in given if each.title is not None]
    # another connection of the client may be first
    with exchange.act(verb, id_, taken=partial(KmipNameTaken, name=", ".join(titles)[:256]), **facts) as act:
        _room(exchange, act.session)
        _free(exchange, act.session, titles)
        act.session.add(row)
        act.session.flush()
        act.session.add_all(given)
    exchange.placeholder = id_
    return id_


def _attributes(
    exchange: Exchange, row: KmipObjectRow, written: Sequence[tuple[str, Item | None]]
) -> list[KmipAttributeRow]:
    """Rows, each with the next index of its name."""
    made: list[KmipAttributeRow] = []
    for name, value in written:
        number = sum(each.name == name for each in made)
        made.append(attributes.row_of(exchange.store.identifier(), row, name, number, value))
    return made


def _room(exchange: Exchange, session: Session) -> None:
    """Raise KmipTooManyObjects when the client keeps as many objects as it may; of two connections one waits here."""
    row, most = KmipObjectRow, exchange.most_objects
    session.get_one(KmipClientRow, exchange.client, with_for_update=True)
    kept = sa.select(row.id).where(row.client == exchange.client, row.kek.is_not(None))
    if session.scalar(kept.offset(most - 1).limit(1)) is not None:
        raise KmipTooManyObjects(most=most)


def _free(exchange: Exchange, session: Session, titles: Sequence[str]) -> None:
    """Raise KmipNameTaken when an object of the client has one of these names, or one of them is given twice."""
    for title in titles:
        if titles.count(title) > 1 or attributes.taken(session, exchange.client, title):
            raise KmipNameTaken(name=title)
