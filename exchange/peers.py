"""The peers on record, and which of them an organ is reached at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from exchange.card import Card
from exchange.errors import BadCard, UnknownPeer, UnknownRecipient
from exchange.introduce import card_in, read_card
from exchange.models import Carrier, ChainRow, Direction, OrganRow, PeerRow, Relation
from yinxin.authz import LEVELS, Level
from yinxin.crypto.certificates import Certificate
from yinxin.exchange import Reached
from yinxin.store import Sql, Store
from yinxin.text import Text

#: `source` of a peer that another site's directory vouches for begins so
BY_DIRECTORY = "directory:"


@dataclass(frozen=True, slots=True)
class Peer:
    """A site as it is on record."""

    site: str
    name: Text
    relation: Relation
    carrier: Carrier
    clearance: Level
    url: str
    card: Card
    #: the card's file as it is on record
    signed: bytes
    source: str
    since: datetime
    stopped: datetime | None

    @property
    def admitted(self) -> bool:
        """Whether people admitted it, and not another site's directory."""
        return not self.source.startswith(BY_DIRECTORY)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An organ at a peer, and what it is written to."""

    organ: str
    name: Text
    peer: Peer
    clearance: Level
    certificate: Certificate


def lower(one: Level, other: Level) -> Level:
    """The lower of two levels."""
    return min(one, other, key=LEVELS.index)


class Peers:
    """Looks peers up; what changes them is decided elsewhere (`proposals`, `directory`).

    `ours` are the organs that this site exchanges for: they are at no other, whatever a card says.
    """

    def __init__(self, store: Store, ours: Collection[str]) -> None:
        self._store = store
        self._ours = ours

    def get(self, site: str) -> Peer:
        """A peer with which messages are exchanged now; raises UnknownPeer."""
        with self._store.read() as session:
            row = session.get(PeerRow, site[:64])
            if row is None or row.stopped is not None:
                raise UnknownPeer(site=site[:64])
            return _peer(row)

    def known(self, site: str) -> Peer:
        """A peer there is or was; raises UnknownPeer."""
        with self._store.read() as session:
            row = session.get(PeerRow, site[:64])
            if row is None:
                raise UnknownPeer(site=site[:64])
            return _peer(row)

    def anchors(self, site: str) -> tuple[Certificate, ...]:
        """The roots on the card of a peer there is or was; raises UnknownPeer."""
        return self.known(site).card.anchors

    def all(self, *, after: str = "", limit: int | None = None) -> tuple[Peer, ...]:
        """Every peer there is or was behind the one of this identifier, by identifier."""
        query = sa.select(PeerRow).where(PeerRow.site > after).order_by(PeerRow.site).limit(limit)
        with self._store.read() as session:
            return tuple(_peer(row) for row in session.scalars(query))

    def standing(self) -> tuple[Peer, ...]:
        """Those with which messages are exchanged."""
        return tuple(each for each in self.all() if each.stopped is None)

    def recipient(self, organ: str) -> Recipient:
        """Where an organ is reached; raises UnknownRecipient."""
        with self._store.look() as look:
            row = None if organ in self._ours else _RECIPIENT.first(look, {"organ": organ[:64]})
        if row is None:
            raise UnknownRecipient(organ=organ[:64])
        found = _peer(row)
        return Recipient(
            row.organ,
            Text(row.organ_zh, row.organ_en),
            found,
            lower(cast("Level", row.organ_clearance), found.clearance),
            _certificate(row.certificate),
        )

    def has(self, site: str, organ: str) -> bool:
        """Whether the organ is at that site: one that another site has, this one, or nobody decided on, is not the site's by its card."""
        with self._store.read() as session:
            row = None if organ in self._ours else session.get(OrganRow, organ)
            return row is not None and row.site == site

    def claimed(self, peer: Peer) -> tuple[str, ...]:
        """Organs that its card names and that are not reached there: nobody decided so, or they are at another site."""
        with self._store.read() as session:
            reached = _reached(session, peer.site) - set(self._ours)
        return tuple(each.id for each in peer.card.organs if each.id not in reached)

    def reached(self) -> tuple[Reached, ...]:
        """Every organ that is reached at a peer, by site and identifier."""
        query = (
            sa.select(OrganRow, PeerRow)
            .join(PeerRow, PeerRow.site == OrganRow.site)
            .where(PeerRow.stopped.is_(None), OrganRow.organ.not_in(self._ours))
            .order_by(OrganRow.site, OrganRow.organ)
        )
        with self._store.read() as session:
            return tuple(
                Reached(
                    row.organ,
                    Text(row.name_zh, row.name_en),
                    row.site,
                    Text(peer.name_zh, peer.name_en),
                    Relation(peer.relation).value,
                    lower(cast("Level", row.clearance), cast("Level", peer.clearance)),
                )
                for row, peer in session.execute(query)
            )

    def name(self, organ: str) -> Text | None:
        """What an organ is called where it is reached; None for one that no peer receives for."""
        with self._store.read() as session:
            row = session.get(OrganRow, organ[:64])
            return None if row is None else Text(row.name_zh, row.name_en)


