"""The table of passkeys; each hangs on the binding of the certificate that enrolled it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class PasskeyRow(Base):
    """A passkey: its public key (COSE), and the signature counter that its authenticator showed last."""

    __tablename__ = "authz_passkey"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    credential_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    credential: Mapped[bytes]
    certificate: Mapped[str] = mapped_column(
        sa.ForeignKey("authz_certificate_binding.fingerprint"), index=True
    )
    person: Mapped[str] = mapped_column(sa.String(64), index=True)
    label: Mapped[str] = mapped_column(sa.String(60))
    public_key: Mapped[bytes]
    counter: Mapped[int] = mapped_column(sa.BigInteger())
    created: Mapped[datetime]
    used: Mapped[datetime | None]
    ended: Mapped[datetime | None]
