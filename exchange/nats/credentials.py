"""How this site proves itself to a NATS server: what its CONNECT says, from a file that an operator put in place.

The file is one of: a credentials file as `nsc` writes it (a JWT and the seed of its key), a seed alone, `user:password`, or a
token. It is its owner's alone (mode 0600), and is read anew at each connection, so that it can be renewed in place.
"""

import os
import re
import stat
from base64 import urlsafe_b64encode
from pathlib import Path

from exchange.errors import CarrierMisconfigured
from yinxin.crypto.nkeys import sign_as_user

_LARGEST = 64 << 10
_JWT = re.compile(r"-----BEGIN NATS USER JWT-----\s*(\S+)\s*-+END NATS USER JWT-+")
_NKEY = re.compile(r"-----BEGIN USER NKEY SEED-----\s*(\S+)\s*-+END USER NKEY SEED-+")
_ALONE = re.compile(r"SU[A-Z2-7]{56}")
#: of any other kind: an account's, an operator's
_SEED = re.compile(r"S[A-Z2-7]{57}")


def answer(file: Path, nonce: str) -> dict[str, str]:
    """What CONNECT says of who connects; `nonce` is the server's. Raises CarrierMisconfigured."""
    try:
        with file.open("r", encoding="ascii") as stream:
            if (mode := stat.S_IMODE(os.fstat(stream.fileno()).st_mode)) & 0o077:
                raise CarrierMisconfigured(file=str(file), reason=f"{mode:04o}")
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
    if len(text.splitlines()) > 1 or _SEED.fullmatch(text):
        # a secret that stands here by mistake is not sent as a password or a token
        raise CarrierMisconfigured(file=str(file), reason="no user's credentials, seed, password or token")
    name, colon, password = text.partition(":")
    return {"user": name, "pass": password} if colon else {"auth_token": text}


def _signed(file: Path, seed: str, nonce: str) -> tuple[str, str]:
    """The public key as NATS writes it, and the signature over the nonce."""
    try:
        public, signature = sign_as_user(seed, nonce.encode())
    except ValueError as error:
        raise CarrierMisconfigured(file=str(file), reason=str(error)[:80]) from error
    return public, urlsafe_b64encode(signature).decode().rstrip("=")
