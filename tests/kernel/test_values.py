"""Errors, settings, canonical JSON, time and identifiers."""

import importlib
import json
import pickle
import pkgutil
import re
import sys
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from string import Formatter

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import Field

import apps
import audit
import authz
import ca
import kms
import ops
import yinxin
from yinxin import canonical, errors, settings
from yinxin.act import STRANGER, SYSTEM, Actor, Event, Kind, Outcome
from yinxin.clock import BadInstant, ManualClock, SystemClock, parse_rfc3339, rfc3339
from yinxin.crypto import der
from yinxin.randomness import SystemRandomness, identifier
from yinxin.statement import MalformedStatement, Statement
from yinxin.store import Instant, Sql, open_engine
from yinxin.text import Text

# --- errors ---


def everything():
    for package in (yinxin, ca, kms, authz, audit, apps, ops):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    return {code: kind for code, kind in errors.registered().items() if not code.startswith("test.")}


class Fact:
    """A plausible value of any kind: it has every attribute and takes every format."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, _attribute):
        return self

    def __getitem__(self, _key):
        return self

    def __format__(self, _specification):
        return f"<{self.name}>"


def test_every_error_speaks_both_languages_with_its_facts():
    found = everything()
    assert len(found) > 60
    for code, kind in found.items():
        names = {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(kind.zh) if name}
        error = kind(**{name: Fact(name) for name in names})
        for language in ("zh", "en"):
            text = error.text(language)
            for name in names:
                assert f"<{name}>" in text, (code, language)
        assert any("\u4e00" <= character <= "\u9fff" for character in error.text("zh")), code
        assert any("a" <= character <= "z" for character in error.text("en")), code
        assert error.text("zh") != error.text("en"), code
        assert code in str(error)


def test_codes_and_statuses_are_sane():
    for code, kind in everything().items():
        assert code.replace(".", "").replace("_", "").isalnum(), code
        assert code == code.lower(), code
        assert 400 <= kind.status <= 599, code
        assert 1 <= kind.exit <= 78, code
        assert not (kind.retryable and kind.status < 429 and kind.status != 409), code


def test_a_missing_fact_a_missing_sentence_and_a_taken_code_fail_at_once():
    with pytest.raises(TypeError, match="needs the facts"):
        settings.BadConfiguration(key="x")
    with pytest.raises(TypeError, match="no zh sentence"):
        type("NoText", (errors.Invalid,), {"code": "test.no_text"})
    with pytest.raises(TypeError, match="different facts"):
        type("Uneven", (errors.Invalid,), {"code": "test.uneven", "zh": "{a}", "en": "{b}"})
    with pytest.raises(TypeError, match="belongs to"):
        type("Thief", (errors.Invalid,), {"code": "internal", "zh": "x", "en": "x"})


def test_an_error_survives_pickling_and_speaks_of_another():
    inner = BadInstant(text="soon")
    outer = settings.BadConfiguration(key="a.b", reason=inner, source="f")
    assert inner.text("zh") in outer.text("zh")
    assert inner.text("en") in outer.text("en")
    again = pickle.loads(pickle.dumps(inner))  # noqa: S301 - our own bytes
    assert (type(again), again.facts) == (BadInstant, {"text": "soon"})


# --- settings ---


class Inner(settings.Section):
    """Inner."""

    port: int = Field(default=80, ge=1, le=65535)
    """Port."""
    names: tuple[str, ...] = ()
    """Names."""


class Outer(settings.Section):
    """Outer."""

    inner: Inner = Inner()
    """Inner."""
    name: str = "x"
    """Name."""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nmae = 'x'", "nmae"),
        ("[inner]\nprot = 1", "inner.prot"),
        ("[inner]\nport = 'http'", "inner.port"),
        ("[inner]\nport = 0", "inner.port"),
        ("[inner]\nnames = ['a', 1]", "inner.names.1"),
        ("inner = 3", "inner"),
        ("name = [", "*"),
        ("name = 1\nname = 2", "*"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path, text, key):
    file = tmp_path / "yinxin.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(settings.BadConfiguration) as caught:
        settings.load(Outer, file)
    assert caught.value.facts["key"] == key
    assert str(file) in caught.value.text("zh")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(settings.BadConfiguration, match=r"nowhere\.toml"):
        settings.load(Outer, tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(settings.BadConfiguration):
        settings.load(Outer, tmp_path / "latin.toml")


def test_overrides_win_and_are_values_or_plain_words(tmp_path):
    file = tmp_path / "yinxin.toml"
    file.write_text("name = 'file'\n[inner]\nport = 1", "utf-8")
    read = settings.load(Outer, file, ["inner.port=8080", "name=word", 'inner.names=["a","b"]'])
    assert (read.inner.port, read.name, read.inner.names) == (8080, "word", ("a", "b"))
    assert settings.load(Outer, None) == Outer()


@pytest.mark.parametrize(
    ("override", "key"),
    [("name", "name"), ("=1", "=1"), ("inner.port.x=1", "inner.port.x"), ("inner.nope=1", "inner.nope")],
)
def test_a_wrong_override_is_named(tmp_path, override, key):
    file = tmp_path / "yinxin.toml"
    file.write_text("[inner]\nport = 1", "utf-8")
    with pytest.raises(settings.BadConfiguration) as caught:
        settings.load(Outer, file, [override])
    assert caught.value.facts["key"] == key


def test_sections_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Outer().name = "y"


def test_every_setting_is_described():
    everything()
    sections = [settings.Section]
    for section in sections:
        sections += section.__subclasses__()
    for section in sections[1:]:
        ours = section.__module__ in sys.modules and not section.__module__.startswith("tests.")
        if not ours or not section.__name__.endswith("Settings"):
            continue  # others are forms of files, and described where these are
        for key, description, _ in settings.describe(section):
            assert description, f"{section.__qualname__}.{key}"


# --- canonical JSON ---

# RFC 8785, 3.2.3: sorting by UTF-16 code units
SORTED = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}


def test_the_rfcs_own_vectors():
    names = list(json.loads(canonical.encode(SORTED)))
    assert names == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    literals = {
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.encode(literals).decode() == expected
    assert canonical.encode({}) == rfc8785.dumps({}) == b"{}"
    assert canonical.decode(canonical.encode(SORTED)) == SORTED


_KEYS = st.text(max_size=6) | st.sampled_from(sorted(SORTED))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@examples(suppress_health_check=[HealthCheck.too_slow])  # on a machine that does other things as well
@given(_VALUES)
def test_the_fast_way_and_the_librarys_way_are_one(value):
    assert canonical.encode(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        {"a": [0.5]},
        [{"é": 1}, 0.5],
        {"é": 1, "z": 0.5},
        2**53,
        -(2**53),
        {1: "x"},
        b"x",
        {"a": {1, 2}},
        object(),
        "\ud800",
    ],
)
def test_what_has_no_one_spelling_is_refused(value):
    with pytest.raises(canonical.NotCanonical):
        canonical.encode(value)


def test_the_largest_integers_have_one():
    for number in (2**53 - 1, -(2**53 - 1), 0):
        assert canonical.decode(canonical.encode(number)) == number


def test_depth_is_bounded_both_ways():
    value = []
    for _ in range(canonical.MAX_DEPTH):
        value = [value]
    assert canonical.decode(canonical.encode(value)) == value
    for deep in (b"[" * 40 + b"]" * 40, b"[" * 100_000):
        with pytest.raises(canonical.NotCanonical):
            canonical.decode(deep)


def test_what_was_read_strictly_is_read_again_without():
    for value in (SORTED, {"a": [1, None, {"𠮷": True}]}, "text", 7):
        assert canonical.reread(canonical.encode(value)) == value
    with pytest.raises(ValueError, match="Expecting value"):
        canonical.reread(b"")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b' {"a":1}',
        b'{"a":1} {"b":2}',
        b'{"a":1.0}',
        b'{"a":1e0}',
        b'{"a":-0}',
        b'{"a":01}',
        b'"\\u0041"',
        b'"\\/"',
        b"NaN",
        b"Infinity",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"",
        b"{}{}",
        b'{"a":' + b"9" * 5000 + b"}",
        b'"\\ud800"',
    ],
)
def test_another_spelling_is_refused(data):
    with pytest.raises(canonical.NotCanonical):
        canonical.decode(data)


# --- time, identifiers, acts ---


def test_one_text_for_each_instant():
    at = datetime(2026, 11, 22, 17, 30, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    assert rfc3339(at) == "2026-11-22T09:30:00.000005Z"
    assert parse_rfc3339(rfc3339(at)) == at
    assert parse_rfc3339("2026-11-22T17:30:00+08:00").tzinfo is UTC
    assert parse_rfc3339("2026-11-22t09:30:00.000005z") == at
    early, late = datetime(99, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert rfc3339(early) < rfc3339(late)


class Summer(tzinfo):
    """A zone that puts its clocks back by an hour at three o'clock: the hour before is there twice."""

    def utcoffset(self, at):
        return timedelta(hours=2 - at.fold)

    def dst(self, at):
        return timedelta(hours=1 - at.fold)


