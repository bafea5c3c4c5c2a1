"""Ed25519 signatures verified in plain Python (RFC 8032 section 5.1), for the verifier that is one file."""

import hashlib

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]
_ZERO: Point = (0, 1, 1, 0)


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: Point) -> Point:
    found = _ZERO
    while number:
        if number & 1:
            found = _add(found, point)
        point, number = _add(point, point), number >> 1
    return found


def _point(data: bytes) -> Point:
    """Decode a point (5.1.3); raises ValueError."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= _P:
        raise ValueError("not canonical")
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("no point")
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def _octets(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _point(bytes.fromhex("58" + "66" * 31))


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 octets) is that of `key` (32 octets) over `message` (5.1.7, without the cofactor)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= _L:
        return False
    try:
        a = _point(key)
    except ValueError:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    minus = (_P - a[0], a[1], a[2], _P - a[3])
    found = _add(_times(scalar, _BASE), _times(int.from_bytes(digest, "little") % _L, minus))
    return _octets(found) == signature[:32]
