"""The systems that may come: registered by an officer with their first certificate, and ended."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kms.kmip.errors import (
    BadKmipClient,
    KmipCertificateTaken,
    KmipClientEnded,
    KmipClientTaken,
    KmipClientUnknown,
    KmipNotAdmitted,
)
from kms.kmip.models import KmipCertificateRow, KmipClientRow
from yinxin.act import Actor, Kind
from yinxin.authz import Decision, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage
from yinxin.errors import Invalid, Untrue, YinxinError
from yinxin.store import Store
from yinxin.text import Text

REGISTER = "kms.register-kmip-client"
END = "kms.end-kmip-client"
LOOK = "kms.read-kmip-clients"

#: how a client is named as an actor: no person's name begins so
PREFIX = "kmip:"
#: certificates of one client: the old, the new, and some of a cluster's
_MOST = 16
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


class Judge(Protocol):
    """Whether a certificate of ours can be trusted; the authority above this floor, handed in at assembly."""

    def standing(self, certificate: Certificate, at: datetime, usage: Usage) -> None:
        """Path, validity, usage and revocation at `at`; raises otherwise, and when that cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class KmipCertificate:
    """A certificate by which a client is known."""

    fingerprint: str
    subject: str
    not_after: datetime
    admitted: datetime

    def fields(self) -> dict[str, Any]:
        """The certificate as JSON."""
        return {
            "fingerprint": self.fingerprint,
            "subject": self.subject,
            "not_after": rfc3339(self.not_after),
            "admitted": rfc3339(self.admitted),
        }


@dataclass(frozen=True, slots=True)
class KmipClient:
    """A registered system, and what it is known by."""

    id: str
    organ: str
    created: datetime
    ended: datetime | None
    certificates: tuple[KmipCertificate, ...]

    @property
    def resource(self) -> Resource:
        """The client as policies see it."""
        return Resource("KmipClient", self.id, organ=self.organ)

    def fields(self) -> dict[str, Any]:
        """The client as JSON."""
        return {
            "id": self.id,
            "organ": self.organ,
            "created": rfc3339(self.created),
            "ended": rfc3339(self.ended) if self.ended else None,
            "certificates": [each.fields() for each in self.certificates],
        }


def certificate_of(octets: bytes) -> Certificate:
    """The first certificate in PEM, or the one in DER; raises BadKmipClient."""
    with suppress(Invalid, Untrue, ValueError):
        if b"-----BEGIN" in octets:
            return Certificate.load_many(octets)[0]
        return Certificate.load(octets)
    raise BadKmipClient(field="certificate", reason=Text("不是 X.509 证书", "it is no X.509 certificate"))


def check_id(id_: str) -> None:
    """Raise BadKmipClient unless it is an identifier."""
    if not _ID.fullmatch(id_):
        form = Text("须由小写字母、数字、点或连字符组成", "a–z 0–9 . - , beginning with a letter or digit")
        raise BadKmipClient(field="id", reason=form)


def register(
    store: Store, judge: Judge, actor: Actor, wanted: tuple[str, str, Certificate], decision: Decision
) -> KmipClient:
    """A client of this (identifier, organ, certificate).

    Raises BadKmipClient for a certificate that cannot be trusted now, KmipClientTaken, KmipCertificateTaken.
    """
    id_, organ, certificate = wanted
    subject = f"kmip-client:{id_}"
    with store.act(actor, REGISTER, subject, organ=organ, certificate=certificate.fingerprint) as act:
        act.decision = decision.record()
        trusted(judge, certificate, store.clock.now())
        if act.session.get(KmipClientRow, id_) is not None:
            raise KmipClientTaken(client=id_)
        row = KmipClientRow(id=id_, organ=organ, created=store.clock.now(), ended=None)
        act.session.add(row)
        try:
            act.session.flush()
        except IntegrityError:  # two officers at once
            raise KmipClientTaken(client=id_) from None
        admit(act.session, id_, certificate, store.clock.now())
        return _client(act.session, row)


