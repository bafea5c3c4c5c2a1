"""A sealed OFD by itself: its national electronic seals, and what the leaders signed off and countersigned inside it."""

from datetime import datetime

from yinxin import ofd
from yinxin.clock import official
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList
from yinxin.evidence.attribute import Beside
from yinxin.evidence.carried import (
    SIGN_OFF,
    content_of,
    countersigned,
    organs_seal,
    seal_maker,
    sealed_by_all,
    signed_off,
    signed_off_by,
    who,
)
from yinxin.evidence.signatures import Surroundings
from yinxin.evidence.trust import Trust
from yinxin.ofd.verify import CERTIFICATE, CRL
from yinxin.text import Text


def verify(data: bytes, trust: Trust, *, at: datetime, held: list[Text], beside: Beside) -> None:
    """Check an OFD with the proofs that it carries, and say in words what holds.

    Raises what `yinxin.ofd.verify` raises, EvidenceMismatch, and what the leader's signature fails by.
    """
    seals = ofd.verify(data, trust.roots, at)
    for seal in seals:
        organs_seal(seal.certificate)
        seal_maker(seal.maker)
        algorithm = seal.certificate.public_key.signature_algorithm.name.upper()
        held.append(
            Text(
                f"电子印章“{seal.name}”有效：{who(seal.certificate)} 于 {official(seal.at)} 盖章（{algorithm}），此后未被改动",
                f"The seal “{seal.name}” holds: {who(seal.certificate)} sealed it at {official(seal.at)} ({algorithm}), unchanged since",
            )
        )
    inside = ofd.attachments(data)
    content = content_of(inside, held, beside)
    sealed_by_all(content, [each.certificate for each in seals])
    carried = tuple(Certificate.load(each) for name, each in inside.items() if name.endswith(CERTIFICATE))
    crls = tuple(CertificateList.load(each) for name, each in inside.items() if name.endswith(CRL))
    for name in (SIGN_OFF, *countersigned(inside, content)):
        by = signed_off_by(inside, name)
        token = by.timestamp_token
        brought = (*by.chain, *(token.certificates if token else ()), *carried)
        signed_off(inside, Surroundings(trust, brought, crls), held, name)
