"""The signed directory: which organ is reached at which site, as sites say it along the tree; and cards that are renewed.

All travel as messages of the exchange. A site says to its parent who is below it, and to its children whom it knows at all,
each under its own signature; so those who are admitted one by one are only the next above and below. A site keeps those it is told
of as peers, of a child's none above the child's own clearance. What people decided about a site stands above what a directory
says, and who vouched for it first above another.
"""

import io
import tempfile
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

import sqlalchemy as sa

from exchange import frames
from exchange.card import Card
from exchange.context import Context
from exchange.errors import BadCard, BadDirectory, MalformedEnvelope
from exchange.frames import Tag
from exchange.introduce import card_in, read_card, signed_card
from exchange.models import Carrier, OrganRow, PeerRow, PublishedRow, Relation
from exchange.peers import BY_DIRECTORY, Peer, Terms, end, keep, lower, renewed, terms_of
from exchange.send import Sending
from exchange.signed import Signature, believed
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.authz import Level
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.exchange import Answered, Enclosed, Incoming, Outgoing
from yinxin.steps import step
from yinxin.store import Act
from yinxin.text import Text

CARD, DIRECTORY = "exchange.card", "exchange.directory"
ISSUE, PUBLISH = "exchange.issue-card", "exchange.publish-directory"
_FORMAT = 1
_MEDIA_TYPE = "application/octet-stream"
#: octets of a directory
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A site in a directory: its card as it signed it, how much its parent trusts it with, and the organs that are reached there."""

    data: bytes
    card: Card
    clearance: Level
    organs: tuple[str, ...]


class Publishing:
    """What this site says of itself and, along the tree, of the sites it knows."""

    def __init__(self, ctx: Context, sending: Sending, card: Callable[[], Card]) -> None:
        """`card` gives this site's card as of now."""
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers
        self._signing = ctx.signing
        self._sending = sending
        self._card = card
        self._seen: tuple[datetime | None, datetime | None] | None = None

    def card(self) -> bytes:
        """This site's card, signed; a new version when anything in it has changed. Raises ExchangeOff."""
        card = self._card()
        newest = self._newest("card")
        if newest is not None:
            before = card_in(newest)
            if replace(before, version=card.version, at=card.at) == card:
                return newest
            # two changes within a second
            card = replace(card, version=max(card.version, before.version + 1))
        signed = signed_card(card, self._signing)
        with self._store.act(SYSTEM, ISSUE, f"exchange-peer:{card.site}", version=card.version) as act:
            act.facts["digest"] = card.digest
            act.session.add(
                PublishedRow(
                    kind="card",
                    issuer=card.site,
                    version=card.version,
                    signed=signed,
                    at=self._store.clock.now(),
                )
            )
        return signed

    def run(self) -> None:
        """Say what has changed to whom it concerns; a job. Cut off anywhere it goes on where it was."""
        card = self.card()
        version = card_in(card).version
        peers = self._peers.standing()
        for peer in peers:
            if peer.admitted:
                self._say(peer, CARD, f"card/{version}", card)
        for kind, relation in (("directory", Relation.CHILD), ("branch", Relation.PARENT)):
            told = [each for each in peers if each.relation is relation]
            if told:
                number, directory = self._directory(kind, card)
                for peer in told:
                    self._say(peer, DIRECTORY, f"directory/{number}", directory)

    def moved(self) -> bool:
        """Whether a peer came, went or was renewed since this was asked last, so that others wait to hear of it."""
        with self._store.read() as session:
            row = session.execute(sa.select(sa.func.max(PeerRow.since), sa.func.max(PeerRow.stopped))).one()
        before, self._seen = self._seen, (row[0], row[1])
        return before != self._seen

    def _directory(self, kind: str, card: bytes) -> tuple[int, bytes]:
        """The directory of now, for those below or, of the `branch`, for the parent; published when it differs from the last one.

        Its number, and its file.
        """
        own, reached = card_in(card), defaultdict[str, list[str]](list)
        with self._store.read() as session:
            known = sa.select(PeerRow.site, PeerRow.card, PeerRow.clearance).where(PeerRow.stopped.is_(None))
            if kind == "branch":
                children = sa.select(PeerRow.site).where(PeerRow.relation == Relation.CHILD)
                below = sa.or_(PeerRow.relation == Relation.CHILD, PeerRow.told_by.in_(children))
                known = known.where(below)
            rows = session.execute(known.order_by(PeerRow.site)).all()
            theirs = sa.select(OrganRow.organ, OrganRow.site).where(
                OrganRow.organ.not_in([each.id for each in own.organs])
            )
            for organ, site in session.execute(theirs.order_by(OrganRow.organ)):
                reached[site].append(organ)
        sites = [(card, own.clearance, [each.id for each in own.organs])]
        sites += [(row.card, row.clearance, reached[row.site]) for row in rows]
        listed = [
            {"card": b64encode(data).decode(), "clearance": clearance, "organs": organs}
            for data, clearance, organs in sites
        ]
        now, newest = self._store.clock.now(), self._newest(kind)
        version = int(now.timestamp())
        if newest is not None:
            said = canonical.decode(next(frames.read(io.BytesIO(newest))).data)
            if said["sites"] == listed:
                return said["version"], newest
            version = max(version, said["version"] + 1)
        body = {
            "v": _FORMAT,
            "issuer": self._own.site,
            "version": version,
            "at": rfc3339(now),
            "sites": listed,
        }
        encoded = canonical.encode(body)
        made = self._signing.sign(encoded)
        signed = frames.joined(
            [(Tag.DIRECTORY, encoded), (Tag.SIGNATURE, made.cms), (Tag.STANDING, made.standing)]
        )
        subject = f"exchange-peer:{self._own.site}"
        with self._store.act(SYSTEM, PUBLISH, subject, version=version, sites=len(listed)) as act:
            act.session.add(
                PublishedRow(kind=kind, issuer=self._own.site, version=version, signed=signed, at=now)
            )
        step("exchange.publish.1-kept")
        return version, signed

    def _say(self, peer: Peer, kind: str, reference: str, data: bytes) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            self._sending.send(
                SYSTEM,
                Outgoing(
                    reference=f"{reference}/{peer.site}",
                    sender=self._own.first,
                    recipient=peer.card.organs[0].id,
                    kind=kind,
                    object=f"exchange-peer:{self._own.site}",
                    grade="public",
                    body={},
                    files=(Enclosed("card" if kind == CARD else "directory", _MEDIA_TYPE, Path(file.name)),),
                ),
            )

    def _newest(self, kind: str) -> bytes | None:
        query = (
            sa.select(PublishedRow.signed)
            .where(PublishedRow.kind == kind, PublishedRow.issuer == self._own.site)
            .order_by(PublishedRow.version.desc())
            .limit(1)
        )
        with self._store.read() as session:
            return session.scalar(query)


