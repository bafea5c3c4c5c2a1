"""Encryption keys of people and organs, kept for them: see README.md for what it promises."""

from kms.escrow.keys import ALGORITHMS, UserKey, encryption_algorithm
from kms.escrow.models import Standing, Why
from kms.escrow.recovery import Enveloper, Recipient
from kms.escrow.service import Escrow

__all__ = [
    "ALGORITHMS",
    "Enveloper",
    "Escrow",
    "Recipient",
    "Standing",
    "UserKey",
    "Why",
    "encryption_algorithm",
]
