"""Passkeys over HTTP: enrolled, listed and removed by their holder; signing in with one."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from pydantic import Field

from authz import errors as authz_errors
from authz.passkey import errors
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, own_origin
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.passkey.models import PasskeyRow
    from authz.service import Authz

_CHALLENGE = (authz_errors.ChallengeUnknown, authz_errors.ChallengeUsed, authz_errors.ChallengeExpired)
_HERE = (errors.NoPasskeysHere, errors.CertificateLoginNeeded)


class OptionsIn(Model):
    """An empty body."""


class OptionsOut(Model):
    """What `navigator.credentials.create` is called with (PublicKeyCredentialCreationOptionsJSON)."""

    options: dict[str, Any]


class EnrolIn(Model):
    """What the browser made (RegistrationResponseJSON, as text), and what its holder calls it."""

    credential: str = Field(max_length=20_000)
    label: str = Field(min_length=1, max_length=60)


class PasskeyIn(Model):
    """What the browser answered (AuthenticationResponseJSON, as text)."""

    credential: str = Field(max_length=20_000)


class PasskeyOut(Model):
    """A passkey of the caller's."""

    id: str
    label: str
    created: str
    used: str | None


class PasskeysOut(Model):
    """All of them, oldest first; few, so there are no pages."""

    items: list[PasskeyOut]


class TokenOut(Model):
    """The new session's token, shown once."""

    token: str


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The operations on passkeys."""
    api = Api("passkeys", "/api/authz/v1", Text("通行密钥", "Passkeys"))
    passkeys = authz.passkeys

    @api.post(
        "/passkeys/options", repeatable=True, problems=_HERE, summary=Text("准备添加", "Prepare to add one")
    )
    def options(body: OptionsIn, caller: Caller) -> OptionsOut:  # noqa: ARG001 - the contract: an empty object
        return OptionsOut(options=passkeys.options(caller, own_origin()))

    @api.post(
        "/passkeys",
        status=201,
        problems=(errors.WrongPasskey, errors.PasskeyKnown, *_CHALLENGE, *_HERE),
        summary=Text("添加通行密钥", "Add a passkey"),
    )
    def enrol(body: EnrolIn, caller: Caller) -> PasskeyOut:
        return _out(passkeys.enrol(caller, body.credential, body.label))

    @api.get("/passkeys", summary=Text("我的通行密钥", "The caller's passkeys"))
    def listing(caller: Caller) -> PasskeysOut:
        return PasskeysOut(items=[_out(row) for row in passkeys.of(caller)])

    @api.delete(
        "/passkeys/<id>", problems=(errors.NoSuchPasskey,), summary=Text("删除通行密钥", "Remove a passkey")
    )
    def remove(id: str, caller: Caller) -> None:  # noqa: A002 - the field's name
        passkeys.remove(caller, id)

    @api.post(
        "/sessions/passkey",
        status=201,
        public=True,
        problems=(
            errors.WrongPasskey,
            errors.UnknownPasskey,
            errors.PasskeyCopied,
            errors.NoPasskeysHere,
            authz_errors.CertificateRevoked,
            authz_errors.NoAppointment,
            authz_errors.TooManyAttempts,
            *_CHALLENGE,
        ),
        summary=Text("用通行密钥登录", "Sign in with a passkey"),
    )
    def sign_in(body: PasskeyIn) -> TokenOut:
        return TokenOut(token=passkeys.by_passkey(body.credential)[0])

    return (api.blueprint,)


def _out(row: "PasskeyRow") -> PasskeyOut:
    used = rfc3339(row.used) if row.used else None
    return PasskeyOut(id=row.id, label=row.label, created=rfc3339(row.created), used=used)
