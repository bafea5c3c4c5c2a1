"""Witnesses: those that cosign this site's log, and this site as a witness of other sites' logs."""

from audit.witness.cosigner import Cosigner
from audit.witness.errors import (
    CosignatureBroken,
    LogContradicted,
    LogNotWitnessed,
    NeverCosigned,
    NotContinued,
    NotSignedByLog,
    SizeMoved,
    WitnessRolledBack,
)
from audit.witness.witnesses import Witnesses

__all__ = [
    "CosignatureBroken",
    "Cosigner",
    "LogContradicted",
    "LogNotWitnessed",
    "NeverCosigned",
    "NotContinued",
    "NotSignedByLog",
    "SizeMoved",
    "WitnessRolledBack",
    "Witnesses",
]
