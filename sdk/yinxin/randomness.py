"""Randomness is handed in, never taken, wherever a test must be able to choose it (serials, identifiers, nonces)."""

import secrets
from datetime import datetime
from typing import Protocol

from yinxin.clock import Clock

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
#: two characters by ten bits
_PAIRS = tuple(f"{high}{low}" for high in _CROCKFORD for low in _CROCKFORD)


class Randomness(Protocol):
    """Where unpredictable bytes come from."""

    def token(self, size: int) -> bytes:
        """`size` fresh bytes."""
        ...


class SystemRandomness:
    """The operating system's generator."""

    def token(self, size: int) -> bytes:
        """`size` fresh bytes."""
        return secrets.token_bytes(size)


def earliest(at: datetime) -> str:
    """Where the identifiers begin that are made from `at` on."""
    return _written(int(at.timestamp() * 1000) << 80)


def identifier(clock: Clock, randomness: Randomness) -> str:
    """A new identifier: 48 bits of milliseconds, then 80 random bits, in 26 Crockford base-32 characters.

    Sorts by time of making, so indexes stay compact; the random part cannot be guessed.
    """
    return _written(int(clock.now().timestamp() * 1000) << 80 | int.from_bytes(randomness.token(10)))


def _written(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
