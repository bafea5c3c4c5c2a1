"""The attribute certificate that a signer acted under: hers, good when she signed, and the act lies within it."""

from yinxin.clock import official
from yinxin.crypto.attribute import AttributeCertificate, Known
from yinxin.crypto.attribute import verify as judge
from yinxin.crypto.path import RevocationEvidence
from yinxin.crypto.status import OcspResponse
from yinxin.evidence.attribute import beside_it
from yinxin.evidence.bundle import SignedAct
from yinxin.evidence.errors import BeyondAuthority
from yinxin.evidence.signatures import Signed, Surroundings
from yinxin.statement import Statement
from yinxin.text import Text


def check(
    act: SignedAct, statement: Statement, signed: Signed, around: Surroundings, held: list[Text]
) -> None:
    """Hold the attribute certificate of an act against its signer, its time and what it declares.

    1. It names the certificate that signed; its authority is one, and leads to a trusted root. 2. It was in force, and not
    revoked, at the instant that the signature's timestamp proves. 3. Person, post and organ are those declared. 4. Where it
    is limited to some actions, this is one of them.

    Raises what `crypto.attribute.verify` raises, and BeyondAuthority.
    """
    certificate = AttributeCertificate.load(act.attributes)
    certificates, lists = beside_it((act.attributes,))
    known = Known(
        around.trust.roots,
        (*certificates, *around.certificates),
        RevocationEvidence(ocsp=(OcspResponse.load(act.ocsp),), crls=(*lists, *around.crls)),
    )
    verified = judge(certificate, known, at=signed.at, holder=signed.certificate)
    appointment = verified.claims.appointment
    for found, declared, part in (
        (appointment.person, statement.person, Text("人员不同", "another person")),
        (appointment.post.id, statement.post, Text("岗位不同", "another post")),
        (appointment.organ.id, statement.organ, Text("机关不同", "another organ")),
    ):
        if found != declared:
            raise BeyondAuthority(serial=certificate.name, part=part)
    if appointment.actions is not None and statement.type not in appointment.actions:
        raise BeyondAuthority(
            serial=certificate.name,
            part=Text(f"授权不含 {statement.type}", f"{statement.type} is not among its actions"),
        )
    how = (
        Text("受委托代行", "by delegation") if appointment.kind == "delegation" else Text("任职", "appointed")
    )
    authority, when = verified.authority.leaf.subject.common_name, official(signed.at)
    held.append(
        Text(
            f"签名人当时（{when}）持有属性权威“{authority}”出具的属性证书 {certificate.name}：{appointment.organ.name.zh} {appointment.post.name.zh}（{how.zh}），该操作在其范围内，证书未被撤销",
            f"the signer then ({when}) held attribute certificate {certificate.name} of {authority}: {appointment.post.name.en} of {appointment.organ.name.en} ({how.en}); the act lies within it, and it was not revoked",
        )
    )
