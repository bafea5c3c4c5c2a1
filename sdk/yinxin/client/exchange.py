"""The exchange between sites: peers, the message log, evidence, reconciling, files that are carried by hand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from yinxin.authz import Level
from yinxin.client._http import Connection, segment
from yinxin.client.proposals import Proposal, Proposals
from yinxin.messages import (
    CarriedOut,
    Carrier,
    IncomingContentOut,
    IncomingOut,
    LifeOut,
    MessageOut,
    PeerOrganOut,
    PeerOrgansOut,
    PeerOut,
    ReconciliationOut,
    Relation,
    SentOut,
)
from yinxin.wire import base64_text

_PATH = "/api/exchange/v1"


class Exchange:
    """Calls to the exchange. Whom the site exchanges with, several people decide: that is proposed here."""

    def __init__(self, connection: Connection, proposals: Proposals) -> None:
        self._connection = connection
        self._proposals = proposals

    def peers(self) -> Iterator[PeerOut]:
        """Every site that is or was exchanged with, and how exchange with it stands; by identifier."""
        return (PeerOut.model_validate(each) for each in self._connection.pages(f"{_PATH}/peers", {}))

    def peer(self, site: str) -> PeerOut:
        """One of them; raises UnknownPeer (`exchange.unknown_peer`)."""
        return PeerOut.model_validate(self._connection.json("GET", f"{_PATH}/peers/{segment(site)}"))

    def organs(self, site: str) -> list[PeerOrganOut]:
        """The organs on its card, and whether messages for each go there."""
        answer = self._connection.json("GET", f"{_PATH}/peers/{segment(site)}/organs")
        return PeerOrgansOut.model_validate(answer).items

    def peer_card(self, site: str) -> bytes:
        """Its card as it is on record, signed."""
        return self._connection.send("GET", f"{_PATH}/peers/{segment(site)}/card").content

    def card(self) -> bytes:
        """This site's card, signed, for another site to admit; its digest is compared by another way."""
        return self._connection.send("POST", f"{_PATH}/card").content

    def propose_admission(
        self, card: bytes, relation: Relation, clearance: Level, *, carrier: Carrier = "push", reason: str
    ) -> Proposal:
        """Propose to exchange with the site of this card, up to a level of secrecy."""
        content = {
            "card": base64_text(card),
            "relation": relation,
            "carrier": carrier,
            "clearance": clearance,
        }
        return self._proposals.propose("exchange.admit-peer", content, reason=reason)

    def propose_stop(self, site: str, *, reason: str) -> Proposal:
        """Propose to exchange with a site no longer."""
        return self._proposals.propose("exchange.stop-peer", {"site": site}, reason=reason)

    def messages(self, **query: str) -> Iterator[MessageOut]:
        """Messages, the newest first: direction, peer, organ, kind, object, state, since, until."""
        return (
            MessageOut.model_validate(each) for each in self._connection.pages(f"{_PATH}/messages", query)
        )

    def message(self, direction: str, peer: str, message: str) -> LifeOut:
        """One message with its life; raises NoSuchMessage (`exchange.no_such_message`)."""
        return LifeOut.model_validate(self._connection.json("GET", _one(direction, peer, message)))

    def evidence(self, direction: str, peer: str, message: str) -> bytes:
        """Its evidence (ASiC-E), for `yinxin verify`; raises NotReceipted (`exchange.not_receipted`)."""
        return self._connection.send("POST", f"{_one(direction, peer, message)}/evidence").content

    def reconciliations(self, peer: str = "") -> Iterator[ReconciliationOut]:
        """What reconciling came to, the newest first."""
        found = self._connection.pages(f"{_PATH}/reconciliations", {"peer": peer})
        return (ReconciliationOut.model_validate(each) for each in found)

    def reconcile(self, site: str) -> ReconciliationOut:
        """Call a site now, and reconcile; raises PeerUnreachable (`exchange.peer_unreachable`)."""
        path = f"{_PATH}/peers/{segment(site)}/reconciliation"
        return ReconciliationOut.model_validate(self._connection.json("POST", path))

    def carry_out(self, site: str, file: Path) -> int:
        """Write what waits for a site, receipts and word into a file to be carried; how many messages. It is held in memory on the way."""
        answer = self._connection.send("POST", f"{_PATH}/peers/{segment(site)}/medium")
        file.write_bytes(answer.content)
        return int(answer.headers["Message-Count"])

    def carry_in(self, file: Path) -> CarriedOut:
        """Take in a file that a site wrote: what has come before changes nothing."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._connection.json("POST", f"{_PATH}/media", content=file.read_bytes(), headers=headers)
        return CarriedOut.model_validate(answer)

    # --- messages of one's own -------------------------------------------------------------------------------------

    def send(
        self,
        *,
        reference: str,
        sender: str,
        recipient: str,
        kind: str,
        about: str,
        grade: Level,
        content: Mapping[str, Any],
        files: Sequence[Path] = (),
    ) -> SentOut:
        """Put a message for an organ of another site into the outbox, once for its reference; files are held in memory on the way.

        Raises Denied, KindReserved (`exchange.kind_reserved`), UnknownRecipient (`exchange.unknown_recipient`), TooSecret
        (`exchange.too_secret`), ReferenceReused (`exchange.reference_reused`), TooLarge (`exchange.too_large`).
        """
        said = {
            "reference": reference,
            "sender": sender,
            "recipient": recipient,
            "kind": kind,
            "object": about,
            "grade": grade,
            "content": dict(content),
        }
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("body", (None, json.dumps(said, ensure_ascii=False).encode(), "application/json"))
        ]
        for file in files:
            media_type = guess_type(file.name)[0] or "application/octet-stream"
            parts.append(("files", (file.name, file.read_bytes(), media_type)))
        return SentOut.model_validate(self._connection.json("POST", f"{_PATH}/outgoing", files=parts))

    def sent(self, sender: str, reference: str) -> SentOut:
        """What became of a message that an organ sent; raises NoSuchMessage (`exchange.no_such_message`)."""
        path = f"{_PATH}/outgoing/{segment(sender)}/{segment(reference)}"
        return SentOut.model_validate(self._connection.json("GET", path))

    def inbox(self, organ: str, kind: str) -> Iterator[IncomingOut]:
        """What has come for an organ, of a kind, and is not acknowledged: by site, in the order in which it was sent."""
        found = self._connection.pages(f"{_PATH}/inbox", {"organ": organ, "kind": kind})
        return (IncomingOut.model_validate(each) for each in found)

    def fetch(self, peer: str, message: str) -> IncomingContentOut:
        """What a message says, and its files."""
        return IncomingContentOut.model_validate(self._connection.json("GET", _in(peer, message)))

    def fetch_file(self, peer: str, message: str, number: int) -> bytes:
        """The content of one of its files, the first is 0."""
        return self._connection.send("GET", f"{_in(peer, message)}/files/{number}").content

    def acknowledge(self, peer: str, message: str, *, unusable: str = "") -> None:
        """Say that a message is kept here, durably: it is not offered again. `unusable`: why nothing can be done with it.

        In their order, for each site; raises NotItsTurn (`exchange.not_its_turn`).
        """
        self._connection.json("POST", f"{_in(peer, message)}/acknowledgement", json={"unusable": unusable})


def _one(direction: str, peer: str, message: str) -> str:
    return f"{_PATH}/messages/{segment(direction)}/{segment(peer)}/{segment(message)}"


def _in(peer: str, message: str) -> str:
    return f"{_PATH}/inbox/{segment(peer)}/{segment(message)}"
