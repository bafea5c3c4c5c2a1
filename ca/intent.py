"""What an issuance writes down: the intent, by which names its certificate is found, what the record says; and the certificate in its place."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.errors import IntentLost
from ca.inventory import searchable
from ca.issuer import Issuer
from ca.models import CertificateRow, NameRow, ProfileRow, State
from ca.prepare import Prepared
from ca.request import Order
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.store import Sql

_CERTIFICATE = cast("sa.Table", CertificateRow.__table__)
#: what is not known of a certificate yet
BLANK: Mapping[str, None] = dict.fromkeys(_CERTIFICATE.c.keys())


def columns_of(row: CertificateRow) -> dict[str, Any]:
    """What a row says, by column."""
    return {column.key: getattr(row, column.key) for column in _CERTIFICATE.c}


def intent_row(
    actor: Actor, order: Order, issuer: Issuer, prepared: Prepared, *, at: datetime
) -> dict[str, Any]:
    """The intent as a row of `CertificateRow`, every column: everything about the certificate but its signature."""
    certificate, holder = prepared.lint_certificate, order.holder
    return {
        **BLANK,
        "serial": prepared.serial,
        "authority": issuer.name,
        "reference": order.reference,
        "request_digest": order.digest,
        "state": State.INTENT.value,
        "profile": order.profile.name,
        "profile_hash": order.profile.hash,
        "subject": certificate.subject.text,
        "holder_kind": holder.kind,
        "holder": holder.id,
        "post": holder.post,
        "organ": holder.organ,
        "spki_digest": order.spki_digest,
        "shard": prepared.shard,
        "tbs": prepared.tbs,
        "lint_certificate": certificate.der,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "requested_by": actor.id,
        "created": at,
    }


def keep_intents(session: Session, *intents: tuple[Prepared, Mapping[str, Any]]) -> None:
    """Write intents down, and by which names their certificates are found."""
    # in one order everywhere: two groups that want the same references never wait for each other
    _INTENT.run_many(session, sorted((row for _, row in intents), key=itemgetter("reference")))
    if names := [name for each, _ in intents for name in name_rows(each)]:
        _NAME.run_many(session, names)


def name_rows(prepared: Prepared) -> list[dict[str, str]]:
    """The rows by which the inventory finds it."""
    return [{"text": text, "serial": prepared.serial} for text in searchable(prepared.lint_certificate)]


def facts_of(order: Order, issuer: Issuer, prepared: Prepared) -> dict[str, Any]:
    """What the record of an intent says."""
    holder = order.holder
    facts = {
        "authority": issuer.name,
        "profile": order.profile.name,
        "profile_hash": order.profile.hash,
        "reference": order.reference,
        "holder": f"{holder.kind}:{holder.id}",
        "post": holder.post,
        "organ": holder.organ,
        "key": order.spki_digest,
        "tbs": INTL.hash.digest(prepared.tbs).hex(),
    }
    return {name: value for name, value in facts.items() if value is not None}


def keep_profile(session: Session, order: Order) -> None:
    """Keep this version of the profile, the first time it is used."""
    profile = order.profile
    if _KEPT.first(session, {"hash": profile.hash}) is None:
        session.add(ProfileRow(hash=profile.hash, name=profile.name, data=profile.data))
        session.flush()


def complete(
    session: Session, certificates: Sequence[Certificate], rows: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Intents become certificates; raises IntentLost when none of them is an intent any more, RowsMoved when some are.

    `rows` are theirs as they are now, by column, for whoever wrote the intents: nothing alters an intent but what ends it, so the
    record speaks of these, and what was altered past the platform meanwhile shows.
    """
    made = [
        {"of": f"{each.serial:x}", "octets": each.der, "digest": each.fingerprint} for each in certificates
    ]
    if _COMPLETE.run_many(session, made, rows) != len(made):
        raise IntentLost(serial=made[0]["of"] if len(made) == 1 else "-")


_INTENT = Sql(sa.insert(_CERTIFICATE), *BLANK)
_NAME = Sql(sa.insert(cast("sa.Table", NameRow.__table__)), "text", "serial")
_PROFILE = cast("sa.Table", ProfileRow.__table__).c
_KEPT = Sql(sa.select(_PROFILE.hash).where(_PROFILE.hash == sa.bindparam("hash")))
_COMPLETE = Sql(
    sa.update(_CERTIFICATE)
    .where(_CERTIFICATE.c.serial == sa.bindparam("of"), _CERTIFICATE.c.state == State.INTENT)
    .values(state=State.ISSUED, der=sa.bindparam("octets"), fingerprint=sa.bindparam("digest"))
)
