"""Taking a structure apart field by field, and making one. What an operation does not know of, it refuses."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, TypeVar

from kms.kmip.errors import KmipInvalidField, KmipInvalidMessage, KmipMissingData
from kms.kmip.ttlv import Item, Type
from kms.kmip.words import Tag
from yinxin.text import Text

E = TypeVar("E", bound=IntEnum)

#: the last second that a date can name
_LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


class Fields:
    """The fields of one structure; each is taken once, and `end` sees that none is left."""

    def __init__(self, item: Item) -> None:
        """Raises KmipInvalidMessage for what is no structure."""
        if item.type is not Type.STRUCTURE:
            raise _misplaced(item.tag)
        self._tag = item.tag
        self._left: list[Item] = list(item.value)

    def item(self, tag: Tag) -> Item | None:
        """The one field of this tag, if it is there; raises KmipInvalidMessage when it is there twice."""
        found = self.items(tag)
        if len(found) > 1:
            raise _misplaced(tag)
        return found[0] if found else None

    def items(self, tag: Tag) -> list[Item]:
        """All fields of this tag."""
        found = [each for each in self._left if each.tag == tag]
        self._left = [each for each in self._left if each.tag != tag]
        return found

    def value(self, tag: Tag, type_: Type) -> Any:
        """The value of the one field, None when it is not there."""
        item = self.item(tag)
        return None if item is None else value_of(item, type_)

    def needed(self, tag: Tag, type_: Type) -> Any:
        """The value of the one field; raises KmipMissingData."""
        found = self.value(tag, type_)
        if found is None:
            raise KmipMissingData(field=title(tag))
        return found

    def structure(self, tag: Tag) -> "Fields":
        """The one field, taken apart; raises KmipMissingData."""
        item = self.item(tag)
        if item is None:
            raise KmipMissingData(field=title(tag))
        return Fields(item)

    def chosen(self, tag: Tag, known: type[E]) -> E:
        """The one field, an enumeration; raises KmipMissingData, KmipInvalidField for a number that is not known."""
        return one_of(tag, self.needed(tag, Type.ENUMERATION), known)

    def end(self) -> None:
        """Raise KmipInvalidField when a field is left that nobody has asked for."""
        for each in self._left:
            rule = Text(f"{title(self._tag)} 中不使用", f"not used in {title(self._tag)}")
            raise KmipInvalidField(field=title(each.tag), rule=rule)


def value_of(item: Item, type_: Type) -> Any:
    """The value; raises KmipInvalidMessage when it is of another type."""
    if item.type is not type_:
        raise _misplaced(item.tag)
    return item.value


def one_of(tag: Tag, number: int, known: type[E]) -> E:
    """The enumeration's member; raises KmipInvalidField."""
    try:
        return known(number)
    except ValueError:
        names = ", ".join(each.name for each in known)
        raise KmipInvalidField(field=title(tag), rule=Text(f"可用的有 {names}", f"one of {names}")) from None


def instant(name: str, seconds: int) -> datetime:
    """The instant; raises KmipInvalidField for one before 1970 or after 9999."""
    if not 0 <= seconds <= _LAST:
        raise KmipInvalidField(field=name, rule=Text("1970 至 9999 年", "the years 1970 to 9999"))
    return datetime.fromtimestamp(seconds, UTC)


def title(tag: int) -> str:
    """The tag as the standard writes it."""
    try:
        return Tag(tag).name.replace("_", " ").title()
    except ValueError:
        return f"{tag:06x}"


def _misplaced(tag: int) -> KmipInvalidMessage:
    return KmipInvalidMessage(reason=Text(f"{title(tag)} 不应如此出现", f"{title(tag)} does not stand so"))


# --- making ------------------------------------------------------------------------------------------------------


def structure(tag: int, *parts: Item | None) -> Item:
    """A structure of these fields; None is left out."""
    return Item(tag, Type.STRUCTURE, tuple(each for each in parts if each is not None))


def many(tag: int, parts: Iterable[Item]) -> Item:
    """A structure of these fields."""
    return Item(tag, Type.STRUCTURE, tuple(parts))


def text(tag: int, value: str) -> Item:
    """Text."""
    return Item(tag, Type.TEXT, value)


def number(tag: int, value: int) -> Item:
    """A whole number of 32 bits."""
    return Item(tag, Type.INTEGER, value)


def choice(tag: int, value: int) -> Item:
    """A member of an enumeration."""
    return Item(tag, Type.ENUMERATION, int(value))


def octets(tag: int, value: bytes) -> Item:
    """Octets."""
    return Item(tag, Type.OCTETS, value)


def moment(tag: int, value: datetime) -> Item:
    """An instant, in whole seconds."""
    return Item(tag, Type.INSTANT, int(value.timestamp()))
