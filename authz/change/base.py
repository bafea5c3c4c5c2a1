"""What every change has."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from authz.directory.file import Entry
from authz.directory.past import Difference
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.store import Act

Differences = tuple[Difference, ...]


class Change(Entry):
    """One change; `verb` is what the log calls it."""

    verb: ClassVar[str]

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is changed, as the log names it."""

    def concerns(self, session: Session, at: datetime) -> Iterable[str]:  # noqa: ARG002 - not every change asks for all
        """The people whom it gives something; they have no say in it."""
        return ()

    @abstractmethod
    def resources(self, session: Session, at: datetime) -> Iterable[Resource]:
        """What the policies are asked about at `at`: all must permit."""

    @abstractmethod
    def apply(self, act: Act, at: datetime) -> Differences:
        """Make it, at `at`; raises what its room raises."""


def wire(value: Any) -> Any:
    """A value of the directory as it travels in JSON."""
    return rfc3339(value) if isinstance(value, datetime) else value