def end(store: Store, actor: Actor, client: KmipClient, decision: Decision) -> KmipClient:
    """The client is admitted no more, nor anybody else under its identifier; what it keeps stays. Raises KmipClientEnded.

    Its certificates are nobody's again.
    """
    with store.act(actor, END, f"kmip-client:{client.id}") as act:
        act.decision = decision.record()
        row = act.session.get_one(KmipClientRow, client.id, with_for_update=True)
        if row.ended is not None:
            raise KmipClientEnded(client=client.id)
        row.ended = store.clock.now()
        mine = sa.delete(KmipCertificateRow).where(KmipCertificateRow.client == client.id)
        act.session.execute(mine)
        return _client(act.session, row)


def client_of(store: Store, id_: str) -> KmipClient:
    """One client, ended or not; raises KmipClientUnknown."""
    with store.read() as session:
        row = session.get(KmipClientRow, id_) if _ID.fullmatch(id_) else None
        if row is None:
            raise KmipClientUnknown(client=id_[:64])
        return _client(session, row)


def list_clients(store: Store, organ: str, *, after: str = "", limit: int | None = None) -> list[KmipClient]:
    """An organ's clients by identifier, ended ones too."""
    row = KmipClientRow
    chosen = sa.select(row).where(row.organ == organ, row.id > after).order_by(row.id).limit(limit)
    with store.read() as session:
        return [_client(session, each) for each in session.scalars(chosen)]


def admitted(store: Store, judge: Judge, encoded: bytes) -> tuple[str, Actor]:
    """Who comes with this certificate: its client, as the actor that it is. Raises KmipNotAdmitted.

    Asked with every message: a certificate that is revoked, and a client that is ended, get nothing more on a
    connection that is open.
    """
    certificate = Certificate.load(encoded)
    with store.read() as session:
        found = session.execute(
            sa.select(KmipClientRow.id, KmipClientRow.organ)
            .join(KmipCertificateRow, KmipCertificateRow.client == KmipClientRow.id)
            .where(KmipCertificateRow.fingerprint == certificate.fingerprint, KmipClientRow.ended.is_(None))
        ).one_or_none()
    if found is None:
        reason = Text("证书未登记", "the certificate is not registered")
        raise KmipNotAdmitted(subject=certificate.subject.text[:200], reason=reason)
    try:
        judge.standing(certificate, store.clock.now(), Usage.CLIENT)
    except YinxinError as error:
        raise KmipNotAdmitted(subject=certificate.subject.text[:200], reason=error.code) from error
    id_, organ = found
    return id_, Actor(
        Kind.SERVICE, f"{PREFIX}{id_}", organ=organ, certificate=certificate.fingerprint, via="kmip"
    )


def trusted(judge: Judge, certificate: Certificate, now: datetime) -> None:
    """Raise BadKmipClient for a certificate that cannot be trusted now."""
    try:
        judge.standing(certificate, now, Usage.CLIENT)
    except YinxinError as error:
        raise BadKmipClient(field="certificate", reason=error) from error


def demand_room(client: KmipClient) -> None:
    """Raise BadKmipClient when it has as many certificates as it may."""
    if len(client.certificates) >= _MOST:
        reason = Text(f"至多 {_MOST} 份", f"{_MOST} at most")
        raise BadKmipClient(field="certificate", reason=reason)


def admit(session: Session, client: str, certificate: Certificate, now: datetime) -> None:
    """Know the client by this certificate too; raises KmipCertificateTaken."""
    known = session.get(KmipCertificateRow, certificate.fingerprint)
    if known is not None:
        raise KmipCertificateTaken(client=known.client)
    session.add(
        KmipCertificateRow(
            fingerprint=certificate.fingerprint,
            client=client,
            subject=certificate.subject.text[:400],
            not_after=certificate.not_after,
            admitted=now,
        )
    )
    session.flush()


def _client(session: Session, row: KmipClientRow) -> KmipClient:
    mine = sa.select(KmipCertificateRow).where(KmipCertificateRow.client == row.id)
    rows: Sequence[KmipCertificateRow] = session.scalars(
        mine.order_by(KmipCertificateRow.admitted, KmipCertificateRow.fingerprint)
    ).all()
    found = tuple(
        KmipCertificate(each.fingerprint, each.subject, each.not_after, each.admitted) for each in rows
    )
    return KmipClient(row.id, row.organ, row.created, row.ended, found)
