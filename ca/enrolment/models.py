"""The table of enrolment credentials."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kms.models import OPEN_GENERATION
from yinxin.store import Base


class Protocol(StrEnum):
    """The protocols that enrol on a credential."""

    ACME = "acme"
    EST = "est"
    CMP = "cmp"
    SCEP = "scep"


class CredentialRow(Base):
    """What an officer granted: who may have which certificates by which protocol, and the secret that proves it.

    The secret is ciphertext of the key centre's (`kek`, `nonce`, `blob`), since these protocols compute with it.
    """

    __tablename__ = "ca_credential"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    protocol: Mapped[str] = mapped_column(sa.String(8))
    organ: Mapped[str] = mapped_column(sa.String(80), index=True)
    #: the holder of every certificate; without one a service's holder is the name it asks for
    holder_kind: Mapped[str] = mapped_column(sa.String(12))
    holder: Mapped[str | None] = mapped_column(sa.String(80))
    post: Mapped[str | None] = mapped_column(sa.String(80))
    #: names of profiles, the first is the default
    profiles: Mapped[list[str]] = mapped_column(sa.JSON)
    #: domains that names must lie in; `*` alone, or none, is whatever the installation allows
    domains: Mapped[list[str]] = mapped_column(sa.JSON)
    kek: Mapped[str] = mapped_column(sa.String(64), sa.ForeignKey(OPEN_GENERATION))
    nonce: Mapped[bytes]
    blob: Mapped[bytes]
    #: certificates that may still be had on it; None is as many as are asked for
    uses_left: Mapped[int | None]
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    expires: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
