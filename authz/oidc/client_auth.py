"""How a client proves who it is at the token endpoint (RFC 6749 2.3, RFC 7523, RFC 8705): in one way, the registered one."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authz.challenges import token_hash
from authz.checker import CertificateChecker
from authz.oidc.clients import Authentication, Client, Clients
from authz.oidc.errors import InvalidClient, UnknownClient
from authz.oidc.models import AssertionRow
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import Jwk, Jws, read_object
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid, Untrue, YinxinError
from yinxin.store import Store

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: signature algorithms that an assertion may have
ALGORITHMS = ("ES256", "ES384", "EdDSA", "RS256")
#: an assertion is made for one request
_LONGEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Shown:
    """What came with the request: its form, the Authorization header, the connection's certificate (DER)."""

    form: Mapping[str, str]
    authorization: str
    peer: bytes | None


class ClientAuthentication:
    """Knows clients by what they show; `audience` are the names by which an assertion may call us."""

    def __init__(
        self, store: Store, clients: Clients, checker: CertificateChecker, audience: frozenset[str]
    ) -> None:
        self._store = store
        self._clients = clients
        self._checker = checker
        self._audience = audience

    def authenticate(self, shown: Shown) -> Client:
        """The client; raises InvalidClient for whatever it did not prove."""
        ways = _ways(shown)
        if len(ways) > 1:
            raise InvalidClient
        way, claimed = next(iter(ways.items())) if ways else ("none", shown.form.get("client_id", ""))
        try:
            client = self._clients.get(claimed)
        except UnknownClient as error:
            raise InvalidClient from error
        expected: Authentication = client.registration.authentication
        if way == "none" and expected == "tls_client_auth":
            self._by_certificate(client, shown.peer)
        elif way != expected or shown.form.get("client_id", claimed) != claimed:
            raise InvalidClient
        elif way == "secret":
            _by_secret(client, _basic(shown.authorization)[1])
        elif way == "private_key_jwt":
            self._by_assertion(client, shown.form["client_assertion"])
        return client

    def _by_certificate(self, client: Client, peer: bytes | None) -> None:
        if peer is None or INTL.hash.digest(peer).hex() != client.registration.certificate:
            raise InvalidClient
        try:
            self._checker.check(Certificate.load(peer), (), self._store.clock.now())
        except Untrue as error:
            raise InvalidClient from error

    def _by_assertion(self, client: Client, assertion: str) -> None:
        try:
            jws = Jws.read_compact(assertion)
            if jws.algorithm not in ALGORITHMS:
                raise InvalidClient
            _verify(jws, client)
            claims = read_object(jws.payload, "payload")
        except (Invalid, Untrue) as error:
            raise InvalidClient from error
        self._hold(client, claims)

    def _hold(self, client: Client, claims: Mapping[str, Any]) -> None:
        """The claims of RFC 7523 section 3: who, for whom, how long, and never twice."""
        now = self._store.clock.now()
        audience = claims.get("aud")
        named = {
            each for each in (audience if isinstance(audience, list) else [audience]) if isinstance(each, str)
        }
        expires, jti = claims.get("exp"), claims.get("jti")
        if (
            claims.get("iss") != client.id
            or claims.get("sub") != client.id
            or not named & self._audience
            or not isinstance(expires, int)
            or not now.timestamp() < expires <= (now + _LONGEST).timestamp()
            or not isinstance(jti, str)
            or not jti
        ):
            raise InvalidClient
        until = datetime.fromtimestamp(expires, UTC)
        try:
            with self._store.housekeep() as session:
                session.add(AssertionRow(client=client.id, jti_hash=token_hash(jti), expires=until))
        except IntegrityError as error:
            raise InvalidClient from error

    def forget(self, before: datetime) -> None:
        """Delete assertions that expired before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(AssertionRow).where(AssertionRow.expires < before))


def _ways(shown: Shown) -> dict[Authentication, str]:
    """Each way that is tried → the client it claims to be."""
    ways: dict[Authentication, str] = {}
    if shown.authorization:
        ways["secret"] = _basic(shown.authorization)[0]
    if "client_assertion" in shown.form or "client_assertion_type" in shown.form:
        if shown.form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClient
        ways["private_key_jwt"] = _subject(shown.form.get("client_assertion", ""))
    if "client_secret" in shown.form:  # in a form it lands in logs: only the header is offered
        raise InvalidClient
    return ways


def _basic(authorization: str) -> tuple[str, str]:
    """Identifier and secret, form-encoded within Basic (RFC 6749 2.3.1); raises InvalidClient."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidClient from error
    name, _, secret = decoded.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _subject(assertion: str) -> str:
    """Who the assertion says it is of, to look up the keys that may prove it."""
    try:
        claims = read_object(Jws.read_compact(assertion).payload, "payload")
    except (Invalid, Untrue) as error:
        raise InvalidClient from error
    return str(claims.get("sub", ""))


def _by_secret(client: Client, secret: str) -> None:
    if not hmac.compare_digest(token_hash(secret), client.secret_hash or ""):
        raise InvalidClient


def _verify(jws: Jws, client: Client) -> None:
    failed: YinxinError | None = None
    for each in client.registration.jwks:
        try:
            jws.verify(Jwk.read(each).key)
        except (Invalid, Untrue) as error:
            failed = error
        else:
            return
    raise InvalidClient from failed
