"""Pairs of certificates, one to sign with and one to encrypt to: see README.md for what it promises."""

from ca.pair.envelope import Dialect
from ca.pair.issue import PairRequest
from ca.pair.service import Pair, Pairs

__all__ = ["Dialect", "Pair", "PairRequest", "Pairs"]
