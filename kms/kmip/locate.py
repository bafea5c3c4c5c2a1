"""Locate (KMIP 1.2, 4.9): which of the client's objects have these attributes, the newest first."""

from collections.abc import Sequence

import sqlalchemy as sa

from kms.kmip import attributes, fields, lifecycle
from kms.kmip.attributes import Attribute
from kms.kmip.errors import KmipAnswerTooLarge, KmipFeatureUnknown, KmipInvalidField, KmipMissingData
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.models import KmipAttributeRow, KmipObjectRow
from kms.kmip.ttlv import Item, Type, encode
from kms.kmip.words import State, Tag
from yinxin.text import Text

#: objects that one answer names, and octets that a name of one takes in it
MOST, EACH = 2000, 40
#: the bit of what is in use
_ONLINE = 1


def locate(exchange: Exchange, payload: Fields) -> Item:
    """Their identifiers. What was destroyed is found when its state is asked for, and not otherwise."""
    most = payload.value(Tag.MAXIMUM_ITEMS, Type.INTEGER)
    mask = payload.value(Tag.STORAGE_STATUS_MASK, Type.INTEGER)
    if payload.item(Tag.OBJECT_GROUP_MEMBER) is not None:
        raise KmipFeatureUnknown(feature=fields.title(Tag.OBJECT_GROUP_MEMBER))
    wanted = [Attribute.of(each) for each in payload.items(Tag.ATTRIBUTE)]
    payload.end()
    if most is not None and most < 0:
        raise KmipInvalidField(field=fields.title(Tag.MAXIMUM_ITEMS), rule=Text("不得为负", "not below 0"))
    found = _found(exchange, wanted, MOST + 1 if most is None else min(most, MOST))
    if len(found) > MOST:
        raise KmipAnswerTooLarge(most=MOST * EACH)
    if mask is not None and not mask & _ONLINE:
        found = []  # nothing is archived
    exchange.placeholder = found[0] if len(found) == 1 else None
    return fields.many(Tag.RESPONSE_PAYLOAD, (fields.text(Tag.UNIQUE_IDENTIFIER, each) for each in found))


def _found(exchange: Exchange, wanted: Sequence[Attribute], limit: int) -> list[str]:
    row = KmipObjectRow
    chosen = sa.select(row.id).where(row.client == exchange.client)
    dates: dict[str, list[int]] = {}
    states = [each for each in wanted if each.name == "State"]
    if not states:
        chosen = chosen.where(row.destroyed.is_(None))
    for each in wanted:
        chosen = chosen.where(_condition(exchange, each, dates))
    for name, seconds in dates.items():
        column, _ = attributes.columns()[name]
        begin, end = seconds[0], seconds[-1]
        if len(seconds) > 2 or end < begin:
            rule = Text("一个时间，或先后两个", "one instant, or two in order")
            raise KmipInvalidField(field=name, rule=rule)
        chosen = chosen.where(column.between(fields.instant(name, begin), fields.instant(name, end)))
    chosen = chosen.order_by(row.created.desc(), row.id.desc()).limit(limit)
    with exchange.store.read() as session:
        return list(session.scalars(chosen))


def _condition(exchange: Exchange, asked: Attribute, dates: dict[str, list[int]]) -> sa.ColumnElement[bool]:
    """What one attribute demands; instants are gathered in `dates`, as two of a name are a range."""
    row, value = KmipObjectRow, asked.value
    if value is None:
        raise KmipMissingData(field=asked.name)
    if asked.name == "State":
        number = fields.value_of(value, Type.ENUMERATION)
        state = fields.one_of(Tag.ATTRIBUTE_VALUE, number, State)
        return lifecycle.in_state(state, exchange.now)
    if asked.name == "Cryptographic Usage Mask":
        mask = fields.value_of(value, Type.INTEGER)
        if mask < 0:
            raise KmipInvalidField(field=asked.name, rule=Text("不得为负", "not below 0"))
        return sa.and_(row.usage.bitwise_and(mask) == mask)
    columns = attributes.columns()
    if asked.name in columns:
        column, type_ = columns[asked.name]
        told = fields.value_of(value, type_)
        if type_ is Type.INSTANT:
            dates.setdefault(asked.name, []).append(told)
            return sa.true()
        if type_ is Type.ENUMERATION and told >> 31:
            return sa.false()  # a vendor's own, of which nothing is kept
        return sa.and_(column == told)
    kept = attributes.rule_of(asked.name)
    if kept is None:
        raise KmipInvalidField(field=asked.name, rule=Text("不能据此查找", "objects are not located by it"))
    given = KmipAttributeRow
    digest = attributes.digest_of(asked.name, bytes(encode(value)))
    return row.id.in_(sa.select(given.object).where(given.client == exchange.client, given.digest == digest))
