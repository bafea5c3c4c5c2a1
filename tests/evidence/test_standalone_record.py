"""Evidence records by the single-file verifier: the same verdicts, in the same words, as the kit's."""

import subprocess
import sys
from datetime import date
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.evidence.case import AT
from tests.evidence.eras import by_hash, by_time, day, era
from yinxin import canonical
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SM3
from yinxin.errors import YinxinError
from yinxin.evidence import NotJudged, container
from yinxin.evidence.record import Ages, EvidenceRecord, Link, follow
from yinxin.evidence.standalone import build, notes, paper, renewed, saying, signature
from yinxin.evidence.standalone import verify as standalone
from yinxin.tlog import LogProof

pytestmark = pytest.mark.engines("any")

DATA = [f"第 {number} 件".encode() for number in range(3)]
UNTIL = {"ecdsa-p256": date(2033, 12, 31), "sha256": date(2034, 6, 30), "sm3": date(2041, 12, 31)}
NOW = day(2048)


@pytest.fixture(scope="module")
def life():
    """Twenty years with two changes of algorithm: the eras, and three records after each renewal."""
    eras = {
        "ecdsa": era("ecdsa", day(2026), 9),
        "sm": era("sm", day(2033), 9),
        "p384": era("p384", day(2041), 9),
    }
    records = [EvidenceRecord(((eras["ecdsa"].link(each, day(2026, 11)),),)) for each in DATA]
    made = [records]
    for name, before, at in (
        ("ecdsa", "ecdsa", day(2030)),
        ("sm", "ecdsa", day(2033, 9)),
        ("p384", "sm", day(2041, 9)),
    ):
        if name == before:
            records = [by_time(each, eras[name], at) for each in records]
        else:
            records = by_hash(records, DATA, eras[name], at, before=eras[before])
        made.append(records)
    return eras, made


@pytest.fixture
def both(life, alone):
    """What all three say of a record: the sentences, or None when they refuse it; they must agree."""

    def both(record, data=DATA[2], at=NOW, until=UNTIL, roots=None):
        trusted = roots or [each.root for each in life[0].values()]
        encoded, held = record.encode(), []
        try:
            since = follow(record, data, tuple(trusted), Ages(until), at=at, held=held).since
        except YinxinError:
            since = None
        own = [paper.Certificate(each.der) for each in trusted]
        ages = renewed.Ages(dict.fromkeys(renewed._PUBLISHED, date(9999, 12, 30)) | until)
        try:
            *said, whole = alone.verify(data, [], None, standalone.Renewals(own, ages, (encoded, at)))
        except saying.Broken:
            assert since is None
            return None
        assert since is not None
        assert f"there since {since:%Y-%m-%d %H:%M:%SZ}" in whole[1]
        assert [tuple(each) for each in said] == [(each.zh, each.en) for each in held]
        assert [isinstance(each, saying.NotJudged) for each in said] == [
            isinstance(each, NotJudged) for each in held
        ]
        return said

    return both


def test_twenty_years_with_two_changes_of_algorithm(life, both):
    last = life[1][-1][2]
    assert [chain[0].hash.name for chain in last.chains] == ["sha256", "sm3", "sha384"]
    said = both(last)
    assert len(said) == 4
    assert not any(isinstance(each, saying.NotJudged) for each in said)
    for earlier, later in pairwise(life[1]):
        at = later[1].last.token.at
        assert both(earlier[1], DATA[1], at)
        assert both(earlier[1], DATA[1], day(2060)) is None


def test_every_break_is_refused_by_both(life, both):
    record = life[1][-1][2]
    first, second, third = record.chains
    strange = Link(life[0]["p384"].token(b"anything", day(2042)), ())
    for broken in (
        EvidenceRecord((first[1:], second, third)),
        EvidenceRecord((first[:1], second, third)),
        EvidenceRecord((first, third)),
        EvidenceRecord((second, first, third)),
        EvidenceRecord((*record.chains[:-1], life[1][-1][0].chains[-1])),
        EvidenceRecord((first, second, (*third, strange))),
    ):
        assert both(broken) is None
    early = by_time(life[1][0][2], life[0]["ecdsa"], day(2026, 6))
    assert both(early, at=day(2027)) is None  # each link holds, and the second is older than the first
    assert both(record, DATA[1]) is None
    assert both(record, at=day(2033)) is None  # judged for a time before its last link
    assert both(record, roots=[life[0]["p384"].root]) is None
    for name in ("ecdsa-p256", "sha256"):
        assert both(record, until=UNTIL | {name: date(2029, 12, 31)}) is None
    assert both(record, until=UNTIL | {"sm2": date(2041, 8, 31)}) is None


def test_revocation_is_heard_and_its_absence_told(both):
    by, strong = era("ecdsa", day(2026), 9), era("sm", day(2026), 9)
    roots = [by.root, strong.root]
    record = EvidenceRecord(((by.link(b"x", day(2027)),),))
    assert both(by_time(record, by, day(2028)), b"x", day(2028, 6), {}, roots)
    bare = EvidenceRecord(((Link(by.token(b"x", day(2027))),),))
    told = both(bare, b"x", day(2028), {}, roots)
    assert [isinstance(each, saying.NotJudged) for each in told] == [True, False]
    by.revoke(day(2027, 6))
    assert both(by_time(record, strong, day(2028), before=by), b"x", day(2028, 6), {}, roots) is None


