"""The separation of powers proved of the policies themselves, exhaustively over a small scope, and what a change does."""

from authz.proof.difference import Difference, differences
from authz.proof.prove import Proof, Violation, prove, require_separation
from authz.proof.theorems import THEOREMS, Theorem

__all__ = [
    "THEOREMS",
    "Difference",
    "Proof",
    "Theorem",
    "Violation",
    "differences",
    "prove",
    "require_separation",
]
