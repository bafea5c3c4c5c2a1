"""KMIP's messages: the codec against PyKMIP's, batches, attributes, and hostile octets, of which none does any harm.

Seen to fail when: a length is not held to what is there; padding is not looked at; an item's room is not kept for it.
"""

import logging
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms.kmip import fields, message
from kms.kmip.errors import KmipInvalidMessage
from kms.kmip.fields import Fields
from kms.kmip.listener import LARGEST
from kms.kmip.ttlv import Item, Type, decode, encode, size
from kms.kmip.words import Operation, Reason, State, Status, Tag
from tests.support.pykmip import enums, messages, utils
from yinxin.act import SYSTEM

from .conftest import World
from .kmip_site import Site, aes, attribute, made, named, outcomes, payload, request, uid

pytestmark = pytest.mark.engines("any")
CREATE, REGISTER, LOCATE, GET = 1, 3, 8, 0xA
ATTRIBUTES, LIST, ADD, MODIFY, DELETE = 0xB, 0xC, 0xD, 0xE, 0xF
ACTIVATE, REVOKE, DESTROY, QUERY, VERSIONS, RANDOM = 0x12, 0x13, 0x14, 0x18, 0x1E, 0x25
OK = (Status.SUCCESS, None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("kmip")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOFTHSM2_CONF", raising=False)
        world = World(f"sqlite:///{folder / 'test.sqlite'}", folder)
        world.centre.initialise(SYSTEM)
        made_ = Site(world, folder)
        yield made_
        made_.listener.close()
        world.close()


def failed(reason: Reason) -> tuple[int, int]:
    return Status.FAILED, reason


# --- the codec ---

LEAVES = st.one_of(
    st.tuples(st.just(Type.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(Type.LONG), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(Type.BIG), st.integers(-(2**200), 2**200)),
    st.tuples(st.just(Type.ENUMERATION), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(Type.BOOLEAN), st.booleans()),
    st.tuples(st.just(Type.TEXT), st.text(st.characters(exclude_characters="\0", codec="utf-8"))),
    st.tuples(st.just(Type.OCTETS), st.binary(max_size=50)),
    st.tuples(st.just(Type.INSTANT), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(Type.INTERVAL), st.integers(0, 2**32 - 1)),
)
TAGS = st.integers(0x420001, 0x42FFFF)
ITEMS = st.recursive(
    st.builds(lambda tag, leaf: Item(tag, *leaf), TAGS, LEAVES),
    lambda inner: st.builds(fields.many, TAGS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(ITEMS)
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read(item: Item) -> None:
    octets = bytes(encode(item))
    assert len(octets) == size(item)
    assert len(octets) % 8 == 0
    assert decode(octets) == item


@given(st.binary(max_size=120) | st.builds(lambda end: b"\x42\x00\x78\x01" + end, st.binary(max_size=60)))
@settings(max_examples=300, deadline=None)
def test_octets_are_read_as_they_would_be_written_or_not_at_all(octets: bytes) -> None:
    try:
        item = decode(octets)
    except KmipInvalidMessage:
        return
    if not any(each.type is Type.BIG for each in _all(item)):  # of a big number there are longer spellings
        assert bytes(encode(item)) == octets


def _all(item: Item) -> list[Item]:
    return (
        [item, *(each for part in item.value for each in _all(part))]
        if item.type is Type.STRUCTURE
        else [item]
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x42\x00\x78\x01\x00\x00\x00",
        bytes.fromhex("4200780100000008"),
        bytes.fromhex("42007801ffffffff"),
        bytes.fromhex("4200020200000004000000010000000100"),
        bytes.fromhex("42000202000000040000000100000001"),
        bytes.fromhex("42000206000000080000000000000002"),
        bytes.fromhex("42000207000000020041000000000000") + b"x",
        bytes.fromhex("4200020700000002ff41000000000000"),
        bytes.fromhex("42000207000000024100000000000000"),
        bytes.fromhex("4200020b0000000000"),
        bytes.fromhex("43000202000000040000000100000000"),
        bytes.fromhex("4200020400000000"),
        bytes(encode(Item(0x420002, Type.STRUCTURE, ()))) * 2,
    ],
    ids=lambda octets: octets.hex() or "nothing",
)
def test_octets_that_are_no_message(octets: bytes) -> None:
    with pytest.raises(KmipInvalidMessage):
        decode(octets)


def test_structures_nest_so_deep_and_no_deeper() -> None:
    item = Item(0x420001, Type.INTEGER, 1)
    for _ in range(12):
        item = fields.many(0x420001, [item])
    assert decode(bytes(encode(item))) == item
    with pytest.raises(KmipInvalidMessage):
        decode(bytes(encode(fields.many(0x420001, [item]))))
    # thousands of them within each other
    octets = b""
    for _ in range(4000):
        octets = b"\x42\x00\x01\x01" + len(octets).to_bytes(4, "big") + octets
    with pytest.raises(KmipInvalidMessage):
        decode(octets)


def test_another_implementation_reads_our_requests(site: Site) -> None:
    read = messages.RequestMessage()
    read.read(utils.BytearrayStream(request((CREATE, aes(named("x"))), (GET, []))))
    assert [each.operation.value for each in read.batch_items] == [
        enums.Operation.CREATE,
        enums.Operation.GET,
    ]


# --- batches ---


def test_a_batch_goes_on_with_what_it_has_made(site: Site) -> None:
    answer = site.ask((CREATE, aes(named("batch"))), (ACTIVATE, []), (GET, []), (ATTRIBUTES, []))
    assert outcomes(answer) == [OK] * 4
    assert made(answer, 0) == made(answer, 2)
    state = next(each for each in payload(answer, 3).items(Tag.ATTRIBUTE) if each.value[0].value == "State")
    assert state.value[-1].value == State.ACTIVE


def test_a_batch_stops_or_goes_on(site: Site) -> None:
    items = ((GET, [uid("0" * 26)]), (QUERY, [fields.choice(Tag.QUERY_FUNCTION, 1)]))
    assert outcomes(site.ask(*items)) == [failed(Reason.ITEM_NOT_FOUND)]
    assert outcomes(site.ask(*items, option=2)) == [failed(Reason.ITEM_NOT_FOUND)]
    assert outcomes(site.ask(*items, option=1)) == [failed(Reason.ITEM_NOT_FOUND), OK]
    assert outcomes(site.ask(*items, option=3)) == [failed(Reason.FEATURE_NOT_SUPPORTED)]
    assert outcomes(site.ask(*items, count=3)) == [failed(Reason.INVALID_MESSAGE)]


def test_an_answer_is_no_larger_than_the_client_takes(site: Site) -> None:
    """What would not fit is not done: a key of which nobody heard would lie here for ever."""
    before = site.rows()
    assert outcomes(site.ask((CREATE, aes()), most=256)) == [failed(Reason.RESPONSE_TOO_LARGE)]
    assert outcomes(site.ask((CREATE, aes()), (CREATE, aes()), most=1024)) == [
        failed(Reason.RESPONSE_TOO_LARGE)
    ]
    assert site.rows() == before
    site.ask(*[(CREATE, aes())] * 30)
    assert outcomes(site.ask((LOCATE, []), most=900)) == [failed(Reason.RESPONSE_TOO_LARGE)]
    assert outcomes(site.ask((LOCATE, [fields.number(Tag.MAXIMUM_ITEMS, 3)]), most=900)) == [OK]


@pytest.mark.parametrize("version", [(0, 0), (1, 3), (1, -1), (2, 0)])
def test_versions_that_are_not_spoken(site: Site, version: tuple[int, int]) -> None:
    assert outcomes(site.ask((VERSIONS, []), version=version)) == [failed(Reason.INVALID_MESSAGE)]


def test_what_the_server_says_of_itself(site: Site) -> None:
    told = payload(site.ask((VERSIONS, []), version=(1, 0))).items(Tag.PROTOCOL_VERSION)
    assert [message.version_of(each) for each in told] == [(1, 2), (1, 1), (1, 0)]
    asked = [message.version_item(each) for each in ((1, 1), (1, 4))]
    told = payload(site.ask((VERSIONS, asked))).items(Tag.PROTOCOL_VERSION)
    assert [message.version_of(each) for each in told] == [(1, 1)]
    functions = [fields.choice(Tag.QUERY_FUNCTION, each) for each in range(1, 8)]
    answer = payload(site.ask((QUERY, functions)))
    assert {each.value for each in answer.items(Tag.OPERATION)} == set(Operation)
    assert (
        len(payload(site.ask((RANDOM, [fields.number(Tag.DATA_LENGTH, 32)]))).needed(Tag.DATA, Type.OCTETS))
        == 32
    )


def test_sentences_are_ascii_and_short(site: Site) -> None:
    """PyKMIP, for one, reads text octet by octet. Seen to fail when a name goes into the sentence as it is."""
    site.ask((CREATE, aes(named("卷" * 256))))
    (item,) = Fields(site.ask((CREATE, aes(named("卷" * 256))))).items(Tag.BATCH_ITEM)
    told = Fields(item).needed(Tag.RESULT_MESSAGE, Type.TEXT)
    assert told.isascii()
    assert len(told) <= 400


# --- attributes ---


def custom(value: str, number: int | None = None) -> Item:
    return attribute("x-Volume", fields.text(0, value), number)


def values(site: Site, key: str, name: str) -> list[tuple[int | None, object]]:
    asked = [uid(key), fields.text(Tag.ATTRIBUTE_NAME, name)]
    found = []
    for each in payload(site.ask((ATTRIBUTES, asked))).items(Tag.ATTRIBUTE):
        told = Fields(each)
        value = told.item(Tag.ATTRIBUTE_VALUE)
        assert value is not None
        found.append((told.value(Tag.ATTRIBUTE_INDEX, Type.INTEGER), value.value))
    return found


def test_attributes_are_added_changed_and_deleted(site: Site) -> None:
    key = made(site.ask((CREATE, aes(named("attributes"), custom("a"), custom("b")))))
    assert values(site, key, "x-Volume") == [(0, "a"), (1, "b")]
    assert outcomes(site.ask((ADD, [uid(key), custom("c")]))) == [OK]
    assert outcomes(
        site.ask(
            (
                DELETE,
                [
                    uid(key),
                    fields.text(Tag.ATTRIBUTE_NAME, "x-Volume"),
                    fields.number(Tag.ATTRIBUTE_INDEX, 1),
                ],
            )
        )
    ) == [OK]
    # the others keep their indices
    assert values(site, key, "x-Volume") == [(0, "a"), (2, "c")]
    assert outcomes(site.ask((MODIFY, [uid(key), custom("d", 2)]))) == [OK]
    assert outcomes(site.ask((MODIFY, [uid(key), custom("d", 1)]))) == [failed(Reason.INDEX_OUT_OF_BOUNDS)]
    assert values(site, key, "x-Volume") == [(0, "a"), (2, "d")]
    other = made(site.ask((CREATE, aes(named("attributes-2")))))
    taken = [uid(other), named("attributes")]
    assert outcomes(site.ask((ADD, taken))) == [failed(Reason.INVALID_FIELD)]
    assert outcomes(site.ask((MODIFY, taken))) == [failed(Reason.INVALID_FIELD)]
    for fixed in ("State", "Initial Date", "Cryptographic Length", "Operation Policy Name", "y-own"):
        assert outcomes(site.ask((MODIFY, [uid(key), attribute(fixed, fields.choice(0, 2))]))) == [
            failed(Reason.PERMISSION_DENIED)
        ]
    assert [each["facts"] for each in site.world.events("kms.change-kmip-attributes")][:2] == [
        {"added": 1},
        {"deleted": 1},
    ]


def test_instants_do_their_work_by_themselves(site: Site) -> None:
    now = int(site.world.store.clock.now().timestamp())

    def date(name: str, seconds: int) -> Item:
        return attribute(f"{name} Date", Item(0, Type.INSTANT, now + seconds))

    key = made(site.ask((CREATE, aes(date("Activation", 0), date("Deactivation", 3600)))))
    later = made(site.ask((CREATE, aes(date("Activation", 3600)))))
    assert [values(site, each, "State")[0][1] for each in (key, later)] == [State.ACTIVE, State.PRE_ACTIVE]
    wrong = site.ask((CREATE, aes(date("Activation", 3600), date("Deactivation", 60))))
    assert outcomes(wrong) == [failed(Reason.INVALID_FIELD)]
    assert outcomes(site.ask((MODIFY, [uid(key), date("Activation", 60)]))) == [
        failed(Reason.PERMISSION_DENIED)
    ]
    assert outcomes(site.ask((MODIFY, [uid(later), date("Activation", 60)]))) == [OK]
    site.world.store.clock.advance(timedelta(hours=2))
    assert [values(site, each, "State")[0][1] for each in (key, later)] == [State.DEACTIVATED, State.ACTIVE]
    assert outcomes(site.ask((MODIFY, [uid(key), date("Deactivation", 9000)]))) == [
        failed(Reason.PERMISSION_DENIED)
    ]


def test_what_is_located(site: Site) -> None:
    keys = [
        made(
            site.ask(
                (
                    CREATE,
                    aes(custom(f"located-{each}"), length=bits),
                ),
                papers=site.database,
            )
        )
        for each, bits in enumerate((128, 256, 256))
    ]
    site.ask((ACTIVATE, [uid(keys[2])]), papers=site.database)

    def located(*wanted: Item) -> set[str]:
        answer = site.ask((LOCATE, wanted), papers=site.database)
        return {str(each.value) for each in payload(answer).items(Tag.UNIQUE_IDENTIFIER)}

    now = int(site.world.store.clock.now().timestamp())
    assert located() == set(keys)
    assert located(attribute("Cryptographic Length", fields.number(0, 256))) == set(keys[1:])
    assert located(attribute("State", fields.choice(0, State.ACTIVE))) == {keys[2]}
    assert located(custom("located-1")) == {keys[1]}
    assert located(custom("located-1"), attribute("State", fields.choice(0, State.ACTIVE))) == set()
    assert located(attribute("Object Type", fields.choice(0, 7))) == set()
    assert located(attribute("Cryptographic Usage Mask", fields.number(0, 4))) == set(keys)
    assert located(attribute("Cryptographic Usage Mask", fields.number(0, 0x14))) == set()
    instants = [attribute("Initial Date", Item(0, Type.INSTANT, now + each)) for each in (-10, 10)]
    assert located(*instants) == set(keys)
    assert located(fields.number(Tag.STORAGE_STATUS_MASK, 2)) == set()
    site.ask((DESTROY, [uid(keys[0])]), papers=site.database)
    assert located() == set(keys[1:])
    assert located(attribute("State", fields.choice(0, State.DESTROYED))) == {keys[0]}


def test_compromise_follows_an_object_beyond_its_end(site: Site) -> None:
    def revocation(code: int) -> Item:
        return fields.structure(Tag.REVOCATION_REASON, fields.choice(Tag.REVOCATION_REASON_CODE, code))

    key = made(site.ask((CREATE, aes())))
    assert outcomes(site.ask((REVOKE, [uid(key), revocation(1)]))) == [failed(Reason.ILLEGAL_OPERATION)]
    assert outcomes(site.ask((DESTROY, [uid(key)]))) == [OK]
    assert outcomes(site.ask((ACTIVATE, [uid(key)]))) == [failed(Reason.PERMISSION_DENIED)]
    assert outcomes(site.ask((REVOKE, [uid(key), revocation(2)]))) == [OK]
    assert values(site, key, "State")[0][1] == State.DESTROYED_COMPROMISED
    assert outcomes(site.ask((REVOKE, [uid(key), revocation(2)]))) == [failed(Reason.ILLEGAL_OPERATION)]


KEY = [
    fields.choice(Tag.KEY_FORMAT_TYPE, 1),
    fields.structure(Tag.KEY_VALUE, fields.octets(Tag.KEY_MATERIAL, b"k" * 32)),
]


def brought(block: Sequence[Item], *further: Item) -> list[Item]:
    template = aes(*further)[1]
    return [
        fields.choice(Tag.OBJECT_TYPE, 2),
        template,
        fields.structure(Tag.SYMMETRIC_KEY, fields.many(Tag.KEY_BLOCK, block)),
    ]


REFUSED: list[tuple[int, Sequence[Item], Reason]] = [
    (2, [], Reason.OPERATION_NOT_SUPPORTED),
    (0x1A, [], Reason.OPERATION_NOT_SUPPORTED),
    (0xFFFFFFFF, [], Reason.OPERATION_NOT_SUPPORTED),
    (CREATE, [], Reason.MISSING_DATA),
    (CREATE, aes(length=100), Reason.INVALID_FIELD),
    (CREATE, aes(usage=-1), Reason.INVALID_FIELD),
    (CREATE, [fields.choice(Tag.OBJECT_TYPE, 4), aes()[1]], Reason.INVALID_FIELD),
    (CREATE, [fields.choice(Tag.OBJECT_TYPE, 7), aes()[1]], Reason.INVALID_FIELD),
    (CREATE, [*aes(), uid("x")], Reason.INVALID_FIELD),
    (CREATE, [*aes(), *aes()], Reason.INVALID_MESSAGE),
    (CREATE, aes(attribute("Cryptographic Length", fields.number(0, 128))), Reason.INVALID_FIELD),
    (CREATE, aes(attribute("State", fields.choice(0, 2))), Reason.INVALID_FIELD),
    (CREATE, aes(named("")), Reason.INVALID_FIELD),
    (CREATE, aes(named("n" * 257)), Reason.INVALID_FIELD),
    (CREATE, aes(attribute("x-long", fields.octets(0, b"x" * 2048))), Reason.INVALID_FIELD),
    (CREATE, aes(*[attribute("x-many", fields.number(0, each)) for each in range(70)]), Reason.INVALID_FIELD),
    (CREATE, aes(attribute("Activation Date", Item(0, Type.INSTANT, 2**62))), Reason.INVALID_FIELD),
    (CREATE, aes(attribute("Activation Date", Item(0, Type.INSTANT, -1))), Reason.INVALID_FIELD),
    (
        REGISTER,
        brought([fields.choice(Tag.KEY_FORMAT_TYPE, 7), KEY[1]]),
        Reason.KEY_FORMAT_TYPE_NOT_SUPPORTED,
    ),
    (REGISTER, brought([*KEY, fields.number(Tag.CRYPTOGRAPHIC_LENGTH, 128)]), Reason.INVALID_FIELD),
    (REGISTER, brought([*KEY, fields.many(Tag.KEY_WRAPPING_DATA, [])]), Reason.FEATURE_NOT_SUPPORTED),
    (
        REGISTER,
        brought([KEY[0], fields.structure(Tag.KEY_VALUE, fields.octets(Tag.KEY_MATERIAL, b""))]),
        Reason.INVALID_FIELD,
    ),
    (GET, [], Reason.MISSING_DATA),
    (GET, [uid("")], Reason.ITEM_NOT_FOUND),
    (GET, [uid("'; DROP TABLE kms_kmip_object")], Reason.ITEM_NOT_FOUND),
    (GET, [fields.number(Tag.UNIQUE_IDENTIFIER, 1)], Reason.INVALID_MESSAGE),
    (LOCATE, [attribute("Digest", fields.number(0, 1))], Reason.INVALID_FIELD),
    (LOCATE, [attribute("State", fields.choice(0, 77))], Reason.INVALID_FIELD),
    (LOCATE, [fields.number(Tag.MAXIMUM_ITEMS, -1)], Reason.INVALID_FIELD),
    (QUERY, [], Reason.INVALID_FIELD),
    (RANDOM, [fields.number(Tag.DATA_LENGTH, 10**6)], Reason.INVALID_FIELD),
]


@pytest.mark.parametrize(("operation", "asked", "reason"), REFUSED)
def test_requests_that_are_refused(site: Site, operation: int, asked: Sequence[Item], reason: Reason) -> None:
    before = site.rows()
    assert outcomes(site.ask((operation, asked))) == [failed(reason)]
    assert site.rows() == before


# --- hostile octets ---

SOUND = [
    request((CREATE, aes(named("hostile"), custom("x")))),
    request((REGISTER, brought(KEY, named("hostile")))),
    request((LOCATE, [attribute("State", fields.choice(0, 1)), fields.number(Tag.MAXIMUM_ITEMS, 5)])),
    request((CREATE, aes()), (GET, []), (ACTIVATE, []), (ADD, [custom("y")]), option=1),
    request((QUERY, [fields.choice(Tag.QUERY_FUNCTION, 1)]), (VERSIONS, []), most=4096),
]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "double", "length"]), st.integers(0, 4000), st.integers(0, 255)
    ),
    min_size=1,
    max_size=4,
)


