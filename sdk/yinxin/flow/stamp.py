"""Timestamps for what is signed, in the suite that signed it."""

from typing import Protocol

from yinxin.crypto import timestamps
from yinxin.crypto.errors import TimestampRejected
from yinxin.crypto.suite import suite as suite_of
from yinxin.flow.errors import NoTimestamp


class Authority(Protocol):
    """Who gives timestamps; a `Core` is one."""

    def query_timestamp(self, request: bytes, suite: str) -> bytes:
        """The answer (RFC 3161 TimeStampResp, DER) to a request (DER)."""
        ...


def stamp(core: Authority, message: bytes, suite: str) -> bytes:
    """A timestamp token (DER) over `message` from our authority in `suite`; the answer is checked against the question."""
    algorithm = suite_of(suite).hash
    request = timestamps.request(algorithm, algorithm.digest(message))
    return timestamps.Token.from_response(granted(core, request, suite), request).der


def granted(core: Authority, request: bytes, suite: str) -> bytes:
    """Our authority's answer (DER) to a request (DER); raises NoTimestamp when it grants none."""
    response = core.query_timestamp(request, suite)
    try:
        timestamps.Token.from_response(response, request)
    except TimestampRejected as error:
        raise NoTimestamp(suite=suite, reason=error.facts["reason"]) from error
    return response
