"""How seals stand, as their maker says it: a signed list of those that are not in use, read and held against a seal.

The national standards fix no form for it, so this is the platform's own: a CMS signature by the seal maker over canonical
JSON `{v, this_update, next_update, ended: [{id, state, since, reason}]}`.
"""

from dataclasses import dataclass
from datetime import datetime

from yinxin import canonical
from yinxin.clock import parse_rfc3339
from yinxin.crypto import cms
from yinxin.crypto.errors import BadSignature, StatusNotCurrent
from yinxin.crypto.path import Usage
from yinxin.crypto.seal.errors import MalformedSeal, SealEnded, SealMakerUntrusted
from yinxin.crypto.seal.form import Seal
from yinxin.crypto.seal.verify import Known
from yinxin.errors import YinxinError

FORMAT = 1


@dataclass(frozen=True)
class Standing:
    """A list that its maker signed; `ended` says of a seal's identifier since when it is not in use."""

    this_update: datetime
    next_update: datetime
    ended: dict[str, datetime]

    def check(self, seal: Seal, at: datetime) -> None:
        """Raise SealEnded when the seal was out of use at `at`, StatusNotCurrent when the list is older than that.

        What a seal was put on before it left use still holds.
        """
        if at > self.next_update:
            raise StatusNotCurrent(
                kind="list of seals", this_update=self.this_update, next_update=self.next_update, at=at
            )
        since = self.ended.get(seal.id)
        if since is not None and since <= at:
            raise SealEnded(seal=seal.name, since=since, at=at)


def read(encoded: bytes, seal: Seal, known: Known, *, at: datetime) -> Standing:
    """The list that the maker of `seal` signed, verified as of `at`; raises MalformedSeal, BadSignature, SealMakerUntrusted."""
    body, by = cms.verify_attached(encoded)
    if by.certificate != seal.maker:
        raise BadSignature(what="list of seals")
    try:
        known.path(by.certificate, Usage.SIGNATURE, at)
    except YinxinError as error:
        raise SealMakerUntrusted(seal=seal.name, reason=error) from error
    try:
        said = canonical.decode(body)
        if said["v"] != FORMAT:
            raise MalformedSeal(reason=f"a list of the form {said['v']}")
        ended = {each["id"]: parse_rfc3339(each["since"]) for each in said["ended"]}
        return Standing(parse_rfc3339(said["this_update"]), parse_rfc3339(said["next_update"]), ended)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedSeal(reason=str(error)) from error
