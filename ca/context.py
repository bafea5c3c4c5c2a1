"""What every verb of the authority works with, handed in once."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from authz.refusals import Refusals
from ca.issuer import Issuers
from ca.outside.order import Order
from ca.profile import Profiles
from ca.request import Register
from ca.settings import CaSettings
from kms.escrow import Escrow
from yinxin.authz import Decider
from yinxin.gather import Gatherer
from yinxin.store import Store

if TYPE_CHECKING:
    from ca.issue import Asked, Issued

#: certificates that one transaction holds: other writers wait for it
TOGETHER = 200


@dataclass(frozen=True)
class Context:
    """The parts of an authority."""

    store: Store
    issuers: Issuers
    settings: CaSettings
    profiles: Profiles
    register: Register
    #: who answers for the policies
    decider: Decider
    #: the encryption keys behind pairs
    escrow: Escrow
    #: rejections of those who need not sign in, so that they cannot fill the log
    rejections: Refusals
    #: outside timestamp authorities, before our own units
    outside: Order
    #: folder with the certificates that ceremonies put there for verifiers; its roots are not the database's word
    trust: Path
    #: requests of several threads at once become one batch
    gatherer: "Gatherer[Asked, Issued | Exception]" = field(default_factory=lambda: Gatherer(TOGETHER))
    #: whose batch is made ready or stored now; never waited for inside an act
    turn: Lock = field(default_factory=Lock)
