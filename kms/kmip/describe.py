"""Attributes told and changed (KMIP 1.2, 4.12 to 4.16): Get Attributes, Get Attribute List, Add, Modify, Delete."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from kms.kmip import attributes, fields, lifecycle
from kms.kmip.attributes import Attribute
from kms.kmip.errors import (
    KmipAttributeFixed,
    KmipAttributeUnknown,
    KmipIndexUnknown,
    KmipInvalidField,
    KmipMissingData,
    KmipNameTaken,
)
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.models import KmipAttributeRow, KmipObjectRow
from kms.kmip.ttlv import Item, Type, decode
from kms.kmip.words import State, Tag
from yinxin.text import Text

VERB = "kms.change-kmip-attributes"


def get_attributes(exchange: Exchange, payload: Fields) -> Item:
    """The attributes of these names, all of them when none is named; a name the object has not is left out."""
    id_ = exchange.identifier(payload)
    names = [fields.value_of(each, Type.TEXT) for each in payload.items(Tag.ATTRIBUTE_NAME)]
    payload.end()
    found = [each.item() for each in _all(exchange, id_) if not names or each.name in names]
    return _told(exchange, id_, found)


def get_attribute_list(exchange: Exchange, payload: Fields) -> Item:
    """The names of an object's attributes."""
    id_ = exchange.identifier(payload)
    payload.end()
    names = dict.fromkeys(each.name for each in _all(exchange, id_))
    return _told(exchange, id_, [fields.text(Tag.ATTRIBUTE_NAME, name) for name in names])


def add(exchange: Exchange, payload: Fields) -> Item:
    """One more attribute, or one more instance of it; recorded."""
    id_ = exchange.identifier(payload)
    given = _attribute(payload)
    if given.number not in (None, 0):
        raise KmipInvalidField(
            field=fields.title(Tag.ATTRIBUTE_INDEX), rule=Text("由平台给出", "the server gives it")
        )
    with exchange.act(VERB, id_, taken=partial(KmipNameTaken, name=given.name), added=1) as act:
        row = _changeable(exchange, act.session, id_, given.name)
        if given.name in attributes.DATES:
            if getattr(row, attributes.DATES[given.name]) is not None:
                raise KmipInvalidField(field=given.name, rule=Text("已有", "it is there already"))
            _date(exchange, row, given)
            return _said(exchange, row, given)
        there = attributes.given_to(act.session, id_)
        mine = [each.number for each in there if each.name == given.name]
        rule = attributes.rule_of(given.name)
        if len(there) >= attributes.MOST or (mine and rule is not None and not rule.several):
            raise KmipInvalidField(field=given.name, rule=Text("已到上限", "there are no more of it"))
        number = max(mine, default=-1) + 1
        made = attributes.row_of(exchange.store.identifier(), row, given.name, number, given.value)
        _free(act.session, made)
        act.session.add(made)
        return _said(exchange, row, given, made)


def modify(exchange: Exchange, payload: Fields) -> Item:
    """Another value in the place of one; recorded."""
    id_ = exchange.identifier(payload)
    given = _attribute(payload)
    with exchange.act(VERB, id_, taken=partial(KmipNameTaken, name=given.name), modified=1) as act:
        row = _changeable(exchange, act.session, id_, given.name)
        if given.name in attributes.DATES:
            if getattr(row, attributes.DATES[given.name]) is None:
                raise KmipAttributeUnknown(attribute=given.name)
            _date(exchange, row, given)
            return _said(exchange, row, given)
        kept = _instance(act.session, id_, given)
        made = attributes.row_of(kept.id, row, given.name, kept.number, given.value)
        if made.title != kept.title:
            _free(act.session, made)
        kept.value, kept.digest, kept.title = made.value, made.digest, made.title
        return _said(exchange, row, given, kept)


