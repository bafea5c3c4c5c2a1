"""Requests taken apart, answers put together (KMIP 1.2, 6 and 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kms.kmip import fields
from kms.kmip.errors import KmipFeatureUnknown, KmipInvalidMessage, KmipMissingData, KmipRefusal
from kms.kmip.fields import Fields
from kms.kmip.ttlv import Item, Type, decode, size
from kms.kmip.words import VERSIONS, Continuation, Reason, Status, Tag
from yinxin.errors import YinxinError
from yinxin.text import Text

#: items of a batch at most
MOST_ITEMS = 64
#: octets of a client's identifier for an item at most
_LONGEST_ID = 128
#: octets of a result message at most
_SENTENCE = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of a batch: the operation's number, the client's own identifier for the item, and what is asked."""

    operation: int
    batch_id: bytes | None
    payload: Item


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a version that is spoken."""

    version: tuple[int, int]
    #: octets that the client takes, None for any number
    most: int | None
    #: whether the rest of a batch is done when an item of it fails
    goes_on: bool
    items: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one item: a payload or an error."""

    asked: Asked | None
    payload: Item | None = None
    error: YinxinError | None = None

    @property
    def item(self) -> Item:
        """The item of the answer."""
        told = self.asked
        batch_id = told.batch_id if told else None
        head = (
            fields.choice(Tag.OPERATION, told.operation) if told else None,
            fields.octets(Tag.UNIQUE_BATCH_ITEM_ID, batch_id) if batch_id is not None else None,
        )
        if self.error is None:
            status = fields.choice(Tag.RESULT_STATUS, Status.SUCCESS)
            return fields.structure(Tag.BATCH_ITEM, *head, status, self.payload)
        reason = self.error.reason if isinstance(self.error, KmipRefusal) else Reason.GENERAL_FAILURE
        return fields.structure(
            Tag.BATCH_ITEM,
            *head,
            fields.choice(Tag.RESULT_STATUS, Status.FAILED),
            fields.choice(Tag.RESULT_REASON, reason),
            fields.text(Tag.RESULT_MESSAGE, _sentence(self.error)),
        )


def _sentence(error: YinxinError) -> str:
    """The sentence in ASCII: there are clients that read text octet by octet."""
    return error.text("en").encode("ascii", "replace")[:_SENTENCE].decode("ascii")


def answer_of(version: tuple[int, int], at: datetime, answered: Sequence[Answered]) -> Item:
    """The whole answer."""
    header = fields.structure(
        Tag.RESPONSE_HEADER,
        version_item(version),
        fields.moment(Tag.TIME_STAMP, at),
        fields.number(Tag.BATCH_COUNT, len(answered)),
    )
    return fields.many(Tag.RESPONSE_MESSAGE, (header, *(each.item for each in answered)))


def overhead(at: datetime) -> int:
    """Octets of an answer without items."""
    return size(answer_of(VERSIONS[0], at, ()))


def version_item(version: tuple[int, int]) -> Item:
    """A version of the protocol."""
    major, minor = version
    return fields.structure(
        Tag.PROTOCOL_VERSION,
        fields.number(Tag.PROTOCOL_VERSION_MAJOR, major),
        fields.number(Tag.PROTOCOL_VERSION_MINOR, minor),
    )


def version_of(item: Item) -> tuple[int, int]:
    """The version that an item names; raises KmipInvalidMessage, KmipMissingData."""
    given = Fields(item)
    major = given.needed(Tag.PROTOCOL_VERSION_MAJOR, Type.INTEGER)
    minor = given.needed(Tag.PROTOCOL_VERSION_MINOR, Type.INTEGER)
    return major, minor


