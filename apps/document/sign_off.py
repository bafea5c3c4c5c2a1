"""Sign-off: the leader, in her post, signs the very content that was reviewed.

`statement` gives the bytes; her side signs them; `sign_off` takes them back if they are still what is due.
"""

from typing import Any

from sqlalchemy.orm import Session

from apps.document.content import files_named
from apps.document.desk import Desk, content
from apps.document.joint import parts
from apps.document.joint.errors import NotCountersigned
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from yinxin import flow
from yinxin.calendar import local_date
from yinxin.crypto.suite import INTL, SM

SIGN_OFF = "document.sign-off"


def statement(desk: Desk, document: str) -> bytes:
    """What the leader is to sign: revision, title, and the digests of the content in both worlds."""
    row = DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = due(session, row)
    return flow.statement(desk, SIGN_OFF, DOCUMENTS.subject(document), body)


def sign_off(desk: Desk, document: str, signed: bytes, signature: bytes) -> None:
    """Take the signed statement; raises StaleStatement, WrongSigner, BadSignature, CertificateRevoked, NotPermitted, NotCountersigned."""
    seen = DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        body = due(session, seen)
    proof = flow.accept(desk, SIGN_OFF, DOCUMENTS.subject(document), body, signed=signed, signature=signature)
    digest = body["content"]["sha256"]
    # the text may have been sent back and changed while the signature was being verified
    with DOCUMENTS.move(desk, document, SIGN_OFF, seen=seen, signed=proof, content_sha256=digest) as (
        act,
        row,
    ):
        if missing := parts.missing(act.session, row):
            raise NotCountersigned(document=document, organs="、".join(each.organ for each in missing))
        row.signer = desk.caller.actor.id
        row.signer_name, row.signer_title = desk.caller.name, desk.caller.post_name.zh
        row.dated = local_date(proof.declared.at).isoformat()


def due(session: Session, row: Document) -> dict[str, Any]:
    """What whoever answers for the text signs of it: its revision, title, digests, and those of the attached files."""
    newest = content(session, row.id)
    digests = {"sha256": INTL.hash.digest(newest.data).hex(), "sm3": SM.hash.digest(newest.data).hex()}
    body = {"revision": newest.revision, "title": row.title, "content": digests}
    files = [{name: each[name] for name in ("name", "sha256", "sm3")} for each in files_named(newest.data)]
    return body | {"attachments": files} if files else body
