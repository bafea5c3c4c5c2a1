"""A document of another site is held to the roots of its issuing organ's site before anything of it is shown.

The seal, what the leader signed, and every attached file; and that it is that organ's own. It is sent by the site where that organ is
reached, or passed on by another: then it is held to the roots on the card that this site has of the issuing organ's, by the signed directory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.document.content import files_named
from apps.document.layout.kinds import Kind
from apps.document.seal import SEALED, SEALED_SM
from apps.document.seal_ofd import SEALED_OFD
from apps.document.sites.certified import certified
from apps.document.sites.wire import fitting, unfit
from yinxin import canonical, ofd, pdf
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.suite import INTL, SM
from yinxin.evidence.attached import Attached
from yinxin.evidence.attribute import Beside
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify
from yinxin.exchange import Incoming
from yinxin.statement import Statement

#: what travels beside the sealed PDF: the same document as OFD under the national seal, and the SM2 signature over the PDF
ALSO: Final = (SEALED_OFD, SEALED_SM)
#: what was signed off, and that it was, of which document: inside the PDF and inside the OFD alike
_SIGNED: Final = ("content.json", "sign-off.json")
#: octets of a sealed file, which is held in memory
_LARGEST = 64 << 20
#: pages of it, which are shown one by one
_MOST_PAGES = 2000


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed document that holds: its file, the content that was signed off, and by name what else was sealed of it.

    `beside` is how many files of the message these are; those behind them are attached ones.
    """

    data: bytes
    content: bytes
    said: dict[str, Any]
    pages: int
    also: Mapping[str, bytes]
    beside: int
    #: what the leader signed of it, and the roots of the site at which the issuing organ is
    signed_off: Statement
    anchors: tuple[Certificate, ...]

    @property
    def issuer(self) -> str:
        """The organ that issued it."""
        return str(self.said["organ"]["id"])


#: the roots of the site at which an organ of another site is reached; none of one that is not known here
Rooted = Callable[[Incoming, str], tuple[Certificate, ...]]


def sealed(message: Incoming, now: datetime, rooted: Rooted) -> Sealed:
    """The sealed document in a message; raises ParcelUnfit, and whatever does not hold of it."""
    made = _made(message)
    data = b"".join(message.read(0))
    attached = tuple(Attached(each.name, each.sha256, each.sm3) for each in message.files[len(made) :])
    anchors = _anchors(message, data, rooted)
    verify(data, Trust(anchors, ()), at=now, held=[], beside=Beside(attached=attached))
    # the issuing organ's seal is the last; that there is one of every joint organ was verified with the rest
    *_, by = pdf.verify_all(data, [each for each in anchors if each.public_key.suite is INTL], now)
    inside = pdf.attachments(data)
    content = inside["content.json"]
    with fitting():
        said = canonical.decode(content)
        named = {(each["name"], each["sha256"], each["sm3"]) for each in files_named(content)}
        organ, _ = said["organ"], Kind(said["kind"])
        signed_off = Statement.decode(inside["sign-off.json"])
        unfit(signed_off.subject == message.object, "签发的是另一份公文", "another document was signed off")
        unfit(signed_off.organ == organ["id"], "签发人不是发文机关的", "another organ's leader signed it off")
        unfit(
            organ["name"] == by.certificate.subject.get("organizationName"),
            "印章不是发文机关的",
            "the seal is another organ's",
        )
        unfit(INTL.hash.digest(data).hex() == message.body["sha256"], "摘要不符", "the digest differs")
    whole = named == {(each.name, each.sha256, each.sm3) for each in attached}
    unfit(whole, "附件不全", "an attached file is missing")
    pages = pdf.pages(data)
    unfit(0 < pages <= _MOST_PAGES, "页数不符", "a number of pages that none of ours has")
    signed = {name: inside[name] for name in _SIGNED}
    also = dict(_also(message, made, data, (signed, organ["name"], attached, anchors), now))
    return Sealed(data, content, said, pages, also, len(made), signed_off, anchors)


