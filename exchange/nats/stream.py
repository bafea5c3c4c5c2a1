"""The inbox of a site on a NATS server: a JetStream stream that others put into, and that this site takes out of.

One stream for each receiving site, on disk, that refuses what is more than it may hold; within it a subject for each sender. What
is longer than the server takes in one message is put there in pieces, one after the other.

https://docs.nats.io/reference/reference-protocols/nats_api_reference (JetStream API).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import CarrierUnreachable
from exchange.nats.connection import Connection, Message, Question
from exchange.settings import NatsSettings

#: octets of a piece, if the server takes so much, and pieces on their way at a time
PIECE, _FLIGHT = 512 << 10, 8
#: which publication a piece is of, which piece it is from 1 on, and whether it is the last
_OF, _NUMBER, _LAST = "Yinxin-Of", "Yinxin-Number", "Yinxin-Last"
#: JetStream's errors: there is no such stream; there is one of this name
_NO_STREAM, _EXISTS = 10059, 10058
#: statuses of the server: there is no such message; nobody listens
_NOTHING, _NOBODY = 404, 503


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece as it lies in the stream: its place there, its subject, and whose it is."""

    place: int
    subject: str
    of: str
    number: int
    last: bool
    data: bytes


class Inbox:
    """The streams of this carrier as one connection reaches them. Raises CarrierUnreachable throughout."""

    def __init__(self, settings: NatsSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection

    def subject(self, to: str, sender: str) -> str:
        """Where `sender` puts what is for `to`. A site's identifier has dots, and no underline."""
        return f"{self._settings.prefix}.{_word(to)}.{_word(sender)}"

    def stream(self, site: str) -> str:
        """The name of a site's stream."""
        return f"{self._settings.prefix.replace('.', '_')}_{_word(site)}"

    def prepare(self, site: str) -> None:
        """Have the stream of this site; one that is there stays as its operator made it."""
        name = self.stream(site)
        if self._api(f"STREAM.INFO.{name}", {}, _NO_STREAM) is not None:
            return
        wanted = {
            "name": name,
            "subjects": [self.subject(site, "*")],
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "max_bytes": self._settings.most,
            "num_replicas": self._settings.replicas,
            "allow_direct": True,
        }
        self._api(f"STREAM.CREATE.{name}", wanted, _EXISTS)

    def put(self, to: str, sender: str, name: str, octets: Iterable[bytes]) -> None:
        """Put a publication there, every piece on the server's disk when this returns."""
        subject = self.subject(to, sender)

        def questions() -> Iterator[Question]:
            pieces = _pieces(octets, min(PIECE, self._connection.most - 1024))
            for number, (data, last) in enumerate(pieces, 1):
                yield Question(subject, data, {_OF: name, _NUMBER: str(number), _LAST: str(int(last))})

        for each in self._connection.answers(questions(), _FLIGHT):
            said = self._said(each, subject)
            if (error := said.get("error")) is not None:
                raise self._refused(subject, error)

    def first(self, site: str, place: int, subject: str = "") -> Piece | None:
        """The first piece at or behind a place, of any sender or one subject; None when there is none."""
        wanted = {"seq": place, "next_by_subj": subject or self.subject(site, "*")}
        asked = f"$JS.API.DIRECT.GET.{self.stream(site)}"
        answer = self._connection.ask(Question(asked, json.dumps(wanted).encode()))
        if answer.status == _NOTHING:
            return None
        said = answer.headers
        try:
            place = int(said["nats-sequence"])
        except (KeyError, ValueError) as error:
            reason = f"nobody answers {asked}" if answer.status == _NOBODY else "no answer of JetStream"
            raise CarrierUnreachable(server=self._settings.url, reason=reason) from error
        of, number = said.get(_OF.lower(), ""), said.get(_NUMBER.lower(), "")
        last = said.get(_LAST.lower()) == "1"
        # what somebody else put there is a piece of nothing
        at = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
        return Piece(place, said.get("nats-subject", ""), of, at, last, answer.data)

    def drop(self, site: str, subject: str, upto: int) -> None:
        """Remove what lies there of a subject up to a place: it was taken."""
        self._api(f"STREAM.PURGE.{self.stream(site)}", {"filter": subject, "seq": upto + 1})

    def _api(self, what: str, body: Mapping[str, Any], ends: int = 0) -> dict[str, Any] | None:
        """JetStream's answer; None for an error of this number."""
        subject = f"$JS.API.{what}"
        said = self._said(self._connection.ask(Question(subject, json.dumps(body).encode())), subject)
        error = said.get("error")
        if error is not None and error.get("err_code") != ends:
            raise self._refused(subject, error)
        return None if error is not None else said

    def _said(self, message: Message, subject: str) -> dict[str, Any]:
        if message.status:
            raise CarrierUnreachable(
                server=self._settings.url,
                reason=f"nobody answers {subject}"
                if message.status == _NOBODY
                else f"status {message.status}",
            )
        try:
            said = json.loads(message.data)
        except ValueError as error:
            raise CarrierUnreachable(server=self._settings.url, reason="no answer of JetStream") from error
        if not isinstance(said, dict):
            raise CarrierUnreachable(server=self._settings.url, reason="no answer of JetStream")
        return said

    def _refused(self, subject: str, error: Mapping[str, Any]) -> CarrierUnreachable:
        return CarrierUnreachable(
            server=self._settings.url, reason=f"{subject}: {error.get('description', '')}"[:200]
        )


def _word(site: str) -> str:
    return site.replace(".", "_")


def _pieces(octets: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """In pieces of that size, and of each whether it is the last."""
    held = bytearray()
    for each in octets:
        held += each
        while len(held) > size:  # what is there when the octets end is the last piece
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True