def test_two_instants_that_compare_alike_are_told_apart():
    """Python compares times of one zone without their offsets. Seen to fail when the text of such a time is remembered."""
    zone = Summer()
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    assert first == second
    assert [rfc3339(first), rfc3339(second)] == ["2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"]
    assert der.instant(der.time(second)) - der.instant(der.time(first)) == timedelta(hours=1)
    stored = Sql(sa.select(sa.bindparam("at", type_=Instant())))
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        for at in (first, second, first):
            assert stored.scalars(connection, {"at": at}) == [at.astimezone(UTC)]
    engine.dispose()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T09:30:00",
        "2026-11-22",
        "soon",
        "",
        "x" * 5000,
        "2026-11-22 09:30:00+08:00",
        "20261122T093000Z",
        "2026-W47-7T09:30:00Z",
        "2026-11-22T09:30Z",
        "2026-11-22T09:30:00,5Z",
        "2026-11-22T09:30:00+0800",
        "2026-11-31T09:30:00Z",
        "0001-01-01T00:00:00+08:00",
    ],
)
def test_what_is_no_instant_of_rfc_3339_is_refused(text):
    with pytest.raises(BadInstant) as caught:
        parse_rfc3339(text)
    assert len(caught.value.facts["text"]) <= 40


def test_clocks():
    clock = ManualClock(datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now() == clock.now()
    clock.advance(timedelta(hours=-1))
    assert clock.now().hour == 23
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake
    assert SystemClock().now().tzinfo is UTC


def test_identifiers_sort_by_time_and_do_not_meet():
    clock, randomness, found = ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), SystemRandomness(), []
    for _ in range(500):
        found.append(identifier(clock, randomness))
        clock.advance(timedelta(milliseconds=1))
    assert found == sorted(found)
    assert {len(each) for each in found} == {26}
    assert len({identifier(clock, randomness) for _ in range(10_000)}) == 10_000


