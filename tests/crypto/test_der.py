from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from yinxin.crypto import der
from yinxin.crypto.errors import MalformedDer


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_are_written_as_asn1crypto_writes_them(value: int):
    encoded = der.integer(value)
    assert encoded == core.Integer(value).dump()
    assert der.number(encoded) == value
    der.check(encoded)


@given(st.sets(st.integers(0, 30), max_size=9))
def test_named_bits_have_no_trailing_zeros(positions: set[int]):
    encoded = der.named_bits(positions)
    der.check(encoded)
    octets = der.content(encoded)[1:]
    read = {8 * i + b for i, octet in enumerate(octets) for b in range(8) if octet >> (7 - b) & 1}
    assert read == positions
    assert not octets or octets[-1]


@pytest.mark.parametrize(
    "dotted", ["2.5.29.15", "1.2.156.10197.1.501", "0.9.2342.19200300.100.1.1", "2.999.3", "1.3.101.112"]
)
def test_object_identifiers(dotted: str):
    encoded = der.oid(dotted)
    assert encoded == core.ObjectIdentifier(dotted).dump()
    assert der.dotted(encoded) == dotted


@given(st.binary(max_size=300))
def test_lengths_are_minimal(value: bytes):
    encoded = der.octets(value)
    assert encoded == core.OctetString(value).dump()
    assert der.content(encoded) == value


def test_long_lengths():
    value = bytes(70_000)
    assert der.octets(value) == core.OctetString(value).dump()
    der.check(der.octets(value))


@given(st.datetimes(datetime(1950, 1, 1), datetime(2149, 1, 1)))  # noqa: DTZ001 -- made aware below
def test_times_change_form_in_2050(at: datetime):
    at = at.replace(tzinfo=UTC, microsecond=0)
    encoded = der.time(at)
    assert (encoded[0] == der.UTC_TIME) == (at.year < 2050)
    assert der.instant(encoded) == at


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "20261122080000Z"),
        (250_000, "20261122080000.25Z"),
        (1_999, "20261122080000.001Z"),
        (999, "20261122080000Z"),
    ],
)
def test_fractions_carry_no_trailing_zeros(micros: int, text: str):
    at = datetime(2026, 11, 22, 8, tzinfo=UTC, microsecond=micros)
    encoded = der.generalized(at, fraction=True)
    assert der.content(encoded).decode() == text
    assert der.instant(encoded) == at.replace(microsecond=micros // 1000 * 1000)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "nothing"),
        ("30", "no length"),
        ("3003020101aa", "bytes after the object"),
        ("30800000", "indefinite length"),
        ("308103020101", "length not minimal"),
        ("30820003020101", "length with a leading zero"),
        ("3004020101", "cut off"),
        ("30030202 01", "child overruns its parent"),
        ("02020001", "padded integer"),
        ("0202ff80", "padded negative integer"),
        ("0200", "empty integer"),
        ("010101", "boolean neither 00 nor ff"),
        ("050100", "null with content"),
        ("0300", "bit string without its first octet"),
        ("03020801", "more than seven unused bits"),
        ("03020101", "unused bits set"),
        ("2403040100", "constructed octet string"),
        ("1f8101020101", "multi-byte tag"),
        ("06022a80", "object identifier cut off"),
        ("1000", "primitive sequence"),
    ],
)
def test_what_is_not_der_is_refused(data: str, why: str):
    with pytest.raises(MalformedDer):
        der.check(bytes.fromhex(data))


def test_deep_nesting_is_refused_before_the_stack_ends():
    data = der.null()
    for _ in range(5000):
        data = der.sequence(data)
    with pytest.raises(MalformedDer):
        der.check(data)


@pytest.mark.parametrize(
    "text", ["260230080000Z", "2611220800Z", "261122080000+0800", "20261122080000.10Z", "261122080060Z"]
)
def test_times_that_are_no_times_are_refused(text: str):
    tag = der.UTC_TIME if len(text) < 18 and "." not in text else der.GENERALIZED_TIME
    with pytest.raises(MalformedDer):
        der.instant(der.tlv(tag, text.encode()))


@given(st.binary(max_size=60))
def test_any_octets_are_either_der_or_refused(data: bytes):
    try:
        der.check(data)
    except MalformedDer:
        return
    _, _, end = der.header(data)
    assert end == len(data)
