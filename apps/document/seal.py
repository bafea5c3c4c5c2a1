"""Sealing: the organ's seal goes onto the laid-out page, in both suites, and everything that proves it goes with it.

The sealed PDF is PAdES B-LTA in the intl suite and carries the signed content and the leader's sign-off as attached
files, with the delegation by which somebody signed in the leader's place. The sealed OFD shows the same pages under the
organ's national seal (SM2), and carries the same. A detached SM2 signature with an SM3 timestamp over the sealed PDF
stands beside it, so that each world can check with its own algorithms.
"""

from datetime import datetime
from hashlib import sha256

from apps.document.core import Seal
from apps.document.desk import Desk, content, file
from apps.document.models import Document, File
from apps.document.number import LAYOUT
from apps.document.records import DOCUMENTS
from apps.document.seal_ofd import SEALED_OFD, sealed_ofd
from apps.document.sign_off import SIGN_OFF
from yinxin import pdf
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.crypto.seal import Picture
from yinxin.crypto.suite import INTL, SM
from yinxin.flow import Signature, granted, stamp
from yinxin.steps import step

SEALED = "sealed.pdf"
SEALED_SM = "sealed.sm.p7s"


def seal(desk: Desk, document: str) -> None:
    """Seal the document; a seal that was cut short is put on again from the same page.

    1. Intent: the state says that sealing has begun; recorded. 2. A use of the organ's seal begins on the leader's
    sign-off, and the page is sealed with keys that stay in the key centre; each signature is recorded there. 3. The
    sealed file is checked as a stranger would, and the register of uses told what came out. 4. It is stored, and the
    state moves on; recorded.
    """
    with DOCUMENTS.move(desk, document, "document.begin-seal"):
        pass
    step("document.seal.1-intended")
    row = DOCUMENTS.snapshot(desk, document)
    subject = DOCUMENTS.subject(document)
    use = desk.core.begin_seal_use(
        row.organ, subject=subject, title=f"{row.number} {row.title}", approval=_approval(desk, document)
    )
    intl = use.suites[INTL.name]
    body, signed = _signed(desk, row)
    sealed = _sealed_pdf(desk, row, intl, use.structure.picture, carried=(body, signed))
    sm = _sm_signature(desk, use.suites[SM.name], sealed)
    files = {SEALED: sealed, SEALED_SM: sm}
    if (national := sealed_ofd(desk, row, use, body, signed)) is not None:
        files[SEALED_OFD] = national
    step("document.seal.2-signed")
    pdf.verify(sealed, [intl.chain[-1]], desk.store.clock.now())
    digest, sm3 = sha256(sealed).hexdigest(), SM.hash.digest(sealed).hex()
    desk.core.finish_seal_use(use.id, sha256=digest, sm3=sm3)
    step("document.seal.3-finished")
    with DOCUMENTS.move(
        desk, document, "document.seal", sealed_sha256=digest, seal=intl.certificate.fingerprint
    ) as (act, _):
        act.facts |= {"sealed_sm3": sm3, "use": f"seal-use:{use.id}"}
        if national is not None:
            act.facts |= {
                "sealed_ofd_sha256": sha256(national).hexdigest(),
                "sealed_ofd_sm3": SM.hash.digest(national).hex(),
            }
        act.session.add_all(
            File(document=document, name=name, sha256=sha256(data).hexdigest(), data=data)
            for name, data in files.items()
        )


def _approval(desk: Desk, document: str) -> str:
    """The log's entry of the sign-off that stands: what the use of the seal rests on."""
    with desk.store.read() as session:
        steps = DOCUMENTS.steps(session, document)
        return next(each.entry for each in reversed(steps) if each.verb == SIGN_OFF)


def _signed(desk: Desk, row: Document) -> tuple[bytes, Signature]:
    """The content, and the leader's sign-off of it."""
    with desk.store.read() as session:
        body = content(session, row.id).data
        signatures = DOCUMENTS.signatures(session, row.id)
        signed = next(each for each in reversed(signatures) if each.type == SIGN_OFF)
        session.expunge(signed)
    return body, signed


def _sealed_pdf(
    desk: Desk, row: Document, organ_seal: Seal, picture: Picture, carried: tuple[bytes, Signature]
) -> bytes:
    body, signed = carried
    with desk.store.read() as session:
        page = file(session, row.id, LAYOUT).data
    box = row.seal_box
    place = pdf.Place(box["page"], box["x"], box["y"], box["size"]).around(picture.width) if box else None
    return pdf.seal(
        page,
        signer=organ_seal.signer,
        certificate=organ_seal.certificate,
        validity=_validity(desk, organ_seal),
        timestamp=lambda request: granted(desk.core, request, INTL.name),
        at=desk.store.clock.now(),
        place=place,
        picture=picture.data if place else None,
        attachments=(
            pdf.Attachment("content.json", "application/json", "签发内容 / content signed off", body),
            pdf.Attachment(
                "sign-off.json", "application/json", "签发声明 / sign-off statement", signed.statement
            ),
            pdf.Attachment(
                "sign-off.p7s", "application/pkcs7-signature", "签发签名 / sign-off signature", signed.cms
            ),
            *_delegation(signed.delegation),
        ),
        reason=row.number,
    )


def _delegation(signed: bytes | None) -> tuple[pdf.Attachment, ...]:
    """The delegation by which the leader's place was taken, if it was."""
    if not signed:
        return ()
    return (
        pdf.Attachment(
            "sign-off.delegation", "application/json", "代行签发的委托 / delegation of sign-off", signed
        ),
    )


def _validity(desk: Desk, organ_seal: Seal) -> pdf.Validity:
    """Everything that shows the seal's and the timestamp's certificates good, from the core."""
    authority = desk.core.timestamp_chain(INTL.name)
    issuers = {each.fingerprint: each for each in (*organ_seal.chain, *authority[1:])}
    root = organ_seal.chain[-1]
    return pdf.Validity(
        root=root,
        others=(organ_seal.certificate, *authority, *(each for each in issuers.values() if each != root)),
        ocsps=(desk.core.ocsp(organ_seal.certificate), desk.core.ocsp(authority[0])),
        crls=tuple(desk.core.crl(issuer) for issuer in issuers.values()),
    )


def _sm_signature(desk: Desk, organ_seal: Seal, sealed: bytes) -> bytes:
    identity = Identity(organ_seal.signer, organ_seal.certificate, organ_seal.chain)
    at: datetime = desk.store.clock.now()
    signature = cms.sign_detached(identity, sealed, signed_at=at)
    return cms.with_timestamp(signature, stamp(desk.core, cms.signature_value(signature), SM.name))
