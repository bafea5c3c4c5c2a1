"""One certificate more for a registered system, for a renewal or a cluster: whoever has its key gets every key that it keeps.

So nobody is enough alone (law 3): an officer who could add a certificate of her own would read what is encrypted.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy.orm import Session

from kms.kmip.client import admit, certificate_of, client_of, demand_room
from kms.kmip.errors import KmipClientEnded
from kms.kmip.models import KmipClientRow
from kms.roles import DECIDERS, OFFICERS
from yinxin.clock import rfc3339
from yinxin.proposal import About, Approved, ProposalKind
from yinxin.proposal import Outcome as Left
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

CERTIFY = "kms.certify-kmip-client"


class CertifyContent(Model):
    """What is proposed: to know the system by this certificate too."""

    client: str = Field(min_length=1, max_length=64)
    """The system's identifier."""
    certificate: str = Field(min_length=1, max_length=1 << 16)
    """Its certificate, issued here for TLS clients, in PEM."""


def _about(centre: "KeyCentre", content: CertifyContent) -> About:
    return About(client_of(centre.store, content.client).organ)


def _check(centre: "KeyCentre", content: CertifyContent) -> None:
    client = client_of(centre.store, content.client)
    if client.ended is not None:
        raise KmipClientEnded(client=client.id)
    demand_room(client)
    centre.kmip.demand_trusted(certificate_of(content.certificate.encode()))


def _describe(centre: "KeyCentre", content: CertifyContent) -> tuple[Text, ...]:
    client = client_of(centre.store, content.client)
    certificate = certificate_of(content.certificate.encode())
    until = rfc3339(certificate.not_after)
    return (
        Text(
            f"为 {client.organ} 的系统 {client.id} 登记另一份证书：{certificate.subject.text}，有效期至 {until}",
            f"know the system {client.id} of {client.organ} by one certificate more: {certificate.subject.text}, good until {until}",
        ),
        Text(
            f"证书的 SHA-256 指纹：{certificate.fingerprint}；请与该系统上的证书核对",
            f"the certificate's fingerprint (SHA-256): {certificate.fingerprint}; compare it with the one on the system",
        ),
        Text(
            "持有该证书私钥者可以取得该系统存放的全部密钥",
            "whoever has that certificate's key can get every key that the system keeps here",
        ),
    )


def _certify(centre: "KeyCentre", approved: Approved[CertifyContent], session: Session) -> Left:
    """Raises KmipClientEnded, BadKmipClient, KmipCertificateTaken."""
    content = approved.content
    row = session.get_one(KmipClientRow, content.client, with_for_update=True)
    _check(centre, content)
    certificate = certificate_of(content.certificate.encode())
    admit(session, row.id, certificate, centre.store.clock.now())
    return {"client": row.id, "certificate": certificate.fingerprint}


KIND: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=CERTIFY,
    title=Text("登记 KMIP 客户端的另一份证书", "register another certificate of a KMIP client"),
    content=CertifyContent,
    proposers=OFFICERS,
    approvers=DECIDERS,
    executors=DECIDERS,
    about=_about,
    check=_check,
    describe=_describe,
    within=_certify,
    key=True,
)
