"""Settings of the key centre. None of them is a secret: the PIN stands in a file of its own."""

from typing import Literal

from pydantic import Field, field_validator

from yinxin.faults import BadValue
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
    pool: dict[Literal["ecdsa-p256", "sm2"], int] = {"ecdsa-p256": 20, "sm2": 20}  # noqa: RUF012 - pydantic copies defaults
    """Encryption keys made ahead, by algorithm, so that nobody waits for one."""
    recovery_approvals: int = Field(default=2, ge=2, le=9)
    """People in distinct posts who must approve the recovery of an encryption key, whoever asks not counted."""
    recovery_hours: int = Field(default=168, ge=1, le=2160)
    """Time in which a recovery must be approved and delivered."""

    @field_validator("pool")
    @classmethod
    def _levels(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= level <= 100_000 for level in value.values()):
            raise BadValue("每种算法 0 至 100000 个", "0 to 100000 of each algorithm")
        return value
