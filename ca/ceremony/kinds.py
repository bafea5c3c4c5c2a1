"""The plans of every kind of ceremony but the founding: one reviewed TOML file each, files beside it named by digest."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError, model_validator

from ca.ceremony.plan import LABEL, CeremonyPlan, ServicePlan
from ca.ceremony.terms import Attributes, Terms
from ca.errors import BadPlan
from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.faults import BadValue, first_fault
from yinxin.settings import Section

_SHA256 = r"^[0-9a-f]{64}$"
_LABEL = rf"^{LABEL.pattern}$"
_SERVICES = ("ocsp-responder", "tsa", "evidence", "attribute-authority", "seal-maker")


class FilePlan(Section):
    """A file beside the plan, known by what is in it."""

    file: str = Field(pattern=r"^[^/\\]+$")
    """Its name; it lies beside the plan."""
    sha256: str = Field(pattern=_SHA256)
    """SHA-256 of its DER, lower case: of a certificate, its fingerprint."""


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


class NewAuthority(Section):
    """An authority whose key is made here."""

    name: str = Field(pattern=_LABEL)
    """Its name in tables, addresses and files; the key's label too."""
    subject: Attributes
    """Its distinguished name: attribute to text, in order."""
    key_algorithm: str = ""
    """Kind of its key, one of the suite's; the suite's own when left out."""


class SubordinatePlan(_Plan):
    """A further authority below one of ours: with a key of ours, or another site's own that asks by PKCS#10."""

    kind: Literal["subordinate"]
    parent: str
    """The authority that signs: its line, or one generation of it."""
    authority: NewAuthority | None = None
    """One of our own; or else `request`."""
    request: FilePlan | None = None
    """PKCS#10 of another site's authority."""
    label: str = Field(default="", pattern=rf"^({LABEL.pattern})?$")
    """What the certificate's file is called, when it is another site's."""
    terms: Terms = Terms()
    """What it may do."""
    service: tuple[ServicePlan, ...] = ()
    """Certificates of its helpers; an authority of our own needs an OCSP responder."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "SubordinatePlan":
        if (self.authority is None) == (self.request is None):
            raise BadValue(
                "authority 与 request 须填且只填一项", "either authority or request is given, and not both"
            )
        if (self.request is not None) != bool(self.label) or (self.request is not None and self.service):
            raise BadValue(
                "label 与 request 同用，service 与 authority 同用",
                "label goes with request, and service with authority",
            )
        if self.authority is not None:
            _helpers(self.service)
        return self


class RequestPlan(_Plan):
    """An authority below an outside one: its key is made here, and a PKCS#10 written for the outside authority."""

    kind: Literal["request"]
    authority: NewAuthority
    """The authority."""
    suite: str
    """Suite of its key."""
    succeeds: str = ""
    """The line of which it is the next generation, when it is."""
    generation: int = Field(default=1, ge=1)
    """Which generation it is."""

    @model_validator(mode="after")
    def _generation(self) -> "RequestPlan":
        if bool(self.succeeds) != (self.generation > 1):
            raise BadValue(
                "第二代起须填 succeeds，第一代不填",
                "a generation after the first succeeds a line, and the first none",
            )
        return self


class AdoptPlan(_Plan):
    """The certificate that the outside authority issued on our request comes in; from then on ours may issue."""

    kind: Literal["adopt"]
    authority: str
    """Name of the authority that waits for it."""
    certificate: FilePlan
    """The certificate for its key and name."""
    above: tuple[FilePlan, ...] = ()
    """The certificates between that one and the anchor."""
    anchor: FilePlan
    """The outside root that is trusted from now on."""
    active_from: AwareDatetime | None = None
    """From when it signs, if it follows another generation; else at once."""
    service: tuple[ServicePlan, ...] = ()
    """Certificates of its helpers."""

    @model_validator(mode="after")
    def _has_helpers(self) -> "AdoptPlan":
        _helpers(self.service)
        return self


