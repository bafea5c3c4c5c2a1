"""Keys of NATS (github.com/nats-io/nkeys): an Ed25519 key whose seed and public key are spelt in base 32 with what sort they are and a checksum."""

from base64 import b32decode, b32encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: first octets of a seed: that it is one, and of what sort (`PrefixByteSeed`, `PrefixByteUser`)
_SEED, _USER = 18 << 3, 20 << 3
_SIZE = 32


def sign_as_user(seed: str, message: bytes) -> tuple[str, bytes]:
    """The public key of a user's seed as NATS spells it, and its signature over the message; raises ValueError for no such seed."""
    raw = b32decode(seed + "=" * (-len(seed) % 8))
    if len(raw) != _SIZE + 4 or _checksum(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise ValueError("no seed")
    if raw[0] & 0xF8 != _SEED or (raw[0] & 7) << 5 | raw[1] >> 3 != _USER:
        raise ValueError("no seed of a user")
    key = Ed25519PrivateKey.from_private_bytes(raw[2:-2])
    return _spelt(bytes((_USER,)) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)), key.sign(
        message
    )


def user(secret: bytes) -> tuple[str, str]:
    """Seed and public key, as NATS spells them, of a user with this Ed25519 key, 32 octets; raises ValueError."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    seed = bytes((_SEED | _USER >> 5, (_USER & 31) << 3)) + secret
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _spelt(seed), _spelt(bytes((_USER,)) + public)


def _spelt(data: bytes) -> str:
    return b32encode(data + _checksum(data).to_bytes(2, "little")).decode().rstrip("=")


def _checksum(data: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for each in data:
        crc ^= each << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
