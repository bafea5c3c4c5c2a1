"""Evidence whose log is witnessed: what the reader's own policy says of it, and what the bundle's does not."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.evidence.eras import by_time, era
from tests.pdf.authority import AT, DAY, Authority
from yinxin import evidence
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.errors import Untrue, YinxinError
from yinxin.evidence.record import EvidenceRecord, RecordBroken
from yinxin.tlog import (
    BadNoteSignature,
    Checkpoint,
    CosignatureSigner,
    LogProof,
    MalformedPolicy,
    Note,
    Policy,
    QuorumMissed,
    UntrustedNote,
)

WITNESSES = {
    name: CosignatureSigner(f"{name}.example/w", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
    for name in ("jia", "yi", "bing")
}


def policy(case, quorum="group two 2 jia yi bing\nquorum two\n"):
    lines = "".join(f"witness {name} {each.verifier.encode()}\n" for name, each in WITNESSES.items())
    return Policy.parse(f"log {case.log.verifier.encode()}\n{lines}{quorum}".encode())


def cosigned(bundle, *names, by=None):
    proofs = []
    for each in bundle.proofs:
        proof = LogProof.decode(each)
        text = proof.checkpoint.text
        lines = [(by or WITNESSES)[name].sign(Checkpoint.parse(text), AT) for name in names]
        proofs.append(replace(proof, checkpoint=Note(text, (*proof.checkpoint.signatures, *lines))).encode())
    return proofs


def verify(case, bundle, *policies):
    held = []
    trust = replace(case.trust, policies=policies)
    evidence.verify(case.pack(bundle), trust, at=AT, held=held)
    return held


def test_a_quorum_is_told_in_words(case, bundle):
    own = policy(case)
    witnessed = replace(bundle, proofs=cosigned(bundle, "jia", "bing"), policies=[own.source])
    held = verify(case, witnessed, own)
    assert (
        held[-1].zh
        == "日志检查点由见证方 bing、jia 联署（最早 2026-11-22 16:00:00+08:00），达到您的见证规则：（jia、yi、bing）中的 2 个"
    )
    assert held[-1].en.endswith("as your policy asks: 2 of (jia, yi, bing)")
    # a reader without a policy is told whose signatures those are, and that nothing was judged by them
    held = verify(case, witnessed)
    assert held[-1].en.endswith("you have no policy for that log, so they were not judged")
    assert verify(case, bundle, policy(case, "quorum none\n"))[-1].en == "your policy asks for no witness"


def test_too_few_witnesses(case, bundle):
    own = policy(case)
    enough = cosigned(bundle, "jia", "yi")
    for proofs in (bundle.proofs, cosigned(bundle, "jia"), [*enough[:-1], bundle.proofs[-1]]):
        with pytest.raises(QuorumMissed) as missed:
            verify(case, replace(bundle, proofs=proofs, policies=[own.source]), own)
        assert "2 of (jia, yi, bing)" in missed.value.text("en")


def test_what_the_bundle_brings_decides_nothing(case, bundle):
    """An attacker's own witnesses, named by a policy of the attacker's own making."""
    forged = {
        name: CosignatureSigner(f"{name}.example/w", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
        for name in WITNESSES
    }
    lines = "".join(f"witness {name} {each.verifier.encode()}\n" for name, each in forged.items())
    theirs = f"log {case.log.verifier.encode()}\n{lines}quorum none\n".encode()
    changed = replace(bundle, proofs=cosigned(bundle, *forged, by=forged), policies=[theirs])
    with pytest.raises(QuorumMissed):
        verify(case, changed, policy(case))
    assert "not judged" in verify(case, changed)[-1].en


def test_lines_that_nobody_explains(case, bundle):
    with pytest.raises(UntrustedNote):
        verify(case, replace(bundle, proofs=cosigned(bundle, "jia")))
    proof = LogProof.decode(cosigned(bundle, "jia")[0])
    line = proof.checkpoint.signatures[1]
    for value in (line.value[:-1] + bytes((line.value[-1] ^ 1,)), bytes(8) + line.value[8:]):
        note = Note(proof.checkpoint.text, (proof.checkpoint.signatures[0], replace(line, value=value)))
        broken = replace(proof, checkpoint=note).encode()
        with pytest.raises(BadNoteSignature):
            verify(case, replace(bundle, proofs=[broken, *bundle.proofs[1:]], policies=[policy(case).source]))
    with pytest.raises(evidence.MalformedEvidence):
        verify(case, replace(bundle, policies=[b"quorum nobody\n"]))


def test_a_folder_of_trust_may_hold_policies(case, tmp_path):

    (tmp_path / "a.root.pem").write_text("".join(root.pem for root in case.trust.roots))
    (tmp_path / "log.vkey").write_text(case.log.verifier.encode() + "\n")
    (tmp_path / "log.policy").write_bytes(policy(case).source)
    assert evidence.Trust.load(tmp_path).policies == (policy(case),)
    (tmp_path / "log.policy").write_bytes(b"quorum nobody\n")
    with pytest.raises(MalformedPolicy):
        evidence.Trust.load(tmp_path)


def test_a_timestamp_over_the_checkpoint(case, bundle):
    text = LogProof.decode(bundle.proofs[0]).checkpoint.text
    token = case.intl.token(text.encode())
    held = verify(case, replace(bundle, stamps=[token]))
    assert (
        held[-1].en
        == "the log's checkpoint of size 12 existed at 2026-11-22 16:00:00+08:00, as a timestamp proves"
    )
    with pytest.raises(evidence.EvidenceMismatch):
        verify(case, replace(bundle, stamps=[case.intl.token(b"another text")]))
    stranger = Authority(INTL)
    with pytest.raises(Untrue):
        verify(case, replace(bundle, stamps=[stranger.token(text.encode())]))
    with pytest.raises(YinxinError):
        verify(case, replace(bundle, stamps=[token[:-1]]))


def test_the_evidence_record_of_the_checkpoint(case, bundle):
    """It brings what its authority is judged by: an outside one's root is all that a reader needs besides."""
    text = LogProof.decode(bundle.proofs[0]).checkpoint.text.encode()
    national, younger = era("sm", AT - DAY, 3), era("ecdsa", AT + DAY, 9)
    record = EvidenceRecord(((national.link(text, AT),),))
    record = by_time(record, younger, AT + 2 * DAY, before=national)
    trust = replace(case.trust, roots=(*case.trust.roots, national.root, younger.root))

    def check(*records, at=AT + 400 * DAY):
        held = []
        data = case.pack(replace(bundle, records=[each.encode() for each in records]))
        evidence.verify(data, trust, at=at, held=held)
        return held

    assert "of size 12 existed at 2026-11-22 16:00:00+08:00" in check(record)[-1].en
    assert "renewed 1 times" in check(record)[-1].en
    with pytest.raises(evidence.EvidenceMismatch):
        check(EvidenceRecord(((national.link(b"another text", AT),),)))
    other = by_time(EvidenceRecord(((national.link(b"other", AT),),)), younger, AT + DAY, before=national)
    with pytest.raises(RecordBroken):
        check(EvidenceRecord(((record.links[0], other.last),)))
    with pytest.raises(Untrue):
        check(EvidenceRecord(((era("sm", AT - DAY).link(text, AT),),)))
