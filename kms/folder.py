"""What lies in the key centre's folder, and beside it in the folder of secrets."""

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
