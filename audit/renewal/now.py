"""The record of a proof as it can be shown today."""

from dataclasses import replace
from typing import TYPE_CHECKING

from audit.renewal.ledger import Proof, record
from yinxin.evidence.record import EvidenceRecord

if TYPE_CHECKING:
    from audit.service import Log


def record_now(log: "Log", kind: str, name: str) -> EvidenceRecord:
    """The record, its last link with the lists of today: what is said of it until it is renewed nobody can know better."""
    with log.store.read() as session:
        found = record(session, Proof(kind, name))
    if log.stamps.authority is None:
        return found
    vouched = log.stamps.authority.standing(found.last.token.der)
    last = replace(
        found.last,
        certificates=tuple(dict.fromkeys((*found.last.certificates, *vouched.certificates))),
        crls=tuple(dict.fromkeys((*found.last.crls, *vouched.crls))),
    )
    return EvidenceRecord((*found.chains[:-1], (*found.chains[-1][:-1], last)))
