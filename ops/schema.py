"""The database's tables, brought up to date before anything is served."""

import importlib
import logging
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops.modules import MODULES

MIGRATIONS = Path(__file__).parent / "migrations"


def import_tables() -> None:
    """Make every module's tables known."""
    for module in MODULES:
        for name in module.models:
            importlib.import_module(name)


def upgrade(engine: sa.Engine) -> None:
    """Bring the database to the newest version; does nothing when it is there already."""
    import_tables()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
