"""What floors above count of a tenant: documents, octets, the last act; stated here, handed in at assembly."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol


class Figures(Protocol):
    """Counts what belongs to organs."""

    def counted(self, organs: Sequence[str]) -> Mapping[str, int]:
        """How much there is of each sort: `documents`, `documents_this_year`, `octets`."""
        ...

    def acted(self, organs: Sequence[str]) -> datetime | None:
        """When anything was last done for one of the organs; None where nothing ever was."""
        ...


class NoFigures:
    """Where authorization stands alone nothing else is counted."""

    def counted(self, organs: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002 - the protocol's signature
        """Nothing."""
        return {}

    def acted(self, organs: Sequence[str]) -> datetime | None:  # noqa: ARG002 - the protocol's signature
        """Never."""
        return None
