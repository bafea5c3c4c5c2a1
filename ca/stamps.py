"""The timestamp authority as the floor below needs it (`authz.proposal.context.Timestamps`): over what people sign."""

from datetime import datetime

from ca import timestamp
from ca.context import Context
from ca.errors import StatusUnavailable, TimestampFailed
from ca.services import service
from yinxin.act import Actor
from yinxin.crypto.errors import TimestampRejected
from yinxin.crypto.suite import suite
from yinxin.crypto.timestamps import Token, request


class Stamps:
    """Tokens of our own units, asked for and believed in the same process."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def stamp(self, message: bytes, suite_name: str, actor: Actor) -> bytes | None:
        """A token over `message`, DER; None where no unit of this suite has been made. Raises TimestampFailed."""
        line = f"{suite_name}-issuing"
        if line not in self._ctx.issuers.names():
            return None
        try:
            service(self._ctx, "tsa", self._ctx.issuers.get(line))
        except StatusUnavailable:
            return None
        hash_ = suite(suite_name).hash
        asked = request(hash_, hash_.digest(message), int.from_bytes(self._ctx.store.randomness.token(8)))
        try:
            return Token.from_response(timestamp.stamp(self._ctx, suite_name, asked, actor), asked).der
        except TimestampRejected as error:
            raise TimestampFailed(reason=error) from error

    def verify(self, token: bytes, message: bytes) -> datetime:
        """The instant of a token of one of our units; raises DigestMismatch, BadSignature, or as `path.validate`."""
        read = Token.load(token)
        ours = [each.certificate for each in map(self._ctx.issuers.get, self._ctx.issuers.names())]
        known = [each for each in ours if each is not None]
        roots = [each for each in known if each.is_self_issued]
        read.verify(message, anchors=roots, intermediates=known, require_revocation=False)
        return read.at
