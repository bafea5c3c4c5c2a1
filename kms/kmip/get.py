"""Get (KMIP 1.2, 4.11): the key itself, in the clear inside TLS, or wrapped under another key of the client's."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from kms.kmip import fields, lifecycle, material
from kms.kmip.errors import (
    KmipFeatureUnknown,
    KmipFormUnknown,
    KmipIllegalOperation,
    KmipMissingData,
    KmipWrongState,
)
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.models import KmipObjectRow
from kms.kmip.ttlv import Item, Type, encode
from kms.kmip.words import (
    NIST_KEY_WRAP,
    NO_ENCODING,
    TTLV_ENCODING,
    WRAPPING_ENCRYPT,
    Algorithm,
    Form,
    ObjectType,
    State,
    Tag,
    Usage,
)
from yinxin.crypto.libcrypto import cleanse
from yinxin.text import Text

VERB = "kms.get-kmip-object"
_WRAP = "Wrap Key"


@dataclass(frozen=True, slots=True)
class _Wrapping:
    """Under which key it is to be wrapped, and in which encoding."""

    key: str
    encoding: int


def get(exchange: Exchange, payload: Fields) -> Item:
    """The object.

    1. It is opened, and wrapped again where that is asked; it is in memory meanwhile.
    2. The record, on the disk.
    3. Only then it is given out.
    """
    id_ = exchange.identifier(payload)
    form = payload.value(Tag.KEY_FORMAT_TYPE, Type.ENUMERATION)
    if payload.item(Tag.KEY_COMPRESSION_TYPE) is not None:
        raise KmipFeatureUnknown(feature=fields.title(Tag.KEY_COMPRESSION_TYPE))
    specification = payload.item(Tag.KEY_WRAPPING_SPECIFICATION)
    payload.end()
    wrapping = _wrapping(Fields(specification)) if specification is not None else None
    with exchange.store.read() as session:
        row = exchange.owned(session, id_)
        lifecycle.there(row, exchange.now, "Get")
        if form not in (None, row.form):
            raise KmipFormUnknown(form=form, kept=Form(row.form).name)
        over = _wrapping_key(exchange, exchange.owned(session, wrapping.key)) if wrapping else None
        session.expunge_all()
    secret = material.take(exchange.keys, row)
    exchange.secrets.append(secret)
    value = fields.structure(Tag.KEY_VALUE, fields.octets(Tag.KEY_MATERIAL, secret))
    if wrapping and over is not None:
        value = _wrapped(exchange, wrapping, over, value, secret)
    facts: dict[str, Any] = {"wrapped_under": wrapping.key} if wrapping else {}
    with exchange.act(VERB, id_, **facts) as act:
        # as it stands now: what was destroyed meanwhile is not given out
        lifecycle.there(exchange.owned(act.session, id_), exchange.now, "Get")
    exchange.placeholder = id_
    return fields.structure(
        Tag.RESPONSE_PAYLOAD,
        fields.choice(Tag.OBJECT_TYPE, row.object_type),
        fields.text(Tag.UNIQUE_IDENTIFIER, row.id),
        _object(row, value, wrapping),
    )


def _object(row: KmipObjectRow, value: Item, wrapping: _Wrapping | None) -> Item:
    block = fields.structure(
        Tag.KEY_BLOCK,
        fields.choice(Tag.KEY_FORMAT_TYPE, row.form),
        value,
        fields.choice(Tag.CRYPTOGRAPHIC_ALGORITHM, row.algorithm) if row.algorithm is not None else None,
        fields.number(Tag.CRYPTOGRAPHIC_LENGTH, row.length) if row.algorithm is not None else None,
        _how(wrapping) if wrapping else None,
    )
    if row.object_type == ObjectType.SYMMETRIC_KEY:
        return fields.structure(Tag.SYMMETRIC_KEY, block)
    return fields.structure(Tag.SECRET_DATA, fields.choice(Tag.SECRET_DATA_TYPE, row.secret_type or 0), block)


# --- wrapped -----------------------------------------------------------------------------------------------------


def _wrapping(given: Fields) -> _Wrapping:
    """AES Key Wrap under a key of the client's; raises KmipFeatureUnknown for anything else."""
    method = given.needed(Tag.WRAPPING_METHOD, Type.ENUMERATION)
    information = given.structure(Tag.ENCRYPTION_KEY_INFORMATION)
    key = information.needed(Tag.UNIQUE_IDENTIFIER, Type.TEXT)
    parameters = information.item(Tag.CRYPTOGRAPHIC_PARAMETERS)
    information.end()
    encoding = given.value(Tag.ENCODING_OPTION, Type.ENUMERATION)
    given.end()
    if method != WRAPPING_ENCRYPT:
        raise KmipFeatureUnknown(feature=f"{fields.title(Tag.WRAPPING_METHOD)} {method}")
    if parameters is None:
        raise KmipMissingData(field=fields.title(Tag.CRYPTOGRAPHIC_PARAMETERS))
    told = Fields(parameters)
    mode = told.needed(Tag.BLOCK_CIPHER_MODE, Type.ENUMERATION)
    told.end()
    if mode != NIST_KEY_WRAP:
        raise KmipFeatureUnknown(feature=f"{fields.title(Tag.BLOCK_CIPHER_MODE)} {mode}")
    chosen = TTLV_ENCODING if encoding is None else encoding
    if chosen not in (NO_ENCODING, TTLV_ENCODING):
        raise KmipFeatureUnknown(feature=f"{fields.title(Tag.ENCODING_OPTION)} {chosen}")
    return _Wrapping(key, chosen)


