"""Who calls the API: a person in a session, or a registered system with a token that it got in its own name."""

from dataclasses import replace

from authz.oidc.errors import InvalidToken
from authz.oidc.service_tokens import MARK, ServiceToken, ServiceTokens
from authz.refusals import Refusals
from authz.sessions import Sessions
from yinxin.act import STRANGER
from yinxin.text import Text
from yinxin.web.caller import Caller, Known

#: the services that are called by the platform's API; which operation a token is for, its scope says
_AUDIENCES = frozenset({"kms", "exchange"})


class Callers:
    """Implements `yinxin.web.caller.Authenticator`. Where a system is let in at all, each operation says itself."""

    def __init__(self, sessions: Sessions, tokens: ServiceTokens, refusals: Refusals) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._refusals = refusals

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        """Who holds `token`, looked at again from the ground; raises as `Sessions.authenticate`, or InvalidToken, recorded."""
        if not token.startswith(MARK):
            return self._sessions.authenticate(token, peer)
        found = self._tokens.shown(token, _AUDIENCES, peer)
        if found is None:
            error = InvalidToken()
            of = self._tokens.of(token)
            actor, subject = (of.client.actor, of.client.id) if of is not None else (STRANGER, "unknown")
            self._refusals.record(actor, "authz.authenticate", f"client:{subject}", error)
            raise error
        return _caller(found)

    def known(self, token: str, peer: bytes | None = None) -> Known:
        """As `authenticate`, unrecorded, and what it rests on; raises the same."""
        if not token.startswith(MARK):
            return self._sessions.known(token, peer)
        found = self._tokens.known(token, _AUDIENCES, peer)
        if found is None:
            raise InvalidToken
        return Known(_caller(found[0]), found[1])


def _caller(token: ServiceToken) -> Caller:
    registered = token.client.registration
    name = Text(registered.name.zh, registered.name.en)
    return Caller(
        actor=replace(token.client.actor, certificate=token.certificate),
        session=f"client:{token.client.id}",
        roles=frozenset(),
        name=name.zh,
        post_name=name,
        organ_name=Text(registered.organ, registered.organ),
        way="tls" if token.certificate else "token",
        scopes=frozenset(token.scope.split()),
    )
