"""Which steps each kind of ceremony takes at its table."""

from ca.ceremony.adopt import adopt, request
from ca.ceremony.cross import cross
from ca.ceremony.end import retire, revoke
from ca.ceremony.found import found
from ca.ceremony.kinds import (
    AdoptPlan,
    CrossPlan,
    Plan,
    RequestPlan,
    RetirePlan,
    RevokePlan,
    RolloverPlan,
    ServicesPlan,
    SubordinatePlan,
)
from ca.ceremony.plan import CeremonyPlan
from ca.ceremony.rollover import rollover
from ca.ceremony.services import services
from ca.ceremony.subordinate import subordinate
from ca.ceremony.table import Table


def hold(table: Table, plan: Plan) -> None:
    """Do at the table what the plan says; raises whatever is wrong with it."""
    match plan:
        case CeremonyPlan():
            found(table, plan)
        case SubordinatePlan():
            subordinate(table, plan)
        case RequestPlan():
            request(table, plan)
        case AdoptPlan():
            adopt(table, plan)
        case CrossPlan():
            cross(table, plan)
        case RolloverPlan():
            rollover(table, plan)
        case RetirePlan():
            retire(table, plan)
        case RevokePlan():
            revoke(table, plan)
        case ServicesPlan():
            services(table, plan)
