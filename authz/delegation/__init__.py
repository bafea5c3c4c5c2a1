"""Delegations 授权代行: the holder of a post lets somebody act in it for a while, by a statement she signs."""

from authz.delegation.delegations import Delegation, Delegations
from authz.delegation.wish import Wish

__all__ = ["Delegation", "Delegations", "Wish"]
