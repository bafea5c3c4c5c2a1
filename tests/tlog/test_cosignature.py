"""Cosignatures of every kind of key, and submissions to witnesses: one spelling, and nothing else passes."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import Untrue
from yinxin.tlog import (
    BadNoteKey,
    BadNoteSignature,
    Checkpoint,
    CosignatureSigner,
    CosignatureVerifier,
    MalformedNote,
    MalformedSubmission,
    Note,
    NoteSigner,
    NoteVerifier,
    Signature,
    Submission,
    UntrustedNote,
    cosigned,
)
from yinxin.tlog.submission import decode_lines, encode_lines

AT = datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)
LOG = NoteSigner("log.example/1", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
CHECKPOINT = Checkpoint("log.example/1", 7, bytes(range(32)))
NOTE = Note.sign(CHECKPOINT.text(), [LOG])


def keys():
    return {
        "ed25519": PrivateKey(ed25519.Ed25519PrivateKey.generate()),
        "sm2": PrivateKey.generate(SM),
        "ml-dsa-44": PrivateKey.generate("ml-dsa-44"),
    }


SIGNERS = {name: CosignatureSigner(f"w.example/{name}", key) for name, key in keys().items()}


@pytest.fixture(params=SIGNERS)
def signer(request):
    return SIGNERS[request.param]


def with_lines(*lines):
    return Note(NOTE.text, (*NOTE.signatures, *lines))


def test_cosign_and_verify(signer):
    note = Note.decode(with_lines(signer.sign(CHECKPOINT, AT)).encode())
    trusted = CosignatureVerifier.decode(signer.verifier.encode())
    (found,) = cosigned(note, [trusted])
    assert (found.by, found.at) == (signer.verifier, AT)
    assert cosigned(note, []) == ()
    # the log's own verification takes no notice of it
    assert Checkpoint.open(note, [LOG.verifier]) == (CHECKPOINT, INTL)


def test_of_another_checkpoint_time_name_or_log(signer):
    line = signer.sign(CHECKPOINT, AT)
    later = Signature(line.name, line.key_id, (1).to_bytes(8) + line.value[8:])
    for text in (
        Checkpoint("log.example/1", 8, CHECKPOINT.root).text(),
        Checkpoint("log.example/1", 7, bytes(32)).text(),
        Checkpoint("log.example/2", 7, CHECKPOINT.root).text(),
    ):
        with pytest.raises(BadNoteSignature):
            cosigned(Note(text, (line,)), [signer.verifier])
    for changed in (
        later,
        Signature(line.name, line.key_id, bytes(8) + line.value[8:]),
        Signature(line.name, line.key_id, b"\xff" * 8 + line.value[8:]),
        Signature(line.name, line.key_id, line.value[:8]),
        Signature(line.name, line.key_id, line.value[:-1]),
        Signature(line.name, line.key_id, line.value[8:]),
    ):
        with pytest.raises(BadNoteSignature):
            cosigned(with_lines(changed), [signer.verifier])


def test_a_log_signature_is_no_cosignature_and_the_other_way_round():
    """One key under both types: the messages differ, so neither passes for the other."""
    key = LOG.key
    both = CosignatureSigner("log.example/1", key)
    line = NOTE.signatures[0]
    assert both.verifier.key_id != LOG.verifier.key_id
    as_cosignature = Signature(line.name, both.verifier.key_id, (1).to_bytes(8) + line.value)
    with pytest.raises(BadNoteSignature):
        cosigned(with_lines(as_cosignature), [both.verifier])
    cosignature = both.sign(CHECKPOINT, AT)
    as_signature = Signature(line.name, line.key_id, cosignature.value[8:])
    with pytest.raises(BadNoteSignature):
        Note(NOTE.text, (as_signature,)).verify([LOG.verifier])


def test_a_line_twice_is_refused(signer):
    line = signer.sign(CHECKPOINT, AT)
    with pytest.raises(UntrustedNote):
        cosigned(with_lines(line, line), [signer.verifier])


def test_key_texts_of_one_kind_are_not_read_as_another(signer):
    with pytest.raises(BadNoteKey):
        NoteVerifier.decode(signer.verifier.encode())
    with pytest.raises(BadNoteKey):
        CosignatureVerifier.decode(LOG.verifier.encode())
    with pytest.raises(BadNoteKey):
        CosignatureVerifier("w", PrivateKey.generate(INTL).public_key)
    text = signer.verifier.encode()
    for changed in (
        text[:-4],
        text.replace("w.ex", "v.ex"),
        text + "A",
        text.replace("+", "++", 1),
        "\udcff" + text,
    ):
        with pytest.raises(BadNoteKey):
            CosignatureVerifier.decode(changed)


def test_submission_round_trip():
    for given in (Submission(0, (), NOTE), Submission(3, (bytes(32), b"x" * 32), NOTE)):
        assert Submission.decode(given.encode()) == given
    lines = tuple(each.sign(CHECKPOINT, AT) for each in SIGNERS.values())
    assert decode_lines(NOTE.text, encode_lines(NOTE.text, lines)) == lines


HASH = "A" * 43 + "="
BODY = Submission(0, (), NOTE).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 0\n",
        BODY.replace(b"old 0", b"old"),
        BODY.replace(b"old 0", b"Old 0"),
        BODY.replace(b"old 0", b"old 00"),
        BODY.replace(b"old 0", b"old -1"),
        BODY.replace(b"old 0", b"old  0"),
        BODY.replace(b"old 0", b"old 8"),
        BODY.replace(b"old 0", b"old 99999999999999999999"),
        BODY.replace(b"old 0\n", b"old 0\r\n"),
        BODY.replace(b"old 0", b"old 0\nAAAA"),
        BODY.replace(b"old 0", b"old 0\n" + HASH[:-2].encode() + b"B="),
        BODY.replace(b"old 0", b"old 0" + f"\n{HASH}".encode() * 64),
        BODY.replace(b"old 0\n\n", b"old 0\n"),
        BODY[:-1],
        BODY + b"x",
        BODY.replace(b"\n7\n", b"\n7\n", 1).replace(b"log.example/1\n7", b"log.example/1\n07", 1),
        BODY + b"\xe2\x80\x94 x AAAAAAA=\n" * 20_000,
    ],
)
def test_malformed_submissions(data):
    with pytest.raises((MalformedSubmission, MalformedNote)):
        Submission.decode(data)


def test_63_hashes_are_read():
    assert len(Submission.decode(BODY.replace(b"old 0", b"old 0" + f"\n{HASH}".encode() * 63)).hashes) == 63


def read(data, signer):
    note = Note.decode(data)
    Checkpoint.open(note, [LOG.verifier])
    if len(cosigned(note, [signer.verifier])) != 1:
        raise UntrustedNote(reason="the witness is gone")


def test_no_byte_of_a_cosigned_checkpoint_can_change(signer):
    data = with_lines(signer.sign(CHECKPOINT, AT)).encode()
    read(data, signer)
    for at in range(0, len(data), 1 if len(data) < 600 else 7):
        for flip in (1, 0x20, 0x80):
            with pytest.raises(Untrue):
                read(data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :], signer)
