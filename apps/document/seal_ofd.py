"""The sealed OFD: the page as it was laid out, with the organ's national electronic seal in the sm suite.

Everything that proves it travels inside: the content signed off, the leader's statement and signature, the delegation by
which somebody signed in her place, and every certificate and list that they and the seal are judged by.
"""

from collections.abc import Iterable, Mapping

from apps.document.core import SealUse
from apps.document.desk import Desk
from apps.document.impression import Impression
from apps.document.models import Document, File
from apps.document.number import LAYOUT_OFD
from apps.document.proofs import proofs
from yinxin import ofd
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL, SM
from yinxin.evidence import SignedDelegation
from yinxin.flow import Signature, stamp
from yinxin.ofd.verify import CERTIFICATE, CRL

SEALED_OFD = "sealed.ofd"


def sealed_ofd(
    desk: Desk,
    row: Document,
    mine: Impression,
    use: SealUse,
    carried: tuple[bytes, Mapping[str, Signature]],
) -> bytes | None:
    """The OFD under the seal of this use, checked as a stranger would once it is closed; None of a document numbered before there was one.

    `carried` is the content signed off, and what the leaders signed of it. Raises what sealing and checking raise.
    """
    with desk.store.read() as session:
        before = session.get(File, (row.id, LAYOUT_OFD if mine.first else SEALED_OFD))
        page = before.data if before else None
    if page is None:
        return None
    by = use.suites[SM.name]
    maker = (use.structure.maker, *desk.core.chain(use.structure.maker))
    at = desk.store.clock.now()
    body, signed = carried
    proved = _proofs(desk, use, signed.values() if mine.first else (), maker)
    sealed = ofd.seal(
        page,
        use.structure,
        Identity(by.signer, by.certificate, by.chain),
        at=at,
        timestamp=lambda value: stamp(desk.core, value, SM.name),
        stamps=_stamps(mine, use),
        attachments=(*_attachments(body, signed), *proved) if mine.first else (),
        proofs=() if mine.first else proved,
        closing=mine.closing,
    )
    if mine.closing:
        ofd.verify(sealed, [by.chain[-1], maker[-1]], at)
    return sealed


def _attachments(body: bytes, signed: Mapping[str, Signature]) -> list[ofd.Attachment]:
    found = [ofd.Attachment("content.json", body)]
    for name, each in signed.items():
        found += [ofd.Attachment(f"{name}.json", each.statement), ofd.Attachment(f"{name}.p7s", each.cms)]
        if each.delegation:
            found.append(ofd.Attachment(f"{name}.delegation", each.delegation))
    return found


def _stamps(mine: Impression, use: SealUse) -> tuple[ofd.Stamp, ...]:
    """The seal's picture, as large as its maker says, in the middle of the place that was kept for it."""
    box, picture = mine.box, use.structure.picture
    if not box:
        return ()
    x, y = box["x"] + (box["size"] - picture.width) / 2, box["y"] + (box["size"] - picture.height) / 2
    return (ofd.Stamp(box["page"], x, y, picture.width, picture.height),)


def _proofs(
    desk: Desk, use: SealUse, signed: Iterable[Signature], maker: tuple[Certificate, ...]
) -> list[ofd.Attachment]:
    """What the seal is judged by, and what these leaders' signatures are."""
    by, signers = use.suites[SM.name], []
    for each in signed:
        signers.append(cms.verify_detached(each.cms, each.statement).certificate)
        if each.delegation:
            given = SignedDelegation.decode(each.delegation)
            signers.append(cms.verify_detached(given.cms, given.statement).certificate)
    certificates, crls = proofs(
        desk,
        [
            (by.certificate, *by.chain),
            maker,
            *((each, *desk.core.chain(each)) for each in signers),
            *(desk.core.timestamp_chain(suite.name) for suite in (INTL, SM)),
        ],
    )
    return [
        *(
            ofd.Attachment(f"proof-{number:02}{CERTIFICATE}", each)
            for number, each in enumerate(certificates, 1)
        ),
        *(ofd.Attachment(f"proof-{number:02}{CRL}", each) for number, each in enumerate(crls, 1)),
    ]
