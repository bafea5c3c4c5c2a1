"""Sealing: an organ's seal goes onto the laid-out page, in both suites, and everything that proves it goes with it.

The sealed PDF is PAdES B-LTA in the intl suite and carries the signed content and the leader's sign-off as attached
files, with the delegation by which somebody signed in the leader's place; of a joint document also what the other leaders
countersigned, and a seal of every organ. The sealed OFD shows the same pages under the
organ's national seal (SM2), and carries the same. A detached SM2 signature with an SM3 timestamp over the sealed PDF
stands beside it, so that each world can check with its own algorithms.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from apps.document.core import Seal, SealUse
from apps.document.desk import Desk, content, file
from apps.document.impression import Impression, demand_turn, due, kept, note, signatures
from apps.document.models import Document, State
from apps.document.number import LAYOUT
from apps.document.records import DOCUMENTS
from apps.document.seal_ofd import SEALED_OFD, sealed_ofd
from yinxin import pdf
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL, SM
from yinxin.flow import Signature, granted, stamp
from yinxin.steps import step
from yinxin.text import Text

SEALED = "sealed.pdf"
SEALED_SM = "sealed.sm.p7s"
_WORDS = {True: Text("签发", "sign-off"), False: Text("会签", "countersign")}


def seal(desk: Desk, document: str) -> None:
    """Seal the document for the person's organ; a seal that was cut short is put on again from the same page.

    1. Intent: the state says that sealing has begun; recorded. 2. A use of the organ's seal begins on its leader's
    sign-off or countersignature, and the page is sealed with keys that stay in the key centre; each signature is recorded there. 3. The
    sealed file is checked as a stranger would, and the register of uses told what came out. 4. It is stored, and the
    state moves on; recorded. Of several organs' seals the issuing organ's is the last. Raises SealsMissing, SealedByYou.
    """
    organ = desk.caller.actor.organ or ""
    with DOCUMENTS.move(desk, document, "document.begin-seal") as (act, begun):
        demand_turn(act.session, begun, organ)
    step("document.seal.1-intended")
    row = DOCUMENTS.snapshot(desk, document)
    mine = due(desk, row, SEALED)
    subject = DOCUMENTS.subject(document)
    use = desk.core.begin_seal_use(
        organ, subject=subject, title=f"{row.number} {row.title}", approval=mine.approval
    )
    intl = use.suites[INTL.name]
    body, signed = _signed(desk, row)
    sealed = _sealed_pdf(desk, row, mine, use, carried=(body, signed))
    files = {SEALED: sealed}
    if mine.closing:
        files[SEALED_SM] = _sm_signature(desk, use.suites[SM.name], sealed)
    if (national := sealed_ofd(desk, row, mine, use, (body, signed))) is not None:
        files[SEALED_OFD] = national
    step("document.seal.2-signed")
    pdf.verify_all(sealed, [intl.chain[-1]], desk.store.clock.now())
    digest, sm3 = sha256(sealed).hexdigest(), SM.hash.digest(sealed).hex()
    desk.core.finish_seal_use(use.id, sha256=digest, sm3=sm3)
    step("document.seal.3-finished")
    fingerprint = intl.certificate.fingerprint
    with DOCUMENTS.move(
        desk, document, "document.seal", seen=row, sealed_sha256=digest, seal=fingerprint
    ) as (act, there):
        act.facts |= {"sealed_sm3": sm3, "use": f"seal-use:{use.id}"}
        if national is not None:
            act.facts |= {
                "sealed_ofd_sha256": sha256(national).hexdigest(),
                "sealed_ofd_sm3": SM.hash.digest(national).hex(),
            }
        for name, data in files.items():
            kept(act.session, document, name, data)
        if not mine.closing:
            note(act.session, there, mine, fingerprint, desk.store.clock.now())
            there.state = State.NUMBERED


def _signed(desk: Desk, row: Document) -> tuple[bytes, Mapping[str, Signature]]:
    """The content, and what the leaders signed of it."""
    with desk.store.read() as session:
        body = content(session, row.id).data
        signed = signatures(session, row)
        session.expunge_all()
    return body, signed


def _sealed_pdf(
    desk: Desk,
    row: Document,
    mine: Impression,
    use: SealUse,
    *,
    carried: tuple[bytes, Mapping[str, Signature]],
) -> bytes:
    organ_seal, picture = use.suites[INTL.name], use.structure.picture
    with desk.store.read() as session:
        page = file(session, row.id, LAYOUT if mine.first else SEALED).data
    place = _place(mine.box, picture.width)
    others = {number: _place(box, box.get("width") if box else None) for number, box in mine.others.items()}
    return pdf.seal(
        page,
        signer=organ_seal.signer,
        certificate=organ_seal.certificate,
        validity=_validity(desk, organ_seal),
        timestamp=lambda request: granted(desk.core, request, INTL.name),
        at=desk.store.clock.now(),
        place=place,
        picture=picture.data if place else None,
        attachments=_attachments(*carried) if mine.first else (),
        reason=row.number,
        number=mine.number,
        others=others,
    )


def _place(box: Mapping[str, Any] | None, width: int | None) -> pdf.Place | None:
    """Where a seal of this width in mm goes, in the middle of what was kept for it."""
    if not box:
        return None
    return pdf.Place(box["page"], box["x"], box["y"], box["size"]).around(width or box["size"])


def _attachments(body: bytes, signed: Mapping[str, Signature]) -> list[pdf.Attachment]:
    """What proves to a stranger who answers for the text: the content, and what the leaders signed of it."""
    found = [pdf.Attachment("content.json", "application/json", "签发内容 / content signed off", body)]
    for name, each in signed.items():
        words = _WORDS[name == "sign-off"]
        found += [
            pdf.Attachment(
                f"{name}.json", "application/json", f"{words.zh}声明 / {words.en} statement", each.statement
            ),
            pdf.Attachment(
                f"{name}.p7s",
                "application/pkcs7-signature",
                f"{words.zh}签名 / {words.en} signature",
                each.cms,
            ),
            *_delegation(name, words, each.delegation),
        ]
    return found


def _delegation(name: str, words: Text, signed: bytes | None) -> tuple[pdf.Attachment, ...]:
    """The delegation by which a leader's place was taken, if it was."""
    if not signed:
        return ()
    told = f"代行{words.zh}的委托 / delegation of {words.en}"
    return (pdf.Attachment(f"{name}.delegation", "application/json", told, signed),)


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
