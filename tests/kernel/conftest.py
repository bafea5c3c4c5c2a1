"""A store on each engine with one recorded and one housekeeping table of the tests' own."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.support.databases import create_tables
from yinxin import canonical
from yinxin.act import Actor, Kind
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, housekeeping, open_engine

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CLERK = Actor(Kind.PERSON, "p-clerk", post="registrar", organ="o-office")


class Local(DeclarativeBase):
    """Not the product's metadata: no other test sees these."""


class Note(Local):
    __tablename__ = "kernel_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Visit(Local):
    __tablename__ = "kernel_visit"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form
    id: Mapped[int] = mapped_column(primary_key=True)


def make(url, clock=None):
    engine = open_engine(url)
    create_tables(engine)
    Local.metadata.create_all(engine)
    return Store(engine, clock=clock or ManualClock(AT), randomness=SystemRandomness())


def recorded(store):
    with store.read() as session:
        rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number)).all()
        return [canonical.decode(row.data) for row in rows]


def notes(store):
    with store.read() as session:
        return list(session.scalars(sa.select(Note.text).order_by(Note.id)))


@pytest.fixture
def store(database_url):
    made = make(database_url)
    yield made
    made.engine.dispose()
