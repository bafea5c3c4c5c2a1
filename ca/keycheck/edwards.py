"""Ed25519 keys that are no key: points off the curve, and points of low order, under which forgeries verify.

RFC 8032 5.1.3 says how a point is read; the library that verifies leaves both tests out. The curves of the other
kinds have prime order, and their readers refuse a point that is not on the curve, and infinity.
"""

from ca.errors import UnfitPoint

_P = (1 << 255) - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)


def check_point(encoded: bytes) -> None:
    """Raises UnfitPoint unless the 32 octets are a point of the curve in its one encoding, of high order."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = _x(y, sign) if y < _P else None
    if x is None:
        raise UnfitPoint
    # times 8, the cofactor: what is left of a point of low order is the neutral element (0, 1)
    for _ in range(3):
        x, y = _double(x, y)
    if (x, y) == (0, 1):
        raise UnfitPoint


def _x(y: int, sign: int) -> int | None:
    """x² = (y² - 1) / (d·y² + 1), its root by RFC 8032 5.1.3; None when there is none."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    root = pow(square, (_P + 3) // 8, _P)
    if root * root % _P != square:
        root = root * _SQRT_MINUS_1 % _P
    if root * root % _P != square or (root == 0 and sign):
        return None
    return root if root & 1 == sign else _P - root


def _double(x: int, y: int) -> tuple[int, int]:
    """The complete addition law of the curve -x² + y² = 1 + d·x²·y², for a point and itself."""
    cross = _D * x * x * y * y
    return (
        2 * x * y * pow(1 + cross, -1, _P) % _P,
        (y * y + x * x) * pow(1 - cross, -1, _P) % _P,
    )
