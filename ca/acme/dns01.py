"""dns-01 (RFC 8555 8.4): the answer is a TXT record beside the name, for a wildcard beside its domain."""

from ca.acme.errors import WrongResponse
from ca.acme.reach import Reach
from ca.profile.wildcards import domain_of
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import INTL
from yinxin.text import Text

_LABEL = "_acme-challenge"
_QUOTED = 3


def probe(reach: Reach, _kind: str, name: str, _token: str, expected: str) -> None:
    """Look the answer up; raises NoAddress, WrongResponse."""
    where = f"{_LABEL}.{domain_of(name)}"
    found = reach.texts(where, reach.until())
    wanted = encode64(INTL.hash.digest(expected.encode("ascii")))
    if wanted not in found:
        quoted = ", ".join(f"“{each[:60]}”" for each in found[:_QUOTED])
        seen = Text(
            f"TXT 记录 {len(found)} 条：{quoted or '无'}", f"{len(found)} TXT records: {quoted or 'none'}"
        )
        raise WrongResponse(where=where, seen=seen)
