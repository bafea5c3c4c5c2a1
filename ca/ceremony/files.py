"""The files a ceremony leaves: written whole or not at all, and never over something different."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from ca.ceremony.errors import CeremonyDiffers
from kms.secrets import SecretSource
from yinxin import files
from yinxin.crypto.errors import MalformedKey
from yinxin.crypto.keys import PrivateKey
from yinxin.randomness import Randomness
from yinxin.text import Text


def write_once(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Write `data` durably unless it is there already; raises CeremonyDiffers when something else is."""
    if path.exists():
        if path.read_bytes() != data:
            raise CeremonyDiffers(what=str(path))
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if secret else 0o755)
    files.replace(path, data, mode=0o600 if secret else 0o644)


def file_key(
    folder: Path, label: str, kind: str, secrets: SecretSource, randomness: Randomness
) -> PrivateKey:
    """A TLS server's key: `tls/<label>.key`, 0600, encrypted under the secret `<label>.password`.

    Of this kind and made once; raises MalformedKey when file and secret do not belong together, and what the source of
    the secret raises.
    """
    key_file = folder / "tls" / f"{label}.key"
    with secrets.ensure(
        f"{label}.password", lambda: base64.urlsafe_b64encode(randomness.token(24))
    ) as secret:
        password = secret.octets()
        if not key_file.exists():
            write_once(key_file, _sealed(PrivateKey.generate(kind), password), secret=True)
        return _opened(key_file, password)


def _sealed(key: PrivateKey, password: bytes) -> bytes:
    return serialization.load_der_private_key(key.pkcs8(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )


def _opened(path: Path, password: bytes) -> PrivateKey:
    form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password)
    except ValueError as error:
        raise MalformedKey(
            reason=Text(f"{path.name} 不能用其口令打开", f"{path.name} does not open with its password")
        ) from error
    return PrivateKey.load(key.private_bytes(*form))
