"""The upgrade that brought quotas: whoever is a tenant already has no limit."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session

from authz.tenant.models import TenantRow
from ops.schema import MIGRATIONS, upgrade
from yinxin.store import open_engine


def _before(engine: sa.Engine) -> None:
    """A township that is a tenant."""
    (ours,) = (MIGRATIONS / "versions").glob("*_quotas_of_tenants.py")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, f"{int(ours.name[:4]) - 1:04}")
        old = sa.MetaData()
        old.reflect(connection, only=["authz_organ", "authz_tenant"])
        when = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
        if engine.dialect.name == "sqlite":
            when = when.replace(tzinfo=None)
        organ = {"id": "town", "name_zh": "东镇", "name_en": "Town", "short_name": "东", "level": "township", "division": "990121100", "status": "active", "tenant": "town"}  # fmt: skip
        connection.execute(old.tables["authz_organ"].insert(), organ)
        tenant = {"organ": "town", "since": when, "mark": "jade", "proposal": "p1"}
        connection.execute(old.tables["authz_tenant"].insert(), tenant)


def test_who_is_a_tenant_already_has_no_limit(empty_database_url):
    engine = open_engine(empty_database_url)
    _before(engine)
    upgrade(engine)
    with Session(engine) as session:
        assert dict(session.scalars(sa.select(TenantRow)).one().most) == {}
    engine.dispose()
