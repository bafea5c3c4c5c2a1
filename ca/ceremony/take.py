"""Certificates of outside authorities come in: held against what they must be, then entered into the tables."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from ca.ceremony.errors import PlanRefused
from ca.ceremony.table import Table
from ca.hierarchy.models import TakenCertificate, Use
from yinxin.crypto.certificates import Certificate
from yinxin.text import Text

VERB = "ca.adopt"


def fit(certificate: Certificate, field: str) -> None:
    """What every certificate for an authority of ours must be: an authority's, with our key identifier.

    Raises PlanRefused.
    """
    usage = certificate.key_usage or frozenset()
    if not certificate.is_ca or not {"keyCertSign", "cRLSign"} <= usage:
        reason = Text(
            "它不是可签发证书和撤销列表的 CA 证书",
            "it is no CA certificate that may sign certificates and lists",
        )
        raise PlanRefused(field=field, reason=reason)
    if certificate.subject_key_id != certificate.public_key.key_id:
        reason = Text(
            "其使用者密钥标识须是公钥的 SHA-1（RFC 5280 4.2.1.2 方法一）：请对方重新签发",
            "its subject key identifier must be SHA-1 of the key (RFC 5280 4.2.1.2, method 1): have it issued again",
        )
        raise PlanRefused(field=field, reason=reason)


def take(table: Table, authority: str, uses: Mapping[Certificate, Use], own: Certificate) -> None:
    """Enter certificates for an authority of ours, each once; raises PlanRefused when `own` is not fit or not valid now."""
    fit(own, "certificate")
    now = table.ctx.store.clock.now()
    if not own.not_before <= now <= own.not_after:
        raise PlanRefused(field="certificate", reason=Text("它不在有效期内", "it is not valid now"))

    def enter(session: Session) -> None:
        for certificate, use in uses.items():
            if session.get(TakenCertificate, (authority, certificate.fingerprint)) is None:
                session.add(
                    TakenCertificate(
                        authority=authority,
                        fingerprint=certificate.fingerprint,
                        use=use,
                        der=certificate.der,
                        not_after=certificate.not_after,
                        ceremony=table.digest,
                        created=now,
                        ended_at=None,
                    )
                )

    table.change(VERB, f"authority:{authority}", enter, certificate=own.fingerprint)
