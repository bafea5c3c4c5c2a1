"""Clients' own names for things, and who was removed for all of them: put down in the act that changes the thing."""

from datetime import datetime

import sqlalchemy as sa

from authz.scim.client import ScimClient
from authz.scim.errors import Taken
from authz.scim.models import ExternalRow, RemovedRow
from authz.scim.plan import Plan
from authz.scim.seek import USERS, Kind
from yinxin.store import Act


def put(act: Act, client: ScimClient, kind: Kind, plan: Plan, at: datetime) -> None:
    """Put down what the plan says of names; raises Taken for one that stands for something else."""
    name = kind.name.lower()
    if plan.removed:
        gone = sa.delete(ExternalRow).where(ExternalRow.kind == name, ExternalRow.subject == plan.id)
        act.session.execute(gone)
        if kind is USERS:
            act.session.merge(RemovedRow(person=plan.id, at=at))
        return
    if not plan.renamed:
        return
    mine = (ExternalRow.client == client.id, ExternalRow.kind == name)
    if plan.external is not None:
        held = sa.select(ExternalRow.subject).where(*mine, ExternalRow.external_id == plan.external)
        if act.session.scalar(held) is not None:
            raise Taken(attribute="externalId", value=plan.external)
    act.session.execute(sa.delete(ExternalRow).where(*mine, ExternalRow.subject == plan.id))
    if plan.external is not None:
        row = ExternalRow(client=client.id, kind=name, subject=plan.id, external_id=plan.external)
        act.session.add(row)
    act.facts["external"] = plan.external is not None
    act.session.flush()
