"""National electronic seals: made, read and verified (GB/T 38540-2020, GM/T 0031-2014, GM/T 0031-2025)."""

from yinxin.crypto.seal import signature, standing
from yinxin.crypto.seal.errors import (
    MalformedSeal,
    NotASealUser,
    SealEnded,
    SealInvalid,
    SealMakerUntrusted,
    SealNotInForce,
    SealTimeUnproved,
    SealUserUntrusted,
)
from yinxin.crypto.seal.form import Kind, Picture, Seal, Version, read
from yinxin.crypto.seal.make import make
from yinxin.crypto.seal.signature import Sealed, SealSignature
from yinxin.crypto.seal.verify import Known, verify

__all__ = [
    "Kind",
    "Known",
    "MalformedSeal",
    "NotASealUser",
    "Picture",
    "Seal",
    "SealEnded",
    "SealInvalid",
    "SealMakerUntrusted",
    "SealNotInForce",
    "SealSignature",
    "SealTimeUnproved",
    "SealUserUntrusted",
    "Sealed",
    "Version",
    "make",
    "read",
    "signature",
    "standing",
    "verify",
]
