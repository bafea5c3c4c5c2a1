"""Settings of the key centre. None of them is a secret: the PIN stands in a file of its own."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from kms.kmip.settings import KmipSettings
from kms.models import EncryptionAlgorithm
from yinxin.faults import BadValue
from yinxin.settings import Section

#: the services that the key centre and whoever calls it are: holders of their certificates, and names of their files
CENTRE, CALLER = "key-centre", "key-centre-caller"


class MirrorSettings(Section):
    """The second token of a mirror."""

    library: str = ""
    """Path of its PKCS#11 library; empty for SoftHSM2, and then the token is made beside the first."""
    token: str = Field(default="yinxin-2", min_length=1, max_length=32)
    """Label of the token."""
    serial: str = Field(default="", max_length=16)
    """Serial number of the token, where several have its label."""
    pin_file: str = ""
    """File with its user PIN, mode 0600; empty for the file `hsm-pin-1` in the data directory's secrets."""


class KmsSettings(Section):
    """The key centre."""

    library: str = ""
    """Path of the security module's PKCS#11 library; empty for SoftHSM2 in its usual places."""
    token: str = Field(default="yinxin", min_length=1, max_length=32)
    """Label of the token, at most 32 characters (PKCS#11)."""
    serial: str = Field(default="", max_length=16)
    """Serial number of the token, where several have its label (PKCS#11)."""
    signatures: Literal["verified", "trusted"] = "verified"
    """Whether what the token signs is `verified` here before it is released, or `trusted` where the token says that it signs in hardware (CKF_HW), because its maker and its certification answer for it; what is signed beside the token, or by a mirror, is always verified."""
    processes: int = Field(default=0, ge=0, le=64)
    """Processes that use the token at the same time; 0 uses it in this one, one call after the other."""
    deadline: float = Field(default=30, ge=0.1, le=600)
    """Seconds that a call to the token may take; ten times as many for making a key."""
    mirror: tuple[MirrorSettings, ...] = Field(default=(), max_length=1)
    """A second token that holds the same keys and takes over when the first fails; to be set before the first key is made."""
    pin_file: str = ""
    """File with the token's user PIN, mode 0600, where it comes from a file; empty for `hsm-pin` in the data directory's secrets."""
    kek: str = Field(default="kek-1", min_length=1, max_length=64)
    """Label of the first AES key that wraps the keys the module cannot hold; made when first needed, and followed by its next generations (`yinxin kms rotate`)."""
    address: str = Field(default="", pattern=r"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})?$")
    """Where the key centre is a process of its own (`host:port`, on loopback or an internal network), which serves there and is called there; empty uses the token in every process."""
    callers: tuple[str, ...] = (CALLER,)
    """Services whose certificates may call the key centre: the holders of certificates that `yinxin kms-services` issued and pinned."""
    patience: float = Field(default=20, ge=0, le=600)
    """Seconds that a call waits while the key centre is restarted."""
    pool: dict[EncryptionAlgorithm, int] = {"ecdsa-p256": 20, "sm2": 20}  # noqa: RUF012 - pydantic copies defaults
    """Encryption keys made ahead, by algorithm, so that nobody waits for one."""
    pool_low: dict[EncryptionAlgorithm, int] = {}  # noqa: RUF012 - pydantic copies defaults
    """Below so many the state of the key centre says that there are too few; a quarter of `kms.pool` where nothing is said."""
    history_years: int = Field(default=10, ge=5, le=100)
    """Years that an encryption key is kept at least, from the end of its certificate on (电子签名法 第二十四条: no fewer than five)."""
    recovery_approvals: int = Field(default=2, ge=2, le=9)
    """People in distinct posts who must approve the recovery of an encryption key, whoever asks not counted."""
    judicial_approvals: int = Field(default=3, ge=2, le=9)
    """The same for a recovery by judicial order, of which the holder may not know."""
    judicial_withheld_days: int = Field(default=365, ge=1, le=3650)
    """Days for which a recovery by judicial order may be kept from the holder at most; a later order may go on from there."""
    recovery_hours: int = Field(default=168, ge=1, le=2160)
    """Time in which a recovery must be approved and delivered."""

    keyring_encryptions: int = Field(default=2**31, ge=1, le=2**32)
    """Encryptions that one version of a service key may make: random nonces bear 2^32 (NIST SP 800-38D 8.3), half of it is margin."""

    keyring_destruction_days: int = Field(default=30, ge=1, le=365)
    """Days between the decision to destroy a service key and its destruction; out of use meanwhile, and called off by one officer."""

    kmip: KmipSettings = KmipSettings()
    holder_attempts: int = Field(default=5, ge=1, le=15)
    """Tries in a row at the PIN of a person's signing key, and as many at its passkey, after which that way is locked for good."""
    holder_pin_least: int = Field(default=8, ge=6, le=64)
    """Characters that the PIN of a person's signing key has at least."""
    holder_work: int = Field(default=16, ge=14, le=20)
    """What deriving a key from a PIN costs: the binary logarithm of scrypt's N (RFC 7914); 16 takes 64 MiB of memory. For new PINs; each keeps its own."""

    @field_validator("pool", "pool_low")
    @classmethod
    def _levels(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= level <= 100_000 for level in value.values()):
            raise BadValue("每种算法 0 至 100000 个", "0 to 100000 of each algorithm")
        return value

    @property
    def keep(self) -> timedelta:
        """How long a key of the history is kept at least."""
        return timedelta(days=-(-self.history_years * 1461 // 4))


def member_settings(settings: KmsSettings, mirror: MirrorSettings) -> KmsSettings:
    """The settings of the second token as if it were the only one."""
    other = {
        "library": mirror.library,
        "token": mirror.token,
        "serial": mirror.serial,
        "mirror": (),
    }
    return settings.model_copy(update=other)
