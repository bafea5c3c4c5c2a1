"""Randomness is handed in, never taken, wherever a test must be able to choose it (serials, identifiers, nonces)."""

import os
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from yinxin.clock import Clock

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
#: two characters by ten bits
_PAIRS = tuple(f"{high}{low}" for high in _CROCKFORD for low in _CROCKFORD)
#: where the pairs of the random part begin in it
_RANDOM = range(70, -1, -10)


class Randomness(Protocol):
    """Where unpredictable bytes come from."""

    def token(self, size: int) -> bytes:
        """`size` fresh bytes."""
        ...


class SystemRandomness:
    """The operating system's generator."""

    def token(self, size: int) -> bytes:
        """`size` fresh bytes."""
        return os.urandom(size)


def earliest(at: datetime) -> str:
    """Where the identifiers begin that are made from `at` on."""
    return _made(int(at.timestamp() * 1000)) + _CROCKFORD[0] * 16


def identifier(clock: Clock, randomness: Randomness) -> str:
    """A new identifier: 48 bits of milliseconds, then 80 random bits, in 26 Crockford base-32 characters.

    Sorts by time of making, so indexes stay compact; the random part cannot be guessed.
    """
    number = int.from_bytes(randomness.token(10))
    drawn = [_PAIRS[number >> shift & 1023] for shift in _RANDOM]
    return _made(int(clock.now().timestamp() * 1000)) + "".join(drawn)


@lru_cache(maxsize=16)
def _made(milliseconds: int) -> str:
    """The part that says when: what is done together is made within a few of them."""
    return "".join([_PAIRS[milliseconds >> shift & 1023] for shift in range(40, -1, -10)])
