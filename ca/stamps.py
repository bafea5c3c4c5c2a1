"""The timestamp authority as the floor below needs it (`authz.proposal.context.Timestamps`): over what people sign."""

from contextlib import suppress
from datetime import datetime

from audit import Vouched
from ca import timestamp
from ca.context import Context
from ca.errors import StatusUnavailable, TimestampFailed, UnknownAuthority
from ca.status import crl
from ca.trust import believed
from yinxin.act import Actor
from yinxin.crypto.errors import TimestampRejected
from yinxin.crypto.path import ValidatedPath
from yinxin.crypto.suite import hash_algorithm, suite
from yinxin.crypto.timestamps import Token, request
from yinxin.errors import Unavailable


class Stamps:
    """Tokens of outside authorities where there are any, and of our own units, asked for and believed in the same process."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def stamp(
        self, message: bytes, suite_name: str, actor: Actor, hash_name: str | None = None
    ) -> bytes | None:
        """A token over `message`, DER; None where no unit of this suite has been made. Raises TimestampFailed.

        `hash_name`: by which hash, where it is not to be the suite's own.
        """
        hash_ = hash_algorithm(hash_name) if hash_name else suite(suite_name).hash
        outside = self._ctx.outside.stamp(message, suite_name, hash_, actor)
        if outside is not None:
            return outside.der
        try:
            unit = timestamp.unit(self._ctx, suite_name)
        except (UnknownAuthority, StatusUnavailable):
            return None
        asked = request(hash_, hash_.digest(message), int.from_bytes(self._ctx.store.randomness.token(8)))
        try:
            return Token.from_response(timestamp.stamp(self._ctx, suite_name, asked, actor, unit), asked).der
        except TimestampRejected as error:
            raise TimestampFailed(reason=error) from error

    def verify(self, token: bytes, message: bytes) -> datetime:
        """The instant of a token of one of our units; raises DigestMismatch, BadSignature, or as `path.validate`."""
        read = Token.load(token)
        read.check_imprint(message)
        if self._ctx.outside.standing(read) is None:
            self._path(read)
        return read.at

    def standing(self, token: bytes) -> Vouched:
        """Path, certificates and lists of a token's authority, as known now; raises BadSignature, or as `path.validate`.

        A list that cannot be had, of an authority that is no more, is left out: the reader is told what nobody said.
        """
        read = Token.load(token)
        if (found := self._ctx.outside.standing(read)) is not None:
            path, known_lists = found
            return Vouched(path, tuple(each.der for each in path.certificates[:-1]), known_lists)
        path = self._path(read)
        lists = []
        for issuer in path.certificates[1:]:
            known = self._ctx.issuers.of_key(issuer.public_key.key_id)
            if known is not None:
                with suppress(StatusUnavailable, Unavailable):
                    lists.append(crl.current(self._ctx, known.name).der)
        return Vouched(path, tuple(each.der for each in path.certificates[:-1]), tuple(lists))

    def _path(self, token: Token) -> ValidatedPath:
        ours = [each.certificate for each in map(self._ctx.issuers.get, self._ctx.issuers.names())]
        known = [each for each in ours if each is not None]
        roots = believed(self._ctx.trust, (each for each in known if each.is_self_issued))
        return token.verify(
            imprint=token.digest, anchors=roots, intermediates=known, require_revocation=False
        )