def changed(octets: bytes, changes: Sequence[tuple[str, int, int]]) -> bytes:
    for how, where, by in changes:
        at = where % max(len(octets), 1)
        if how == "flip":
            octets = octets[:at] + bytes([by]) + octets[at + 1 :]
        elif how == "cut":
            octets = octets[:at] + octets[at + by :]
        elif how == "double":
            octets = octets[:at] + octets[at : at + by] + octets[at:]
        else:  # the length of some item, in its place
            at = at // 8 * 8
            octets = octets[: at + 4] + by.to_bytes(4, "big") + octets[at + 8 :]
    return octets


@given(st.sampled_from(SOUND), CHANGES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_octets_are_answered_and_change_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, sound: bytes, changes: list[tuple[str, int, int]]
) -> None:
    caplog.clear()
    before = site.rows()
    answer, goes_on = site.kmip.serve(site.array.der, changed(sound, changes))
    told = outcomes(decode(bytes(answer)))
    assert goes_on
    assert told
    if all(status for status, _ in told):
        assert site.rows() == before
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_the_port_bears_with_everybody(site: Site) -> None:
    """Seen to fail when a length is believed, and when a full house turns newcomers away."""
    before = site.rows()
    with site.raw(site.array) as wire:
        wire.sendall(b"\x42\x00\x78\x01" + (LARGEST + 8).to_bytes(4, "big"))
        assert outcomes(_answer(wire)) == [failed(Reason.INVALID_MESSAGE)]
        assert wire.recv(1) == b""
    with site.raw(site.array) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert outcomes(_answer(wire)) == [failed(Reason.INVALID_MESSAGE)]
    with site.raw(site.array) as wire:  # begun and not ended
        wire.sendall(request((QUERY, [fields.choice(Tag.QUERY_FUNCTION, 1)]))[:40])
    with socket.create_connection(("127.0.0.1", site.port)) as plain:
        plain.sendall(b"no handshake at all" * 10)
        with suppress(ConnectionError):
            plain.recv(100)
    quiet = [site.raw(site.array) for _ in range(3)]
    for each in quiet:
        each.sendall(request((VERSIONS, [])))
        assert outcomes(_answer(each)) == [OK]
    strangers = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(20)]
    for each in quiet:  # strangers make room for strangers
        each.sendall(request((VERSIONS, [])))
        assert outcomes(_answer(each)) == [OK]
    for gone in (*strangers, *quiet):
        gone.close()
    waiting = [site.raw(site.array) for _ in range(6)]
    asking = request((QUERY, [fields.choice(Tag.QUERY_FUNCTION, 1)]))
    waiting[-1].sendall(asking[:50])
    waiting[-1].sendall(asking[50:])
    assert outcomes(_answer(waiting[-1])) == [OK]
    for each in waiting:
        each.close()
    assert site.rows() == before


def test_a_certificate_of_ours_is_not_yet_a_system(site: Site) -> None:
    """Whoever has one, as every person has, could begin messages on all connections and keep the arrays out.

    Seen to fail when a connection is known by its certificate, and when one that has begun a message is never let go.
    """
    person = site.ours.make("person")
    arrays = [site.raw(site.array) for _ in range(3)]
    for each in arrays:
        each.sendall(request((VERSIONS, [])))
        assert outcomes(_answer(each)) == [OK]
    begun = []
    for _ in range(8):
        begun.append(site.raw(person))
        begun[-1].sendall(b"\x42")
    for each in arrays:
        each.sendall(request((VERSIONS, [])))
        assert outcomes(_answer(each)) == [OK]
    for gone in (*begun, *arrays):
        gone.close()


def _answer(wire: ssl.SSLSocket) -> Item:
    octets = b""
    while len(octets) < 8 or len(octets) < 8 + int.from_bytes(octets[4:8], "big"):
        got = wire.recv(65536)
        assert got, "closed without an answer"
        octets += got
    return decode(octets)
