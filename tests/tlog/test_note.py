"""Signed notes and checkpoints: published notes, strict reading, keys of both suites."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import (
    BadNoteKey,
    BadNoteSignature,
    Checkpoint,
    MalformedNote,
    Note,
    NoteSigner,
    NoteVerifier,
    UntrustedNote,
)

# The note that documents golang.org/x/mod/sumdb/note (package example).
PUBLISHED = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
).encode()
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"

INTL_SIGNER = NoteSigner("log.example/1", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
SM_SIGNER = NoteSigner("log.example/1/sm3", PrivateKey.generate(SM))
SIGNERS = pytest.mark.parametrize("signer", [INTL_SIGNER, SM_SIGNER], ids=["ed25519", "sm2"])
TEXT = Checkpoint("log.example/1", 7, bytes(range(32))).text()


def test_published_note_verifies():
    note = Note.decode(PUBLISHED)
    peter, enoch = NoteVerifier.decode(PETER), NoteVerifier.decode(ENOCH)
    assert note.verify([peter, enoch]) == (peter, enoch)
    assert note.verify([enoch]) == (enoch,)
    assert note.encode() == PUBLISHED
    assert peter.encode() == PETER


@SIGNERS
def test_sign_encode_decode_verify(signer):
    data = Note.sign(TEXT, [signer]).encode()
    assert Note.decode(data).verify([NoteVerifier.decode(signer.verifier.encode())], strict=True) == (
        signer.verifier,
    )


def test_foreign_lines_are_ignored_unless_strict():
    note = Note.sign(TEXT, [INTL_SIGNER, SM_SIGNER])
    assert note.verify([SM_SIGNER.verifier]) == (SM_SIGNER.verifier,)
    with pytest.raises(UntrustedNote):
        note.verify([SM_SIGNER.verifier], strict=True)
    repeated = Note(note.text, (note.signatures[0], note.signatures[0]))
    with pytest.raises(UntrustedNote):
        repeated.verify([INTL_SIGNER.verifier], strict=True)


@SIGNERS
def test_no_trusted_signature(signer):
    note = Note.sign(TEXT, [signer])
    stranger = NoteVerifier(signer.name, PrivateKey.generate(SM).public_key)
    for trusted in ([], [stranger]):
        with pytest.raises(UntrustedNote):
            note.verify(trusted)


@SIGNERS
def test_another_text_does_not_verify(signer):
    note = Note(TEXT.replace("7", "8"), Note.sign(TEXT, [signer]).signatures)
    with pytest.raises(BadNoteSignature):
        note.verify([signer.verifier])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n",
        PUBLISHED[:-1],
        PUBLISHED + b"\n",
        PUBLISHED + b"x\n",
        PUBLISHED.replace("\u2014 P".encode(), b"- P"),
        PUBLISHED.replace("\u2014 P".encode(), b"P"),
        PUBLISHED.replace("\u2014 P".encode(), "\u2014  P".encode()),
        PUBLISHED.replace(b"BwJnAM=", b"BwJnAN="),
        PUBLISHED.replace(b"BwJnAM=", b"BwJnAM"),
        PUBLISHED.replace(b"BwJnAM=", b"BwJnAM= "),
        PUBLISHED.replace(b"PeterNeumann x", b"Peter+Neumann x"),
        PUBLISHED.replace(b"PeterNeumann x", "Peter\u3000Neumann x".encode()),
        PUBLISHED.replace(b"\n", b"\r\n"),
        PUBLISHED.replace(b"If", b"I\x00"),
        PUBLISHED.replace(b"If", b"I\xff"),
        b"text\n\n\xe2\x80\x94 name AAAA\n",
        b"a\n" * 70_000 + PUBLISHED,
    ],
)
def test_any_other_spelling_is_malformed(data):
    with pytest.raises(MalformedNote):
        Note.decode(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("PeterNeumann", "PeterNewmann"),
        PETER[:-1],
        PETER.replace("+ARpc", "+ABpc"),
        ENOCH[:-1] + "q",
        " " + PETER,
        SM_SIGNER.verifier.encode()[:-4],
    ],
)
def test_bad_keys(text):
    with pytest.raises(BadNoteKey):
        NoteVerifier.decode(text)


def test_keys_that_cannot_sign_notes():
    with pytest.raises(BadNoteKey):
        NoteVerifier("log", PrivateKey.generate(INTL).public_key)
    with pytest.raises(BadNoteKey):
        NoteVerifier("a log", SM_SIGNER.key.public_key)


def test_checkpoint_text():
    checkpoint = Checkpoint(
        "example.com/behind-the-sofa",
        20852163,
        bytes.fromhex("0ac5186a91863e8e1d90c80801a88e9bf5da8e3ee1d9f0763cc0f78f68f1ab62"),
    )
    assert checkpoint.text().splitlines()[2].startswith("CsUYapGGPo4d")
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n7\n" + TEXT.split("\n")[2] + "\n",
        TEXT.replace("7", "07", 1),
        TEXT.replace("\n7\n", "\n+7\n"),
        TEXT.replace("\n7\n", "\n٧\n"),
        TEXT.replace("\n7\n", "\n99999999999999999999\n"),
        TEXT.replace("\n7\n", "\n9223372036854775808\n"),
        TEXT + "extension\n",
        TEXT.replace("Hh8=", "Hh9="),
        TEXT[:-1],
        "log\n7\nAAAA\n",
    ],
)
def test_checkpoints_in_another_spelling(text):
    with pytest.raises(MalformedNote):
        Checkpoint.parse(text)


def test_checkpoint_needs_its_own_logs_key():
    other = NoteSigner("elsewhere.example", INTL_SIGNER.key)
    checkpoint, suite = Checkpoint.open(Note.sign(TEXT, [INTL_SIGNER]), [INTL_SIGNER.verifier])
    assert (checkpoint.size, suite) == (7, INTL)
    with pytest.raises(UntrustedNote):
        Checkpoint.open(Note.sign(TEXT, [other]), [other.verifier, INTL_SIGNER.verifier])


def test_checkpoint_by_keys_of_two_suites_names_no_hash():
    both = [INTL_SIGNER, NoteSigner(INTL_SIGNER.name, SM_SIGNER.key)]
    with pytest.raises(UntrustedNote):
        Checkpoint.open(Note.sign(TEXT, both), [each.verifier for each in both])
