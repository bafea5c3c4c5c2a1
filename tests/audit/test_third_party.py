"""Judges of another make: aics-tlog reads our log, aics-witness watches it, and our witness watches theirs; pymerkle agrees."""

import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from audit.witness import NotContinued
from audit.witness.models import WitnessedLogRow
from audit.witness.proposals import QuorumContent
from yinxin.act import SYSTEM
from yinxin.crypto.suite import INTL
from yinxin.tlog import Checkpoint, LogProof, Policy, Tile

from .neighbourhood import decide, grow, policy, roll_back, size

pytestmark = pytest.mark.engines("any")

WHEELS = Path(__file__).parents[1] / "support" / "vendor"


@pytest.fixture(scope="module", autouse=True)
def aics():
    """Both packages ask for a newer Python than ours and need none of it; they are read out of their wheels."""
    wheels = [str(each) for each in sorted(WHEELS.glob("aics-*/*.whl"))]
    assert len(wheels) == 2
    sys.path[:0] = wheels
    yield
    for each in wheels:
        sys.path.remove(each)


class Foreign:
    """A witness of another make, reached like ours."""

    def __init__(self, folder, clock, vkey):
        from aics_tlog import parse_vkey
        from aics_witness.config import LogConfig
        from aics_witness.service import Witness
        from aics_witness.store import WitnessStore

        self.store = WitnessStore(folder / "foreign.sqlite", create=True)
        key = parse_vkey(vkey)
        self.witness = Witness(
            "foreign.example/w",
            ed25519.Ed25519PrivateKey.generate(),
            self.store,
            [LogConfig(key.name, (key,))],
            clock=lambda: clock.now().timestamp(),
        )

    def answer(self, request):
        from aics_witness.service import WitnessError

        if request.method == "GET":
            body = self.witness.latest_checkpoint(request.url.path.split("/")[-2])
            return httpx.Response(404) if body is None else httpx.Response(200, content=body)
        try:
            return httpx.Response(200, content=self.witness.add_checkpoint(request.content))
        except WitnessError as error:
            return httpx.Response(
                error.status, headers={"Content-Type": error.content_type}, content=error.body
            )


@pytest.fixture
def foreign(tmp_path, clock, ours, net):
    made = Foreign(tmp_path, clock, ours.log.verifiers["sha256"].encode())
    net.others["foreign.example"] = made.answer
    yield made
    made.store.close()


class Tiles:
    """Our tiles as their reader asks for them."""

    def __init__(self, log):
        self._log = log

    def read_tile(self, level, index, width):
        return self._log.tile(Tile(level, index, width or 256))

    def read_entry_bundle(self, index, width):
        return None


def test_a_foreign_verifier_accepts_tiles_checkpoint_and_quorum(ours, neighbours, foreign, clock):
    import aics_tlog

    text = policy(ours, neighbours, quorum="")
    text += f"witness foreign {foreign.witness.vkey_text} https://foreign.example\n"
    text += "group three all jia yi foreign\nquorum three\n"
    decide(ours, "audit.set-quorum", QuorumContent(suite="intl", policy=text))
    heads = []
    for count in (40, 260):  # a partial tile, then a full one and two levels
        grow(ours, count)
        clock.advance(timedelta(minutes=5))
        assert ours.log.witnesses.gather() == 3
        data = ours.log.published().encode()
        read = Policy.parse(text.encode())
        judged = aics_tlog.verify_checkpoint(
            aics_tlog.parse_note(data),
            aics_tlog.parse_vkey(ours.log.verifiers["sha256"].encode()),
            [aics_tlog.parse_vkey(each.verifier.encode()) for each in read.witnesses.values()],
            3,
            expected_origin="yinxin.local/log",
            max_age_seconds=3600,
            now=int(clock.now().timestamp()),
        )
        assert (judged.ok, judged.error, judged.cosignature_count) == (True, None, 3)
        report = aics_tlog.audit_tiles(Tiles(ours.log), judged.size, judged.root, entries=False)
        assert report.size == judged.size
        heads.append(judged)
    assert report.tiles == 3
    first, second = heads
    consistent = aics_tlog.consistency_proof_from_tiles(Tiles(ours.log), first.size, second.size)
    assert aics_tlog.verify_consistency(first.size, second.size, first.root, second.root, consistent)
    # one entry, by its index, and the second oracle over all of them
    entries = list(reversed(ours.log.entries(limit=1000)))[: second.size]
    path = aics_tlog.inclusion_proof_from_tiles(Tiles(ours.log), 123, second.size)
    assert aics_tlog.verify_leaf_inclusion(entries[123].data, 123, second.size, path, second.root)
    assert not aics_tlog.verify_leaf_inclusion(entries[124].data, 123, second.size, path, second.root)
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry.data)
    assert other.get_root() == second.root
    pymerkle.verify_consistency(
        other.get_root(first.size), second.root, other.prove_consistency(first.size, second.size)
    )
    proof = LogProof.decode(ours.log.proof(entries[7].event).encode())
    assert aics_tlog.verify_leaf_inclusion(
        proof.entry,
        proof.index,
        Checkpoint.parse(proof.checkpoint.text).size,
        list(proof.hashes),
        second.root,
    )


