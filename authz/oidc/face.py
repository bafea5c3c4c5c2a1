"""The provider's addresses for programs, in the protocol's own form (RFC 6749 5.2): discovery, keys, tokens."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from authz.oidc.access import bearer_of
from authz.oidc.client_auth import Shown
from authz.oidc.clients import Client
from authz.oidc.errors import InvalidClient, InvalidRequest, InvalidToken, Protocol
from authz.oidc.provider import ROOT
from yinxin.act import STRANGER, Actor, Kind
from yinxin.errors import Unavailable, YinxinError
from yinxin.web import peer_certificate

if TYPE_CHECKING:
    from authz.oidc.provider import Provider
    from authz.service import Authz

#: seconds that a client may keep the key set and the description: shorter than keys overlap
_KEEP = 3600


def routes(authz: "Authz") -> tuple[Blueprint, ...]:
    """The blueprint of the programs' addresses."""
    provider = authz.oidc
    blueprint = Blueprint("oidc_face", __name__)
    _add_public(blueprint, provider)
    _add_tokens(blueprint, provider)
    _add_service(blueprint, provider)
    blueprint.register_error_handler(YinxinError, lambda error: _refusal(provider, error))
    return (blueprint,)


def _add_public(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        return _kept(provider.discovery())

    @blueprint.get("/.well-known/oauth-authorization-server")
    def metadata() -> Response:
        return _kept(provider.discovery())

    @blueprint.get(f"{ROOT}/jwks")
    def jwks() -> Response:
        return _kept({"keys": provider.keys.published()})


def _add_tokens(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.post(f"{ROOT}/token")
    def token() -> Response:
        client, form = _client(provider)
        try:
            return _fresh(provider.exchange.tokens(client, form))
        except Protocol as error:
            if error.oauth not in ("authorization_pending", "slow_down"):  # a device that waits is no refusal
                provider.refusals.record(_actor(client), "authz.issue-token", f"client:{client.id}", error)
            raise

    @blueprint.post(f"{ROOT}/device_authorization")
    def device_authorization() -> Response:
        client, form = _client(provider)
        codes = provider.devices.begin(client, form.get("scope", ""))
        page = f"{provider.issuer}{ROOT}/device"
        return _fresh(
            {
                "device_code": codes.device,
                "user_code": codes.user,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={codes.user}",
                "expires_in": codes.seconds,
                "interval": codes.interval,
            }
        )

    @blueprint.post(f"{ROOT}/revoke")
    def revoke() -> Response:
        client, form = _client(provider)
        provider.access.revoke(client, _needed(form, "token"))
        return Response(status=200)

    @blueprint.post(f"{ROOT}/introspect")
    def introspect() -> Response:
        client, form = _client(provider)
        if client.registration.authentication == "none":
            raise InvalidClient
        return _fresh(provider.access.introspect(client, _needed(form, "token")))


def _add_service(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.route(f"{ROOT}/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        return _fresh(provider.access.userinfo(bearer_of(request.headers.get("Authorization", ""), _form())))


def _form() -> dict[str, str]:
    """The form's fields; one that stands there twice is refused (RFC 6749 3.2)."""
    for name, values in request.form.lists():
        if len(values) > 1:
            raise InvalidRequest(parameter=name[:40])
    return request.form.to_dict()


def _client(provider: "Provider") -> tuple[Client, dict[str, str]]:
    form = _form()
    shown = Shown(form, request.headers.get("Authorization", ""), peer_certificate(request.environ))
    try:
        return provider.authentication.authenticate(shown), form
    except InvalidClient as error:
        provider.refusals.record(STRANGER, "authz.authenticate-client", "client:unknown", error)
        raise


def _actor(client: Client) -> Actor:
    return Actor(Kind.SERVICE, client.id, organ=client.registration.organ)


def _needed(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise InvalidRequest(parameter=name)
    return form[name]


def _kept(body: Mapping[str, Any]) -> Response:
    answer = jsonify(body)
    answer.headers["Cache-Control"] = f"public, max-age={_KEEP}"
    return answer


def _fresh(body: Mapping[str, Any]) -> Response:
    answer = jsonify(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refusal(provider: "Provider", error: YinxinError) -> Response:
    """The refusal as the protocol words it; what is none of its words is its server_error."""
    word = getattr(error, "oauth", "")
    if not word:
        word = "temporarily_unavailable" if isinstance(error, Unavailable) else "server_error"
    answer = jsonify({"error": word, "error_description": error.text("en")})
    answer.status_code = error.status
    answer.headers["Cache-Control"] = "no-store"
    if isinstance(error, InvalidToken):
        answer.headers["WWW-Authenticate"] = f'Bearer realm="{provider.issuer}", error="invalid_token"'
    elif isinstance(error, InvalidClient):
        answer.headers["WWW-Authenticate"] = f'Basic realm="{provider.issuer}"'
    return answer
