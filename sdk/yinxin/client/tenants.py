"""Tenants of an installation: organs that run their own affairs in it."""

from collections.abc import Iterator

from yinxin.client._http import Connection, segment
from yinxin.wire import Instant, Reply, Words

_PATH = "/api/authz/v1/tenants"


class Quota(Reply):
    """What was agreed of one measure (people, documents, octets); `state` is free, near (from nine tenths on) or full."""

    measure: str
    used: int
    most: int
    state: str


class Tenant(Reply):
    """A tenant with its figures; `acted` is when anything was last done for it. What has no limit is not among its `quotas`."""

    organ: str
    name: Words
    host: str | None
    mark: str
    since: Instant
    proposal: str
    ended: Instant | None
    organs: int
    people: int
    documents: int
    documents_this_year: int
    octets: int
    acted: Instant | None
    quotas: tuple[Quota, ...]


class Tenants:
    """Calls about tenants; to make one or end one is proposed (`authz.admit-tenant`, `authz.limit-tenant`, `authz.end-tenant`)."""

    def __init__(self, connection: Connection) -> None:
        """Over the client's connection."""
        self._connection = connection

    def list(self, *, ended: bool = False) -> Iterator[Tenant]:
        """The tenants, or those that were; raises Denied."""
        query = {"ended": "true"} if ended else {}
        return (Tenant.model_validate(item) for item in self._connection.pages(_PATH, query))

    def show(self, organ: str) -> Tenant:
        """One tenant; raises Denied, NoTenant (`authz.no_tenant`)."""
        return Tenant.model_validate(self._connection.json("GET", f"{_PATH}/{segment(organ)}"))
