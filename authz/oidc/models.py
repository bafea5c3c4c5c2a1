"""Tables: clients, and what their users granted them. Of every code and token the SHA-256 alone is kept."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class ClientRow(Base):
    """A system that relies on our sign-in. `details` are the fields of `clients.Registration`, checked when written."""

    __tablename__ = "authz_oidc_client"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"))
    details: Mapped[dict[str, Any]]
    secret_hash: Mapped[str | None] = mapped_column(sa.String(64))
    created: Mapped[datetime]
    ended: Mapped[datetime | None]


class RequestRow(Base):
    """An authorization request that waits for its person's consent, bound to her session."""

    __tablename__ = "authz_oidc_request"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    session: Mapped[str] = mapped_column(sa.String(40))
    client: Mapped[str] = mapped_column(sa.String(64))
    wanted: Mapped[dict[str, Any]]
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]


class GrantRow(Base):
    """What a person granted a client in one session; codes and tokens of it end with it."""

    __tablename__ = "authz_oidc_grant"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64), index=True)
    session: Mapped[str] = mapped_column(sa.String(40), index=True)
    person: Mapped[str] = mapped_column(sa.String(64), index=True)
    post: Mapped[str] = mapped_column(sa.String(64))
    certificate: Mapped[str] = mapped_column(sa.String(64))
    scope: Mapped[str] = mapped_column(sa.String(200))
    nonce: Mapped[str | None] = mapped_column(sa.String(200))
    #: how and when the person proved who she is, as the ID token says it
    way: Mapped[str] = mapped_column(sa.String(16))
    proved: Mapped[datetime]
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    ended: Mapped[datetime | None]


class CodeRow(Base):
    """An authorization code, used once; a second use ends the grant."""

    __tablename__ = "authz_oidc_code"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    grant: Mapped[str] = mapped_column(sa.ForeignKey("authz_oidc_grant.id"), index=True)
    redirect_uri: Mapped[str] = mapped_column(sa.String(500))
    challenge: Mapped[str] = mapped_column(sa.String(64))
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]


class TokenRow(Base):
    """An access token, or a refresh token; a refresh token is used once, a second use ends the grant."""

    __tablename__ = "authz_oidc_token"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    grant: Mapped[str] = mapped_column(sa.ForeignKey("authz_oidc_grant.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(8))
    scope: Mapped[str] = mapped_column(sa.String(200))
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]


class ServiceTokenRow(Base):
    """An access token that a client got in its own name (RFC 6749 4.4)."""

    __tablename__ = "authz_oidc_service_token"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64), index=True)
    scope: Mapped[str] = mapped_column(sa.String(200))
    #: the service that takes it, one of `scopes.AUDIENCES`
    audience: Mapped[str] = mapped_column(sa.String(16))
    #: SHA-256 (hex) of the certificate that it is bound to (RFC 8705 section 3); null: whoever has it may show it
    certificate: Mapped[str | None] = mapped_column(sa.String(64))
    created: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    revoked: Mapped[datetime | None]


class DeviceRow(Base):
    """A device that waits for somebody to let it in (RFC 8628); `grant` once she has."""

    __tablename__ = "authz_oidc_device"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_code_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    client: Mapped[str] = mapped_column(sa.String(64))
    scope: Mapped[str] = mapped_column(sa.String(200))
    expires: Mapped[datetime] = mapped_column(index=True)
    interval: Mapped[int]
    polled: Mapped[datetime | None]
    grant: Mapped[str | None] = mapped_column(sa.String(40))
    refused: Mapped[datetime | None]
    used: Mapped[datetime | None]


class AssertionRow(Base):
    """The identifier of a client's signed assertion, so that it is taken once (RFC 7523 section 3)."""

    __tablename__ = "authz_oidc_assertion"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    jti_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(index=True)


class SigningKeyRow(Base):
    """A key that signs ID tokens: published from `created`, signing from `signs_from` until the next one does."""

    __tablename__ = "authz_oidc_key"

    label: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    created: Mapped[datetime]
    signs_from: Mapped[datetime]


class LogoutRow(Base):
    """A client to be told that a session is over (back-channel logout), until it was."""

    __tablename__ = "authz_oidc_logout"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    session: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(64))
    due: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int]
    done: Mapped[datetime | None]