class Chosen:
    def token(self, size):
        return bytes(range(size))


def test_an_identifier_is_its_time_and_its_random_part():
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert identifier(clock, Chosen()) == identifier(clock, Chosen())
    number = 0
    for character in identifier(clock, Chosen()):
        number = number << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(character)
    assert number >> 80 == int(clock.now().timestamp() * 1000)
    assert (number & (1 << 80) - 1).to_bytes(10) == bytes(range(10))


def test_an_event_leaves_out_what_is_not_there():
    event = Event("e", datetime(2026, 1, 1, tzinfo=UTC), SYSTEM, "a.b", "c:d", Outcome.DONE)
    assert event.encode() == (
        b'{"actor":{"id":"system","kind":"system"},"id":"e","outcome":"done","subject":"c:d",'
        b'"time":"2026-01-01T00:00:00.000000Z","v":1,"verb":"a.b"}'
    )
    assert STRANGER.fields() == {"kind": "stranger", "id": "stranger"}


CLERK = Actor(Kind.PERSON, "p", post="clerk", organ="o")


def test_a_statement_comes_back_and_has_one_form():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    statement = Statement.of(CLERK, "document.receive", "document:1", at, {"n": 1})
    data = statement.encode()
    assert Statement.decode(data) == statement
    body = json.loads(data)
    for wrong in (
        {key: value for key, value in body.items() if key != "post"},
        body | {"more": 1},
        body | {"v": 2},
        body | {"person": 1},
        body | {"content": []},
    ):
        with pytest.raises(MalformedStatement):
            Statement.decode(canonical.encode(wrong))
    with pytest.raises(MalformedStatement):
        Statement.of(Actor(Kind.PERSON, "p"), "a.b", "c", at, {})


def test_a_label_speaks_the_readers_language():
    assert (Text("是", "yes")("zh"), Text("是", "yes")("en")) == ("是", "yes")
