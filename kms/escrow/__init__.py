"""Encryption keys of people and organs, kept for them: see README.md for what it promises."""

from kms.escrow.keys import ALGORITHMS, UserKey
from kms.escrow.models import Standing
from kms.escrow.recovery import Basis, Enveloper, RecoveryContent
from kms.escrow.service import Escrow

__all__ = ["ALGORITHMS", "Basis", "Enveloper", "Escrow", "RecoveryContent", "Standing", "UserKey"]
