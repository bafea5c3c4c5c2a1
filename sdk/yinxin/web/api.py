"""HTTP operations whose contract is the view's own signature.

    api = Api("ca", "/api/ca/v1", Text("证书", "Certificates"))

    @api.post("/certificates/<serial>/revocation", problems=(UnknownSerial,), summary=Text("撤销", "Revoke"))
    def revoke(serial: str, body: RevocationIn, caller: Caller) -> CertificateOut: ...

A view may ask, by name and type, for: path parameters; `body: Model`, the JSON body; `query: Model`; `caller: Caller`;
and files, `attachment: Upload` or `files: tuple[Upload, ...]` (multipart parts of that name; `body` is then the part named body), or the body as it
arrives, `content: Incoming`. It returns a model (JSON), None (204), `Raw`, or `Stored`, a file that is sent in ranges. Who is not signed in is refused unless the operation is `public`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel

from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.web._contract import Contract, Raw, ViewAnswer, contract_of
from yinxin.web._kit import EXTENSION, Kit, current_caller
from yinxin.web._stored import Stored, sent
from yinxin.web.once import once
from yinxin.web.quick import Quick

V = TypeVar("V", bound=Callable[..., ViewAnswer])


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it was declared."""

    name: str
    method: str
    path: str
    summary: Text
    status: int
    problems: tuple[type[YinxinError], ...]
    public: bool
    needs_key: bool
    limit: int | None
    contract: Contract
    claimed_by_act: bool = False
    secret: Text | None = None
    unkept: bool = False
    scope: str | None = None
    quick: Quick | None = None


class Api:
    """A group of operations below one prefix; `blueprint` is what the application registers."""

    def __init__(self, name: str, prefix: str, title: Text) -> None:
        self.name = name
        self.prefix = prefix
        self.title = title
        self.operations: list[Operation] = []
        self.blueprint = Blueprint(f"api_{name}", __name__, url_prefix=prefix)
        self.blueprint.record(lambda state: self._join(state.app.extensions[EXTENSION]))

    def _join(self, parts: Kit) -> None:
        parts.apis.append(self)
        for operation in self.operations:
            if operation.limit is not None or operation.contract.uploads:
                limit = operation.limit or parts.settings.upload_limit
                parts.limits[f"{self.blueprint.name}.{operation.name}"] = limit

    def get(
        self,
        path: str,
        *,
        summary: Text,
        status: int = 200,
        problems: tuple[type[YinxinError], ...] = (),
        public: bool = False,
        scope: str | None = None,
    ) -> Callable[[V], V]:
        """Declare a question; systems whose token has the `scope` may ask it as well."""
        return self._declare("GET", path, summary, status, problems, public=public, scope=scope)

    def post(
        self,
        path: str,
        *,
        summary: Text,
        status: int = 200,
        problems: tuple[type[YinxinError], ...] = (),
        public: bool = False,
        repeatable: bool = False,
        limit: int | None = None,
        claimed_by_act: bool = False,
        secret: Text | None = None,
        unkept: bool = False,
        scope: str | None = None,
        quick: Quick | None = None,
    ) -> Callable[[V], V]:
        """Declare an act. It needs an Idempotency-Key unless it is `repeatable` (a question, in truth) or public.

        `limit` is the largest body in octets; without it the settings decide. `claimed_by_act`: before its first
        recorded act the view changes nothing, so that this act can claim the key (`yinxin.web.idempotency`). `secret`:
        the answer holds a secret or a token; it is given once and kept nowhere, and the text says what whoever lost it
        does instead (a clause, after a semicolon). `unkept`: asked again it does the same again, which harms nobody, and its
        answer is nothing to be kept: an Idempotency-Key is passed over. `scope`: systems whose token has it are let in as
        well as people; without one, people alone. `quick`: what does the same for a caller who is known already
        (`yinxin.web.quick`), of an operation that is `unkept` or `claimed_by_act`.
        """
        if quick is not None and not (unkept or claimed_by_act):
            raise TypeError(f"{path}: a quick way keeps no answers, or has them kept with its acts")
        if secret is not None and claimed_by_act:
            raise TypeError(
                f"{path}: what is claimed by its act may keep its answer, and a secret is not kept"
            )
        return self._declare(
            "POST",
            path,
            summary,
            status,
            problems,
            public=public,
            needs_key=not (repeatable or public or unkept),
            limit=limit,
            claimed_by_act=claimed_by_act,
            secret=secret,
            unkept=unkept,
            scope=scope,
            quick=quick,
        )

    def put(
        self,
        path: str,
        *,
        summary: Text,
        status: int = 200,
        problems: tuple[type[YinxinError], ...] = (),
        limit: int | None = None,
    ) -> Callable[[V], V]:
        """Declare a replacement; by the method's meaning it may be repeated (RFC 9110 9.2.2)."""
        return self._declare("PUT", path, summary, status, problems, limit=limit)

    def delete(
        self,
        path: str,
        *,
        summary: Text,
        status: int = 204,
        problems: tuple[type[YinxinError], ...] = (),
    ) -> Callable[[V], V]:
        """Declare a removal; by the method's meaning it may be repeated (RFC 9110 9.2.2)."""
        return self._declare("DELETE", path, summary, status, problems)

    def _declare(
        self,
        method: str,
        path: str,
        summary: Text,
        status: int,
        problems: tuple[type[YinxinError], ...],
        *,
        public: bool = False,
        needs_key: bool = False,
        limit: int | None = None,
        claimed_by_act: bool = False,
        secret: Text | None = None,
        unkept: bool = False,
        scope: str | None = None,
        quick: Quick | None = None,
    ) -> Callable[[V], V]:
        def declare(view: V) -> V:
            contract = contract_of(view, path, public=public)
            code = 204 if contract.answer is None else status
            # a body that is not held cannot be compared with what came before under the same key
            keyless = unkept or contract.incoming is not None
            operation = Operation(
                view.__name__,
                method,
                path,
                summary,
                code,
                problems,
                public,
                needs_key and not keyless,
                limit,
                contract,
                claimed_by_act,
                secret,
                keyless,
                scope,
                quick,
            )
            self.operations.append(operation)
            self.blueprint.add_url_rule(
                path, view.__name__, lambda **values: _serve(operation, view, values), methods=[method]
            )
            return view

        return declare


def _serve(operation: Operation, view: Callable[..., ViewAnswer], path: dict[str, Any]) -> Response:
    caller = None if operation.public else current_caller(operation.scope)
    arguments, digest = operation.contract.bind(path, caller)

    def carry_out() -> Response:
        return _response(operation, view(**arguments))

    key = "" if operation.unkept else request.headers.get("Idempotency-Key", "")
    if caller is None or request.method == "GET" or not (key or operation.needs_key):
        return carry_out()
    return once(caller, key, digest(), carry_out, by_act=operation.claimed_by_act, secret=operation.secret)


def _response(operation: Operation, answer: ViewAnswer) -> Response:
    if isinstance(answer, Raw):
        return Response(answer.data, operation.status, dict(answer.headers), content_type=answer.media_type)
    if isinstance(answer, Stored):
        return sent(answer)
    if answer is None:
        return Response(status=204)
    assert isinstance(answer, BaseModel)  # noqa: S101 - the contract was checked when the view was declared
    return Response(answer.model_dump_json(), operation.status, mimetype="application/json")
