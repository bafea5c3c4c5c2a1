"""Revoking many: listed first, confirmed by their number, each by its own act; cut off, it goes on."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.context import Context
from ca.errors import AlreadyRevoked, WrongCount
from ca.inventory import HOLD
from ca.models import CertificateRow, State
from ca.profile.versions import made_by
from ca.revoke import VERB, Revocation
from yinxin.act import Actor
from yinxin.errors import YinxinError


@dataclass(frozen=True, slots=True)
class Target:
    """What certificates: exactly one of the three."""

    person: str | None = None
    #: this organ and all below it
    organ: str | None = None
    #: SHA-256 of the SubjectPublicKeyInfo, hexadecimal
    key: str | None = None

    @property
    def text(self) -> str:
        """What it names, for the record."""
        kind = "person" if self.person is not None else "organ" if self.organ is not None else "key"
        return f"{kind}:{(self.person or self.organ or self.key or '')[:80]}"


def targeted(ctx: Context, target: Target) -> tuple[CertificateRow, ...]:
    """The certificates that would be revoked: issued, not expired, not revoked for good, no authority's."""
    row = CertificateRow
    query = sa.select(row).where(
        row.state == State.ISSUED,
        row.not_after > ctx.store.clock.now(),
        sa.or_(row.revoked_at.is_(None), row.reason == HOLD),
    )
    if target.person is not None:
        query = query.where(row.holder_kind == "person", row.holder == target.person)
    elif target.organ is not None:
        below = reached(target.organ)
        query = query.where(sa.or_(row.organ == target.organ, row.organ.in_(below)))
    else:
        query = query.where(row.spki_digest == target.key)
    with ctx.store.read() as session:
        rows = session.scalars(query.order_by(row.serial)).all()
    return tuple(each for each in rows if not made_by(ctx, each).ca)


def confirmed(
    ctx: Context, actor: Actor, target: Target, rows: tuple[CertificateRow, ...], expected: int
) -> None:
    """There are as many as were confirmed; raises WrongCount, which is recorded."""
    if len(rows) != expected:
        error = WrongCount(found=len(rows), expected=expected)
        ctx.store.refuse(actor, VERB, f"certificates:{target.text}", error)
        raise error


def revoke_many(
    rows: tuple[CertificateRow, ...], revoke: Callable[[CertificateRow], Revocation]
) -> tuple[list[Revocation], list[tuple[str, YinxinError]]]:
    """What was revoked, and what was not and why."""
    done: list[Revocation] = []
    failed: list[tuple[str, YinxinError]] = []
    for row in rows:
        try:
            done.append(revoke(row))
        except AlreadyRevoked:
            continue  # the other half of a pair went with it
        except YinxinError as error:
            failed.append((row.serial, error))
    return done, failed
