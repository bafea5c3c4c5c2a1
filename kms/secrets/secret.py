"""A secret as it is handed over, and the seam behind which it stands."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, Protocol, Self

from pydantic import StringConstraints

from yinxin.crypto.libcrypto import cleanse

#: the names that secrets of an installation have, the same in every source
_NAMES = r"^(hsm-pin(-1)?|hsm-so-pin(-1)?|database-password|[a-z0-9][a-z0-9-]{0,60}\.password)$"
SecretName = Annotated[str, StringConstraints(pattern=_NAMES)]
HSM_PIN = "hsm-pin"
HSM_SO_PIN = "hsm-so-pin"
#: what the names of the second token of a mirror end in
SECOND = "-1"
DATABASE_PASSWORD = "database-password"  # noqa: S105 - a name

#: octets; a secret is one short line
LONGEST = 256


def is_secret_name(name: str) -> bool:
    """Whether a secret may be called so: other files in the same folder are none."""
    return re.fullmatch(_NAMES, name) is not None


class Secret:
    """One line of text that nobody may see, for the moment of its use: leaving the `with` overwrites our copy.

    `place` says where it stands, for the operator; `state` which state of that place was read, and nothing of the
    content: the same state is the same secret.
    """

    __slots__ = ("_octets", "name", "place", "state")

    def __init__(self, name: str, octets: bytearray, *, place: str, state: str) -> None:
        self.name = name
        self.place = place
        self.state = state
        self._octets = octets

    def text(self) -> str:
        """The secret, for a library that takes text. That copy is Python's: it cannot be overwritten."""
        return self._octets.decode("utf-8")

    def octets(self) -> bytes:
        """The secret, for a library that takes octets; a copy, likewise."""
        return bytes(self._octets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        cleanse(self._octets)
        self._octets.clear()

    def __repr__(self) -> str:
        return f"Secret({self.name!r}, {self.place!r})"

    def __reduce__(self) -> NoReturn:
        """Never pickled: what is pickled is written somewhere."""
        raise TypeError(f"{self!r} is not to be copied")


class SecretSource(Protocol):
    """Where secrets stand. Each is read when it is used, at the start and at every new log-in, and never kept."""

    def read(self, name: str) -> Secret:
        """The secret of this name; raises what the source says of one that it cannot give."""
        ...

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:
        """The secret of this name; a source that this process may write to keeps what `make` gives where there is none."""
        ...

    def keep(self) -> None:
        """What has to be done now and then so that the next secret can be read."""
        ...

    def backup(self) -> tuple[Path, ...]:
        """The files of this source that belong into every backup: those that nobody opens alone."""
        ...
