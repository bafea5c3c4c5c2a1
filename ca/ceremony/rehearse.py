"""The dry run: everything a plan makes, linted and signed with keys nobody keeps; nothing is written."""

from pathlib import Path

from ca.ceremony.hold import hold
from ca.ceremony.kinds import Plan
from ca.ceremony.table import Rehearsal
from ca.context import Context
from kms.service import KeyCentre
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate


def rehearse(
    ctx: Context, keys: KeyCentre, plan: Plan, *, folder: Path = Path(), beside: Path = Path()
) -> dict[str, Certificate]:
    """The certificates the plan would give by label, but for keys and serial numbers; raises whatever is wrong with it.

    `beside` is the folder of the plan, where the files that it names lie.
    """
    table = Rehearsal(ctx, keys, SYSTEM, folder, beside, plan.digest)
    hold(table, plan)
    return table.made
