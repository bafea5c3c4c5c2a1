"""The table of pairs. A row exists exactly when both certificates were issued: it is written in their transaction."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from yinxin.store import Base


class PairRow(Base):
    """Two certificates of one holder that were issued together and end together."""

    __tablename__ = "ca_pair"

    reference: Mapped[str] = mapped_column(sa.String(180), primary_key=True)
    signing: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), unique=True)
    encryption: Mapped[str] = mapped_column(sa.ForeignKey("ca_certificate.serial"), unique=True)
    #: the key in escrow behind the encryption certificate (`kms_user_key`)
    user_key: Mapped[str] = mapped_column(sa.String(26), unique=True)
    #: SubjectPublicKeyInfo to which the encryption key is delivered; None: to the signing key
    transport: Mapped[bytes | None]
    #: the request (PKCS#10, DER) in which the signing key names it
    request: Mapped[bytes | None]
    request_digest: Mapped[str] = mapped_column(sa.String(64))
    holder_kind: Mapped[str] = mapped_column(sa.String(12))
    holder: Mapped[str] = mapped_column(sa.String(80), index=True)
    organ: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    created: Mapped[datetime]
    #: reference of the pair that took its place
    superseded_by: Mapped[str | None] = mapped_column(sa.ForeignKey("ca_pair.reference"))

    def other(self, serial: str) -> str:
        """Serial number of the other half."""
        return self.encryption if serial == self.signing else self.signing


def pair_of(session: Session, serial: str) -> PairRow | None:
    """The pair that a certificate is half of; None when it stands alone."""
    query = sa.select(PairRow).where(sa.or_(PairRow.signing == serial, PairRow.encryption == serial))
    return session.scalars(query).one_or_none()
