"""Discover Versions and Query (KMIP 1.2, 4.25 and 4.26), and RNG Retrieve (4.35): what the server is and can."""

from kms.kmip import fields
from kms.kmip.errors import KmipInvalidField
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.message import version_item, version_of
from kms.kmip.ttlv import Item, Type
from kms.kmip.words import VERSIONS, ObjectType, Operation, QueryFunction, Tag
from yinxin.text import Text

_VENDOR = "Yinxin"
#: octets of chance at once
_MOST = 1024


def discover_versions(_exchange: Exchange, payload: Fields) -> Item:
    """The versions that are spoken, of those the client names where it names any; the best first."""
    named = [version_of(each) for each in payload.items(Tag.PROTOCOL_VERSION)]
    payload.end()
    spoken = [each for each in VERSIONS if not named or each in named]
    return fields.many(Tag.RESPONSE_PAYLOAD, map(version_item, spoken))


def query(_exchange: Exchange, payload: Fields) -> Item:
    """What is asked for; what there is none of is left out."""
    asked = [fields.value_of(each, Type.ENUMERATION) for each in payload.items(Tag.QUERY_FUNCTION)]
    payload.end()
    if not asked:
        raise KmipInvalidField(field=fields.title(Tag.QUERY_FUNCTION), rule=Text("至少一项", "one at least"))
    wanted = {fields.one_of(Tag.QUERY_FUNCTION, each, QueryFunction) for each in asked}
    parts: list[Item] = []
    if QueryFunction.OPERATIONS in wanted:
        parts += [fields.choice(Tag.OPERATION, each) for each in Operation]
    if QueryFunction.OBJECTS in wanted:
        parts += [fields.choice(Tag.OBJECT_TYPE, each) for each in ObjectType]
    if QueryFunction.SERVER_INFORMATION in wanted:
        parts.append(fields.text(Tag.VENDOR_IDENTIFICATION, _VENDOR))
    return fields.many(Tag.RESPONSE_PAYLOAD, parts)


def random(exchange: Exchange, payload: Fields) -> Item:
    """Random octets."""
    length = payload.needed(Tag.DATA_LENGTH, Type.INTEGER)
    payload.end()
    if not 0 < length <= _MOST:
        raise KmipInvalidField(
            field=fields.title(Tag.DATA_LENGTH), rule=Text(f"1 至 {_MOST}", f"1 to {_MOST}")
        )
    made = exchange.store.randomness.token(length)
    exchange.secrets.append(made)
    return fields.structure(Tag.RESPONSE_PAYLOAD, fields.octets(Tag.DATA, made))
