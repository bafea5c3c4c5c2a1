"""From a request's octets to an answer's: every item of the batch in its order, and nothing that raises."""

import logging
from collections.abc import Callable, Mapping

from kms.kmip import change, create, describe, get, locate, message, tell
from kms.kmip.errors import KmipAnswerTooLarge, KmipOperationUnknown
from kms.kmip.exchange import Exchange
from kms.kmip.fields import Fields
from kms.kmip.message import Answered, Asked, Request
from kms.kmip.ttlv import Item, encode, size
from kms.kmip.words import Operation
from yinxin.act import Actor
from yinxin.crypto.libcrypto import cleanse
from yinxin.errors import InternalError, YinxinError

_log = logging.getLogger("yinxin.kms")

CALL = "kms.call-kmip"
READ = "kms.read-kmip-object"

#: what is done for each operation, and the verb of its refusals
OPERATIONS: Mapping[Operation, tuple[str, Callable[[Exchange, Fields], Item]]] = {
    Operation.CREATE: (create.CREATE, create.create),
    Operation.REGISTER: (create.REGISTER, create.register),
    Operation.LOCATE: (READ, locate.locate),
    Operation.GET: (get.VERB, get.get),
    Operation.GET_ATTRIBUTES: (READ, describe.get_attributes),
    Operation.GET_ATTRIBUTE_LIST: (READ, describe.get_attribute_list),
    Operation.ADD_ATTRIBUTE: (describe.VERB, describe.add),
    Operation.MODIFY_ATTRIBUTE: (describe.VERB, describe.modify),
    Operation.DELETE_ATTRIBUTE: (describe.VERB, describe.delete),
    Operation.ACTIVATE: (change.ACTIVATE, change.activate),
    Operation.REVOKE: (change.REVOKE, change.revoke),
    Operation.DESTROY: (change.DESTROY, change.destroy),
    Operation.QUERY: (CALL, tell.query),
    Operation.DISCOVER_VERSIONS: (CALL, tell.discover_versions),
    Operation.RNG_RETRIEVE: (CALL, tell.random),
}
#: octets of an answer at most
LARGEST = 1 << 17
#: octets that an item takes which failed, or whose operation changed something; and one that repeats an attribute
_SMALL, _REPEATING = 704, 3072
_REPEATS = frozenset({Operation.ADD_ATTRIBUTE, Operation.MODIFY_ATTRIBUTE, Operation.DELETE_ATTRIBUTE})

#: writes a refusal down: who, under which verb, about what
Refuse = Callable[[Actor, str, str, YinxinError], None]


def answer(exchange: Exchange, octets: bytes, refuse: Refuse) -> bytearray:
    """The answer's octets, for whoever calls to cleanse when they are sent."""
    now = exchange.store.clock.now()
    try:
        request = message.read(octets)
        _roomy(request, message.overhead(now))
    except YinxinError as error:
        refuse(exchange.actor, CALL, f"kmip-client:{exchange.client}", error)
        return encode(message.answer_of(message.version_in(octets), now, (Answered(None, error=error),)))
    room = _most(request) - message.overhead(now)
    answered: list[Answered] = []
    try:
        for at, asked in enumerate(request.items):
            # what follows must still find room to say how it ended
            later = sum(map(_needs, request.items[at + 1 :]))
            done = _done(exchange, asked, room - later, refuse)
            answered.append(done)
            room -= size(done.item)
            if done.error is not None and not request.goes_on:
                break
        return encode(message.answer_of(request.version, now, answered))
    finally:
        for secret in exchange.secrets:
            cleanse(secret)


def _done(exchange: Exchange, asked: Asked, room: int, refuse: Refuse) -> Answered:
    verb = CALL
    try:
        try:
            operation = Operation(asked.operation)
        except ValueError:
            raise KmipOperationUnknown(operation=f"{asked.operation:#x}") from None
        verb, do = OPERATIONS[operation]
        done = Answered(asked, payload=do(exchange, Fields(asked.payload)))
        _fitting(done, room)
    except YinxinError as error:
        refuse(exchange.actor, verb, f"kmip-client:{exchange.client}", error)
        return Answered(asked, error=error)
    except Exception:  # noqa: BLE001 - whatever it is, the client is told that it failed
        _log.exception("a KMIP operation failed")
        return Answered(asked, error=InternalError(request=exchange.client))
    return done


def _fitting(done: Answered, room: int) -> None:
    """Raise KmipAnswerTooLarge unless there is room for it."""
    if size(done.item) > room:
        raise KmipAnswerTooLarge(most=room)


def _most(request: Request) -> int:
    return LARGEST if request.most is None else min(request.most, LARGEST)


def _roomy(request: Request, overhead: int) -> None:
    """Raise KmipAnswerTooLarge, before anything is done, when the client takes too little to be told how it ended."""
    if _most(request) < overhead + sum(map(_needs, request.items)):
        raise KmipAnswerTooLarge(most=_most(request))


def _needs(asked: Asked) -> int:
    """Octets that the item takes at most, whose operation cannot be taken back."""
    return _REPEATING if asked.operation in _REPEATS else _SMALL
