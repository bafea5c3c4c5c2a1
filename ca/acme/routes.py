"""ACME over HTTP: addresses, headers, and problem documents that are ACME's own in every case."""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from ca.acme import account, authorization, certificate, challenge, finalize, key_change, order, revoke
from ca.acme.ari import information
from ca.acme.change import Change
from ca.acme.directory import directory
from ca.acme.errors import Malformed, NoResource, NotAllowed, TooLarge
from ca.acme.jws import believed
from ca.acme.parts import Answer, Asked, Parts, Urls
from ca.acme.quick import QuickAcme
from ca.acme.reply import fault, refused, replied
from ca.acme.visit import Handler as QuickHandler
from ca.revoke import VERB as REVOKE
from ca.service import Authority
from yinxin.errors import InternalError, YinxinError
from yinxin.text import Text
from yinxin.web import SIGNED, Reply, errors, own_origin, request_id

#: largest body: an order of a thousand names, or a request for as many
_LARGEST = 1 << 18
#: the verb under which what was not even a request is refused
REQUEST = "ca.acme-request"
#: where the account that asks is remembered while its request lasts
_ASKED = "yinxin.acme.asked"
_VERB = "yinxin.acme.verb"

#: what stands in our addresses; anything else leads nowhere, and no further
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Handler = Callable[..., Answer | Change]


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """Everything below `/acme/`."""
    acme = authority.acme
    parts, quick = acme.parts, QuickAcme(acme.parts)
    blueprint = Blueprint("acme", __name__, url_prefix="/acme")
    blueprint.record_once(lambda state: state.app.extensions[SIGNED].faces.append(quick))
    posted = _Posted(blueprint, parts, quick)

    @blueprint.get("/directory")
    def get_directory() -> Response:
        return _respond(parts, directory(parts, Urls(own_origin())))

    @blueprint.get("/new-nonce")
    def new_nonce() -> Response:
        answer = Answer(status=200 if request.method == "HEAD" else 204)
        return _respond(parts, answer, nonce=True)

    @blueprint.get("/renewal-info/<identifier>")
    def renewal_info(identifier: str) -> Response:
        return _respond(parts, information(parts, identifier))

    posted("/new-account", account.REGISTER, account.register, keys="key")
    posted("/account/<id_>", account.UPDATE, account.update)
    posted("/account/<id_>/orders", REQUEST, _orders)
    posted("/key-change", key_change.CHANGE, key_change.change)
    posted("/new-order", order.ORDER, order.new, quick=order.new)
    posted("/order/<id_>", REQUEST, order.show, quick=order.show)
    posted("/order/<id_>/finalize", finalize.FINALIZE, finalize.finalize, quick=finalize.fit)
    posted("/authorization/<id_>", authorization.DEACTIVATE, authorization.show, quick=authorization.show)

    def respond(parts: Parts, asked: Asked, id_: str, kind: str) -> Answer | Change:
        return challenge.respond(parts, asked, id_, kind, acme.try_now)

    posted("/authorization/<id_>/<kind>", challenge.RESPOND, respond, quick=respond)
    posted("/certificate/<serial>", REQUEST, certificate.download, quick=certificate.download)
    posted("/certificate/<serial>/<int:number>", REQUEST, certificate.download)
    posted("/revoke-cert", REVOKE, revoke.revoke, keys="either")
    known = [rule for rule in posted.paths if "<" not in rule] + ["/directory", "/new-nonce"]

    @blueprint.route("/", defaults={"rest": ""}, methods=_METHODS)
    @blueprint.route("/<path:rest>", methods=_METHODS)
    def nothing_there(rest: str) -> Response:
        if f"/{rest}" in known or "/" in rest or request.method not in ("GET", "HEAD", "POST"):
            raise NotAllowed(method=request.method)
        raise NoResource

    blueprint.register_error_handler(errors.TooLarge, lambda _: _refused(parts, TooLarge(limit=_LARGEST)))
    blueprint.register_error_handler(YinxinError, lambda error: _refused(parts, error))
    blueprint.register_error_handler(HTTPException, lambda error: _refused(parts, _of_http(error)))
    blueprint.register_error_handler(Exception, lambda error: _failed(parts, error))
    return (blueprint,)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Posted:
    """Registers what is asked by signed POST."""

    def __init__(self, blueprint: Blueprint, parts: Parts, quick: QuickAcme) -> None:
        self._blueprint = blueprint
        self._parts = parts
        self._quick = quick
        self.paths: list[str] = []

    def __call__(
        self,
        path: str,
        verb: str,
        handler: Handler,
        *,
        keys: str = "account",
        quick: QuickHandler | None = None,
    ) -> None:
        """With `quick`, which takes the first of its steps, there is a quick way, too."""
        parts, met = self._parts, self._quick.met
        if quick is not None:
            self._quick.add(f"/acme{path}", verb, quick)

        def view(**arguments: Any) -> Response:
            request.environ[_VERB] = verb
            if not all(_IDENTIFIER.fullmatch(str(each)) for each in arguments.values()):
                raise NoResource
            urls = Urls(own_origin())
            if request.scheme == "https":
                met(request.headers.get("Host", ""), urls)
            query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
            asked = believed(
                parts,
                urls,
                f"{urls.origin}{request.path}{query}",
                _body(),
                media_type=request.mimetype,
                source=request.remote_addr or "-",
                keys=keys,
            )
            request.environ[_ASKED] = asked
            answer = handler(parts, asked, **arguments)
            if isinstance(answer, Change):
                answer = answer.alone(parts.ctx.store)
            return _respond(parts, answer, nonce=True)

        self.paths.append(path)
        name = path.strip("/").replace("/", "_").replace("<", "").replace(">", "").replace(":", "_")
        self._blueprint.add_url_rule(path, name.replace("-", "_"), view, methods=["POST"])