def _wrapping_key(exchange: Exchange, row: KmipObjectRow) -> KmipObjectRow:
    """The key that wraps, if it may: an Active AES key made for it."""
    aes = row.object_type == ObjectType.SYMMETRIC_KEY and row.algorithm == Algorithm.AES
    if not aes or not row.usage & Usage.WRAP_KEY:
        rule = Text("不是用于包裹的 AES 密钥", "it is no AES key for wrapping")
        raise KmipIllegalOperation(object=row.id, operation=_WRAP, rule=rule)
    state = lifecycle.state_of(row, exchange.now)
    if state is not State.ACTIVE:
        raise KmipWrongState(object=row.id, state=state.name, operation=_WRAP)
    return row


def _wrapped(
    exchange: Exchange, wrapping: _Wrapping, over: KmipObjectRow, value: Item, secret: bytes
) -> Item:
    """The Key Value, that only the wrapping key opens (RFC 3394).

    No Encoding: its Key Material wrapped, in its structure; TTLV Encoding: the structure wrapped, as octets (2.1.5).
    """
    key = material.take(exchange.keys, over)
    encoded = encode(value)
    plain = bytes(encoded) if wrapping.encoding == TTLV_ENCODING else bytes(bytearray(secret))
    try:
        if len(plain) % 8 or len(plain) < 16:
            rule = Text("长度须为 8 字节的倍数", "its length is no multiple of 8 octets")
            raise KmipIllegalOperation(object=over.id, operation=_WRAP, rule=rule)
        made = aes_key_wrap(key, plain)
        if wrapping.encoding == NO_ENCODING:
            return fields.structure(Tag.KEY_VALUE, fields.octets(Tag.KEY_MATERIAL, made))
        return fields.octets(Tag.KEY_VALUE, made)
    finally:
        for each in (key, encoded, plain):
            cleanse(each)


def _how(wrapping: _Wrapping) -> Item:
    return fields.structure(
        Tag.KEY_WRAPPING_DATA,
        fields.choice(Tag.WRAPPING_METHOD, WRAPPING_ENCRYPT),
        fields.structure(
            Tag.ENCRYPTION_KEY_INFORMATION,
            fields.text(Tag.UNIQUE_IDENTIFIER, wrapping.key),
            fields.structure(
                Tag.CRYPTOGRAPHIC_PARAMETERS, fields.choice(Tag.BLOCK_CIPHER_MODE, NIST_KEY_WRAP)
            ),
        ),
        fields.choice(Tag.ENCODING_OPTION, wrapping.encoding),
    )
