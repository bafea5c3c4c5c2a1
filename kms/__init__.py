"""密钥管理中心 The key centre: see README.md for what it promises."""

from kms.info import KeyInfo
from kms.models import Purpose
from kms.service import KeyCentre
from kms.settings import KmsSettings
from kms.sign import KeySigner

__all__ = ["KeyCentre", "KeyInfo", "KeySigner", "KmsSettings", "Purpose"]
