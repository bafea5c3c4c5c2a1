"""A service key as it stands on the wire."""

from typing import Literal

from pydantic import Field

from kms.keyring.create import ServiceKeyRequest
from kms.keyring.key import ServiceKey
from kms.models import Place
from yinxin.wire import Model


class WantedIn(Model):
    """Which service key it is to be."""

    name: str = Field(max_length=48)
    """What it is called for ever: a–z, 0–9, point and dash."""
    owner: str = Field(max_length=64)
    """The organ it belongs to."""
    purpose: str = Field(max_length=64)
    """What it is for, such as `records.field-encryption`."""
    algorithm: str = Field(max_length=24)
    operations: tuple[str, ...] = Field(default=(), max_length=8)
    """What it does, of what its algorithm can; all of it when left out."""

    def request(self, place: Place = Place.WRAPPED) -> ServiceKeyRequest:
        """The request; raises BadServiceKey."""
        return ServiceKeyRequest(self.name, self.owner, self.purpose, self.algorithm, self.operations, place)


class ServiceKeyIn(WantedIn):
    """A service key that is wanted."""

    place: Literal["wrapped", "hsm"] = "wrapped"
    """Where its secret is: wrapped in the database, or in the module, for few keys of much worth."""


class ServiceKeyOut(Model):
    """A service key: everything but its secrets."""

    name: str
    owner: str
    purpose: str
    algorithm: str
    suite: str
    operations: tuple[str, ...]
    place: str
    condition: str
    latest: int
    min_decrypt: int
    min_encrypt: int
    created: str
    destroy_at: str | None


def shown(key: ServiceKey) -> ServiceKeyOut:
    """The key as it is given out."""
    return ServiceKeyOut.model_validate(key.fields())
