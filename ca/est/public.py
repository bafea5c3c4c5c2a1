"""EST's addresses (RFC 7030 3.2.2), on the TLS port: `/.well-known/est/…`, and with a label `/.well-known/est/LABEL/…`.

The label is a profile's name; for the authorities' certificates it may be a suite's.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from ca.enrolment import Credential, Protocol
from ca.enrolment.errors import CredentialRefused
from ca.errors import IssuanceUnderWay
from ca.est import wire
from ca.est.enrol import Est
from ca.issue import VERB
from yinxin.act import STRANGER
from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.csr_attributes import build_csr_attributes
from yinxin.errors import Untrue, YinxinError
from yinxin.web import peer_certificate
from yinxin.web.errors import UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ca.service import Authority

_ROOT = "/.well-known/est"
_PKCS10 = "application/pkcs10"
_TEXT = "text/plain; charset=utf-8"
#: seconds after which a client may ask again for what is being made
_AGAIN = 3
#: the profile that attributes are told for when the client names none
_USUAL = "tls-client"


def routes(authority: "Authority") -> tuple[Blueprint, ...]:
    """The operations, each with and without a label."""
    blueprint, est = Blueprint("ca_est", __name__), Est(authority)
    for name, (method, view) in _OPERATIONS.items():
        bare, labelled = partial(view, est, ""), partial(view, est)
        blueprint.add_url_rule(f"{_ROOT}/{name}", name, bare, methods=[method])
        blueprint.add_url_rule(f"{_ROOT}/<label>/{name}", f"{name}_labelled", labelled, methods=[method])
    blueprint.register_error_handler(YinxinError, partial(_refusal, authority))
    return (blueprint,)


def _cacerts(est: Est, label: str) -> Response:
    # under a profile's name it is the suite that most clients can read
    return wire.certificates(
        *est.authorities(label if label and label not in tuple(est.ctx.profiles) else "intl")
    )


def _csrattrs(est: Est, label: str) -> Response:
    profile = est.ctx.profiles[label or _USUAL]
    extensions = (oids.SUBJECT_ALTERNATIVE_NAME,) if profile.san else ()
    attributes = build_csr_attributes(profile.keys, profile.smallest_rsa, extensions)
    return wire.answer(attributes, "application/csrattrs")


def _simpleenroll(est: Est, label: str) -> Response:
    return wire.certificates(est.enrol(_credential(est), _csr(), label).certificate)


def _simplereenroll(est: Est, label: str) -> Response:  # noqa: ARG001 - the old certificate says which profile
    peer = _peer()
    if request.authorization is None and peer is not None:
        return wire.certificates(est.renew(peer, _csr()).certificate)
    return wire.certificates(est.renew_on(_credential(est), _csr()).certificate)


def _serverkeygen(est: Est, label: str) -> Response:
    return wire.key_and_certificate(est.generate(_credential(est), _csr(), label, peer=_peer()))


def _fullcmc(est: Est, label: str) -> Response:  # noqa: ARG001 - offered under no label
    text = "不提供 fullcmc：请用 simpleenroll 或 CMP。\nfullcmc is not offered: use simpleenroll, or CMP.\n"
    return Response(text, 501, content_type=_TEXT)


_OPERATIONS: "dict[str, tuple[str, Callable[[Est, str], Response]]]" = {
    "cacerts": ("GET", _cacerts),
    "csrattrs": ("GET", _csrattrs),
    "simpleenroll": ("POST", _simpleenroll),
    "simplereenroll": ("POST", _simplereenroll),
    "serverkeygen": ("POST", _serverkeygen),
    "fullcmc": ("POST", _fullcmc),
}


def _credential(est: Est) -> Credential:
    """Whose name and password these are (RFC 7617); raises CredentialRefused."""
    given = request.authorization
    if given is None or given.type != "basic" or not given.username or not given.password:
        raise CredentialRefused
    return est.authority.enrolment.proved(given.username, given.password, Protocol.EST)


def _peer() -> Certificate | None:
    """The certificate that the client proved to hold in TLS; raises MalformedCertificate."""
    shown = peer_certificate(request.environ)
    return Certificate(shown) if shown else None


def _csr() -> bytes:
    """The PKCS#10 of the request in DER; raises UnsupportedMediaType, MalformedRequest."""
    if request.mimetype != _PKCS10:
        raise UnsupportedMediaType(given=request.mimetype or "-", wanted=_PKCS10)
    return wire.decoded(request.get_data(cache=False))


def _refusal(authority: "Authority", error: YinxinError) -> Response:
    """The error in words (RFC 7030 4.2.3), recorded; 202 for what is still being made."""
    text = f"{error.text('zh')}\n{error.text('en')}\n"
    if isinstance(error, IssuanceUnderWay):
        return Response(text, 202, {"Retry-After": str(_AGAIN)}, content_type=_TEXT)
    authority.ctx.rejections.record(STRANGER, VERB, "est", error)
    headers: dict[str, Any] = {}
    # 422 is no status of EST's: what is wrong with a request is 400 (RFC 7030 4.2.3)
    status = 400 if error.status == 422 or isinstance(error, Untrue) else error.status
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="EST", charset="UTF-8"'
    if error.retryable:
        headers["Retry-After"] = str(_AGAIN)
    return Response(text, status, headers, content_type=_TEXT)
