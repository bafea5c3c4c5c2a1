"""The vault token, opened for the length of a ceremony with the PIN that those who brought it have typed."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kms.ceremony.plan import VaultPlan
from kms.engine.process import ProcessEngine
from kms.initialise import SoftToken, make_token
from kms.secrets import HSM_PIN, HSM_SO_PIN, Secret
from kms.settings import KmsSettings

#: its place in the key centre's folder, for notes, and for the token where it is a software token
VAULT = "vault"


class TypedPin:
    """The PIN of the vault token as a source of secrets; it is kept nowhere, and neither is the SO PIN of a software token."""

    def __init__(self, pin: bytes) -> None:
        self._pin = pin
        self._so_pin = secrets.token_urlsafe(18).encode()
        # each typing is a state of its own, so that a slip of the pen may be typed anew
        self._state = secrets.token_hex(8)

    def read(self, name: str) -> Secret:
        """The PIN that was typed."""
        octets = self._so_pin if name == HSM_SO_PIN else self._pin
        return Secret(name, bytearray(octets), place="yinxin kms ceremony hold", state=self._state)

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:  # noqa: ARG002 - it was typed
        """As `read`."""
        return self.read(name)

    def keep(self) -> None:
        """Nothing."""

    def backup(self) -> tuple[Path, ...]:
        """None."""
        return ()


@contextmanager
def opened(
    settings: KmsSettings, folder: Path, plan: VaultPlan, pin: TypedPin, *, make: bool
) -> Iterator[ProcessEngine]:
    """The vault token in a process of its own; `folder` is the key centre's. Raises as `kms.token.Token.use`.

    With `make` a software token is made where there is none.
    """
    place = folder / VAULT
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if make and not plan.library:
        make_token(SoftToken(plan.label, place, pin))
    one = {"library": plan.library, "token": plan.label, "serial": plan.serial, "mirror": (), "processes": 1}
    engine = ProcessEngine(settings.model_copy(update=one), place, lambda: pin.read(HSM_PIN), 1)
    try:
        yield engine
    finally:
        engine.close()
