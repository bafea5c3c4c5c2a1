"""What an object is described by (KMIP 1.2, 3): what the server says, and what the client wrote and may change."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.kmip import fields
from kms.kmip.errors import KmipInvalidField
from kms.kmip.fields import Fields
from kms.kmip.lifecycle import state_of
from kms.kmip.models import KmipAttributeRow, KmipObjectRow
from kms.kmip.ttlv import Item, Type, decode, encode
from kms.kmip.words import Tag
from yinxin.text import Text

#: octets of a value that a client writes, and how many values an object has, at most
LONGEST, MOST = 2048, 64
_LONGEST_NAME = 128

NAME = "Name"
#: instants that a client sets, and their columns
DATES: Mapping[str, str] = {
    "Activation Date": "activation",
    "Process Start Date": "process_start",
    "Protect Stop Date": "protect_stop",
    "Deactivation Date": "deactivation",
}
#: given when an object is made, and fixed from then on
FIXED = ("Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask")
_VALUE = Tag.ATTRIBUTE_VALUE


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as it travels: its value bears the tag Attribute Value."""

    name: str
    number: int | None
    value: Item | None

    @classmethod
    def of(cls, item: Item) -> "Attribute":
        """The attribute; raises KmipMissingData, KmipInvalidField."""
        given = Fields(item)
        name = given.needed(Tag.ATTRIBUTE_NAME, Type.TEXT)
        number = given.value(Tag.ATTRIBUTE_INDEX, Type.INTEGER)
        value = given.item(Tag.ATTRIBUTE_VALUE)
        given.end()
        if not 0 < len(name) <= _LONGEST_NAME:
            rule = Text(f"1 至 {_LONGEST_NAME} 个字符", f"1 to {_LONGEST_NAME} characters")
            raise KmipInvalidField(field=fields.title(Tag.ATTRIBUTE_NAME), rule=rule)
        return cls(name, number, value)

    def item(self) -> Item:
        """The attribute, to be sent."""
        number = fields.number(Tag.ATTRIBUTE_INDEX, self.number) if self.number is not None else None
        return fields.structure(Tag.ATTRIBUTE, fields.text(Tag.ATTRIBUTE_NAME, self.name), number, self.value)


# --- what clients write ------------------------------------------------------------------------------------------


def _words(item: Item) -> bool:
    return item.type is Type.TEXT


def _primitive(item: Item) -> bool:
    return item.type is not Type.STRUCTURE


def _shape(*wanted: tuple[Tag, Type]) -> Callable[[Item], bool]:
    def fits(item: Item) -> bool:
        return item.type is Type.STRUCTURE and [(each.tag, each.type) for each in item.value] == [*wanted]

    return fits


