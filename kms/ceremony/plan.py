"""The plan of a ceremony: one TOML file that several people review before anything is made."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from kms.ceremony.errors import KeyPlanRefused
from kms.create import KeyRequest
from kms.errors import BadKeyRequest
from kms.models import Purpose
from yinxin import canonical
from yinxin.authz import PLATFORM
from yinxin.crypto.suite import INTL
from yinxin.faults import BadValue, first_fault
from yinxin.settings import Section


class TokenPlan(Section):
    """A token as its reviewers know it."""

    label: str = Field(min_length=1, max_length=32)
    """Its label; that of the configuration."""
    serial: str = Field(default="", max_length=16)
    """Its serial number, as it is printed on the device or shown by its tools; a software token has none before it is made."""


class VaultPlan(TokenPlan):
    """The token that lies in a safe between ceremonies, and passes keys on to a token that takes a lost one's place."""

    library: str = ""
    """Path of its PKCS#11 library; empty for a SoftHSM2 token in `token/vault` of the data directory."""


class KeyPlan(Section):
    """A key that the ceremony makes."""

    label: str
    """Its label."""
    purpose: Purpose
    """What it is for."""
    algorithm: str
    """Its algorithm."""
    owner: str = PLATFORM
    """The organ that owns it, or the platform."""

    @property
    def wanted(self) -> KeyRequest:
        """The same as the key centre is asked; raises BadKeyRequest."""
        return KeyRequest(self.label, self.purpose, self.algorithm, self.owner)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        try:
            _ = self.wanted
        except BadKeyRequest as error:
            raise BadValue(error.text("zh"), error.text("en")) from error
        return self


class _Plan(Section):
    """What every kind has."""

    title: str = Field(min_length=1, max_length=200)
    """What the ceremony is for, in words, for those who review it."""
    instead_of: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Digest of a ceremony that was begun and will not be ended: this one gives it up."""

    @property
    def digest(self) -> str:
        """SHA-256 of the plan, hexadecimal: what the reviewers compare and the approvers sign."""
        return INTL.hash.digest(canonical.encode(self.model_dump(mode="json"))).hex()


class PreparePlan(_Plan):
    """The first ceremony of an installation: its tokens, the vault, and the keys that its token holds at the start."""

    kind: Literal["prepare"]
    token: TokenPlan
    """The token in use."""
    mirror: TokenPlan | None = None
    """The second token that holds the same keys, where `kms.mirror` names one."""
    vault: VaultPlan | None = None
    """The token in the safe; only with a mirror, whose keys travel anyhow."""
    key: tuple[KeyPlan, ...] = Field(min_length=1)
    """The keys, in the order of making."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.vault is not None and self.mirror is None:
            raise BadValue("vault 只能与 mirror 同用", "vault goes with mirror only")
        labels = [each.label for each in self.key]
        if len(set(labels)) != len(labels):
            raise BadValue("key.label 重复", "a key's label is given twice")
        return self


class ReplacePlan(_Plan):
    """A fresh token takes the place of one that was lost or broken, and is given its keys."""

    kind: Literal["replace"]
    member: Literal[0, 1]
    """Which token of the mirror is replaced: 0 is the first, 1 the second."""
    token: TokenPlan
    """The fresh token."""
    vault: VaultPlan
    """The token in the safe."""


Plan = PreparePlan | ReplacePlan
_PLAN: TypeAdapter[Any] = TypeAdapter(Annotated[Plan, Field(discriminator="kind")])


def read_plan(path: Path) -> Plan:
    """Read TOML; raises KeyPlanRefused naming the field."""
    try:
        plan: Plan = _PLAN.validate_python(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KeyPlanRefused(field=path.name, reason=str(error)) from error
    except ValidationError as error:
        place, reason = first_fault(error)
        # the first part is the union's own word for the kind
        field = ".".join(map(str, place[1:] if place and place[0] in ("prepare", "replace") else place))
        raise KeyPlanRefused(field=field or "*", reason=reason) from error
    return plan
