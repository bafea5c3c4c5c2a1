"""密钥管理中心 The key centre: see README.md for what it promises.

Its names are imported when they are asked for: the processes that hold a token (`kms.engine.worker`) need none of them,
and no database.
"""

from typing import TYPE_CHECKING, Any

from yinxin.module import imported

if TYPE_CHECKING:
    from kms.info import KeyInfo
    from kms.models import Purpose
    from kms.service import KeyCentre
    from kms.settings import KmsSettings
    from kms.sign import KeySigner

__all__ = ["KeyCentre", "KeyInfo", "KeySigner", "KmsSettings", "Purpose"]

_PLACES = {
    "KeyCentre": "kms.service",
    "KeyInfo": "kms.info",
    "KeySigner": "kms.sign",
    "KmsSettings": "kms.settings",
    "Purpose": "kms.models",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return imported(f"{_PLACES[name]}:{name}")
