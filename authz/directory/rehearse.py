"""A dry run: the very change, in a transaction that is undone. Nothing is changed and nothing recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from yinxin.act import Actor
from yinxin.store import Act, Store


@contextmanager
def rehearsal(store: Store, actor: Actor, verb: str, subject: str) -> Iterator[Act]:
    """An act that never happened: what is raised inside is what the true act would raise."""
    with Session(store.engine) as session:
        yield Act(store.identifier(), actor, verb, subject, session)
        session.rollback()
