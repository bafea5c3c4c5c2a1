"""Certificates and the people they belong to, written inside the CA's own act: issuing and binding are one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.close import close
from authz.directory import Standing
from authz.directory.look import standing, standings
from authz.errors import AlreadyBound, CannotBind, NotBound
from authz.models import CertificateBinding, SessionRow
from yinxin.crypto.certificates import Certificate
from yinxin.store import Sql

#: what a certificate is good for; only one for signing signs in
Purpose = Literal["signing", "encryption", "other"]


def bind(
    session: Session,
    certificate: Certificate,
    person: str,
    post: str,
    *,
    at: datetime,
    purpose: Purpose = "signing",
) -> None:
    """Bind `certificate` to `person` in `post`; only one for `signing` signs in. Safe to repeat.

    Raises UnknownPerson, UnknownPost, CannotBind when the appointment is not in force at `at`, AlreadyBound when the
    certificate belongs to somebody else.
    """
    existing = _BOUND.first(session, {"of": certificate.fingerprint})
    if existing is not None:
        if (existing.person, existing.post, existing.purpose) != (person, post, purpose):
            raise AlreadyBound(certificate=certificate.fingerprint, person=existing.person)
        return
    holder = standing(session, person, post, at)
    if not holder.appointed:
        raise CannotBind(person=person, post=post)
    _BIND.run(session, _row(Binding(certificate, person, post, purpose), holder, at))


@dataclass(frozen=True, slots=True)
class Binding:
    """A certificate to be bound to a person in a post."""

    certificate: Certificate
    person: str
    post: str
    purpose: Purpose = "signing"


def bind_many(session: Session, bindings: Sequence[Binding], *, at: datetime) -> None:
    """As `bind` for new certificates, many at once; raises CannotBind or what `bind` raises, for the first that fails."""
    known = standings(session, ((each.person, each.post) for each in bindings), at)
    rows = []
    for each in bindings:
        holder = known.get((each.person, each.post)) or standing(session, each.person, each.post, at)
        if not holder.appointed:
            raise CannotBind(person=each.person, post=each.post)
        rows.append(_row(each, holder, at))
    if rows:
        _BIND.run_many(session, rows)


def _row(binding: Binding, holder: Standing, at: datetime) -> dict[str, Any]:
    certificate = binding.certificate
    return {
        **_BLANK,
        "fingerprint": certificate.fingerprint,
        "serial": f"{certificate.serial:x}",
        "person": binding.person,
        "post": binding.post,
        "organ": holder.organ.id,
        "purpose": binding.purpose,
        "issued_at": at,
        "expires_at": certificate.not_after,
    }


_BINDING = cast("sa.Table", CertificateBinding.__table__)
_BLANK: Mapping[str, None] = dict.fromkeys(_BINDING.c.keys())
_BIND = Sql(sa.insert(_BINDING), *_BLANK)
_BOUND = Sql(
    sa.select(_BINDING.c.person, _BINDING.c.post, _BINDING.c.purpose).where(
        _BINDING.c.fingerprint == sa.bindparam("of")
    )
)


def end_binding(session: Session, fingerprint: str, at: datetime) -> None:
    """End the binding (and with it every session of the certificate); raises NotBound. A second end changes nothing."""
    binding = session.get(CertificateBinding, fingerprint)
    if binding is None:
        raise NotBound(certificate=fingerprint)
    if binding.ended_at is None:
        binding.ended_at = at
        session.flush()


def suspend_binding(session: Session, fingerprint: str, at: datetime) -> None:
    """End the binding until it is restored, and every open session of the certificate for good; raises NotBound."""
    end_binding(session, fingerprint, at)
    close(session, SessionRow.certificate == fingerprint, at)


def restore_binding(session: Session, fingerprint: str) -> None:
    """Let a suspended binding hold again, unless its holder left the post meanwhile; raises NotBound.

    Whether it was only suspended is the CA's to know.
    """
    binding = session.get(CertificateBinding, fingerprint)
    if binding is None:
        raise NotBound(certificate=fingerprint)
    binding.ended_at = binding.left_at
    session.flush()
