"""Transparency-log proofs for outsiders: trees, notes, checkpoints, tiles and self-contained proofs."""

from yinxin.tlog.checkpoint import Checkpoint
from yinxin.tlog.cosignature import CosignatureSigner, CosignatureVerifier, Cosigned, cosigned
from yinxin.tlog.errors import (
    BadNoteKey,
    BadNoteSignature,
    MalformedNote,
    MalformedPolicy,
    MalformedProof,
    MalformedSubmission,
    NotConsistent,
    NotIncluded,
    QuorumMissed,
    UntrustedNote,
)
from yinxin.tlog.merkle import (
    Fetch,
    Frontier,
    Node,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    subtrees,
    verify_consistency,
    verify_inclusion,
)
from yinxin.tlog.note import Note, NoteSigner, NoteVerifier, Signature
from yinxin.tlog.policy import Policy, PolicyLog, PolicyWitness, Witnessed
from yinxin.tlog.proof import LogProof
from yinxin.tlog.submission import Submission
from yinxin.tlog.tiles import WIDTH, Tile

__all__ = [
    "WIDTH",
    "BadNoteKey",
    "BadNoteSignature",
    "Checkpoint",
    "CosignatureSigner",
    "CosignatureVerifier",
    "Cosigned",
    "Fetch",
    "Frontier",
    "LogProof",
    "MalformedNote",
    "MalformedPolicy",
    "MalformedProof",
    "MalformedSubmission",
    "Node",
    "NotConsistent",
    "NotIncluded",
    "Note",
    "NoteSigner",
    "NoteVerifier",
    "Policy",
    "PolicyLog",
    "PolicyWitness",
    "QuorumMissed",
    "Signature",
    "Submission",
    "Tile",
    "UntrustedNote",
    "Witnessed",
    "consistency_proof",
    "cosigned",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root",
    "subtrees",
    "verify_consistency",
    "verify_inclusion",
]
