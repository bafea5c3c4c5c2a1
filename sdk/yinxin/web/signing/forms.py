"""The forms of a page on which a statement is signed: by a key on the reader's own side, by her PIN, by her passkey.

    @signed(pages, "/<document>/sign", "document/sign.html", context=context)
    def sign(document: str) -> Act:
        return Act(due=…, take=…, back=…)

declares the page, its statement shown first, and beside it `…/pin`, `…/passkey/challenge` and `…/passkey`. The template
writes them with `{% import 'yinxin/signing.html' … %}` and `signing`. However it is signed, what is signed is what was
shown, if that is still what is due; and the act judges statement and signature once more, as it does for everybody.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import make_response, redirect, render_template, request
from pydantic import Base64Bytes, Field, SecretStr
from werkzeug.wrappers import Response

from yinxin.errors import YinxinError
from yinxin.flow.errors import StaleStatement
from yinxin.statement import Statement
from yinxin.web._contract import Upload, contract_of
from yinxin.web._kit import current_caller, kit
from yinxin.web.pages import Form, Pages
from yinxin.web.signin import core, signature_of
from yinxin.web.signing.key import Asked, OwnKey, ask, by_passkey, by_pin
from yinxin.wire import Model

V = TypeVar("V", bound=Callable[..., Any])
#: of what is signed, what must be as it is due now; its time, and how long that is good, are the act's to judge
_FIELDS = ("type", "subject", "person", "post", "organ", "content")
LONGEST_PIN = 128


@dataclass(frozen=True)
class Act:
    """An act that is done by a signature.

    `due` makes the statement to be signed, for whoever may sign it; `take` takes what was signed, and the detached CMS
    signature (DER); `back` is where the reader goes then.
    """

    due: Callable[[], bytes]
    take: Callable[[bytes, bytes], object]
    back: str


class Signed(Model):
    """The statement that was shown, and the signature over it, unless that comes as a file; `reason` is what the act says besides."""

    statement: Base64Bytes = Field(max_length=100_000)
    signature: str = Field(default="", max_length=200_000)
    reason: str = Field(default="", max_length=2000)


class SignedByPin(Model):
    """The statement that was shown, and the PIN that signs it, once."""

    statement: Base64Bytes = Field(max_length=100_000)
    pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)
    reason: str = Field(default="", max_length=2000)


class Shown(Model):
    """The statement that was shown, which a passkey is to be asked for."""

    statement: Base64Bytes = Field(max_length=100_000)
    reason: str = Field(default="", max_length=2000)


class SignedByPasskey(Model):
    """The statement that was shown, and what the passkey answered to the challenge of this nonce."""

    statement: Base64Bytes = Field(max_length=100_000)
    nonce: str = Field(min_length=1, max_length=100)
    credential: SecretStr = Field(min_length=1, max_length=20_000)
    reason: str = Field(default="", max_length=2000)


@dataclass(frozen=True, slots=True)
class Showing:
    """What a signing page shows: the statement, read and in base64; her key in the key centre, if she has one; what her passkey is asked."""

    endpoint: str
    declared: Statement
    statement: str
    reason: str
    key: OwnKey | None
    asked: Asked | None = None


def signed(
    pages: Pages, path: str, template: str, *, context: Callable[..., Mapping[str, Any]]
) -> Callable[[V], V]:
    """Declare the page at `path`, and the ways to sign on it, for the act that the view gives.

    `context` gives what the template needs besides `signing`.
    """

    def declare(view: V) -> V:
        contract = contract_of(view, path, public=False)
        name = f"{pages.blueprint.name}.{view.__name__}"

        def whole(asked: Asked | None = None, **values: Any) -> Mapping[str, Any]:
            return {**context(**values), "signing": shown(view(**values).due, name, asked)}

        def by_hand(body: Signed, file: Upload | None, **values: Any) -> Response:
            act: Act = view(**values)
            act.take(body.statement, signature_of(file.stream.read() if file else body.signature.encode()))
            return redirect(act.back, 303)

        def with_pin(body: SignedByPin, **values: Any) -> Response:
            act = _due(view(**values), body.statement)
            with core() as client:
                signature = by_pin(client, kit().store, body.statement, body.pin.get_secret_value())
            act.take(body.statement, signature)
            return redirect(act.back, 303)

        def challenge(body: Shown, **values: Any) -> Response:
            _due(view(**values), body.statement)
            with core() as client:
                asked = ask(client, kit().store, current_caller(), body.statement)
            form = Form(kit().store.identifier(), {"reason": body.reason})
            return make_response(render_template(template, form=form, **whole(asked, **values)))

        def with_passkey(body: SignedByPasskey, **values: Any) -> Response:
            act, answer = _due(view(**values), body.statement), body.credential.get_secret_value()
            store, caller = kit().store, current_caller()
            with core() as client:
                signature = by_passkey(
                    client, store, caller, body.statement, nonce=body.nonce, credential=answer
                )
            act.take(body.statement, signature)
            return redirect(act.back, 303)

        ways: tuple[tuple[str, str, type[Model], Callable[..., Response]], ...] = (
            ("", "", Signed, by_hand),
            ("/pin", "_by_pin", SignedByPin, with_pin),
            ("/passkey/challenge", "_challenge", Shown, challenge),
            ("/passkey", "_by_passkey", SignedByPasskey, with_passkey),
        )
        for address, suffix, body, way in ways:
            pages.declare(
                path + address,
                view.__name__ + suffix,
                replace(contract, body=body, uploads={} if suffix else {"file": False}),
                way,
                template,
                context=whole,
                unkept=bool(suffix),
            )
        return view

    return declare


def shown(due: Callable[[], bytes], endpoint: str, asked: Asked | None = None) -> Showing:
    """What is to be signed on the page of `endpoint`; a refusal is told before anything is signed."""
    data = _again() or due()
    with core() as client:
        key = OwnKey.find(client)
    statement = base64.b64encode(data).decode()
    return Showing(endpoint, Statement.decode(data), statement, reason(), key, asked)


def reason() -> str:
    """What the reader wrote for the act to say, if it says anything: from the address, and from then on in the forms."""
    return request.values.get("reason", "")


def _due(act: Act, statement: bytes) -> Act:
    """The act whose statement this is; nothing else is signed in her name. Raises StaleStatement."""
    declared, due = Statement.decode(statement), Statement.decode(act.due())
    for field in _FIELDS:
        if getattr(declared, field) != getattr(due, field):
            raise StaleStatement(subject=due.subject, field=field)
    return act


def _again() -> bytes | None:
    """The statement that the reader has before her already, when only her signature was not taken."""
    try:
        data = base64.b64decode(request.form["statement"], validate=True)
        Statement.decode(data)
    except (KeyError, binascii.Error, YinxinError):
        return None
    return data
