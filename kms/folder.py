"""What lies in the key centre's folder, and beside it in the folder of secrets."""

import os
from pathlib import Path

#: names inside the key centre's folder
TOKENS = "tokens"
CONFIGURATION = "softhsm2.conf"
MIRROR = "mirror-1"
#: the public receiving key of the vault token (RSAPublicKey, DER)
VAULT_RECEIVER = "vault.receiver"
#: says that the tokens here were made as a mirror, so that a missing one is a lost one
MIRRORED = "mirrored"


def configuration_for(tokens: Path) -> bytes:
    """The SoftHSM2 configuration that keeps its tokens in `tokens`."""
    return (
        f"directories.tokendir = {tokens.absolute()}\n"
        "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
    ).encode()


#: octets: less than a few keys of a software token take
_LITTLE = 1 << 16


def has_room(folder: Path) -> bool:
    """Whether a software token in the key centre's folder could still take keys; true where there is none."""
    tokens = folder / TOKENS
    if not tokens.is_dir():
        return True
    found = os.statvfs(tokens)
    # a file system that counts no names says 0 of 0
    return found.f_bavail * found.f_frsize >= _LITTLE and (found.f_favail > 0 or not found.f_files)