def test_no_octet_of_a_record_changes_what_it_says(life, alone):
    """Most changes are refused; what is not was in a list that nobody's signature holds, and the sentences about links stay."""
    record, at = life[1][2][2], day(2034)
    roots = [paper.Certificate(each.root.der) for each in life[0].values()]

    def told(data):
        said = alone.verify(DATA[2], [], None, standalone.Renewals(roots, renewed.Ages({}), (data, at)))
        return [each for each in said if not isinstance(each, saying.NotJudged)]

    data, refused = record.encode(), 0
    whole, places = told(data), range(0, len(data), 397)
    for place in places:
        changed = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        try:
            assert told(changed) == whole
        except saying.Broken:
            refused += 1
    assert refused > len(places) * 0.5


def test_hashes_and_signatures_agree_with_the_library():
    # GM/T 0004 annex A.1
    assert (
        signature.digest("sm3", b"abc").hex()
        == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    for size in (0, 55, 56, 64, 119, 200):
        assert signature.digest("sm3", bytes(size)) == SM3.digest(bytes(size))
    keys = {each: PrivateKey.generate(each) for each in ("ecdsa-p256", "ecdsa-p384", "sm2")}
    keys["rsa-2048"] = PrivateKey(rsa.generate_private_key(65537, 2048))
    for kind, key in keys.items():
        algorithm = key.public_key.signature_algorithm
        signed, spki = key.sign(b"message"), key.public_key.spki
        used = signature.used(algorithm.identifier)
        assert signature.kind_of(spki) == kind
        assert signature.holds(spki, used, signed, b"message")
        assert not signature.holds(spki, used, signed, b"another")
        assert not signature.holds(spki, used, signed[:-1] + bytes((signed[-1] ^ 1,)), b"message")


def test_a_renewed_bundle_is_said_in_words(case, bundle, tmp_path):
    """The file as it is handed out: renewals of the bundle and of its checkpoint, and what it does not judge."""
    by, old = era("p384", AT, 25), era("ecdsa", AT, 25)
    text = LogProof.decode(bundle.proofs[0]).checkpoint.text.encode()
    inner = by_time(EvidenceRecord(((old.link(text, AT),),)), old, AT)
    data = case.repacked(bundle, records=[inner.encode()])
    record = by_time(EvidenceRecord(((by.link(data, AT),),)), by, AT)
    files = {
        "verify.py": build(),
        "a.asice": data,
        "changed.asice": data[:-300] + bytes((data[-300] ^ 1,)) + data[-299:],
        "a.ers": record.encode(),
        "log.vkey": case.log.verifier.encode().encode(),
        "algorithms.toml": b"[until]\necdsa-p256 = 2050-12-31\necdsa-p384 = 2050-12-31\n",
        "roots.pem": (by.root.pem + old.root.pem).encode(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def run(*arguments):
        command = [sys.executable, "-I", "verify.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    whole = ("--log", "log.vkey", "--record", "a.ers", "--roots", "roots.pem")
    whole += ("--algorithms", "algorithms.toml", "--lang")
    for language, words in (
        ("en", ("link 2: 时间戳 p384 renewed it at", "that was renewed 1 times", "not judged by this file")),
        ("zh", ("第 2 环：时间戳 p384 于", "有时间戳为证，续期 1 次", "不由本程序判断")),
    ):
        status, lines = run("a.asice", *whole, language)
        assert status == 0, lines
        assert all(any(each in line for line in lines) for each in words), lines
        assert lines[-1].startswith("! ")
        assert [line[0] for line in lines].count("✗") == 0
    assert run("changed.asice", *whole, "en")[0] == 1
    assert run("changed.asice", "--log", "log.vkey", "--lang", "en")[0] == 1
    status, lines = run("a.asice", "--log", "log.vkey", "--lang", "en")
    assert status == 0
    assert any(line.startswith("! ") and "evidence record (renewed 1 times)" in line for line in lines)
    assert run("a.asice", "--log", "log.vkey", "--record", "a.ers")[0] == 2


def test_a_bundle_that_says_it_has_no_entries_proves_none(case, bundle, alone):
    """It would be told that its files are whole, and nothing of what the log says. Seen to fail without the count of those judged."""
    body = bundle.files()
    keys = [notes.Key.read(case.log.verifier.encode())]
    for count in (-1, 0):
        descriptor = canonical.decode(body["evidence.json"])
        descriptor["counts"]["log"] = count
        data = _packed(body | {"evidence.json": canonical.encode(descriptor)})
        with pytest.raises(saying.Broken):
            alone.verify(data, keys, None)
    assert alone.verify(_packed(body), keys, None)


def _packed(files):
    """Put together by anybody: this file judges no signature over the manifest."""
    return container.pack(files, b"of nobody")
