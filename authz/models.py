"""Tables: organs and their tree, people, posts, appointments, certificate bindings, sessions and challenges."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class OrganRow(Base):
    """An organ of the tree; `short_name` is its 机关代字, the prefix of its document numbers."""

    __tablename__ = "authz_organ"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    parent: Mapped[str | None] = mapped_column(sa.ForeignKey("authz_organ.id"), index=True)
    name_zh: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str] = mapped_column(sa.String(200))
    short_name: Mapped[str] = mapped_column(sa.String(40))
    level: Mapped[str] = mapped_column(sa.String(16))
    division: Mapped[str] = mapped_column(sa.String(12), index=True)
    uscc: Mapped[str | None] = mapped_column(sa.String(18), unique=True)
    #: line of business 条线: what departments of one kind, up and down the tree, have in common
    line: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    #: active, or how it ended: merged, split, dissolved; then `parent` is who keeps what it left
    status: Mapped[str] = mapped_column(sa.String(12), default="active", server_default="active")
    #: since when the row is as it is; null is as long as the directory knows
    since: Mapped[datetime | None]
    #: the tenant that it is or lies in (`authz.tenant`): no authority reaches from one into another; null is the host's own part
    tenant: Mapped[str | None] = mapped_column(sa.String(64), index=True)


class OrganClosure(Base):
    """Every pair of an organ and an organ above it (itself included, at distance 0); rebuilt with the tree."""

    __tablename__ = "authz_organ_closure"

    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), primary_key=True)
    ancestor: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), primary_key=True, index=True)
    distance: Mapped[int]


class PersonRow(Base):
    """A person; `clearance` is a level of secrecy."""

    __tablename__ = "authz_person"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    clearance: Mapped[str] = mapped_column(sa.String(16))
    #: when the person left the service for good; a return clears it
    retired: Mapped[datetime | None]
    since: Mapped[datetime | None] = mapped_column(index=True)
    #: the organ that entered her: whose she is before she ever held a post; null is not known
    entered_by: Mapped[str | None] = mapped_column(sa.String(64))
    #: when she last signed in
    signed_in: Mapped[datetime | None] = mapped_column(index=True)


class PostRow(Base):
    """A post of an organ and the roles that go with it."""

    __tablename__ = "authz_post"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), index=True)
    name_zh: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str] = mapped_column(sa.String(200))
    #: when the post was given up; nobody is appointed to it any more
    ended: Mapped[datetime | None]
    since: Mapped[datetime | None] = mapped_column(index=True)


class PostRole(Base):
    """One role of a post."""

    __tablename__ = "authz_post_role"

    post: Mapped[str] = mapped_column(sa.ForeignKey("authz_post.id"), primary_key=True)
    role: Mapped[str] = mapped_column(sa.String(40), primary_key=True, index=True)


class AppointmentRow(Base):
    """A person in a post, from `valid_from` until before `valid_to` (open when null); an end in advance moves `valid_to`."""

    __tablename__ = "authz_appointment"

    person: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), primary_key=True)
    post: Mapped[str] = mapped_column(sa.ForeignKey("authz_post.id"), primary_key=True, index=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    valid_to: Mapped[datetime | None] = mapped_column(index=True)
    #: substantive, acting 代理, or delegation 授权代行
    kind: Mapped[str] = mapped_column(sa.String(12), default="substantive", server_default="substantive")
    #: the delegation that it rests on, when that is its kind
    delegation: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    #: how it ended before its time: transferred, retired, post-ended, withdrawn, not-confirmed …
    ended: Mapped[str | None] = mapped_column(sa.String(20))


class CertificateBinding(Base):
    """A certificate (SHA-256 of its DER, hex) belongs to a person in a post, until `ended_at`."""

    __tablename__ = "authz_certificate_binding"

    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    serial: Mapped[str] = mapped_column(sa.String(40), index=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), index=True)
    post: Mapped[str] = mapped_column(sa.ForeignKey("authz_post.id"))
    organ: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"))
    purpose: Mapped[str] = mapped_column(sa.String(16))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: when its holder left the post, if that is why it ended: then the CA revokes it after its grace
    left_at: Mapped[datetime | None] = mapped_column(index=True)


class SessionRow(Base):
    """A session: the token is known by its SHA-256 only; bound to one certificate."""

    __tablename__ = "authz_session"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    certificate: Mapped[str] = mapped_column(sa.String(64), index=True)
    person: Mapped[str] = mapped_column(sa.String(64), index=True)
    post: Mapped[str] = mapped_column(sa.String(64))
    #: how it was opened: `signature`, `tls` or `passkey`
    way: Mapped[str] = mapped_column(sa.String(16))
    created: Mapped[datetime]
    #: when a key was last proved in it: at its opening, or by a step-up
    proved: Mapped[datetime]
    #: when the certificate's own key was; never, for a passkey alone
    certified: Mapped[datetime | None]
    #: last use, kept to the minute
    used: Mapped[datetime]
    expires: Mapped[datetime] = mapped_column(index=True)
    ended: Mapped[datetime | None]
    #: the session it was opened from, to act by a delegation; it ends with that one
    opened_from: Mapped[str | None] = mapped_column(sa.String(40), index=True)


class ChallengeRow(Base):
    """A challenge given out, known by its SHA-256; `used` once and never again."""

    __tablename__ = "authz_challenge"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    nonce_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(index=True)
    used: Mapped[datetime | None]


class Attempt(Base):
    """One attempt to sign in by somebody who proved to hold the certificate's key; counted, then forgotten."""

    __tablename__ = "authz_attempt"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    certificate: Mapped[str] = mapped_column(sa.String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class PolicySetRow(Base):
    """A set of policies that was once in force: what a decision is decided again with, years later."""

    __tablename__ = "authz_policy_set"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    text: Mapped[str] = mapped_column(sa.Text())
    schema: Mapped[str] = mapped_column(sa.Text())
    adopted: Mapped[datetime]
