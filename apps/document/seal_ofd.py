"""The sealed OFD: the page as it was laid out, with the organ's national electronic seal in the sm suite.

Everything that proves it travels inside: the content signed off, the leader's statement and signature, the delegation by
which somebody signed in her place, and every certificate and list that they and the seal are judged by.
"""

from apps.document.core import SealUse
from apps.document.desk import Desk
from apps.document.models import Document, File
from apps.document.number import LAYOUT_OFD
from apps.document.proofs import proofs
from yinxin import ofd
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL, SM
from yinxin.evidence import SignedDelegation
from yinxin.evidence.carried import DELEGATION
from yinxin.flow import Signature, stamp
from yinxin.ofd.verify import CERTIFICATE, CRL

SEALED_OFD = "sealed.ofd"


def sealed_ofd(desk: Desk, row: Document, use: SealUse, body: bytes, signed: Signature) -> bytes | None:
    """The OFD under the seal of this use, checked as a stranger would; None of a document numbered before there was one.

    `body` is the content signed off, `signed` the sign-off. Raises what sealing and checking raise.
    """
    with desk.store.read() as session:
        laid_out = session.get(File, (row.id, LAYOUT_OFD))
        page = laid_out.data if laid_out else None
    if page is None:
        return None
    by = use.suites[SM.name]
    maker = (use.structure.maker, *desk.core.chain(use.structure.maker))
    at = desk.store.clock.now()
    sealed = ofd.seal(
        page,
        use.structure,
        Identity(by.signer, by.certificate, by.chain),
        at=at,
        timestamp=lambda value: stamp(desk.core, value, SM.name),
        stamps=_stamps(row, use),
        attachments=(
            ofd.Attachment("content.json", body),
            ofd.Attachment("sign-off.json", signed.statement),
            ofd.Attachment("sign-off.p7s", signed.cms),
            *([ofd.Attachment(DELEGATION, signed.delegation)] if signed.delegation else ()),
            *_proofs(desk, use, signed, maker),
        ),
    )
    ofd.verify(sealed, [by.chain[-1], maker[-1]], at)
    return sealed


def _stamps(row: Document, use: SealUse) -> tuple[ofd.Stamp, ...]:
    """The seal's picture, as large as its maker says, in the middle of the place that was kept for it."""
    box, picture = row.seal_box, use.structure.picture
    if not box:
        return ()
    x, y = box["x"] + (box["size"] - picture.width) / 2, box["y"] + (box["size"] - picture.height) / 2
    return (ofd.Stamp(box["page"], x, y, picture.width, picture.height),)


def _proofs(
    desk: Desk, use: SealUse, signed: Signature, maker: tuple[Certificate, ...]
) -> list[ofd.Attachment]:
    by, signers = use.suites[SM.name], [cms.verify_detached(signed.cms, signed.statement).certificate]
    if signed.delegation:
        given = SignedDelegation.decode(signed.delegation)
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
