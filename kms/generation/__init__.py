"""Generations of the key that wraps all others: see README.md for what it promises."""

from kms.generation.held import Held, in_context
from kms.generation.service import Generation, Generations

__all__ = ["Generation", "Generations", "Held", "in_context"]
