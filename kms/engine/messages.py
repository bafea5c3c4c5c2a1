"""What is asked of an engine as octets, and what it answers: MessagePack, in both directions checked against the operation.

A question is `[operation, arguments]`; an answer `{"value": …}`, or `{"error": code, "facts": …}` for an error of the
platform's tree, which is raised again at the other end.
"""

import dataclasses
import inspect
import logging
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import msgpack

from kms.engine.engine import (
    Engine,
    HeldKey,
    KeyReference,
    ProtectedKey,
    Rewrapping,
    SharedKey,
    TokenFacts,
    TokenStanding,
)
from kms.errors import BadEngineMessage, EngineFault
from yinxin.errors import YinxinError, registered
from yinxin.text import Text

_log = logging.getLogger("yinxin.kms")

_RECORDS: Mapping[str, type[Any]] = {
    each.__name__: each
    for each in (KeyReference, ProtectedKey, Rewrapping, SharedKey, TokenFacts, TokenStanding, HeldKey)
}
#: the operations, and the types of what each is given: what a process of the key centre's own is asked for (`kms.engine.process`)
OPERATIONS: Mapping[str, tuple[Any, ...]] = {
    name: tuple(
        parameter.annotation
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    )
    for name, function in vars(Engine).items()
    if inspect.isfunction(function) and not name.startswith("_") and name != "close"
}


def question(operation: str, arguments: tuple[Any, ...]) -> bytes:
    """The octets that ask for `operation`."""
    return bytes(msgpack.packb([operation, [_plain(each) for each in arguments]]))


def answer(engine: Engine, asked: bytes) -> bytes:
    """Do what the octets ask of `engine`, and say what came of it; never raises an error of the platform's tree."""
    try:
        operation, arguments = read(asked)
    except YinxinError as error:
        return failure(error)
    return outcome(engine, operation, arguments)


def outcome(engine: Engine, operation: str, arguments: Sequence[Any]) -> bytes:
    """As `answer`, for octets that have been read."""
    try:
        value = getattr(engine, operation)(*arguments)
    except YinxinError as error:
        return failure(error)
    except Exception:  # noqa: BLE001 - whatever it is, the process must answer and go on
        # nothing of a session may go out, and no key's octets stand in what is said
        _log.exception("the engine failed")
        return bytes(msgpack.packb({"error": EngineFault.code, "facts": {}}))
    return bytes(msgpack.packb({"value": _plain(value)}))


def value_of(answered: bytes) -> Any:
    """What came of it; raises the error that the answer tells of, or BadEngineMessage."""
    told = _unpacked(answered)
    if not isinstance(told, dict):
        raise BadEngineMessage(reason="answer")
    if "error" not in told:
        return _real(told.get("value"))
    raise raised(told)


def failure(error: YinxinError) -> bytes:
    """The answer that tells of this error."""
    return bytes(msgpack.packb({"error": error.code, "facts": facts_of(error)}))


def raised(told: Mapping[str, Any]) -> YinxinError:
    """The error that an answer tells of; raises BadEngineMessage for one that is not known here."""
    kind, facts = registered().get(str(told.get("error"))), told.get("facts")
    if kind is None or not isinstance(facts, dict):
        raise BadEngineMessage(reason=str(told.get("error"))[:64])
    try:
        return kind(**{name: _fact(value) for name, value in facts.items()})
    except TypeError:  # another version of the same error
        raise BadEngineMessage(reason=kind.code) from None


def read(asked: bytes) -> tuple[str, list[Any]]:
    """The operation that the octets ask for, and what it is given; raises BadEngineMessage."""
    told = _unpacked(asked)
    if not (isinstance(told, list) and len(told) == 2 and isinstance(told[1], list)):
        raise BadEngineMessage(reason="question")
    operation, given = str(told[0]), [_real(each) for each in told[1]]
    wanted = OPERATIONS.get(operation)
    if wanted is None:
        raise BadEngineMessage(reason=operation[:40])
    if len(wanted) != len(given) or not all(map(_fits, given, wanted)):
        raise BadEngineMessage(reason=f"{operation}(…)")
    return operation, given


def _unpacked(octets: bytes) -> Any:
    try:
        return msgpack.unpackb(octets, strict_map_key=True)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise BadEngineMessage(reason=type(error).__name__) from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {"record": type(value).__name__, "fields": fields}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    return value


def _real(value: Any) -> Any:
    if isinstance(value, list):
        return [_real(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"set"} and isinstance(value["set"], list):
        return frozenset(map(str, value["set"]))
    kind = _RECORDS.get(str(value.get("record")))
    fields = value.get("fields")
    if kind is None or not isinstance(fields, dict):
        raise BadEngineMessage(reason="record")
    real = {str(name): _real(each) for name, each in fields.items()}
    wanted = {each.name: each.type for each in dataclasses.fields(kind)}
    if real.keys() != wanted.keys() or any(not _fits(each, wanted[name]) for name, each in real.items()):
        raise BadEngineMessage(reason=kind.__name__)
    return kind(**real)


def _fits(value: Any, kind: Any) -> bool:
    if kind == frozenset[str]:
        return isinstance(value, frozenset)
    if get_origin(kind) is list:
        (inner,) = get_args(kind)
        return isinstance(value, list) and all(isinstance(each, inner) for each in value)
    return isinstance(value, kind)


def facts_of(error: YinxinError) -> dict[str, Any]:
    """Its facts as they travel: words in both languages, numbers, and text."""
    return {
        name: {"zh": fact.zh, "en": fact.en}
        if isinstance(fact, Text)
        else fact
        if isinstance(fact, str | int)
        else str(fact)
        for name, fact in error.facts.items()
    }


def _fact(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"zh", "en"}:
        return Text(str(value["zh"]), str(value["en"]))
    return value
