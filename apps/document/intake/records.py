"""Incoming documents as records: how the policies see one, where the table keeps that, and how long it may take."""

from typing import cast

from apps.document.intake.models import Intake
from apps.document.intake.states import HANDLING, LIFE
from yinxin.authz import Level, Resource
from yinxin.deadline import Term, Unit
from yinxin.flow import Records
from yinxin.store import Columns


def resource(row: Intake) -> Resource:
    """The incoming document as the policies see it; its readers are asked for by their own act."""
    return Resource(
        "Intake",
        row.id,
        organ=row.organ,
        level=cast("Level", row.level),
        attributes={"state": row.state, "main": row.main or "", "joint": list(row.joint)},
    )


INTAKES: Records[Intake] = Records(
    life=LIFE,
    table=Intake,
    resource=resource,
    columns=Columns(Intake.organ, Intake.level, {"state": Intake.state, "main": Intake.main}),
    terms={HANDLING: lambda row: Term(row.amount or 1, Unit(row.unit or Unit.WORKING_DAYS))},
)
