"""Closing a message so that its recipient's organ alone opens it, and opening it again, a piece at a time.

One key for each message, encrypted to the organ's certificate (CMS EnvelopedData, RFC 5652; GM/T 0010 for SM2). Each part is
sealed in pieces of one mebibyte with the suite's authenticated encryption; what belongs to a piece, the message and
whose it is, its part, its place and whether it is the last, is bound into it, so that no piece can be dropped, moved, put
elsewhere or passed on as another's.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from exchange.errors import PartAltered
from exchange.header import SUITES
from yinxin import canonical
from yinxin.crypto import aead
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData, envelop
from yinxin.crypto.errors import CannotDecrypt, UnsupportedAlgorithm
from yinxin.crypto.suite import Suite

#: octets of a piece, before it is sealed; and what sealing adds to each (nonce and tag)
PIECE = 1 << 20
ADDED = 28


def suite_for(certificate: Certificate) -> Suite:
    """The suite by which a message for this certificate is encrypted; raises UnsupportedAlgorithm."""
    suite = SUITES.get(certificate.public_key.suite.name)
    if suite is None:
        raise UnsupportedAlgorithm(what="exchange", algorithm=certificate.public_key.algorithm)
    return suite


def close_key(certificate: Certificate, key: bytes) -> bytes:
    """The message's key for the organ, DER."""
    return envelop(key, certificate)


def open_key(
    encoded: bytes, certificate: Certificate, opener: Callable[[EnvelopedData, Certificate], bytes]
) -> bytes:
    """The message's key, opened where the organ's key is; raises MalformedEnvelope of CMS, CannotDecrypt, what `opener` raises."""
    key = opener(EnvelopedData.load(encoded), certificate)
    suite = suite_for(certificate)
    if len(key) != suite.aead_key_size:
        raise CannotDecrypt(algorithm=suite.aead)
    return key


def whose(site: str, sender: str, recipient: str, message: str) -> str:
    """What a message is called in its pieces: the site and organ that wrote it, for which organ, and its identifier."""
    return canonical.encode([site, sender, recipient, message]).decode()


def sealed(suite: Suite, key: bytes, message: str, number: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed form of a part of `message` (`whose`), piece by piece; `pieces` are of PIECE octets but for the last."""
    waiting = iter(pieces)
    piece, place = next(waiting, b""), 0
    for following in waiting:
        yield aead.seal(suite, key, piece, _bound(message, number, place, last=False))
        piece, place = following, place + 1
    yield aead.seal(suite, key, piece, _bound(message, number, place, last=True))


def opened(suite: Suite, key: bytes, message: str, number: int, stream: BinaryIO) -> Iterator[bytes]:
    """What was sealed, piece by piece; raises PartAltered at the first that does not open."""
    place, piece = 0, stream.read(PIECE + ADDED)
    while True:
        following = stream.read(PIECE + ADDED)
        try:
            yield aead.open_sealed(suite, key, piece, _bound(message, number, place, last=not following))
        except CannotDecrypt as error:
            raise PartAltered(digest=f"{message}/{number}") from error
        if not following:
            return
        place, piece = place + 1, following


def _bound(message: str, number: int, place: int, *, last: bool) -> bytes:
    return canonical.encode([message, number, place, int(last)])


def pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    """A stream's octets in pieces of PIECE, at least one."""
    piece = _filled(stream)
    yield piece
    while len(piece) == PIECE and (piece := _filled(stream)):
        yield piece


def _filled(stream: BinaryIO) -> bytes:
    piece = b""
    while len(piece) < PIECE and (more := stream.read(PIECE - len(piece))):
        piece += more
    return piece
