"""The exchange as the applications of this process have it (`yinxin.exchange.Exchanging`).

What they send was decided by whoever sent the application's object; the platform only carries it out, and says so on record.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from exchange.context import Context
from exchange.errors import UnknownRecipient
from exchange.models import MessageRow
from exchange.send import Sending, demand_cleared
from yinxin.act import SYSTEM
from yinxin.authz import Level
from yinxin.crypto.certificates import Certificate
from yinxin.exchange import Outgoing, Reached


class Inside:
    """Sends, and says who is where. Of a site that takes no part in the exchange nobody is elsewhere."""

    def __init__(self, ctx: Context, sending: Sending) -> None:
        self._store = ctx.store
        self._settings = ctx.settings
        self._own = ctx.own
        self._peers = ctx.peers
        self._sending = sending

    def site_of(self, organ: str) -> str | None:
        """The other site at which an organ is reached."""
        if not self._settings.site or organ in self._settings.organs:
            return None
        try:
            return self._peers.recipient(organ).peer.site
        except UnknownRecipient:
            return None

    def anchors(self, organ: str) -> tuple[Certificate, ...]:
        """The roots on the card of the site at which an organ is reached; none of ours, and of one that nobody reaches."""
        if not self._settings.site or organ in self._settings.organs:
            return ()
        try:
            return self._peers.recipient(organ).peer.card.anchors
        except UnknownRecipient:
            return ()

    def reached(self, sender: str) -> Sequence[Reached]:
        """The organs of other sites that an organ of this one may write to."""
        if not self._settings.site or sender not in self._settings.organs:
            return ()
        return self._peers.reached()

    def demand(self, sender: str, recipient: str, object_: str, grade: Level) -> None:
        """Raise NotOurOrgan, UnknownRecipient, or TooSecret."""
        self._own.demand(sender)
        demand_cleared(self._peers.recipient(recipient), object_, grade)

    def send(self, message: Outgoing) -> str:
        """Put a message into the outbox; raises as `Sending.send`."""
        return self._sending.send(SYSTEM, message).id

    def sent(self, sender: str, reference: str) -> bool:
        """Whether there is a message of ours under this reference."""
        query = sa.select(MessageRow.id).where(MessageRow.sender == sender, MessageRow.reference == reference)
        with self._store.read() as session:
            return session.scalar(query) is not None
