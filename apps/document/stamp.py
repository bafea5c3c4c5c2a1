"""Timestamps for what is signed here, in the suite that signed it."""

from apps.document.core import Core
from yinxin.crypto import timestamps
from yinxin.crypto.suite import suite as suite_of


def stamp(core: Core, message: bytes, suite: str) -> bytes:
    """A timestamp token (DER) over `message` from our authority in `suite`; the answer is checked against the question."""
    algorithm = suite_of(suite).hash
    request = timestamps.request(algorithm, algorithm.digest(message))
    return timestamps.Token.from_response(core.query_timestamp(request, suite), request).der
