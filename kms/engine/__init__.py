"""The one way to the security module: see README.md. Implementations are imported by their own names."""

from kms.engine.engine import (
    Engine,
    HeldKey,
    KeyReference,
    ProtectedKey,
    SharedKey,
    TokenFacts,
    TokenStanding,
)

__all__ = ["Engine", "HeldKey", "KeyReference", "ProtectedKey", "SharedKey", "TokenFacts", "TokenStanding"]