class CrossPlan(_Plan):
    """Cross-certification: we certify another authority, or take in what it issued for one of ours, or both."""

    kind: Literal["cross"]
    authority: str
    """Ours: its line, or one generation of it."""
    label: str = Field(pattern=_LABEL)
    """What the other is called in files."""
    other: FilePlan
    """The other authority's own certificate: its key and name are certified as they stand there."""
    certify: Terms | None = None
    """The terms under which we certify it."""
    accept: FilePlan | None = None
    """The certificate that it issued for ours."""

    @model_validator(mode="after")
    def _something(self) -> "CrossPlan":
        if self.certify is None and self.accept is None:
            raise BadValue("certify 与 accept 至少填一项", "one of certify and accept is needed, or both")
        return self


class RolloverPlan(_Plan):
    """A new generation of an authority: new key, same name; a root is tied to the old one by link certificates."""

    kind: Literal["rollover"]
    authority: str
    """The line."""
    generation: int = Field(ge=2)
    """The new generation."""
    active_from: AwareDatetime
    """From when new certificates are signed by it."""
    days: int | None = Field(default=None, ge=1)
    """Validity of its own certificate; the profile's own when left out."""
    service: tuple[ServicePlan, ...] = ()
    """Certificates of its helpers; all but a root need an OCSP responder."""

    @property
    def name(self) -> str:
        """Name of the new generation."""
        return f"{self.authority}-{self.generation}"


class RetirePlan(_Plan):
    """An authority stops issuing; its status goes on to the end of its certificates."""

    kind: Literal["retire"]
    authority: str
    """One generation, by its own name."""
    at: AwareDatetime
    """From when it issues no more."""


class RevokePlan(_Plan):
    """The certificate of an authority is revoked; or one that an outside authority issued for ours counts no more."""

    kind: Literal["revoke"]
    certificate: str = Field(pattern=_SHA256)
    """SHA-256 fingerprint."""
    reason: str
    """Reason of RFC 5280 5.3.1."""


class ServicesPlan(_Plan):
    """Helpers of an authority that exists: renewed OCSP responders, timestamp units, evidence seals."""

    kind: Literal["services"]
    authority: str
    """One generation, by its own name."""
    service: tuple[ServicePlan, ...] = Field(min_length=1)
    """Their certificates."""

    @model_validator(mode="after")
    def _sound(self) -> "ServicesPlan":
        _labelled(self.service)
        return self


LaterPlan = (
    SubordinatePlan
    | RequestPlan
    | AdoptPlan
    | CrossPlan
    | RolloverPlan
    | RetirePlan
    | RevokePlan
    | ServicesPlan
)
Plan = CeremonyPlan | LaterPlan
_LATER: TypeAdapter[Any] = TypeAdapter(Annotated[LaterPlan, Field(discriminator="kind")])


def read_plan(path: Path) -> Plan:
    """Read a plan of any kind; without `kind` it is a founding. Raises BadPlan naming the field."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadPlan(file=path.name, field="*", reason=str(error)) from error
    if values.get("kind", "found") == "found":
        return CeremonyPlan.read(path)
    try:
        plan: LaterPlan = _LATER.validate_python(values)
    except ValidationError as error:
        place, reason = first_fault(error)
        # the first part is the union's own word for the kind
        field = ".".join(str(part) for part in place if part != values.get("kind")) or "*"
        raise BadPlan(file=path.name, field=field, reason=reason) from error
    return plan


def _helpers(services: tuple[ServicePlan, ...]) -> None:
    if [each.profile for each in services].count("ocsp-responder") != 1:
        raise BadValue(
            "须有且只有一项 ocsp-responder 服务", "one service with the profile ocsp-responder is needed"
        )
    _labelled(services)


def _labelled(services: tuple[ServicePlan, ...]) -> None:
    if any(each.profile not in _SERVICES for each in services):
        known = ", ".join(_SERVICES)
        raise BadValue(f"服务的模板只能是 {known}", f"a helper's profile is one of {known}")
    labels = [each.label for each in services]
    if len(set(labels)) != len(labels) or not all(map(LABEL.fullmatch, labels)):
        raise BadValue(
            "label 重复，或含有 a-z 0-9 - 以外的字符",
            "a label is given twice or has other characters than a-z 0-9 -",
        )
