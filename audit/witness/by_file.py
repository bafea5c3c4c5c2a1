"""Witnessing in somebody's name, by file and by hand: permitted by the policies, and recorded.

Where two sites have no line between them, three files travel: what the log's side exports, what the witness's side
answers, and what the log's side imports.
"""

import io
from pathlib import Path
from typing import Any

from audit.ask import LOG, decider_of
from audit.service import Log
from audit.witness.cosigner import tree_of
from audit.witness.errors import TooMuchForCode
from yinxin import files
from yinxin.act import Actor, Outcome
from yinxin.authz import PLATFORM, Resource
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.tlog import Checkpoint, Note, Submission
from yinxin.tlog.submission import decode_lines

READ, ASK = "audit.read-witnesses", "audit.ask-witnesses"
EXPORT, COSIGN, IMPORT = "audit.export-checkpoint", "audit.cosign", "audit.import-cosignatures"
#: octets that one QR code holds (ISO/IEC 18004, version 40, level L)
_CODE = 2953


def _permit(log: Log, actor: Actor, verb: str) -> dict[str, Any]:
    return decider_of(log).require(actor, verb, Resource("AuditLog", LOG, PLATFORM)).record()


def read_for(log: Log, actor: Actor) -> dict[str, Any]:
    """How witnessing stands, both ways; raises Denied."""
    decision = _permit(log, actor, READ)
    with log.store.act(actor, READ, LOG) as act:
        act.decision = decision
    return log.witnesses.facts() | {
        "keys": {tree_of(key): key.encode() for key in log.cosigner.keys},
        "logs": [
            {"origin": each.origin, "tree": each.tree, "size": each.size, "stopped": each.stopped}
            for each in log.cosigner.logs()
        ],
        "suspects": log.cosigner.suspects(),
    }


def ask_for(log: Log, actor: Actor) -> int:
    """Ask every witness now; how many cosigned. Raises Denied, NoHttp."""
    decision = _permit(log, actor, ASK)
    with log.store.act(actor, ASK, LOG) as act:
        act.decision = decision
    log.sequence()
    log.checkpoint()
    return log.witnesses.gather(at_once=True)


def export_for(log: Log, actor: Actor, suite: Suite, witness: str, old: int | None = None) -> Submission:
    """As `Witnesses.submission`; raises Denied besides."""
    decision = _permit(log, actor, EXPORT)
    with log.store.act(actor, EXPORT, f"witness:{witness[:200]}", suite=suite.name) as act:
        act.decision = decision
        submission = log.witnesses.submission(suite, witness, old)
        act.facts["size"] = Checkpoint.parse(submission.checkpoint.text).size
    return submission


def cosign_for(log: Log, actor: Actor, data: bytes) -> bytes:
    """As `Cosigner.add`, giving the cosigned checkpoint; raises Denied besides."""
    decision = _permit(log, actor, COSIGN)
    checkpoint = Checkpoint.parse(Submission.decode(data).checkpoint.text)
    subject = f"log:{checkpoint.origin[:255]}"
    # it moves what is cosigned forward for ever: the intent is recorded before, the outcome after
    with log.store.act(actor, COSIGN, subject, outcome=Outcome.INTENT, size=checkpoint.size) as act:
        act.decision = decision
    try:
        lines = log.cosigner.add(data)
    except YinxinError as error:
        log.store.refuse(actor, COSIGN, subject, error)
        raise
    with log.store.act(actor, COSIGN, subject, size=checkpoint.size):
        pass
    note = Submission.decode(data).checkpoint
    return Note(note.text, (*note.signatures, *decode_lines(note.text, lines))).encode()


def import_for(log: Log, actor: Actor, data: bytes) -> dict[str, Any]:
    """As `Witnesses.take`; raises Denied besides. Taking the same answer again changes nothing."""
    decision = _permit(log, actor, IMPORT)
    try:
        tree, size, names = log.witnesses.take(data)
    except YinxinError as error:
        log.store.refuse(actor, IMPORT, LOG, error)
        raise
    facts: dict[str, Any] = {"tree": tree, "size": size, "witnesses": list(names)}
    with log.store.act(actor, IMPORT, LOG, **facts) as act:
        act.decision = decision
    return facts


def write_code(file: Path, data: bytes) -> None:
    """Write `data` as one QR code, an SVG picture; raises TooMuchForCode."""
    import segno

    if len(data) > _CODE:
        raise TooMuchForCode(size=len(data))
    picture = io.BytesIO()
    segno.make(data, error="l", mode="byte", micro=False).save(picture, kind="svg", scale=4)
    files.replace(file, picture.getvalue())