def _anchors(message: Incoming, data: bytes, rooted: Rooted) -> tuple[Certificate, ...]:
    """The roots that the document is held to: whose they are is what it says of itself, and nothing else of it counts before it is verified by them."""
    with fitting():
        found = pdf.attachments(data).get("content.json")
        unfit(found is not None, "没有签发的内容", "without what was signed off")
        organ = canonical.decode(found or b"")["organ"]["id"]
        unfit(isinstance(organ, str), "没有发文机关", "without an issuing organ")
    if organ == message.sender:
        return message.anchors
    anchors = rooted(message, organ)
    unfit(
        bool(anchors),
        "转发来的公文由其他站点的机关制发，该机关不在本站的交换名录中，无从核验其印章；请由原发文机关直接发送",
        "it was passed on, and its issuing organ is not in the directory of the exchange here, so that its seal cannot be verified; let that organ send it itself",
    )
    return anchors


def _made(message: Incoming) -> list[str]:
    """The names of the sealed files, which come first: the PDF, and what of the others there is."""
    with fitting():
        made = [str(each) for each in message.body["made"]]
        named = [each.name for each in message.files[: len(made)]]
    good = made[:1] == [SEALED] and made[1:] == [each for each in ALSO if each in made] and named == made
    unfit(good, "没有盖章文件", "no sealed file")
    small = all(each.size <= _LARGEST for each in message.files[: len(made)])
    unfit(small, "盖章文件过大", "a sealed file is too large")
    return made


def _also(
    message: Incoming,
    made: Sequence[str],
    data: bytes,
    same: tuple[Mapping[str, bytes], str, tuple[Attached, ...], tuple[Certificate, ...]],
    now: datetime,
) -> Iterator[tuple[str, bytes]]:
    """What was sealed in the sm suite, each held to be the same document under the seal of the same organ; raises what does not hold.

    A card that names no root of that suite gives nothing to judge it by: then it is not taken in.
    """
    signed, organ, attached, anchors = same
    roots = [each for each in anchors if each.public_key.suite is SM]
    for number, name in enumerate(made):
        if name == SEALED or not roots:
            continue
        octets = b"".join(message.read(number))
        if name == SEALED_OFD:
            verify(octets, Trust(anchors, ()), at=now, held=[], beside=Beside(attached=attached))
            *_, last = ofd.verify(octets, roots, now)
            by = [last.certificate]
            inside = ofd.attachments(octets)
            same_document = all(inside.get(each) == signed[each] for each in _SIGNED)
            unfit(same_document, "OFD 不是同一份公文", "the OFD is another document")
        else:
            found = cms.verify_detached(octets, data)
            at = found.timestamp_token.at if found.timestamp_token else now
            validate(
                found.certificate,
                found.chain,
                roots,
                at=at,
                usage=Usage.SIGNATURE,
                require_revocation=False,  # its proof is in the OFD, by the same certificate
            )
            by = [found.certificate]
        unfit(
            all(each.subject.get("organizationName") == organ for each in by),
            "国密印章不是发文机关的",
            "the national seal is another organ's",
        )
        yield name, octets


def answered(message: Incoming, verb: str, sha256: str) -> None:
    """That a person of the organ signed the answer, to this document as it was sealed; raises ParcelUnfit, or what does not hold.

    Her site vouches for it too: it signed the message. Its roots on the card are of one suite; a signature of the other is judged
    by the site's word.
    """
    with fitting():
        signature, text = (bytes.fromhex(message.body[name]) for name in ("cms", "statement"))
        ocsp = bytes.fromhex(message.body["ocsp"])
        declared = Statement.decode(text)
        by = cms.verify_detached(signature, text)
        unfit(
            (declared.type, declared.subject, declared.organ) == (verb, message.object, message.sender),
            "声明不是对该公文的",
            "the statement is of something else",
        )
        unfit(declared.content["sealed"]["sha256"] == sha256, "摘要不符", "the digest differs")
        unfit(
            by.certificate.subject.get("serialNumber") == declared.person,
            "签名人不符",
            "somebody else signed",
        )
    anchors = [each for each in message.anchors if each.public_key.suite is by.certificate.public_key.suite]
    if anchors:
        certified(by, anchors, ocsp, declared)


def pieces(message: Incoming, number: int, size: int) -> Iterator[bytes]:
    """A file of a message in pieces of `size` octets."""
    held = bytearray()
    for piece in message.read(number):
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