#: an organ at a peer with which messages are exchanged, and the peer
_RECIPIENT = Sql(
    sa.select(
        *(getattr(PeerRow, each) for each in PeerRow.__table__.c.keys()),  # noqa: SIM118 - a collection of columns is no mapping
        OrganRow.organ,
        OrganRow.name_zh.label("organ_zh"),
        OrganRow.name_en.label("organ_en"),
        OrganRow.clearance.label("organ_clearance"),
        OrganRow.certificate,
    )
    .join(PeerRow, PeerRow.site == OrganRow.site)
    .where(OrganRow.organ == sa.bindparam("organ"), PeerRow.stopped.is_(None))
)


@lru_cache(maxsize=512)
def _certificate(der: bytes) -> Certificate:
    return Certificate(der)


@lru_cache(maxsize=512)
def _card(data: bytes) -> Card:
    """A card that was verified when it was put on record."""
    return card_in(data)


def _peer(row: Any) -> Peer:
    return Peer(
        row.site,
        Text(row.name_zh, row.name_en),
        Relation(row.relation),
        Carrier(row.carrier),
        cast("Level", row.clearance),
        row.url,
        _card(row.card),
        row.card,
        row.source,
        row.since,
        row.stopped,
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What was decided about a peer beside its card."""

    relation: Relation
    carrier: Carrier
    clearance: Level
    source: str
    #: organs that it may receive for, as far as its card names them
    organs: Collection[str]
    #: the site whose directory vouches for it
    told_by: str | None = None


def terms_of(session: Session, row: PeerRow) -> Terms:
    """What was decided about a peer on record: whatever it says of itself since, it gets no organ by it."""
    return Terms(
        Relation(row.relation),
        Carrier(row.carrier),
        cast("Level", row.clearance),
        row.source,
        _reached(session, row.site),
        row.told_by,
    )


def keep(session: Session, data: bytes, card: Card, terms: Terms, now: datetime) -> None:
    """Put a peer on record, or its newer card, within the transaction of whoever decided it."""
    row = session.get(PeerRow, card.site)
    if row is None:
        row = PeerRow(site=card.site)
        session.add(row)
    row.name_zh, row.name_en, row.url = card.name.zh, card.name.en, card.url
    row.relation, row.carrier, row.source = terms.relation, terms.carrier, terms.source
    row.told_by = terms.told_by
    row.clearance = lower(card.clearance, terms.clearance)
    row.card, row.version, row.since, row.stopped = data, card.version, now, None
    session.flush()
    session.execute(sa.delete(OrganRow).where(OrganRow.site == card.site))
    session.flush()
    for each in card.organs:
        # an organ is at one site; who is admitted later does not take it away
        if each.id not in terms.organs or session.get(OrganRow, each.id) is not None:
            continue
        session.add(
            OrganRow(
                organ=each.id,
                site=card.site,
                name_zh=each.name.zh,
                name_en=each.name.en,
                clearance=each.clearance,
                certificate=each.certificate.der,
            )
        )
    for direction in Direction:
        if session.get(ChainRow, (direction, card.site)) is None:
            session.add(ChainRow(direction=direction, peer=card.site, seq=0, head=""))
    session.flush()


def end(session: Session, row: PeerRow, source: str, now: datetime) -> None:
    """Exchange with a peer no longer, nor with those that only its directory vouched for; `source` says who decided it.

    About those nobody decided: another site may vouch for them.
    """
    row.source = source
    vouched = sa.select(PeerRow).where(PeerRow.told_by == row.site, PeerRow.stopped.is_(None))
    for each in (row, *session.scalars(vouched).all()):
        each.stopped = now
        session.execute(sa.delete(OrganRow).where(OrganRow.site == each.site))
    session.flush()


def _reached(session: Session, site: str) -> set[str]:
    return set(session.scalars(sa.select(OrganRow.organ).where(OrganRow.site == site)))


def renewed(peer: Peer, data: bytes) -> Card:
    """A newer card of a peer, signed by a key that its card on record names; raises BadCard."""
    card = read_card(data, peer.card)
    if card.site != peer.site or card.version <= peer.card.version:
        raise BadCard(reason=Text("不是该站点更新的名片", "not a newer card of that site"))
    return card
