"""Distribution with receipts over the tree of organs: one object, many recipients, each answering for its copy."""

from yinxin.distribution.carrier import Carrier, Key, NoOtherSites, Pack, Parcel, Report, Reported
from yinxin.distribution.choose import Recipient, below, demand_below, recipients
from yinxin.distribution.distribution import Distribution, arrive
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
from yinxin.distribution.platform import carry, hear, learn, recount
from yinxin.distribution.rest import Turns, longest, rested

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
    "Reported",
    "Role",
    "State",
    "ToBeGivenBack",
    "Turns",
    "UrgedEnough",
    "arrive",
    "below",
    "carry",
    "demand_below",
    "hear",
    "learn",
    "longest",
    "recipients",
    "recount",
    "rested",
]
