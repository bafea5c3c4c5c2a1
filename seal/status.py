"""The list of how seals stand, signed by their maker: what a verifier asks for, or carries, to know of loss and destruction.

A CMS signature with the list inside: canonical JSON (RFC 8785) of the site's seals that are not in use, and since when.
A seal that it does not name is in use until its validity ends. `yinxin.crypto.seal.standing` reads it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seal.make import maker
from seal.models import SealRow, State
from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.crypto.seal.standing import FORMAT

if TYPE_CHECKING:
    from seal.service import Seals

#: how long a list speaks for
_LASTS = timedelta(days=7)


def status_list(seals: "Seals") -> bytes:
    """The list as it is now, DER; raises NoSealMaker, and what the key centre raises."""
    now = seals.store.clock.now()
    query = sa.select(SealRow).where(SealRow.state != State.ACTIVE).order_by(SealRow.id)
    with seals.store.read() as session:
        ended = [
            {"id": row.id, "state": row.state, "since": rfc3339(row.changed), "reason": row.reason or ""}
            for row in session.scalars(query)
        ]
    body = {"v": FORMAT, "this_update": rfc3339(now), "next_update": rfc3339(now + _LASTS), "ended": ended}
    return cms.sign_attached(maker(seals), canonical.encode(body), signed_at=now)
