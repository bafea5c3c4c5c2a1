"""Records with states and clocks: an application declares the life of its records, and this is how they live it."""

from yinxin.flow.clocks import ClockState
from yinxin.flow.core import Core, Delegated, Desk
from yinxin.flow.errors import (
    REFUSALS,
    DelegationUnproved,
    MovedOn,
    NoClock,
    NoSuchRecord,
    NoTimestamp,
    ReasonMissing,
    SignatureMissing,
    StaleStatement,
    WrongSigner,
    WrongState,
)
from yinxin.flow.life import Life, Transition
from yinxin.flow.models import ClockRow, Item, Signature, Step
from yinxin.flow.records import Records
from yinxin.flow.remote import RemoteCore
from yinxin.flow.sign import Proof, accept, statement
from yinxin.flow.stamp import granted, stamp

__all__ = [
    "REFUSALS",
    "ClockRow",
    "ClockState",
    "Core",
    "Delegated",
    "DelegationUnproved",
    "Desk",
    "Item",
    "Life",
    "MovedOn",
    "NoClock",
    "NoSuchRecord",
    "NoTimestamp",
    "Proof",
    "ReasonMissing",
    "Records",
    "RemoteCore",
    "Signature",
    "SignatureMissing",
    "StaleStatement",
    "Step",
    "Transition",
    "WrongSigner",
    "WrongState",
    "accept",
    "granted",
    "stamp",
    "statement",
]
