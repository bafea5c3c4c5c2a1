"""Settings of the key centre. None of them is a secret: the PIN stands in a file of its own."""

from pydantic import Field

from yinxin.settings import Section


class KmsSettings(Section):
    """The key centre."""

    library: str = ""
    """Path of the security module's PKCS#11 library; empty for SoftHSM2 in its usual places."""
    token: str = Field(default="yinxin", min_length=1, max_length=32)
    """Label of the token, at most 32 characters (PKCS#11)."""
    pin_file: str = ""
    """File with the token's user PIN, mode 0600; empty for the file `hsm-pin` in the data directory's secrets."""
    kek: str = Field(default="kek-1", min_length=1, max_length=64)
    """Label of the AES key that wraps the keys the module cannot hold; made when first needed."""
