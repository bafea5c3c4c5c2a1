"""What typed values on the wire have in common: strict immutable models, base64, instants, words in two languages."""

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from yinxin.clock import BadInstant, parse_rfc3339
from yinxin.described import Described
from yinxin.faults import BadValue
from yinxin.text import Text


class Model(Described):
    """Base of every body, query and answer: immutable, unknown fields refused, each field's docstring in the contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(Model):
    """Base of answers that a client reads: it passes over fields that a newer platform adds."""

    model_config = ConfigDict(extra="ignore")


class Words(Reply):
    """The same words in Chinese and in English."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> Self:
        """The words of a label."""
        return cls(zh=text.zh, en=text.en)


def _octets(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise BadValue("不是有效的 base64", "This is not base64") from None


def base64_text(octets: bytes) -> str:
    """Octets as they travel."""
    return base64.b64encode(octets).decode("ascii")


def _instant(value: object) -> datetime:
    try:
        # who makes a value in this process gives an instant, not its text
        return parse_rfc3339(value.isoformat() if isinstance(value, datetime) else str(value))
    except BadInstant as error:
        raise BadValue(error.text("zh"), error.text("en")) from None


#: octets that travel in base64
Octets = Annotated[
    bytes, BeforeValidator(_octets, json_schema_input_type=str), PlainSerializer(base64_text, return_type=str)
]
#: an RFC 3339 instant, with its offset
Instant = Annotated[datetime, BeforeValidator(_instant, json_schema_input_type=str)]
#: a day that has a beginning and an end in every time zone, as the first and the last ones of the calendar have not
Day = Annotated[date, Field(ge=date(1949, 10, 1), le=date(2999, 12, 31))]
