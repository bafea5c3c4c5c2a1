"""Taking files into keeping: durable first, then in the ledger; and reading them back, by their digest."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from audit.renewal.errors import KeptFileLost
from audit.renewal.models import KeptRow
from yinxin import files
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.suite import INTL
from yinxin.steps import step

if TYPE_CHECKING:
    from audit.service import Log

KEEP = "audit.keep"
BUNDLE = "bundle"


def keep(log: "Log", actor: Actor, data: bytes, decision: Decision | None = None) -> str:
    """Take a bundle of evidence into keeping; its name, the SHA-256 of its octets. What is there already is taken once.

    Raises OSError's cause as KeptFileLost when it cannot be written.
    """
    digest = INTL.hash.digest(data)
    name = digest.hex()
    file = log.kept / f"{name}.asice"
    with log.store.read() as session:
        if session.get(KeptRow, (BUNDLE, name)) is not None:
            return name
    # 1. On the disk, under its digest: whoever dies here leaves a file that nothing names, and that the next try writes again.
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        files.replace(file, data, mode=0o600)
    except OSError as error:
        raise KeptFileLost(file=str(file)) from error
    step("audit.keep.1-written")
    # 2. In the ledger, with the record of the act.
    with log.store.act(actor, KEEP, f"bundle:{name}", size=len(data)) as act:
        act.decision = None if decision is None else decision.record()
        enter(act.session, BUNDLE, name, at=log.store.clock.now(), digest=digest, file=file)
    step("audit.keep.2-entered")
    return name


def enter(session: Session, kind: str, name: str, *, at: datetime, digest: bytes, file: Path) -> None:
    """Note a file in the ledger; its first timestamp is made by the next renewal."""
    session.add(KeptRow(kind=kind, name=name, made=at, sha256=digest, file=str(file.absolute())))


def read(row: KeptRow, look_in: Iterable[str] = ()) -> bytes:
    """The file, where it was put or in one of these folders; raises KeptFileLost."""
    kept = Path(row.file)
    for file in (kept, *(Path(folder) / kept.name for folder in look_in)):
        try:
            data = file.read_bytes()
        except OSError:
            continue
        if hmac.compare_digest(INTL.hash.digest(data), row.sha256):
            return data
    raise KeptFileLost(file=row.file)
