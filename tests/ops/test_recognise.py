"""What is recognised as a plain request is the same request to gunicorn's own parser, or is not recognised.

Seen to fail without the look at the fields' names, at fields that come twice, and at what a head is made of.
"""

import random

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData

from ops.recognise import LONGEST_HEAD, recognise

PLAIN = (
    b"POST /api/kms/v1/service-keys/k1/signatures HTTP/1.1\r\n"
    b"Host: 127.0.0.1:8443\r\nAccept-Encoding: identity\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer abc.DEF~1+2/3=\r\nIdempotency-Key: 0011\r\nContent-Length: 5\r\n\r\nabcde"
)
#: one that is signed itself
SIGNED = (
    b"POST /acme/order/01k HTTP/1.1\r\n"
    b"Host: 127.0.0.1:8443\r\nUser-Agent: lego\r\nContent-Type: application/jose+json\r\nContent-Length: 5\r\n\r\nabcde"
)
#: what makes a request another, or none, in one of the ways in which two readers of HTTP have ever disagreed
ODD = (
    *(b"Content-Length: 7\r\n", b"content-length: 5\r\n", b"Content-Length : 5\r\n", b"Content-Length: +5\r\n"),
    *(b"Content-Length: 5, 5\r\n", b"Content-Length:\r\n", b"Content-Length: 0x5\r\n", b"Content_Length: 3\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n", b"transfer_encoding: chunked\r\n"),
    *(b"Host: other\r\n", b" folded\r\n", b"\tfolded\r\n", b"X-Client-Cert: x\r\n", b"x_client_cert: x\r\n"),
    *(b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n", b"Connection: close\r\n", b"Cookie: a=b\r\n"),
    *(b"Accept: a\nContent-Length: 3\r\n", b"Accept: a\rb\r\n", b"Accept: \0\r\n", b"Accept: \xe5\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"X-Forwarded-Proto: http\r\n", b": x\r\n", b"no colon\r\n", b"\r\n"),
)  # fmt: skip


def _parsed(data: bytes) -> tuple[str, str, dict[str, list[str]], bytes, bytes]:
    """What gunicorn reads: method, target, fields, body and what is left."""
    parser = get_parser(Config(), iter([data]), ("127.0.0.1", 1))
    request = next(parser)
    fields: dict[str, list[str]] = {}
    for name, value in request.headers:
        fields.setdefault(name.lower(), []).append(value)
    body = request.body.read()
    return request.method, request.uri, fields, body, parser.unreader.take_buffered()


def _agree(data: bytes) -> bool:
    """Whether it is recognised; raises when gunicorn reads it otherwise."""
    head = recognise(data)
    if head is None:
        return False
    if len(data) < head.size + head.length:
        return True
    method, target, fields, body, left = _parsed(data)
    assert (method, target) == ("POST", head.target)
    assert fields["host"] == [head.host]
    assert fields.get("authorization", [""]) == [head.authorization]
    assert fields["content-length"] == [str(int(fields["content-length"][0]))] or head.length == int(
        fields["content-length"][0]
    )
    assert fields["content-type"] == ["application/jose+json" if head.signed else "application/json"]
    assert not head.signed or not {"authorization", "idempotency-key", "accept-language"} & set(fields)
    assert not {"transfer-encoding", "expect", "upgrade", "cookie"} & set(fields)
    assert fields.get("connection", ["keep-alive"])[0].lower() == "keep-alive"
    assert body == data[head.size : head.size + head.length]
    assert left == data[head.size + head.length :]
    return True


def test_a_plain_request_is_recognised() -> None:
    assert _agree(PLAIN)
    assert _agree(PLAIN + b"POST / HTTP/1.1\r\n")
    assert _agree(PLAIN.replace(b"Host:", b"hOST:").replace(b"gth: 5", b"gth:    5  "))
    assert _agree(PLAIN[:-2])
    assert not _agree(PLAIN[: PLAIN.index(b"\r\n\r\n") + 3])


def test_a_signed_request_is_recognised_by_its_type_and_has_no_token() -> None:
    head = recognise(SIGNED)
    assert head is not None
    assert (head.signed, head.target, head.authorization) == (True, "/acme/order/01k", "")
    assert _agree(SIGNED)
    for line in (b"Authorization: Bearer a", b"Idempotency-Key: a", b"Accept-Language: en"):
        assert recognise(SIGNED.replace(b"User-Agent: lego", line)) is None
    assert recognise(PLAIN.replace(b"Authorization: Bearer abc.DEF~1+2/3=\r\n", b"")) is None
    assert recognise(SIGNED.replace(b"jose+json", b"jose+json; a=b")) is None


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("plain", [PLAIN, SIGNED])
def test_whatever_is_odd_is_left_to_the_ordinary_way(plain: bytes, odd: bytes) -> None:
    at = plain.index(b"Host")
    while at < plain.index(b"\r\n\r\n"):
        data = plain[:at] + odd + plain[at:]
        assert not _agree(data) or odd == b"\r\n"  # an empty line ends the head, and Host is then missing
        at = plain.index(b"\r\n", at) + 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"POST", b"post"),
        (b"POST", b"GET"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"HTTP/1.1", b"HTTP/1.1 "),
        (b" /api", b"  /api"),
        (b" /api", b" http://127.0.0.1/api"),
        (b"signatures", b"signatures?x=1"),
        (b"signatures", b"%73ignatures"),
        (b"signatures", b"signatures#x"),
        (b"application/json", b"application/json; charset=utf-8"),
        (b"Content-Length: 5", b"Content-Length: 12345678"),
        (b"Content-Length: 5\r\n", b""),
        (b"Authorization: ", b"Authorization:\x0b"),
        (b"Idempotency-Key: 0011", b"Idempotency-Key: " + b"1" * LONGEST_HEAD),
        (b"\r\n", b"\n"),
    ],
)
def test_another_form_is_left_to_the_ordinary_way(old: bytes, new: bytes) -> None:
    assert not _agree(PLAIN.replace(old, new))


def test_both_readers_agree_on_whatever_is_recognised() -> None:
    """Requests taken apart and put together otherwise, octets changed, added and left out; from one seed."""
    chance, taken = random.Random(20261130), 0
    alphabet = b"\r\n\t :,;=-_aZ0+\0\x7f\xff"
    for turn in range(1500):
        data = bytearray(SIGNED if turn % 3 == 0 else PLAIN)
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(data))
            how = chance.randrange(4)
            if how == 0:
                data[at] = chance.choice(alphabet)
            elif how == 1:
                data.insert(at, chance.choice(alphabet))
            elif how == 2:
                del data[at]
            else:
                end = min(len(data), at + chance.randrange(1, 40))
                data[at:at] = data[at:end]
        try:
            taken += _agree(bytes(data))
        except NoMoreData:
            pytest.fail(repr(bytes(data)))
    assert taken > 150