def delete(exchange: Exchange, payload: Fields) -> Item:
    """One attribute less; recorded."""
    id_ = exchange.identifier(payload)
    name = payload.needed(Tag.ATTRIBUTE_NAME, Type.TEXT)
    number = payload.value(Tag.ATTRIBUTE_INDEX, Type.INTEGER)
    payload.end()
    given = Attribute(name, number, None)
    with exchange.act(VERB, id_, deleted=1) as act:
        row = _changeable(exchange, act.session, id_, name)
        if name in attributes.DATES:
            raise _fixed(exchange, row, name)
        kept = _instance(act.session, id_, given)
        act.session.delete(kept)
        return _said(exchange, row, given, kept)


# --- parts -------------------------------------------------------------------------------------------------------


def _all(exchange: Exchange, id_: str) -> list[Attribute]:
    with exchange.store.read() as session:
        row = exchange.owned(session, id_)
        return attributes.all_of(row, attributes.given_to(session, id_), exchange.now)


def _told(exchange: Exchange, id_: str, parts: Sequence[Item]) -> Item:
    exchange.placeholder = id_
    return fields.structure(Tag.RESPONSE_PAYLOAD, fields.text(Tag.UNIQUE_IDENTIFIER, id_), *parts)


def _attribute(payload: Fields) -> Attribute:
    item = payload.item(Tag.ATTRIBUTE)
    payload.end()
    if item is None:
        raise KmipMissingData(field=fields.title(Tag.ATTRIBUTE))
    return Attribute.of(item)


def _changeable(exchange: Exchange, session: Session, id_: str, name: str) -> KmipObjectRow:
    """The object, held; raises KmipAttributeFixed unless this attribute is the client's to change."""
    row = exchange.owned(session, id_, held=True)
    lifecycle.there(row, exchange.now, "Modify Attribute")
    rule = attributes.rule_of(name)
    if name not in attributes.DATES and (rule is None or not rule.changes):
        raise _fixed(exchange, row, name)
    return row


def _date(exchange: Exchange, row: KmipObjectRow, given: Attribute) -> None:
    """Set an instant that has not come yet; raises KmipAttributeFixed, KmipInvalidField."""
    column, now = attributes.DATES[given.name], exchange.now
    state, before = lifecycle.state_of(row, now), getattr(row, column)
    open_ = (State.PRE_ACTIVE,) if column == "activation" else (State.PRE_ACTIVE, State.ACTIVE)
    if state not in open_ or (before is not None and before <= now and state is State.ACTIVE):
        raise _fixed(exchange, row, given.name)
    setattr(row, column, attributes.date_of(given.name, given.value))
    attributes.in_order(row)


def _instance(session: Session, id_: str, given: Attribute) -> KmipAttributeRow:
    """The instance that is meant, the first when no index is given; raises KmipAttributeUnknown, KmipIndexUnknown."""
    mine = [each for each in attributes.given_to(session, id_) if each.name == given.name]
    if not mine:
        raise KmipAttributeUnknown(attribute=given.name)
    wanted = given.number or 0
    found = next((each for each in mine if each.number == wanted), None)
    if found is None:
        raise KmipIndexUnknown(attribute=given.name, index=wanted)
    return found


def _free(session: Session, made: KmipAttributeRow) -> None:
    if made.title is not None and attributes.taken(session, made.client, made.title):
        raise KmipNameTaken(name=made.title)


def _said(
    exchange: Exchange, row: KmipObjectRow, given: Attribute, kept: KmipAttributeRow | None = None
) -> Item:
    """The answer, which repeats the attribute with its index."""
    row.changed = exchange.now
    value, number = given.value, given.number
    if kept is not None:
        rule = attributes.rule_of(kept.name)
        value = decode(kept.value)
        number = kept.number if rule is not None and rule.several else None
    return _told(exchange, row.id, [Attribute(given.name, number, value).item()])


def _fixed(exchange: Exchange, row: KmipObjectRow, name: str) -> KmipAttributeFixed:
    return KmipAttributeFixed(attribute=name, state=lifecycle.state_of(row, exchange.now).name)
