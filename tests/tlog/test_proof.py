"""Self-contained proofs: round trip in both suites, and not one byte that can change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import Untrue
from yinxin.tlog import (
    BadNoteSignature,
    Checkpoint,
    CosignatureSigner,
    Frontier,
    LogProof,
    MalformedProof,
    Note,
    NoteSigner,
    NotIncluded,
    Tile,
    UntrustedNote,
    inclusion_proof,
    leaf_hash,
)

KEYS = {
    INTL: NoteSigner("log.example", PrivateKey(ed25519.Ed25519PrivateKey.generate())),
    SM: NoteSigner("log.example/sm3", PrivateKey.generate(SM)),
}


def make(suite, index=5, size=11, entry=b'{"id":"5"}'):
    signer, nodes, frontier = KEYS[suite], {}, Frontier(suite.hash)
    for number in range(size):
        data = entry if number == index else b"other %d" % number
        nodes.update(frontier.append(leaf_hash(suite.hash, data)))
    path = inclusion_proof(suite.hash, index, size, lambda wanted: {each: nodes[each] for each in wanted})
    text = Checkpoint(signer.name, size, frontier.root()).text()
    return LogProof(entry, index, path, Note.sign(text, [signer]))


@pytest.fixture(params=[INTL, SM], ids=lambda each: each.name)
def suite(request):
    return request.param


def test_round_trip(suite):
    proof = make(suite)
    data = proof.encode()
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nextra ")
    assert LogProof.decode(data) == proof
    assert LogProof.decode(data).verify([KEYS[suite].verifier]).size == 11


def test_single_entry_log(suite):
    proof = make(suite, index=0, size=1, entry=b"")
    assert LogProof.decode(proof.encode()).verify([KEYS[suite].verifier]).size == 1


def test_cosignatures_on_the_checkpoint_are_all_verified(suite):
    proof = make(suite)
    witness = CosignatureSigner("w.example", KEYS[suite].key)
    line = witness.sign(Checkpoint.parse(proof.checkpoint.text), datetime(2026, 11, 29, tzinfo=UTC))
    for value in (line.value, line.value[:7] + bytes((line.value[7] ^ 1,)) + line.value[8:]):
        note = Note(proof.checkpoint.text, (*proof.checkpoint.signatures, replace(line, value=value)))
        cosigned = LogProof.decode(replace(proof, checkpoint=note).encode())
        with pytest.raises(UntrustedNote):
            cosigned.verify([KEYS[suite].verifier])
        if value == line.value:
            assert cosigned.verify([KEYS[suite].verifier], [witness.verifier]).size == 11
        else:
            with pytest.raises(BadNoteSignature):
                cosigned.verify([KEYS[suite].verifier], [witness.verifier])


def test_wrong_log_key(suite):
    other = SM if suite is INTL else INTL
    with pytest.raises(UntrustedNote):
        make(suite).verify([KEYS[other].verifier])


def test_other_entry_or_index(suite):
    proof = make(suite)
    for changed in (
        LogProof(b'{"id":"6"}', proof.index, proof.hashes, proof.checkpoint),
        LogProof(proof.entry, 6, proof.hashes, proof.checkpoint),
        LogProof(proof.entry, proof.index, proof.hashes[:-1], proof.checkpoint),
    ):
        with pytest.raises(NotIncluded):
            changed.verify([KEYS[suite].verifier])


def test_no_single_byte_can_change(suite):
    """Every byte, every single bit of it and a few whole-byte changes: nothing is accepted."""
    data = make(suite).encode()
    tried = 0
    for at in range(len(data)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 0xFF):
            changed = data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]
            tried += 1
            with pytest.raises(Untrue):
                LogProof.decode(changed).verify([KEYS[suite].verifier])
    assert tried == 9 * len(data)


def test_no_byte_can_go_come_or_repeat(suite):
    data = make(suite).encode()
    for at in range(len(data) + 1):
        for changed in (
            data[:at],
            data[:at] + data[at + 1 :],
            data[:at] + b"A" + data[at:],
            data[:at] + data[at : at + 1] + data[at:],
        ):
            if changed != data:
                with pytest.raises(Untrue):
                    LogProof.decode(changed).verify([KEYS[suite].verifier])


@pytest.mark.parametrize("word", [b"extra ", b"index "])
def test_no_word_can_go(suite, word):
    with pytest.raises(MalformedProof):
        LogProof.decode(make(suite).encode().replace(word, b"", 1))


def test_no_foreign_signature_can_come(suite):
    """Evidence carries signatures by trusted keys only: an added line is a change, though it signs the same text."""
    proof, other = make(suite), KEYS[SM if suite is INTL else INTL]
    signatures = (*proof.checkpoint.signatures, other.sign(proof.checkpoint.text))
    changed = LogProof(proof.entry, proof.index, proof.hashes, Note(proof.checkpoint.text, signatures))
    with pytest.raises(UntrustedNote):
        LogProof.decode(changed.encode()).verify([KEYS[suite].verifier])


@pytest.mark.parametrize("level", [0, 1, 63])
@pytest.mark.parametrize(
    ("index", "name"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
@pytest.mark.parametrize("width", [1, 255, 256])
def test_tile_addresses(level, index, name, width):
    tile = Tile(level, index, width)
    assert tile.path() == f"{level}/{name}" + (f".p/{width}" if width < 256 else "")
    assert Tile.parse(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "00/000",
        "64/000",
        "0/0",
        "0/0000",
        "0/x000/000",
        "0/001/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000/",
        "0/000.p/999",
        "../000",
        "0/x" + "001/x" * 20 + "000",
    ],
)
def test_tile_addresses_in_another_spelling(path):
    with pytest.raises(MalformedProof):
        Tile.parse(path)


def test_tiles_of_a_size():
    """The example of the specification: 70,000 leaves."""
    assert Tile(0, 272).within(70_000)
    assert not Tile(0, 273).within(70_000)
    assert Tile(0, 273, 112).within(70_000)
    assert not Tile(0, 273, 113).within(70_000)
    assert Tile(1, 1, 17).within(70_000)
    assert not Tile(1, 1, 18).within(70_000)
    assert Tile(2, 0, 1).within(70_000)
