"""Which witnesses a tree has, and how many must have cosigned: the policy in force."""

from datetime import datetime
from functools import lru_cache
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.witness.models import PolicyRow
from yinxin.crypto.suite import Suite
from yinxin.store import Sql, Within
from yinxin.tlog import CosignatureVerifier, Policy

_POLICY = cast("sa.Table", PolicyRow.__table__).c
_NEWEST = Sql(
    sa.select(_POLICY.policy)
    .where(_POLICY.tree == sa.bindparam("tree"))
    .order_by(_POLICY.number.desc())
    .limit(1)
)


def in_force(within: Within, suite: Suite) -> Policy | None:
    """The policy of a tree; None when none was ever set."""
    found = _NEWEST.first(within, {"tree": suite.hash.name})
    return None if found is None else _read(found.policy)


@lru_cache(maxsize=16)
def _read(policy: bytes) -> Policy:
    """A policy, which never changes once it is set."""
    return Policy.parse(policy)


def ever_named(session: Session, suite: Suite) -> dict[tuple[str, str], CosignatureVerifier]:
    """The keys of every witness that a policy of the tree has named, by name and key identifier (hex)."""
    rows = session.scalars(
        sa.select(PolicyRow.policy).where(PolicyRow.tree == suite.hash.name).order_by(PolicyRow.number)
    )
    keys = [each.verifier for row in rows for each in Policy.parse(row).witnesses.values()]
    return {(key.name, key.key_id.hex()): key for key in keys}


def adopt(session: Session, suite: Suite, policy: Policy, since: datetime, proposal: str) -> None:
    """Put a policy in force from now on."""
    session.add(PolicyRow(tree=suite.hash.name, policy=policy.source, since=since, proposal=proposal))
    session.flush()
