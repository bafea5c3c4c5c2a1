"""What every verb of the authority works with, handed in once."""

from dataclasses import dataclass

from authz.refusals import Refusals
from ca.issuer import Issuers
from ca.profile import Profiles
from ca.request import Register
from ca.settings import CaSettings
from yinxin.store import Store


@dataclass(frozen=True)
class Context:
    """The parts of an authority."""

    store: Store
    issuers: Issuers
    settings: CaSettings
    profiles: Profiles
    register: Register
    #: rejections of those who need not sign in, so that they cannot fill the log
    rejections: Refusals
