"""Transparency-log proofs for outsiders: trees, notes, checkpoints, tiles and self-contained proofs."""

from yinxin.tlog.checkpoint import Checkpoint
from yinxin.tlog.errors import (
    BadNoteKey,
    BadNoteSignature,
    MalformedNote,
    MalformedProof,
    NotConsistent,
    NotIncluded,
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
from yinxin.tlog.proof import LogProof
from yinxin.tlog.tiles import Tile

__all__ = [
    "BadNoteKey",
    "BadNoteSignature",
    "Checkpoint",
    "Fetch",
    "Frontier",
    "LogProof",
    "MalformedNote",
    "MalformedProof",
    "Node",
    "NotConsistent",
    "NotIncluded",
    "Note",
    "NoteSigner",
    "NoteVerifier",
    "Signature",
    "Tile",
    "UntrustedNote",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root",
    "subtrees",
    "verify_consistency",
    "verify_inclusion",
]
