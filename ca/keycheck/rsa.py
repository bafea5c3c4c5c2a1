"""RSA keys that can be factored: what public arithmetic finds in microseconds, no more.

A key that passes is not proved good; each test finds the product of a known mistake in somebody's key generator.
"""

from functools import cache
from math import gcd, isqrt, prod

from ca.errors import CloseFactors, FactorKnown, RocaKey, UnfitExponent

#: an exponent below is open to attacks on short paddings (NIST SP 800-56B 6.2); from 2^256 only verifiers suffer
EXPONENTS = range(65537, 1 << 256)
#: primes below this bound must not divide a modulus; a good one has none of them
FACTORS_BELOW = 1 << 13
#: steps of Fermat's method: they find factors that differ by less than about 2^5 · n^(1/4), the mistake of
#: generators that search the second prime from the first on
FERMAT_STEPS = 128
#: what squares leave modulo 64, 63 and 65: a number that leaves anything else need not have its root taken
_SQUARES = tuple((m, frozenset(i * i % m for i in range(m))) for m in (64, 63, 65))
_SQUARES_MODULUS = 64 * 63 * 65
#: the library of CVE-2017-15361 made primes k·M + (65537^a mod M), M the product of these primes
_ROCA_PRIMES_TO = 167
_ROCA_GENERATOR = 65537


def check_rsa(modulus: int, exponent: int) -> None:
    """Raises UnfitExponent, FactorKnown, RocaKey or CloseFactors."""
    if exponent not in EXPONENTS or exponent % 2 == 0:
        shown = str(exponent) if exponent.bit_length() <= 64 else f"2^{exponent.bit_length() - 1}…"
        raise UnfitExponent(exponent=shown)
    _no_small_factor(modulus)
    _not_roca(modulus)
    _factors_apart(modulus)


def _no_small_factor(modulus: int) -> None:
    common = gcd(modulus, _primorial() % modulus)
    if common > 1:
        raise FactorKnown(factor=next(each for each in _primes(FACTORS_BELOW) if common % each == 0))


def _not_roca(modulus: int) -> None:
    """The fingerprint: modulo every one of these primes, such a modulus is a power of 65537.

    A modulus of another make passes all of them by chance once in about 10^8 keys (the product of the subgroups'
    shares); it is refused too, and its holder makes another.
    """
    rest = modulus % _roca_modulus()
    if all(powers >> rest % prime & 1 for prime, powers in _roca_table()):
        raise RocaKey


def _factors_apart(modulus: int) -> None:
    """Fermat: n = a² - b², with a from the root of n upwards."""
    a = isqrt(modulus - 1) + 1
    difference = a * a - modulus
    for _ in range(FERMAT_STEPS):
        rest = difference % _SQUARES_MODULUS
        if all(rest % m in squares for m, squares in _SQUARES):
            root = isqrt(difference)
            if root * root == difference:
                raise CloseFactors(steps=FERMAT_STEPS)
        difference += 2 * a + 1
        a += 1


@cache
def _primes(below: int) -> tuple[int, ...]:
    sieve = bytearray([1]) * below
    sieve[:2] = b"\0\0"
    for n in range(2, isqrt(below) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, below, n)))
    return tuple(n for n, is_prime in enumerate(sieve) if is_prime)


@cache
def _primorial() -> int:
    return prod(_primes(FACTORS_BELOW))


@cache
def _roca_modulus() -> int:
    return prod(prime for prime, _ in _roca_table())


@cache
def _roca_table() -> tuple[tuple[int, int], ...]:
    """(prime, bit set of the powers of 65537 modulo it), for the primes where those are not all residues."""
    table = []
    for prime in _primes(_ROCA_PRIMES_TO + 1):
        powers, element = 0, 1
        while not powers >> element & 1:
            powers |= 1 << element
            element = element * _ROCA_GENERATOR % prime
        if powers.bit_count() < prime - 1:
            table.append((prime, powers))
    return tuple(table)
