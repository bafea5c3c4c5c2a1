"""Policy files: quorums of groups of groups, and every rule of the format."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import SM
from yinxin.tlog import (
    Checkpoint,
    CosignatureSigner,
    MalformedPolicy,
    Note,
    NoteSigner,
    Policy,
    QuorumMissed,
    UntrustedNote,
)

AT = datetime(2026, 11, 29, tzinfo=UTC)
CHECKPOINT = Checkpoint("log.example", 7, bytes(32))


def ed():
    return PrivateKey(ed25519.Ed25519PrivateKey.generate())


LOG = NoteSigner("log.example", ed())
WITNESSES = {name: CosignatureSigner(f"{name}.example", ed()) for name in ("X1", "X2", "X3", "Y1", "Y2")}
LINES = "".join(f"witness {name} {each.verifier.encode()}\n" for name, each in WITNESSES.items())
HEAD = f"# what we believe\nlog {LOG.verifier.encode()} https://log.example/\n\n{LINES}"
GROUPS = "group X 2 X1 X2 X3\ngroup\tY any  Y1 Y2 \ngroup XY all X Y\n"


def policy(text):
    return Policy.parse(text.encode())


def note(*names):
    signed = Note.sign(CHECKPOINT.text(), [LOG])
    return Note(signed.text, (*signed.signatures, *(WITNESSES[name].sign(CHECKPOINT, AT) for name in names)))


def test_quorum_of_groups():
    read = policy(HEAD + GROUPS + "quorum XY\n")
    assert read.logs[0].url == "https://log.example/"
    for names in (("X1", "X3", "Y2"), ("X1", "X2", "X3", "Y1", "Y2")):
        witnessed = read.check(note(*names), strict=True)
        assert set(witnessed.cosigned) == set(names)
        assert witnessed.checkpoint == CHECKPOINT
        assert witnessed.cosigned["X1"].at == AT
    for names in ((), ("X1", "X2", "X3"), ("X1", "Y1", "Y2")):
        with pytest.raises(QuorumMissed) as missed:
            read.check(note(*names))
        assert missed.value.text("en").count("2 of (X1, X2, X3)") == 1
        assert "中的 2 个" in missed.value.text("zh")


def test_one_witness_or_none():
    with pytest.raises(QuorumMissed):
        policy(HEAD + "quorum Y1\n").check(note("Y2"))
    policy(HEAD + "quorum Y1\n").check(note("Y1"))
    assert not policy(HEAD + "quorum none\n").check(note(), strict=True).cosigned
    with pytest.raises(UntrustedNote):
        policy("quorum none\n").check(note("X1"))


def test_a_forged_witness_does_not_count():
    forger = CosignatureSigner("X1.example", ed())
    forged = Note(CHECKPOINT.text(), (*note().signatures, forger.sign(CHECKPOINT, AT)))
    with pytest.raises(QuorumMissed):
        policy(HEAD + "quorum X1\n").check(forged)
    with pytest.raises(UntrustedNote):
        policy(HEAD + "quorum none\n").check(forged, strict=True)


def test_strictness_refuses_what_nobody_named():
    read = policy(HEAD.replace(f"witness Y2 {WITNESSES['Y2'].verifier.encode()}\n", "") + "quorum Y1\n")
    read.check(note("Y1", "Y2"))
    with pytest.raises(UntrustedNote):
        read.check(note("Y1", "Y2"), strict=True)


def test_names_are_opaque():
    head = HEAD.encode().replace(b" X1 ", b" K\xff ")
    read = Policy.parse(head + b"quorum K\xff\n")
    assert read.satisfied({b"K\xff".decode("utf-8", "surrogateescape"): None})
    assert read.source.endswith(b"K\xff\n")


SM_WITNESS = CosignatureSigner("z.example", PrivateKey.generate(SM))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        (HEAD, 0),
        (HEAD + "quorum none", 9),
        (HEAD + "quorum X1\nquorum X1\n", 10),
        ("quorum X1\n" + HEAD, 1),
        (HEAD + "quorum nobody\n", 9),
        (HEAD + "quorum\n", 9),
        (HEAD + "quorum X1 X2\n", 9),
        (HEAD + "group G 0 X1\nquorum G\n", 9),
        (HEAD + "group G 3 X1 X2\nquorum G\n", 9),
        (HEAD + "group G two X1 X2\nquorum G\n", 9),
        (HEAD + "group G ² X1 X2\nquorum G\n", 9),
        (HEAD + "group G any\nquorum G\n", 9),
        (HEAD + "group G any G\nquorum G\n", 9),
        (HEAD + "group G any none\nquorum G\n", 9),
        (HEAD + "group G any X1 X1\nquorum G\n", 9),
        (HEAD + "group G any X1\ngroup H any X1\nquorum G\n", 10),
        (HEAD + "group X1 any X2\nquorum X1\n", 9),
        (HEAD + "group none any X2\nquorum none\n", 9),
        (HEAD + f"witness X1 {SM_WITNESS.verifier.encode()}\nquorum X1\n", 9),
        (HEAD + f"witness none {SM_WITNESS.verifier.encode()}\nquorum none\n", 9),
        (HEAD + f"witness Z {WITNESSES['X1'].verifier.encode()}\nquorum Z\n", 9),
        (
            HEAD
            + f"witness Z {CosignatureSigner('other', WITNESSES['X1'].key).verifier.encode()}\nquorum Z\n",
            9,
        ),
        (HEAD + f"witness Z {LOG.verifier.encode()}\nquorum Z\n", 9),
        (HEAD + f"log {LOG.verifier.encode()}\nquorum none\n", 9),
        (HEAD + f"log {SM_WITNESS.verifier.encode()}\nquorum none\n", 9),
        (HEAD + "log x+00000000+AAAA\nquorum none\n", 9),
        (HEAD + "believe everybody\nquorum none\n", 9),
        (HEAD + "quorum none\r\n", 9),
        (HEAD + "# \x00\nquorum none\n", 9),
        ("#" * (1024 * 1024) + "\nquorum none\n", 0),
    ],
)
def test_rules_of_the_format(text, line):
    with pytest.raises(MalformedPolicy) as found:
        policy(text)
    assert found.value.facts["line"] == line
