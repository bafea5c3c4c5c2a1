"""Distribution with receipts over the tree of organs: one object, many recipients, each answering for its copy."""

from yinxin.distribution.carrier import Carrier, Key, NoOtherSites, Pack, Parcel, Report
from yinxin.distribution.choose import Recipient, below, demand_below, recipients
from yinxin.distribution.distribution import Distribution
from yinxin.distribution.errors import (
    AlreadyAnswered,
    NobodyNew,
    NotARecipient,
    NotBelow,
    NothingOpen,
    NotReceived,
    RecipientTwice,
    ToBeGivenBack,
    UrgedEnough,
)
from yinxin.distribution.models import HELD, OPEN, Copy, Receipt, Role, State
from yinxin.distribution.platform import carry, learn, recount

__all__ = [
    "HELD",
    "OPEN",
    "AlreadyAnswered",
    "Carrier",
    "Copy",
    "Distribution",
    "Key",
    "NoOtherSites",
    "NobodyNew",
    "NotARecipient",
    "NotBelow",
    "NotReceived",
    "NothingOpen",
    "Pack",
    "Parcel",
    "Receipt",
    "Recipient",
    "RecipientTwice",
    "Report",
    "Role",
    "State",
    "ToBeGivenBack",
    "UrgedEnough",
    "below",
    "carry",
    "demand_below",
    "learn",
    "recipients",
    "recount",
]
