"""Sign-off: the leader, in her post, signs the very content that was reviewed.

`statement` gives the bytes; her side signs them; `sign_off` checks that they are still what is due, that they were
signed with the certificate she signed in with, and that this certificate is good now, and keeps the proof of it.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from apps.document.desk import Desk, content, read, transition
from apps.document.draft import local_date
from apps.document.errors import StaleStatement, WrongSigner
from apps.document.models import Document, Signature
from apps.document.stamp import stamp
from yinxin.crypto import cms
from yinxin.crypto.suite import INTL, SM
from yinxin.statement import Statement

#: a statement not signed within this time is fetched anew
LIFETIME = timedelta(minutes=15)

SIGN_OFF = "document.sign-off"


def statement(desk: Desk, document: str) -> bytes:
    """What the leader is to sign: type, document, post, organ, time, and the digests of the content in both worlds."""
    row = read(desk, document)
    with desk.store.read() as session:
        body = _due(session, row)
    at = desk.store.clock.now()
    return Statement.of(desk.caller.actor, SIGN_OFF, f"document:{document}", at, body).encode()


def sign_off(desk: Desk, document: str, signed: bytes, signature: bytes) -> None:
    """Take the signed statement; raises StaleStatement, WrongSigner, BadSignature, CertificateRevoked, NotPermitted."""
    declared = Statement.decode(signed)
    seen = read(desk, document)
    with desk.store.read() as session:
        body = _due(session, seen)
    expect(desk, declared, SIGN_OFF, document, body)
    proof = verified(desk, signed, signature)
    digest = body["content"]["sha256"]
    # the text may have been sent back and changed while the signature was being verified
    with transition(desk, document, SIGN_OFF, seen=seen, content_sha256=digest) as (act, row):
        row.signer = desk.caller.actor.id
        row.signer_name = desk.caller.name
        row.dated = local_date(declared.at).isoformat()
        act.session.add(record(desk, document, SIGN_OFF, signed, proof))


def _due(session: Session, row: Document) -> dict[str, Any]:
    newest = content(session, row.id)
    digests = {"sha256": INTL.hash.digest(newest.data).hex(), "sm3": SM.hash.digest(newest.data).hex()}
    return {"revision": newest.revision, "title": row.title, "content": digests}


def expect(desk: Desk, declared: Statement, verb: str, document: str, body: dict[str, Any]) -> None:
    """Raise StaleStatement naming the first field in which the declaration differs from what is due now."""
    actor = desk.caller.actor
    now = desk.store.clock.now()
    due = Statement.of(actor, verb, f"document:{document}", declared.at, body)
    for field in ("type", "subject", "person", "post", "organ", "content"):
        if getattr(declared, field) != getattr(due, field):
            raise StaleStatement(document=document, field=field)
    if not now - LIFETIME <= declared.at <= now + timedelta(seconds=5):
        raise StaleStatement(document=document, field="at")


def verified(desk: Desk, signed: bytes, signature: bytes) -> tuple[bytes, bytes]:
    """The signature with our timestamp in it, and the OCSP answer for its certificate; raises when either fails.

    1. The signature holds over these bytes. 2. It is by the certificate of this session, which sign-in has bound to
    person and post. 3. It is timestamped. 4. The certificate's state is asked after the timestamp, so that the answer
    speaks for a time at which the signature already existed.
    """
    by = cms.verify_detached(signature, signed)
    if by.certificate.fingerprint != desk.caller.actor.certificate:
        raise WrongSigner
    suite = by.certificate.public_key.suite.name
    stamped = cms.with_timestamp(signature, stamp(desk.core, cms.signature_value(signature), suite))
    return stamped, desk.core.ocsp(by.certificate)


def record(desk: Desk, document: str, verb: str, signed: bytes, proof: tuple[bytes, bytes]) -> Signature:
    """The row that keeps a signed statement."""
    actor = desk.caller.actor
    return Signature(
        document=document,
        type=verb,
        organ=actor.organ or "",
        person=actor.id,
        statement=signed,
        cms=proof[0],
        ocsp=proof[1],
        at=desk.store.clock.now(),
    )
