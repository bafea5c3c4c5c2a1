"""Another site's log, in memory: what it signs and proves, and a twin that goes another way."""

from cryptography.hazmat.primitives.asymmetric import ed25519

from audit.witness.models import WitnessedLogRow
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import (
    Checkpoint,
    Frontier,
    Note,
    NoteSigner,
    Submission,
    consistency_proof,
    leaf_hash,
    root,
)

KEYS = {INTL: PrivateKey(ed25519.Ed25519PrivateKey.generate()), SM: PrivateKey.generate(SM)}


class OtherLog:
    def __init__(self, suite=INTL, origin="log.example", like: "OtherLog | None" = None) -> None:
        self.suite = suite
        self.signer = NoteSigner(origin, KEYS[suite])
        self.leaves: list[bytes] = list(like.leaves) if like else []

    def grow(self, *entries: str) -> "OtherLog":
        self.leaves += [leaf_hash(self.suite.hash, each.encode()) for each in entries]
        return self

    def _nodes(self):
        frontier, nodes = Frontier(self.suite.hash), {}
        for leaf in self.leaves:
            nodes.update(frontier.append(leaf))
        return lambda wanted: {each: nodes[each] for each in wanted}

    def checkpoint(self, size=None) -> Checkpoint:
        size = len(self.leaves) if size is None else size
        return Checkpoint(self.signer.name, size, root(self.suite.hash, size, self._nodes()))

    def note(self, size=None) -> Note:
        return Note.sign(self.checkpoint(size).text(), [self.signer])

    def submission(self, old=0, size=None) -> Submission:
        size = len(self.leaves) if size is None else size
        proof = consistency_proof(self.suite.hash, old, size, self._nodes()) if old <= size else ()
        return Submission(old, proof, self.note(size))


def watched(site, log: OtherLog) -> None:
    """Have the site witness the log, as an approved proposal would."""
    with site.store.act(SYSTEM, "test.watch", "log") as act:
        act.session.add(
            WitnessedLogRow(
                origin=log.signer.name,
                tree=log.suite.hash.name,
                keys=log.signer.verifier.encode(),
                since=site.store.clock.now(),
                proposal="p",
            )
        )
