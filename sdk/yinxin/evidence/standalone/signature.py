"""Hashes, and signatures by ECDSA, SM2 and RSA verified in plain Python, for the verifier that is one file."""

import hashlib
import hmac

from yinxin.evidence.standalone.saying import Broken
from yinxin.evidence.standalone.tlv import arcs, children, inside, whole

#: object identifier → name
HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "1.2.156.10197.1.401": "sm3",
}
#: signature algorithm → family and hash; of two the hash stands elsewhere
_SIGNATURES = {
    "1.2.840.10045.4.3.2": ("ec", "sha256"),
    "1.2.840.10045.4.3.3": ("ec", "sha384"),
    "1.2.840.10045.4.3.4": ("ec", "sha512"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.113549.1.1.1": ("rsa", ""),
    "1.2.156.10197.1.501": ("sm2", "sm3"),
    "1.2.156.10197.1.301.1": ("sm2", "sm3"),
}
#: curve → name of the key, prime, b, order, generator; a is -3 in all of them (FIPS 186-5, GM/T 0003.5)
_CURVES: dict[str, tuple[str, int, int, int, int, int]] = {
    "1.2.840.10045.3.1.7": (
        "ecdsa-p256",
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    "1.3.132.0.34": (
        "ecdsa-p384",
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    "1.2.156.10197.1.301": (
        "sm2",
        2**256 - 2**224 - 2**96 + 2**64 - 1,
        0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
        0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
}
_EC, _RSA = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"
_SM2_ID = b"1234567812345678"
_MASK = 0xFFFFFFFF
#: bits of an RSA key: beyond these it is there to keep its reader busy
_LARGEST_MODULUS, _LARGEST_EXPONENT = 16384, 256
_Affine = tuple[int, int] | None
_Curve = tuple[str, int, int, int, int, int]


def digest(name: str, data: bytes) -> bytes:
    """The hash of that name."""
    return _sm3(data) if name == "sm3" else hashlib.new(name, data).digest()


def _turned(word: int, by: int) -> int:
    by %= 32
    return (word << by | word >> (32 - by)) & _MASK


def _sm3(data: bytes) -> bytes:
    """GM/T 0004 section 5."""
    state = [
        *(0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600),
        *(0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E),
    ]
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    for at in range(0, len(padded), 64):
        words = [int.from_bytes(padded[at + 4 * j : at + 4 * j + 4], "big") for j in range(16)]
        for j in range(16, 68):
            x = words[j - 16] ^ words[j - 9] ^ _turned(words[j - 3], 15)
            x ^= _turned(x, 15) ^ _turned(x, 23)
            words.append(x ^ _turned(words[j - 13], 7) ^ words[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            mixed = _turned(
                (_turned(a, 12) + e + _turned(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & _MASK, 7
            )
            ff, gg = (
                (a ^ b ^ c, e ^ f ^ g)
                if j < 16
                else ((a & b) | (a & c) | (b & c), (e & f) | (~e & _MASK & g))
            )
            one = (ff + d + (mixed ^ _turned(a, 12)) + (words[j] ^ words[j + 4])) & _MASK
            two = (gg + h + mixed + words[j]) & _MASK
            a, b, c, d = one, a, _turned(b, 9), c
            e, f, g, h = two ^ _turned(two, 9) ^ _turned(two, 17), e, _turned(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return b"".join(word.to_bytes(4, "big") for word in state)


def _sum(prime: int, one: _Affine, other: _Affine) -> _Affine:
    if one is None or other is None:
        return one or other
    (x, y), (u, v) = one, other
    if x == u:
        if (y + v) % prime == 0:
            return None
        slope = (3 * x * x - 3) * pow(2 * y, -1, prime) % prime
    else:
        slope = (v - y) * pow(u - x, -1, prime) % prime
    third = (slope * slope - x - u) % prime
    return third, (slope * (x - third) - y) % prime


def _multiple(prime: int, number: int, point: _Affine) -> _Affine:
    found: _Affine = None
    while number:
        if number & 1:
            found = _sum(prime, found, point)
        point, number = _sum(prime, point, point), number >> 1
    return found


def _unknown(what: str) -> Broken:
    return Broken(
        f"本程序不认识算法 {what}，请用 yinxin verify 核验",
        f"this file does not know the algorithm {what}: use yinxin verify",
    )


def hash_of(identifier: bytes) -> str:
    """The name of a hash, by its AlgorithmIdentifier; raises Broken."""
    name, *parameters = children(identifier)
    if arcs(name) not in HASHES or parameters not in ([], [b"\x05\x00"]):
        raise _unknown(arcs(name))
    return HASHES[arcs(name)]


def used(identifier: bytes, default: str = "") -> tuple[str, str]:
    """Family and hash of a signature, by its AlgorithmIdentifier; `default` where it names no hash. Raises Broken."""
    name = arcs(children(identifier)[0])
    if name not in _SIGNATURES:
        raise _unknown(name)
    family, hash_ = _SIGNATURES[name]
    return family, hash_ or default


def kind_of(spki: bytes) -> str:
    """What kind of key it is, as tables of algorithms name it; raises Broken."""
    algorithm, key = children(spki)
    name, *parameters = children(algorithm)
    if arcs(name) == _RSA:
        return f"rsa-{whole(children(inside(key)[1:])[0]).bit_length()}"
    if arcs(name) == _EC and parameters and arcs(parameters[0]) in _CURVES:
        return _CURVES[arcs(parameters[0])][0]
    raise _unknown(arcs(name))


def holds(spki: bytes, algorithm: tuple[str, str], signature: bytes, message: bytes) -> bool:
    """Whether a signature is that of the key over the message; raises Broken for an algorithm that is not known here."""
    (family, hash_), kind = algorithm, kind_of(spki)
    identifier, key = children(spki)
    point = inside(key)[1:]
    if kind.startswith("rsa") and family == "rsa":
        return _rsa(point, hash_, signature, message)
    if kind.startswith("rsa") or family != ("sm2" if kind == "sm2" else "ec"):
        return False
    return _curve(_CURVES[arcs(children(identifier)[1])], point, hash_, signature, message)


def _curve(curve: _Curve, point: bytes, hash_: str, signature: bytes, message: bytes) -> bool:
    """FIPS 186-5 section 6.4.2; GM/T 0003.2 section 7.1 with the usual identifier."""
    name, prime, b, order, *generator = curve
    size = (prime.bit_length() + 7) // 8
    x, y = (int.from_bytes(point[at : at + size], "big") for at in (1, 1 + size))
    if point[:1] != b"\x04" or len(point) != 1 + 2 * size or max(x, y) >= prime:
        return False
    if (y * y - x * x * x + 3 * x - b) % prime:
        return False
    r, s = map(whole, children(signature))
    if not (0 < r < order and 0 < s < order):
        return False
    base = (generator[0], generator[1])
    if name == "sm2":
        numbers = (prime - 3, b, *base, x, y)
        own = (
            len(_SM2_ID * 8).to_bytes(2, "big")
            + _SM2_ID
            + b"".join(each.to_bytes(32, "big") for each in numbers)
        )
        e = int.from_bytes(_sm3(_sm3(own) + message), "big")
        t = (r + s) % order
        found = _sum(prime, _multiple(prime, s, base), _multiple(prime, t, (x, y)))
        return bool(t) and found is not None and (e + found[0]) % order == r
    data = digest(hash_, message)
    e = int.from_bytes(data, "big") >> max(0, 8 * len(data) - order.bit_length())
    w = pow(s, -1, order)
    found = _sum(prime, _multiple(prime, e * w % order, base), _multiple(prime, r * w % order, (x, y)))
    return found is not None and found[0] % order == r


def _rsa(key: bytes, hash_: str, signature: bytes, message: bytes) -> bool:
    """RFC 8017 8.2.2: the padded digest is made anew and compared."""
    modulus, exponent = map(whole, children(key))
    size = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    if hash_ not in ("sha256", "sha384", "sha512") or len(signature) != size or value >= modulus:
        return False
    if size > _LARGEST_MODULUS // 8 or not 0 < exponent < 1 << _LARGEST_EXPONENT:
        return False
    found = pow(value, exponent, modulus).to_bytes(size, "big")
    last = {"sha256": 1, "sha384": 2, "sha512": 3}[hash_]
    data = digest(hash_, message)
    info = bytes.fromhex("300d0609608648016503040200")[:-1] + bytes((last,)) + b"\x05\x00"
    info = bytes((0x30, len(info) + 2 + len(data))) + info + bytes((4, len(data))) + data
    return hmac.compare_digest(found, b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info)
