"""Activate, Revoke, Destroy (KMIP 1.2, 4.19 to 4.21): the client moves its object from state to state."""

from datetime import timedelta

import sqlalchemy as sa

from kms.kmip import fields, lifecycle
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.models import KmipAttributeRow
from kms.kmip.ttlv import Item, Type
from kms.kmip.words import Revocation, Tag
from yinxin.clock import rfc3339

ACTIVATE = "kms.activate-kmip-object"
REVOKE = "kms.revoke-kmip-object"
DESTROY = "kms.destroy-kmip-object"
#: characters of a revocation's message that are kept
_LONGEST = 1000


def activate(exchange: Exchange, payload: Fields) -> Item:
    """Pre-Active becomes Active; recorded."""
    id_ = exchange.identifier(payload)
    payload.end()
    with exchange.act(ACTIVATE, id_) as act:
        lifecycle.activate(exchange.owned(act.session, id_, held=True), exchange.now)
    return _named(exchange, id_)


def revoke(exchange: Exchange, payload: Fields) -> Item:
    """Active becomes Deactivated, or with a compromise Compromised; recorded."""
    id_ = exchange.identifier(payload)
    given = payload.structure(Tag.REVOCATION_REASON)
    reason = given.chosen(Tag.REVOCATION_REASON_CODE, Revocation)
    message = given.value(Tag.REVOCATION_MESSAGE, Type.TEXT)
    given.end()
    occurred = payload.value(Tag.COMPROMISE_OCCURRENCE_DATE, Type.INSTANT)
    payload.end()
    when = fields.instant("Compromise Occurrence Date", occurred) if occurred is not None else None
    with exchange.act(REVOKE, id_, reason=reason.name.lower().replace("_", "-")) as act:
        row = exchange.owned(act.session, id_, held=True)
        lifecycle.revoke(row, exchange.now, reason, message[:_LONGEST] if message else None, when)
    return _named(exchange, id_)


def destroy(exchange: Exchange, payload: Fields) -> Item:
    """The object is gone for the client, at once and for good; recorded.

    A storage array does this by itself, and may be mistaken: the ciphertext is kept for some days, in which several people
    together bring the object back (`kms.kmip.recover`). Its names are free again.
    """
    id_ = exchange.identifier(payload)
    payload.end()
    with exchange.act(DESTROY, id_) as act:
        row = exchange.owned(act.session, id_, held=True)
        lifecycle.destroy(row, exchange.now)
        row.wipe_at = exchange.now + timedelta(days=exchange.wipe_days)
        act.facts |= {"kept_until": rfc3339(row.wipe_at)}
        given = KmipAttributeRow
        act.session.execute(sa.update(given).where(given.object == id_).values(title=None))
    return _named(exchange, id_)


def _named(exchange: Exchange, id_: str) -> Item:
    exchange.placeholder = id_
    return fields.structure(Tag.RESPONSE_PAYLOAD, fields.text(Tag.UNIQUE_IDENTIFIER, id_))