def _flat(item: Item) -> bool:
    return item.type is Type.STRUCTURE and all(each.type is not Type.STRUCTURE for each in item.value)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a value that clients write looks, and whether there may be several and they may change."""

    fits: Callable[[Item], bool]
    several: bool
    changes: bool = True


_RULES: Mapping[str, _Rule] = {
    NAME: _Rule(
        _shape((Tag.NAME_VALUE, Type.TEXT), (Tag.NAME_TYPE, Type.ENUMERATION)),
        several=True,
    ),
    "Object Group": _Rule(_words, several=True),
    "Contact Information": _Rule(_words, several=False),
    "Application Specific Information": _Rule(
        _shape((Tag.APPLICATION_NAMESPACE, Type.TEXT), (Tag.APPLICATION_DATA, Type.TEXT)), several=True
    ),
    "Alternative Name": _Rule(
        _shape((Tag.ALTERNATIVE_NAME_VALUE, Type.TEXT), (Tag.ALTERNATIVE_NAME_TYPE, Type.ENUMERATION)),
        several=True,
    ),
    "Cryptographic Parameters": _Rule(_flat, several=True),
    "Operation Policy Name": _Rule(_words, several=False, changes=False),
}
_CUSTOM = _Rule(_primitive, several=True)


def rule_of(name: str) -> _Rule | None:
    """The rule of what clients write; None for an attribute that is none of theirs."""
    return _CUSTOM if name.startswith("x-") else _RULES.get(name)


def written(name: str, value: Item | None) -> bytes:
    """The value as it is kept; raises KmipInvalidField."""
    rule = rule_of(name)
    if rule is None:
        known = ", ".join((*FIXED, *DATES, *_RULES))
        why = Text(f"客户端可写的有 {known} 和 x- 开头的", f"clients write {known} and what begins with x-")
        raise KmipInvalidField(field=name, rule=why)
    if value is None or not rule.fits(value):
        raise KmipInvalidField(field=name, rule=Text("值的类型不对", "its value is of another type"))
    made = bytes(encode(value))
    if len(made) > LONGEST or not (name != NAME or 0 < len(title_of(value) or "") <= 256):
        raise KmipInvalidField(field=name, rule=Text("值过长或为空", "its value is too long, or empty"))
    return made


def title_of(value: Item) -> str | None:
    """The text of a Name."""
    return next((str(each.value) for each in value.value if each.tag == Tag.NAME_VALUE), None)


def digest_of(name: str, value: bytes) -> str:
    """By which an attribute is located."""
    return hashlib.sha256(name.encode() + b"\0" + value).hexdigest()


def row_of(id_: str, owner: KmipObjectRow, name: str, number: int, value: Item | None) -> KmipAttributeRow:
    """A row for an attribute that the client writes; raises KmipInvalidField."""
    kept = written(name, value)
    return KmipAttributeRow(
        id=id_,
        object=owner.id,
        client=owner.client,
        name=name,
        number=number,
        value=kept,
        digest=digest_of(name, kept),
        title=title_of(decode(kept)) if name == NAME else None,
    )


def taken(session: Session, client: str, title: str) -> bool:
    """Whether an object of the client has this name."""
    row = KmipAttributeRow
    return session.scalar(sa.select(row.id).where(row.client == client, row.title == title)) is not None


def given_to(session: Session, id_: str) -> list[KmipAttributeRow]:
    """What the client wrote about an object."""
    row = KmipAttributeRow
    return list(session.scalars(sa.select(row).where(row.object == id_).order_by(row.name, row.number)))


def date_of(name: str, value: Item | None) -> datetime:
    """The instant; raises KmipInvalidField."""
    if value is None or value.type is not Type.INSTANT:
        raise KmipInvalidField(field=name, rule=Text("须为时间", "it is an instant"))
    return fields.instant(name, value.value)


def in_order(row: KmipObjectRow) -> None:
    """Raise KmipInvalidField unless activation comes first of the instants, and deactivation last (3.23 to 3.26)."""
    named = {name: getattr(row, column) for name, column in DATES.items()}
    told = [(name, at) for name, at in named.items() if at is not None]
    for name, at in told:
        first, last = named["Activation Date"] or at, named["Deactivation Date"] or at
        if not first <= at <= last:
            rule = Text("不在激活与停用时间之间", "not between activation and deactivation")
            raise KmipInvalidField(field=name, rule=rule)


# --- what is told ------------------------------------------------------------------------------------------------


def _told(row: KmipObjectRow, now: datetime) -> Iterable[tuple[str, Item | None]]:
    """What the server says, in the standard's order; None for what the object has not."""

    def at(when: datetime | None) -> Item | None:
        return None if when is None else fields.moment(_VALUE, when)

    def kind(value: int | None) -> Item | None:
        return None if value is None else fields.choice(_VALUE, value)

    yield "Unique Identifier", fields.text(_VALUE, row.id)
    yield "Object Type", kind(row.object_type)
    yield "Cryptographic Algorithm", kind(row.algorithm)
    yield "Cryptographic Length", fields.number(_VALUE, row.length)
    yield "Cryptographic Usage Mask", fields.number(_VALUE, row.usage)
    yield "State", kind(state_of(row, now))
    yield "Initial Date", at(row.created)
    yield "Activation Date", at(row.activation)
    yield "Process Start Date", at(row.process_start)
    yield "Protect Stop Date", at(row.protect_stop)
    yield "Deactivation Date", at(row.deactivation)
    yield "Destroy Date", at(row.destroyed)
    yield "Compromise Occurrence Date", at(row.compromise_occurrence)
    yield "Compromise Date", at(row.compromised)
    yield "Revocation Reason", _revocation(row)
    yield "Last Change Date", at(row.changed)


def _revocation(row: KmipObjectRow) -> Item | None:
    if row.revocation_code is None:
        return None
    message = row.revocation_message
    return fields.structure(
        _VALUE,
        fields.choice(Tag.REVOCATION_REASON_CODE, row.revocation_code),
        fields.text(Tag.REVOCATION_MESSAGE, message) if message is not None else None,
    )


def all_of(row: KmipObjectRow, given: Sequence[KmipAttributeRow], now: datetime) -> list[Attribute]:
    """Every attribute of an object: what the server says, then what the client wrote, by name and index."""
    found = [Attribute(name, None, value) for name, value in _told(row, now) if value is not None]
    for each in sorted(given, key=lambda one: (one.name, one.number)):
        rule = rule_of(each.name)
        number = each.number if rule is not None and rule.several else None
        found.append(Attribute(each.name, number, decode(each.value)))
    return found


def columns() -> Mapping[str, tuple[Any, Type]]:
    """Attributes by whose value objects are located: their columns and types."""
    row = KmipObjectRow
    return {
        "Unique Identifier": (row.id, Type.TEXT),
        "Object Type": (row.object_type, Type.ENUMERATION),
        "Cryptographic Algorithm": (row.algorithm, Type.ENUMERATION),
        "Cryptographic Length": (row.length, Type.INTEGER),
        "Initial Date": (row.created, Type.INSTANT),
        "Activation Date": (row.activation, Type.INSTANT),
        "Process Start Date": (row.process_start, Type.INSTANT),
        "Protect Stop Date": (row.protect_stop, Type.INSTANT),
        "Deactivation Date": (row.deactivation, Type.INSTANT),
        "Destroy Date": (row.destroyed, Type.INSTANT),
        "Compromise Occurrence Date": (row.compromise_occurrence, Type.INSTANT),
        "Compromise Date": (row.compromised, Type.INSTANT),
        "Last Change Date": (row.changed, Type.INSTANT),
    }
