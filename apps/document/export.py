"""Exporting evidence: one file that proves the document to a stranger without asking us."""

from collections.abc import Iterable

from apps.document import decisions
from apps.document.content import files_named
from apps.document.desk import Desk, content, file
from apps.document.errors import ProvedElsewhere
from apps.document.impression import signatures
from apps.document.joint import parts
from apps.document.models import Document
from apps.document.proofs import proofs
from apps.document.records import DOCUMENTS, resource
from apps.document.seal import SEALED, SEALED_SM
from apps.document.sites.advice import came
from yinxin import evidence
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL, SM
from yinxin.flow import stamp
from yinxin.tlog import Checkpoint, LogProof

#: the acts whose records go into the evidence, beside the joint organs' countersignatures of the text as it was sealed
_PROVED = (
    "document.sign-off",
    "document.number",
    "document.seal",
    "document.dispatch",
    "document.receive",
    "document.return",
    *decisions.VERBS,
)


def export(desk: Desk, document: str) -> bytes:
    """The evidence bundle of a sealed document; raises WrongState before it is sealed, NotPermitted, ProvedElsewhere.

    The log is asked for proofs first, so that what is handed out is under a signed checkpoint.
    """
    row = DOCUMENTS.read(desk, document)
    desk.core.require("document.export", resource(row))
    subject = DOCUMENTS.subject(row.id)
    with desk.store.read() as session, desk.store.refusing(desk.caller.actor, "document.export", subject):
        if came(session, row.id):
            raise ProvedElsewhere(document=row.id, organ=row.organ)
    bundle = _bundle(desk, row)
    manifest = evidence.to_sign(bundle)
    keeper = desk.core.evidence_seal(bundle.subject)
    identity = Identity(keeper.signer, keeper.certificate, ())
    at = desk.store.clock.now()
    signature = cms.sign_detached(identity, manifest, signed_at=at)
    signature = cms.with_timestamp(signature, stamp(desk.core, cms.signature_value(signature), INTL.name))
    packed = evidence.pack(bundle, signature)
    with DOCUMENTS.move(desk, document, "document.export", bundle_sha256=INTL.hash.digest(packed).hex()):
        pass
    return packed


def _bundle(desk: Desk, row: Document) -> evidence.Bundle:
    with desk.store.read() as session:
        sealed = file(session, row.id, SEALED).data
        sealed_sm = file(session, row.id, SEALED_SM).data
        files = files_named(content(session, row.id).data)
        stands = signatures(session, row).values()
        entries = [each.entry for each in DOCUMENTS.steps(session, row.id) if each.verb in _PROVED]
        entries += [each.entry for each in parts.joint(session, row.id) if each.entry]
        signed = [each for each in DOCUMENTS.signatures(session, row.id) if each.type in _PROVED]
        acts = [
            evidence.SignedAct(
                each.statement, each.cms, each.ocsp, each.attributes or b"", each.delegation or b""
            )
            for each in [*stands, *(each for each in signed if each not in stands)]
        ]
    signers = [cms.verify_detached(act.cms, act.statement).certificate for act in acts]
    given = [evidence.SignedDelegation.decode(act.delegation) for act in acts if act.delegation]
    signers += [cms.verify_detached(each.cms, each.statement).certificate for each in given]
    certificates, crls = _surroundings(desk, row, signers)
    proved = [desk.core.proof(entry) for entry in entries]
    return evidence.Bundle(
        subject=DOCUMENTS.subject(row.id),
        sealed=sealed,
        sealed_sm=sealed_sm,
        acts=acts,
        proofs=proved,
        certificates=certificates,
        crls=crls,
        facts={"number": row.number, "title": row.title} | ({"attachments": files} if files else {}),
        policies=[each for each in (desk.core.witness_policy(),) if each],
        records=_records(desk, proved),
    )


def _records(desk: Desk, proofs: Iterable[bytes]) -> list[bytes]:
    """The evidence records of the checkpoints that the proofs stand under, where there are any."""
    texts = {LogProof.decode(each).checkpoint.text for each in proofs}
    sizes = sorted({Checkpoint.parse(text).size for text in texts})
    return [record for size in sizes if (record := desk.core.checkpoint_record(size))]


def _surroundings(
    desk: Desk, row: Document, signers: Iterable[Certificate]
) -> tuple[list[bytes], list[bytes]]:
    """Every certificate that a signature in the bundle needs, below the roots, and the CRLs of every issuer."""
    subject = DOCUMENTS.subject(row.id)
    seals = [desk.core.seal_chain(row.organ, suite.name) for suite in (INTL, SM)]
    authorities = [desk.core.timestamp_chain(suite.name) for suite in (INTL, SM)]
    keeper = desk.core.evidence_seal(subject)
    chains = [*seals, *authorities, (keeper.certificate, *keeper.chain)]
    chains += [(each, *desk.core.chain(each)) for each in signers]
    return proofs(desk, chains)