class Heeding:
    """Takes what other sites say of themselves and, where it is the parent or a child, of others (`yinxin.exchange.Application`)."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.store
        self._own = ctx.own
        self._peers = ctx.peers

    def prepare(self, message: Incoming) -> object:
        """Read and verify it; raises BadCard, BadDirectory, UnknownPeer."""
        peer, data = self._peers.get(message.peer), _whole(message)
        if message.kind == CARD:
            same = card_in(data).version == peer.card.version
            return None if same else (data, renewed(peer, data))
        if peer.relation is Relation.NEIGHBOUR:
            raise BadDirectory(
                reason=Text(
                    "发来名录的既非上级也非下级站点",
                    "the site that sent it is neither the parent nor a child",
                )
            )
        version, entries = self._read(peer, data)
        if peer.relation is Relation.CHILD:
            entries = tuple(
                replace(each, clearance=lower(each.clearance, peer.clearance))
                for each in entries
                if each.card.site != peer.site
            )
        return data, peer.site, version, entries

    def take(self, act: Act, message: Incoming, prepared: object) -> None:
        """Put it on record, within the act of its delivery."""
        if prepared is None:
            return
        if message.kind == CARD:
            data, card = cast("tuple[bytes, Card]", prepared)
            row = act.session.get(PeerRow, card.site)
            if row is not None and row.version < card.version:
                keep(act.session, data, card, terms_of(act.session, row), self._store.clock.now())
            act.facts |= {"site": card.site, "version": card.version}
            return
        self._heed(act, *cast("tuple[bytes, str, int, tuple[Entry, ...]]", prepared))

    def answered(self, act: Act, answer: Answered) -> None:
        """Nothing follows from a receipt for these."""

    def _read(self, peer: Peer, data: bytes) -> tuple[int, tuple[Entry, ...]]:
        try:
            found = list(frames.read(io.BytesIO(data)))
        except MalformedEnvelope as error:
            raise BadDirectory(reason=error) from error
        if [each.tag for each in found] != [Tag.DIRECTORY, Tag.SIGNATURE, Tag.STANDING]:
            raise BadDirectory(reason=Text("不是交换名录", "not a directory"))
        try:
            believed(Signature(found[1].data, found[2].data), found[0].data, peer.card)
            body: dict[str, Any] = canonical.decode(found[0].data)
            said = (body["v"], body["issuer"], type(body["version"]))
            entries = tuple(_entries(body["sites"]))
        except YinxinError as error:
            raise BadDirectory(reason=error) from error
        except (KeyError, TypeError, ValueError) as error:
            raise BadDirectory(reason=f"{error}"[:200]) from error
        if said != (_FORMAT, peer.site, int):
            raise BadDirectory(reason=Text("签发者或版本不对", "another issuer or version"))
        return body["version"], entries

    def _heed(self, act: Act, data: bytes, issuer: str, version: int, entries: tuple[Entry, ...]) -> None:
        session, now = act.session, self._store.clock.now()
        newest = sa.select(sa.func.max(PublishedRow.version)).where(
            PublishedRow.kind == "directory", PublishedRow.issuer == issuer
        )
        if version <= (session.scalar(newest) or 0):
            raise BadDirectory(reason=Text(f"版本 {version} 不比已有的新", f"version {version} is no newer"))
        session.add(PublishedRow(kind="directory", issuer=issuer, version=version, signed=data, at=now))
        session.flush()
        source, named = f"{BY_DIRECTORY}{version}", set()
        by = session.get(PeerRow, issuer)
        child = by is not None and by.relation == Relation.CHILD
        # an organ that has moved is free for the site that has it now
        told = sa.select(PeerRow.site).where(PeerRow.told_by == issuer)
        session.execute(sa.delete(OrganRow).where(OrganRow.site.in_(told)))
        for each in entries:
            named.add(each.card.site)
            row = session.get(PeerRow, each.card.site)
            if each.card.site == self._own.site or (
                row is not None and not _may(row, each, issuer, child=child)
            ):
                continue
            data, card = each.data, each.card
            if row is not None and row.version > card.version and _vouched(row, issuer):
                # the parent has not heard yet: a key that the site has given up does not come back
                data, card = row.card, card_in(row.card)
            carrier = Carrier.PUSH if card.url else Carrier.PULL
            terms = Terms(Relation.NEIGHBOUR, carrier, each.clearance, source, each.organs, issuer)
            keep(session, data, card, terms, now)
        left = sa.select(PeerRow).where(PeerRow.told_by == issuer, PeerRow.stopped.is_(None))
        for row in session.scalars(left).all():
            if row.site not in named:
                end(session, row, source, now)
        act.facts |= {"directory": version, "sites": sorted(named)}


def _may(row: PeerRow, entry: Entry, issuer: str, *, child: bool) -> bool:
    """Whether a directory of `issuer` has a say about a site on record: people have none over them, and else whoever vouches for it.

    A name is nobody's to take: a child's word brings no keys that the site's card on record does not lead to, and gives way where the
    parent means another site by the name.
    """
    if not row.source.startswith(BY_DIRECTORY):
        return False
    if _vouched(row, issuer):
        return not child or row.version > entry.card.version or _leads(row.card, entry.data)
    return not child and not _leads(entry.data, row.card)


def _vouched(row: PeerRow, issuer: str) -> bool:
    """Whether it vouches for the site, or nobody does any more."""
    return row.told_by == issuer or row.stopped is not None


def _leads(before: bytes, after: bytes) -> bool:
    """Whether the second card is the first, or signed by a key that the first names."""
    try:
        return before == after or bool(read_card(after, card_in(before)))
    except BadCard:
        return False


def _entries(listed: list[dict[str, Any]]) -> Iterator[Entry]:
    for each in listed:
        data = b64decode(each["card"], validate=True)
        if each["clearance"] not in get_args(Level):
            raise ValueError("clearance")
        organs = tuple(each["organs"])
        if not all(isinstance(organ, str) for organ in organs):
            raise ValueError("organs")
        yield Entry(data, read_card(data), each["clearance"], organs)


def _whole(message: Incoming) -> bytes:
    if len(message.files) != 1 or message.files[0].size > _LARGEST:
        raise BadCard(reason=Text("附带的文件不对", "not one file of this size"))
    return b"".join(message.read(0))
