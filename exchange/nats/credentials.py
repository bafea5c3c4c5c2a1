"""How this site proves itself to a NATS server: what its CONNECT says, from a file that an operator put in place.

The file is one of: a credentials file as `nsc` writes it (a JWT and the seed of its key), a seed alone, `user:password`, or a
token. It is read anew at each connection, so that it can be renewed in place.
"""

import re
from base64 import b32decode, b32encode, urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.errors import CarrierMisconfigured

#: first octets of a seed: that it is one, and of what sort (github.com/nats-io/nkeys, `PrefixByteSeed`, `PrefixByteUser`)
_SEED, _USER = 18 << 3, 20 << 3
_SIZE, _LARGEST = 32, 64 << 10
_JWT = re.compile(r"-----BEGIN NATS USER JWT-----\s*(\S+)\s*-+END NATS USER JWT-+")
_NKEY = re.compile(r"-----BEGIN USER NKEY SEED-----\s*(\S+)\s*-+END USER NKEY SEED-+")
_ALONE = re.compile(r"SU[A-Z2-7]{56}")


def answer(file: Path, nonce: str) -> dict[str, str]:
    """What CONNECT says of who connects; `nonce` is the server's. Raises CarrierMisconfigured."""
    try:
        with file.open("r", encoding="ascii") as stream:
            text = stream.read(_LARGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CarrierMisconfigured(file=str(file), reason=type(error).__name__) from error
    if not text:
        raise CarrierMisconfigured(file=str(file), reason="empty")
    if (jwt := _JWT.search(text)) is not None:
        seed = _NKEY.search(text)
        if seed is None:
            raise CarrierMisconfigured(file=str(file), reason="a JWT without a seed")
        return {"jwt": jwt[1], "sig": _signed(file, seed[1], nonce)[1]}
    if _ALONE.fullmatch(text):
        public, signature = _signed(file, text, nonce)
        return {"nkey": public, "sig": signature}
    name, colon, password = text.partition(":")
    return {"user": name, "pass": password} if colon else {"auth_token": text}


def _signed(file: Path, seed: str, nonce: str) -> tuple[str, str]:
    """The public key as NATS writes it, and the signature over the nonce."""
    try:
        raw = b32decode(seed + "=" * (-len(seed) % 8))
    except ValueError as error:
        raise CarrierMisconfigured(file=str(file), reason="a seed that is no base 32") from error
    kind = (raw[0] & 7) << 5 | raw[1] >> 3 if len(raw) == _SIZE + 4 else -1
    if kind != _USER or raw[0] & 0xF8 != _SEED or _crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise CarrierMisconfigured(file=str(file), reason="no seed of a user")
    key = Ed25519PrivateKey.from_private_bytes(raw[2:-2])
    public = bytes((_USER,)) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public += _crc16(public).to_bytes(2, "little")
    return b32encode(public).decode().rstrip("="), urlsafe_b64encode(
        key.sign(nonce.encode())
    ).decode().rstrip("=")


def _crc16(data: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for each in data:
        crc ^= each << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