def _orders(parts: Parts, asked: Asked, id_: str) -> Answer:
    cursor = request.args.get("cursor", "")
    return account.orders(parts, asked, id_, cursor if _IDENTIFIER.fullmatch(cursor) else "")


def _body() -> bytes:
    """The body, bounded; raises TooLarge before more is read."""
    if (request.content_length or 0) > _LARGEST:
        raise TooLarge(limit=_LARGEST)
    request.max_content_length = _LARGEST
    return request.get_data(cache=False)


def _respond(parts: Parts, answer: Answer, *, nonce: bool = False) -> Response:
    return _response(replied(parts, Urls(own_origin()), answer, nonce=nonce))


def _response(reply: Reply) -> Response:
    response = Response(reply.body, reply.status)
    response.headers.pop("Content-Type", None)
    for name, value in reply.fields:
        response.headers.add(name, value)
    return response


# --- refusals --------------------------------------------------------------------------------------------------


def _refused(parts: Parts, error: YinxinError) -> Response:
    asked: Asked | None = request.environ.get(_ASKED)
    account = asked.account if asked is not None else None
    verb, nonce = request.environ.get(_VERB, REQUEST), request.method == "POST"
    return _response(refused(parts, Urls(own_origin()), error, verb=verb, account=account, nonce=nonce))


def _of_http(error: HTTPException) -> YinxinError:
    """Werkzeug's own refusals, and what failed while an answer was made."""
    if error.code is None or error.code >= 500:
        return InternalError(request=request_id())
    if error.code == 413:
        return TooLarge(limit=_LARGEST)
    if error.code == 405:
        return NotAllowed(method=request.method)
    if error.code == 404:
        return NoResource()
    return Malformed(field="HTTP", reason=Text("请求无法读取", "the request cannot be read"))


def _failed(parts: Parts, error: Exception) -> Response:
    return _refused(parts, fault(error, request_id(), request.method, request.path))
