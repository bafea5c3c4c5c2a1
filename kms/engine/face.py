"""The engine over HTTP, for the platform's own services: one address, one request for each call.

Who may call is decided by `admit` for the certificate of the TLS connection, before a word of the request is read; what
may be asked for, by `permit`, before the module is touched.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from threading import Lock
from typing import Any

from kms.engine.engine import Engine
from kms.engine.messages import facts_of, outcome, read
from kms.engine.remote import PATH, TYPE
from kms.engine.worker import LONGEST
from kms.errors import BadEngineMessage
from yinxin.act import Actor
from yinxin.client.transports import PEER
from yinxin.errors import YinxinError

#: operations that change what the tokens hold
_CHANGING = frozenset({"make_key", "destroy"})
#: who calls; raises when the holder of this DER certificate (None: nobody showed one) may not, and records that
Admit = Callable[[bytes | None], Actor]
#: raises when the caller may not ask for this operation with these arguments, and records that
Permit = Callable[[Actor, str, Sequence[Any]], None]


class EngineFace:
    """The WSGI application."""

    def __init__(self, engine: Engine, admit: Admit, permit: Permit) -> None:
        self._engine = engine
        self._admit = admit
        self._permit = permit
        self._making = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one call."""
        try:
            caller = self._admit(_certificate(environ))
            operation, arguments = read(_body(environ))
            with self._alone(operation):
                self._permit(caller, operation, arguments)
                told = outcome(self._engine, operation, arguments)
        except YinxinError as error:
            return _refused(error, start_response)
        start_response("200 OK", [("Content-Type", TYPE), ("Content-Length", str(len(told)))])
        return [told]

    def _alone(self, operation: str) -> AbstractContextManager[object]:
        """One at a time where keys are made and destroyed: a caller that lost the answer asks again while it is under way."""
        return self._making if operation in _CHANGING else nullcontext()


def _certificate(environ: dict[str, Any]) -> bytes | None:
    if PEER in environ:
        return bytes(environ[PEER])
    connection: Any = environ.get("gunicorn.socket")
    if not hasattr(connection, "getpeercert"):
        return None
    return connection.getpeercert(binary_form=True) or None


def _body(environ: dict[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    asked = environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"), environ.get("CONTENT_TYPE")
    if asked != ("POST", PATH, TYPE) or not length.isdecimal() or int(length) > LONGEST:
        raise BadEngineMessage(reason="HTTP")
    return bytes(environ["wsgi.input"].read(int(length)))


def _refused(error: YinxinError, start_response: Any) -> Iterable[bytes]:
    """A problem document (RFC 9457); one for programs, so in English."""
    facts = facts_of(error)
    told = json.dumps(
        {
            "type": f"urn:yinxin:error:{error.code}",
            "status": error.status,
            "detail": error.text("en"),
            "code": error.code,
            "facts": facts,
            "retryable": error.retryable,
        },
        ensure_ascii=False,
    ).encode()
    start_response(
        f"{error.status} {HTTPStatus(error.status).phrase}",
        [("Content-Type", "application/problem+json"), ("Content-Length", str(len(told)))],
    )
    return [told]