def test_a_foreign_witness_finds_a_fork(ours, foreign, clock, another, net):
    text = f"log {ours.log.verifiers['sha256'].encode()}\n"
    text += f"witness foreign {foreign.witness.vkey_text} https://foreign.example\nquorum foreign\n"
    decide(ours, "audit.set-quorum", QuorumContent(suite="intl", policy=text))
    grow(ours, 5)
    assert ours.log.witnesses.gather() == 1

    seen = size(ours.log.signed())
    roll_back(ours, seen - 3)
    twin = another(http=net.client)
    twin.log.start()
    grow(twin, 9, "test.other")
    clock.advance(timedelta(hours=2))
    assert twin.log.witnesses.gather() == 0
    (found,) = twin.log.witnesses.contradictions()
    assert (found.kind, found.theirs, found.proven) == ("forked", seen, True)
    assert foreign.store.evidence_counts()


def test_our_witness_watches_a_foreign_log(site, clock):
    import aics_tlog
    from aics_witness.protocol import format_add_checkpoint_request, parse_signature_lines

    key = ed25519.Ed25519PrivateKey.generate()
    tree = aics_tlog.MerkleTree([b"entry %d\n" % number for number in range(70)])
    vkey = aics_tlog.format_vkey(aics_tlog.vkey_from_ed25519("their.example/log", key.public_key()))
    with site.store.act(SYSTEM, "test.watch", "log") as act:
        act.session.add(
            WitnessedLogRow(
                origin="their.example/log", tree="sha256", keys=vkey, since=clock.now(), proposal="p"
            )
        )
    own = next(each for each in site.log.cosigner.keys if each.public_key.suite is INTL)
    witness_key = aics_tlog.parse_vkey(own.encode())
    old = 0
    for length in (1, 7, 8, 64, 70):
        note = aics_tlog.sign_checkpoint(
            aics_tlog.Checkpoint("their.example/log", length, tree.root(length)), key, "their.example/log"
        )
        proof = tree.consistency_proof(old, length) if old else []
        body = format_add_checkpoint_request(old, proof, note.to_bytes())
        with pytest.raises(NotContinued):
            site.log.cosigner.add(format_add_checkpoint_request(old, [*proof, bytes(32)], note.to_bytes()))
        answer = site.log.cosigner.add(body)
        (line,) = parse_signature_lines(answer.decode())
        judged = aics_tlog.verify_checkpoint(
            aics_tlog.Note(text=note.text, signatures=(*note.signatures, line)),
            aics_tlog.parse_vkey(vkey),
            [witness_key],
            1,
            now=int(clock.now().timestamp()),
        )
        assert (judged.ok, judged.error) == (True, None)
        assert judged.timestamps == {own.name: int(clock.now().timestamp())}
        old = length
