"""The upgrade that brought quotas: whoever is a tenant already has no limit."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.tenant.models import TenantRow
from ops.schema import upgrade
from tests.support.before import before
from yinxin.store import open_engine


def _before(engine: sa.Engine) -> None:
    """A township that is a tenant."""
    with before(engine, "quotas_of_tenants", "authz_organ", "authz_tenant") as old:
        when = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
        organ = {"id": "town", "name_zh": "东镇", "name_en": "Town", "short_name": "东", "level": "township", "division": "990121100", "status": "active", "tenant": "town"}  # fmt: skip
        old.insert("authz_organ", organ)
        tenant = {"organ": "town", "since": when, "mark": "jade", "proposal": "p1"}
        old.insert("authz_tenant", tenant)


def test_who_is_a_tenant_already_has_no_limit(empty_database_url):
    engine = open_engine(empty_database_url)
    _before(engine)
    upgrade(engine)
    with Session(engine) as session:
        assert dict(session.scalars(sa.select(TenantRow)).one().most) == {}
    engine.dispose()
