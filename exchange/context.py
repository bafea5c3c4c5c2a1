"""What every verb of the exchange works with, handed in once."""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.folder import Folder
from exchange.identity import Own
from exchange.line import Http
from exchange.peers import Peers
from exchange.settings import ExchangeSettings
from exchange.signed import Signing
from yinxin.exchange import Application
from yinxin.store import Store


@dataclass(frozen=True)
class Context:
    """The parts of a site's exchange."""

    store: Store
    settings: ExchangeSettings
    own: Own
    peers: Peers
    signing: Signing
    folder: Folder
    #: makes the client that calls a peer
    http: Http
    #: what takes the messages of a kind in this process, if anything does
    application: Callable[[str], Application | None]
