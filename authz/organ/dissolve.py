"""An organ that is no more."""

from datetime import datetime

from authz.appointment.post import give_up
from authz.directory.active import active, no_tenant
from authz.directory.errors import OrgansBelow
from authz.directory.past import Difference, alter
from authz.organ.merge import children, going_on
from yinxin.store import Act


def dissolve(act: Act, organ: str, at: datetime) -> tuple[Difference, ...]:
    """Give up the organ and its posts, which ends what rests on them; what it left is in the reach of the one above.

    Raises UnknownOrgan, OrganEnded, OrgansBelow when organs below it go on, TenantBoundary of a tenant.
    """
    session = act.session
    row = active(session, organ)
    no_tenant(row)
    below = [each.id for each in children(session, organ) if each.status == "active"]
    if below:
        raise OrgansBelow(organ=organ, below=", ".join(below))
    differences: tuple[Difference, ...] = ()
    for post in going_on(session, organ):
        differences += give_up(act, post.id, at)
    return differences + alter(act, row, at, status="dissolved")
