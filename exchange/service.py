"""The exchange between sites as jobs, faces, commands and applications see it."""

from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from authz.directory import Directory
from ca.service import Authority
from exchange.carry import Carrying
from exchange.context import Context
from exchange.courier import Courier
from exchange.deliver import Delivering
from exchange.directory import CARD, DIRECTORY, Heeding, Publishing
from exchange.folder import Folder
from exchange.health import health
from exchange.identity import Own
from exchange.inside import Inside
from exchange.introduce import own_card
from exchange.line import Http, calling
from exchange.models import AwaitedRow, MessageRow, PartRow
from exchange.nats.post import Post
from exchange.peers import Peers
from exchange.receive import Receiving
from exchange.reconcile import Reconciling
from exchange.send import Sending
from exchange.settings import ExchangeSettings
from exchange.signed import Signing
from yinxin import files
from yinxin.authz import Decider
from yinxin.crypto.suite import INTL
from yinxin.exchange import Application
from yinxin.module import Health
from yinxin.store import Store

#: the roots that peers are known by on HTTPS, for the server (`ops.server`), in `exchange/` of the data directory
ANCHORS = "anchors.pem"
#: what came of a part, or was sealed for a message that was never sent, is thrown away after so long
_LEFT = timedelta(days=7)


class Exchange:
    """The exchange of one site. Shared by the threads of a process; any number of processes may have one."""

    def __init__(
        self,
        store: Store,
        ca: Authority,
        directory: Directory,
        settings: ExchangeSettings,
        *,
        root: Path,
        http: Http | None = None,
    ) -> None:
        """`ca` brings the key centre and the policies; `root` is the data directory; `http` makes the client that calls a peer, over mutual TLS when left out."""
        self.store = store
        self.settings = settings
        self.decider: Decider = ca.decider
        self.ca = ca
        #: gives the organs that lie in tenants of this site, whose messages are theirs alone to see
        self.tenants: Callable[[], Collection[str]] = directory.tenants
        #: what takes the messages of a kind, by kind; whoever has an application enters it here
        self.applications: dict[str, Application] = {}
        self._root = root
        self._believed = ""
        self.own = Own(ca, ca.keys, settings, root)
        self.peers = Peers(store, settings.organs)
        self.folder = Folder(Path(settings.folder) if settings.folder else root / "exchange")
        self.signing = Signing(self.own, ca)
        line = http or calling(self.own, settings)
        self.ctx = ctx = Context(
            store, settings, self.own, self.peers, self.signing, self.folder, line, self.application
        )
        self.sending = Sending(ctx)
        self.inside = Inside(ctx, self.sending)
        self.receiving = Receiving(ctx)
        self.reconciling = Reconciling(ctx)
        self.courier = Courier(ctx, self.receiving, self.reconciling)
        self.delivering = Delivering(ctx, self.courier.couriers)
        self.post = Post(ctx, self.receiving, self.reconciling, self.courier.couriers)
        self.carrying = Carrying(ctx, self.receiving, self.reconciling)
        self.publishing = Publishing(
            ctx, self.sending, lambda: own_card(self.own, settings, directory.organ, store.clock)
        )
        heeding = Heeding(ctx)
        self.applications |= {CARD: heeding, DIRECTORY: heeding}

    @property
    def on(self) -> bool:
        """Whether this site takes part in the exchange."""
        return bool(self.settings.site and self.settings.organs)

    def application(self, kind: str) -> Application | None:
        """What takes the messages of a kind in this process; None when a department's system fetches them."""
        return self.applications.get(kind)

    def believe(self) -> None:
        """Let the server take the client certificates of every peer's own authorities, when that has changed."""
        peers = self.peers.standing()
        pems = {each.pem for peer in peers for each in peer.card.anchors if each.public_key.suite is INTL}
        wanted, file = "".join(sorted(pems)), self._root / "exchange" / ANCHORS
        if self._believed == wanted:
            return
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.exists() or file.read_text("ascii") != wanted:
            files.replace(file, wanted.encode())
        self._believed = wanted

    # --- for the timers ----------------------------------------------------------------------------------------

    def carry_on(self) -> None:
        """Deliver what has come, and begin to call the peers that are due."""
        if self.on:
            self.believe()
            if self.publishing.moved():
                self.publishing.run()
            self.delivering.run()
            self.courier.run()
            self.post.run()

    def publish(self) -> None:
        """Say what has changed in card and directory."""
        if self.on:
            self.publishing.run()

    def sweep(self) -> int:
        """Throw away parts that no message names, a week old; how many files."""
        before = self.store.clock.now() - _LEFT
        with self.store.housekeep() as session:
            session.execute(sa.delete(AwaitedRow).where(AwaitedRow.since < before))
        with self.store.read() as session:
            known = set(session.scalars(sa.select(PartRow.digest).distinct()))
            known |= set(
                session.scalars(sa.select(MessageRow.pack).where(MessageRow.pack.is_not(None)).distinct())
            )
        return self.folder.sweep(known, before.timestamp())

    # --- for the operator --------------------------------------------------------------------------------------

    def health(self) -> Health:
        """Whether everything gets to its peers, and nothing differs."""
        return health(self)
