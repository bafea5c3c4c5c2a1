"""Whatever a log has signed, and whatever a reader trusts: the Python file and the page say the same of it, word for word.

Not what our log writes, but what another could: each of these has a checkpoint that holds.
"""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.evidence.case import AT
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SHA256
from yinxin.evidence.standalone import paper, renewed
from yinxin.evidence.standalone.notes import Key, Policy
from yinxin.evidence.standalone.personal import commitment
from yinxin.evidence.standalone.saying import Broken
from yinxin.tlog import Checkpoint, CosignatureSigner, Frontier, Note, NoteSigner, leaf_hash
from yinxin.tlog.note import encode_base64

pytestmark = pytest.mark.engines("any")

LOG = NoteSigner("log.example", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
KEYS = [Key.read(LOG.verifier.encode())]
EVENT = {"actor": {"id": "p"}, "id": "e1", "outcome": "done", "subject": "s:1", "time": "t", "verb": "a.b"}
SALT = b"s" * 16
#: a value of every kind that JSON has, and texts that are not what they seem
KINDS: list[Any] = [5, 1.5, None, True, [], {}, ["x"], "", "\u202e", "\n"]
TEXTS = [
    *("住院", "a'b", "a\"b'c\\", "\x7f\u200b", "\n\t\r\0", "é", "e\u0301", "\U0002cc50", "😀", "\ue000"),
    *(" x ", "\u00a0", "\u3000", "\u2028", "\x85\xa0\xad", ""),
]


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def noted(leaves: list[bytes]) -> str:
    frontier = Frontier(SHA256)
    for each in leaves:
        frontier.append(leaf_hash(SHA256, each))
    return Note.sign(Checkpoint(LOG.name, len(leaves), frontier.root()).text(), [LOG]).encode().decode()


@pytest.fixture
def alike(alone):
    """How many of these hold; a difference fails at once."""

    def alike(files, policy=None):
        held = 0
        for each in files:
            try:
                alone.verify(each, KEYS, policy)
            except Broken:
                continue
            held += 1
        return held

    return alike


def entries():
    """Entries, each alone in its log."""
    good = written(EVENT)
    yield good
    for name in EVENT:
        yield written({each: value for each, value in EVENT.items() if each != name})
        yield from (written(EVENT | {name: value}) for value in KINDS)
    yield from (written(EVENT | {"actor": {"id": value}}) for value in KINDS)
    yield from (
        good.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + good,
        good + b" ",
        b" \t\r\n" + good,
        good + b"\0",
    )
    yield from (b"[]", b"5", b"null", b'"x"', b"", b"\xff", good.replace(b'"p"', b"'p'"), good[:-1] + b",}")
    for value in (
        *(
            b"NaN",
            b"Infinity",
            b"1e400",
            b"01",
            b"-0",
            b'"\x01"',
            b'"\\ud800"',
            b'"\\u00"',
            b"+1",
            b".5",
            b"5.",
        ),
        *(
            b"[" * 400 + b"]" * 400,
            b"[" * 2000 + b"]" * 2000,
            b"9" * 4299,
            b"9" * 5000,
            b"tru",
            b'{"__proto__":5}',
        ),
    ):
        yield good[:-1] + b',"x":' + value + b"}"
    yield good[:-1] + b',"verb":"again"}'


def test_any_entry(alike):
    proofs = [
        f"c2sp.org/tlog-proof@v1\nextra {encode_base64(each)}\nindex 0\n\n{noted([each])}".encode()
        for each in entries()
        if each
    ]
    assert 20 < alike(proofs) < len(proofs) - 50
    for old, new in (
        (b"extra ", b"extra"),
        (b"index 0", b"index 00"),
        (b"index 0", b"index 1"),
        (b"index 0", b"index -1"),
        (b"index 0\n", b"index 0\n" + encode_base64(bytes(32)).encode() + b"\n"),
        (b"\n1\n", b"\n01\n"),
        (b"\n1\n", b"\n1\n\n"),
        (b"\n\nlog", b"\n\n\nlog"),
        (b"\xe2\x80\x94 log", b"- log"),
        (b"\xe2\x80\x94 log.example", b"\xe2\x80\x94 log.exampla"),
    ):
        assert proofs[0].count(old) == 1
        assert alike([proofs[0].replace(old, new)]) == 0


def extract(event: bytes, opened: Any, **more: Any) -> bytes:
    entry = {"entry": encode_base64(event), "hashes": [], "index": 0, "opened": opened}
    body = {"checkpoint": noted([event]), "entries": [entry], "type": "log-extract", "v": 1, "witnesses": []}
    return written(body | more)


def extracts():
    def committed(name, value):
        said = json.dumps(
            ["yinxin-personal@v1", "e1", name, value], ensure_ascii=False, separators=(",", ":")
        )
        return {"sha256": hashlib.sha256(SALT + said.encode()).hexdigest()}

    def with_block(block):
        return written(EVENT | {"personal": block})

    salt, good = SALT.hex(), written(EVENT)
    assert commitment(SALT, "e1", "note", "x") == committed("note", "x")["sha256"]
    for value in TEXTS:
        for name in ("note", "__proto__", "\uff00", "\U00010000"):
            event = with_block({"v": 1, "fields": {name: committed(name, value)}})
            yield extract(event, {name: {"salt": salt, "value": value}})
    for value in KINDS:
        event = with_block({"v": 1, "fields": {"note": committed("note", value)}})
        for opened in (value, {"note": value}, {"note": {"salt": salt, "value": value}}, {"x": {}}, {}):
            yield extract(event, opened)
        for block in (
            *(value, {"v": 1, "fields": value}, {"v": value, "fields": {}}),
            *({"v": 1, "fields": {"note": value}}, {"v": 1, "fields": {"note": {"sha256": value}}}),
        ):
            yield extract(with_block(block), {"note": {"salt": salt, "value": "x"}})
            yield extract(with_block(block), {})
        for name in ("v", "type", "witnesses", "entries", "checkpoint", "extra"):
            yield extract(good, {}, **{name: value})
        yield extract(good, {}, witnesses=[value])
    for other in ("7" * 32 + "A", salt.replace("7", " 7"), salt.upper() + "AA", salt[:-2]):
        event = with_block({"v": 1, "fields": {"note": committed("note", "x")}})
        yield extract(event, {"note": {"salt": other, "value": "x"}})
    for length in (0, 15, 17):
        value = hashlib.sha256(bytes(length) + b'["yinxin-personal@v1","e1","note","x"]').hexdigest()
        event = with_block({"v": 1, "fields": {"note": {"sha256": value}}})
        yield extract(event, {"note": {"salt": bytes(length).hex(), "value": "x"}})
    yield extract(good, {}).replace(b'"v":1', b'"v":1.0')
    yield extract(good, {}).replace(b'"v":1', b'"v":1,"v":1')
    yield extract(good, {}) + b"\n"
    names = {name: {"sha256": "a"} for name in ("\uff00", "\U00010000", "note", "x", "contact")}
    yield extract(with_block({"v": 1, "fields": names}), {})


def of_two(indices):
    """Two entries, in any order and number; an index may be any value."""
    leaves = [written(EVENT), written(EVENT | {"id": "e2"})]
    hashes = [encode_base64(leaf_hash(SHA256, each)) for each in leaves]
    parts = [
        {"entry": encode_base64(leaves[at == 1]), "hashes": [hashes[at != 1]], "index": at, "opened": {}}
        for at in indices
    ]
    return written(
        {"checkpoint": noted(leaves), "entries": parts, "type": "log-extract", "v": 1, "witnesses": []}
    )


def test_any_extract(alike):
    files = list(extracts())
    assert 60 < alike(files) < len(files) - 100
    orders = [[0, 1], [1, 0], [0, 0], [0], [1], *([value] for value in (-1, 2, 10**30, 0.0, True, "0", None))]
    assert alike([of_two(each) for each in orders]) == 3


SPAN = {"since": "2026-01-01T00:00:00.000000Z", "until": "2026-02-01T00:00:00.000000Z"}


def stretch(leaves: list[bytes], question: Any, after: int = 0, **more: Any) -> bytes:
    frontier, edges = Frontier(SHA256), [[]]
    for each in leaves:
        frontier.append(leaf_hash(SHA256, each))
        edges.append([encode_base64(one) for one in frontier._hashes])
    body = {"begin": noted(leaves[:after]), "end": noted(leaves), "edge": edges[after], "question": question}
    body |= {"entries": [encode_base64(each) for each in leaves[after:]]}
    return written(body | {"type": "log-stretch", "v": 1, "witnesses": []} | more)


QUESTIONS = [
    *(
        {"verbs": each}
        for each in (["a."], ["a.b"], [], ["a"], ["a.b", 5], "a.", {}, None, ["a.b\n"], ["A.b"])
    ),
    *({"actor": each} for each in (*TEXTS, *KINDS, "p", " p", "\u3000p", "p\u200b")),
    *({"outcome": each} for each in (*KINDS, "done", "x")),
    *({"none": each} for each in (True, False, 1, None)),
    *({"subject": "s:1", "none": True}, {"subject": "s:2", "none": True}, {"x": 1}),
    *(
        {"since": f"{each}T00:00:00.000000Z"}
        for each in ("2026-02-30", "0000-01-01", "0001-01-01", "2026-03-01")
    ),
    *(
        {"since": f"2026-01-01T{each}"}
        for each in ("24:00:00.000000Z", "23:59:60.000000Z", "00:00:00Z", "00:00Z")
    ),
    *({"since": "2026-01-01 00:00:00.000000Z"}, {"since": "2026-01-01T00:00:00.000000Z\n"}, {"since": 5}),
    *({"until": "２026-02-01T00:00:00.000000Z"}, {"until": "9999-12-31T23:59:59.999999Z"}, {"until": None}),
]


def stretches():
    def event(at, **other):
        verb = ("a.b", "a.c", "x.y")[at % 3]
        return written(EVENT | {"id": f"e{at}", "number": at, "source": "w", "verb": verb} | other)

    leaves = [event(number) for number in range(1, 7)]
    yield from (stretch(leaves, SPAN, after) for after in range(7))
    yield from (stretch(leaves, SPAN | each) for each in QUESTIONS)
    yield from (stretch(leaves, each) for each in (*KINDS, ["since", "until"], SPAN | {"actor": "p"}))
    for name in ("number", "source", "id", "actor", "verb", "subject"):
        for value in (None, True, "\n", 2):
            yield stretch([event(1, **{name: value}), leaves[1]], SPAN)
            yield stretch([leaves[0], event(2, **{name: value})], SPAN)
    yield from (stretch([leaves[0], event(2, number=each)], SPAN, 1) for each in (0, 2, 9, -1, True))
    yield from (stretch([each], SPAN) for each in (b"5", b"[]", b'"x"', written(EVENT)))
    yield from (stretch([*each], SPAN) for each in ([leaves[0], written(EVENT)], [written(EVENT), leaves[0]]))
    for name in ("edge", "entries", "witnesses", "v", "begin", "end", "extra", "type"):
        yield from (stretch(leaves, SPAN, **{name: value}) for value in KINDS)
    yield stretch(leaves, SPAN, 3, edge=[encode_base64(bytes(32))])


def test_any_stretch(alike):
    files = list(stretches())
    assert 30 < alike(files) < len(files) - 100


def test_any_policy(alone, alike):
    """Witnesses, groups and quorums, and cosignatures whose times, names or keys are not what they should be."""
    signers = [
        CosignatureSigner(f"witness.{name}", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
        for name in "abc"
    ]
    a, b, c = (each.verifier.encode() for each in signers)
    leaf = written(EVENT)
    text = noted([leaf])
    checkpoint = Checkpoint.parse(Note.decode(text.encode()).text)
    lines = [each.sign(checkpoint, AT) for each in signers]
    whole = Note.decode(text.encode())
    for used in ([], lines[:1], lines[:2], lines, [lines[0], lines[0]], lines[::-1]):
        note = Note(whole.text, (*whole.signatures, *used)).encode().decode()
        data = f"c2sp.org/tlog-proof@v1\nextra {encode_base64(leaf)}\nindex 0\n\n{note}".encode()
        for policy in (
            f"witness one {a}\nwitness two {b}\nwitness three {c}\ngroup all any one two three\nquorum all",
            f"witness one {a}\nwitness two {b}\nwitness three {c}\ngroup g 2 one two three\nquorum g",
            f"witness one {a}\nwitness two {b}\nwitness three {c}\ngroup x all one two\ngroup y any x three\nquorum y",
            f"witness one {a}\nwitness same {a}\nquorum one",
            f"witness one {a}\n",
            "quorum none",
        ):
            alike([data], Policy.read(policy))
        alike([data])


@pytest.mark.parametrize(
    ("part", "read", "texts"),
    [
        (
            "log",
            lambda text: [Key.read(line) for line in text.split("\n") if line],
            ["x", "a+b", "a+b+c", "a+00000000+AA==", LOG.verifier.encode() + "=", LOG.verifier.encode()[:-4]],
        ),
        (
            "policy",
            Policy.read,
            [
                *(
                    "quorum",
                    "quorum x",
                    "witness",
                    "witness a",
                    "witness a b",
                    "group g",
                    "group g 1",
                    "group g any x",
                ),
                *(
                    "group g 01 x",
                    "x y",
                    "log",
                    "log x",
                    "# x\n\n \nquorum none\nfoo bar",
                ),
                f"log {LOG.verifier.encode()}\nwitness a {LOG.verifier.encode()}\ngroup g 2 a\nquorum g",
            ],
        ),
        (
            "roots",
            paper.roots_of,
            [
                *("", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
                *("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
                "-----BEGIN CERTIFICATE-----\nMAkwAzAAMAAwAA==\n-----END CERTIFICATE-----",
            ],
        ),
        (
            "algorithms",
            renewed.Ages.read,
            [
                *(
                    "",
                    "x",
                    "[other]\na = 2030-01-01",
                    "[until]\na = 5",
                    "[until]\na = 2030-02-30",
                    "[until]\na",
                ),
                *(
                    "[until]\na = 2030-01-01\na = 2030-01-01",
                    "[until]\na = 2030-01-01T00:00:00Z",
                    "until = 5",
                ),
            ],
        ),
    ],
)
def test_what_cannot_be_trusted(alone, part, read, texts):
    """Of a file of the reader's own that cannot be used: the same is said of it, and that nothing was checked."""
    for text in texts:
        with pytest.raises(Broken) as broken:
            read(text)
        given = {"file": b"x", "log": LOG.verifier.encode().encode(), "at": 0} | {part: text.encode()}
        told = alone.call("verify.judged", given)
        assert told["refusal"] == {"zh": broken.value.args[0], "en": broken.value.args[1]}, text
        assert told["unable"] is True
