"""Each secret from the source that the configuration names for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kms.secrets.files import SecretFiles
from kms.secrets.secret import Secret, SecretSource
from kms.secrets.settings import SecretsSettings

if TYPE_CHECKING:
    from kms.custodians.source import CustodianSecrets


class Sources:
    """The installation's secrets, whatever sources they have: `plain` files, `sealed` under custodians' shares, a store."""

    def __init__(
        self,
        settings: SecretsSettings,
        plain: SecretFiles,
        sealed: "CustodianSecrets",
        openbao: SecretSource | None = None,
    ) -> None:
        self.settings = settings
        self.plain = plain
        self.sealed = sealed
        self._openbao = openbao

    def read(self, name: str) -> Secret:
        """The secret; raises what its source raises."""
        return self._of(name).read(name)

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:
        """The secret, made where its source is written by this process and has none; raises as `read`."""
        return self._of(name).ensure(name, make)

    def keep(self) -> None:
        """What has to be done now and then so that the next secret can be read."""
        if self._openbao is not None:
            self._openbao.keep()

    def backup(self) -> tuple[Path, ...]:
        """What custodians have sealed, whatever source a secret is read from now."""
        return self.sealed.backup()

    def _of(self, name: str) -> SecretSource:
        source = self.settings.of(name)
        if source == "openbao" and self._openbao is not None:
            return self._openbao
        return self.sealed if source == "custodians" else self.plain
