"""The provider's addresses for programs, in the protocol's own form (RFC 6749 5.2): discovery, keys, tokens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from authz.oidc.access import INTROSPECT, READ, bearer_of
from authz.oidc.client_auth import Shown
from authz.oidc.clients import Client
from authz.oidc.errors import InvalidClient, InvalidRequest, InvalidToken
from authz.oidc.provider import ROOT
from yinxin.act import STRANGER
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
        with _recorded(provider, client, "authz.issue-token"):
            return _fresh(provider.exchange.tokens(client, form))

    @blueprint.post(f"{ROOT}/device_authorization")
    def device_authorization() -> Response:
        client, form = _client(provider)
        with _recorded(provider, client, "authz.authorize-device"):
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
        with _recorded(provider, client, "authz.revoke-token"):
            provider.access.revoke(client, _needed(form, "token"))
        return Response(status=200)

    @blueprint.post(f"{ROOT}/introspect")
    def introspect() -> Response:
        client, form = _client(provider)
        with _recorded(provider, client, INTROSPECT):
            if client.registration.authentication == "none":
                raise InvalidClient
            return _fresh(provider.access.introspect(client, _needed(form, "token")))


def _add_service(blueprint: Blueprint, provider: "Provider") -> None:
    @blueprint.route(f"{ROOT}/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        with _recorded(provider, None, READ):
            token = bearer_of(request.headers.get("Authorization", ""), _form())
            return _fresh(provider.access.userinfo(token))


@contextmanager
def _recorded(provider: "Provider", client: Client | None, verb: str) -> Iterator[None]:
    """Record what is refused inside, within the limit on refusals; a device that waits is not refused."""
    try:
        yield
    except YinxinError as error:
        if getattr(error, "oauth", "") not in ("authorization_pending", "slow_down") and error.status < 500:
            actor, subject = (client.actor, client.id) if client is not None else (STRANGER, "unknown")
            provider.refusals.record(actor, verb, f"client:{subject}", error)
        raise


def _form() -> dict[str, str]:
    """The form's fields; one that stands there twice is refused (RFC 6749 3.2)."""
    for name, values in request.form.lists():
        if len(values) > 1:
            raise InvalidRequest(parameter=name[:40])
    return request.form.to_dict()


def _client(provider: "Provider") -> tuple[Client, dict[str, str]]:
    with _recorded(provider, None, "authz.authenticate-client"):
        form = _form()
        shown = Shown(form, request.headers.get("Authorization", ""), peer_certificate(request.environ))
        return provider.authentication.authenticate(shown), form


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
