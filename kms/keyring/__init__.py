"""服务密钥 Named keys that systems use without holding them: see README.md for what it promises."""

from kms.keyring.create import ServiceKeyRequest
from kms.keyring.key import ServiceKey, Version
from kms.keyring.service import Keyring
from kms.keyring.use import USES, Item, Result

__all__ = ["USES", "Item", "Keyring", "Result", "ServiceKey", "ServiceKeyRequest", "Version"]