def read(octets: bytes) -> Request:
    """The request; raises KmipInvalidMessage, KmipMissingData, KmipFeatureUnknown, KmipInvalidField."""
    item = decode(octets)
    if item.tag != Tag.REQUEST_MESSAGE:
        raise _unreadable("不是请求", "it is no request")
    whole = Fields(item)
    header = whole.structure(Tag.REQUEST_HEADER)
    named = header.item(Tag.PROTOCOL_VERSION)
    if named is None:
        raise KmipMissingData(field=fields.title(Tag.PROTOCOL_VERSION))
    version = version_of(named)
    if version not in VERSIONS:
        told = f"{version[0]}.{version[1]}"
        raise _unreadable(f"不支持版本 {told}", f"version {told} is not spoken")
    most = header.value(Tag.MAXIMUM_RESPONSE_SIZE, Type.INTEGER)
    # it says that the client can wait, and everything is answered at once
    header.value(Tag.ASYNCHRONOUS_INDICATOR, Type.BOOLEAN)
    header.value(Tag.ATTESTATION_CAPABLE_INDICATOR, Type.BOOLEAN)
    # who calls is known by the certificate and by nothing else
    header.item(Tag.AUTHENTICATION)
    goes_on = _goes_on(header)
    # items are always done in their order
    header.value(Tag.BATCH_ORDER_OPTION, Type.BOOLEAN)
    header.value(Tag.TIME_STAMP, Type.INSTANT)
    count = header.needed(Tag.BATCH_COUNT, Type.INTEGER)
    header.end()
    items = tuple(map(_asked, whole.items(Tag.BATCH_ITEM)))
    whole.end()
    if count != len(items) or not 1 <= count <= MOST_ITEMS:
        raise _unreadable(
            f"批次项数不符，或超过 {MOST_ITEMS}", f"the batch count is wrong, or above {MOST_ITEMS}"
        )
    ids = [each.batch_id for each in items]
    if count > 1 and (None in ids or len(set(ids)) != count):
        raise _unreadable("批次项没有各自的标识", "the items of the batch have no identifiers of their own")
    if any(len(each or b"") > _LONGEST_ID for each in ids):
        raise _unreadable("批次项标识过长", "an identifier of an item is too long")
    return Request(version, most, goes_on, items)


def version_in(octets: bytes) -> tuple[int, int]:
    """The version in which to answer what cannot be read: that of the request if it can be told and is spoken."""
    try:
        header = Fields(decode(octets)).structure(Tag.REQUEST_HEADER)
        named = header.item(Tag.PROTOCOL_VERSION)
        version = version_of(named) if named is not None else VERSIONS[0]
    except KmipRefusal:
        return VERSIONS[0]
    return version if version in VERSIONS else VERSIONS[0]


def _goes_on(header: Fields) -> bool:
    number = header.value(Tag.BATCH_ERROR_CONTINUATION_OPTION, Type.ENUMERATION)
    if number is None:
        return False
    option = fields.one_of(Tag.BATCH_ERROR_CONTINUATION_OPTION, number, Continuation)
    if option is Continuation.UNDO:
        raise KmipFeatureUnknown(feature="Undo")
    return option is Continuation.CONTINUE


def _asked(item: Item) -> Asked:
    given = Fields(item)
    operation = given.needed(Tag.OPERATION, Type.ENUMERATION)
    batch_id = given.value(Tag.UNIQUE_BATCH_ITEM_ID, Type.OCTETS)
    payload = given.item(Tag.REQUEST_PAYLOAD)
    extension = given.item(Tag.MESSAGE_EXTENSION)
    if extension is not None and Fields(extension).needed(Tag.CRITICALITY_INDICATOR, Type.BOOLEAN):
        raise KmipFeatureUnknown(feature=fields.title(Tag.MESSAGE_EXTENSION))
    given.end()
    if payload is None:
        raise KmipMissingData(field=fields.title(Tag.REQUEST_PAYLOAD))
    return Asked(operation, batch_id, payload)


def _unreadable(zh: str, en: str) -> KmipInvalidMessage:
    return KmipInvalidMessage(reason=Text(zh, en))
