"""个人签名密钥 Signing keys of people, kept here under their holders' sole control: see README.md for what it promises."""

from kms.holder.key import HolderKey
from kms.holder.lock import Unlock
from kms.holder.service import HolderKeys
from kms.holder.sign import Signing

__all__ = ["HolderKey", "HolderKeys", "Signing", "Unlock"]
