"""What a ceremony's file lets another authority do: its certificate's length, policies and constraints, in words of a file."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ca.profile import Constraints, Profile
from yinxin.crypto.constraints import ANY_POLICY
from yinxin.crypto.errors import MalformedName, MalformedTemplate
from yinxin.crypto.general_names import GeneralName, write_subtree
from yinxin.crypto.names import Name
from yinxin.faults import BadValue
from yinxin.settings import Section


def _in_order(value: Any) -> Any:
    """A table as pairs: the order of a name's attributes is part of it, and so of the plan's digest."""
    return tuple(value.items()) if isinstance(value, dict) else value


def _known(value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    try:
        Name.of(value)
    except MalformedName as error:
        raise BadValue(error.text("zh"), error.text("en")) from error
    return value


#: a distinguished name in a file: a table of attribute to text, in order
Attributes = Annotated[
    tuple[tuple[str, str], ...], BeforeValidator(_in_order), AfterValidator(_known), Field(min_length=1)
]


class NamesPlan(Section):
    """A set of names, by kind (RFC 5280 4.2.1.10)."""

    dns: tuple[str, ...] = ()
    """Domains, with all below them."""
    email: tuple[str, ...] = ()
    """Mailboxes, hosts, or domains with a leading dot."""
    uri: tuple[str, ...] = ()
    """Hosts, or domains with a leading dot."""
    ip: tuple[str, ...] = ()
    """Networks: 10.0.0.0/8, 2001:db8::/32."""
    directory: tuple[Attributes, ...] = ()
    """Beginnings of distinguished names: attribute to text, in order."""

    def pairs(self) -> tuple[GeneralName, ...]:
        """As the profile and the certificate have them."""
        plain = ((kind, text) for kind in ("dns", "email", "uri", "ip") for text in getattr(self, kind))
        return (*plain, *(("dirname", Name.of(each).der.hex()) for each in self.directory))


class MappingPlan(Section):
    """Two policies that are equal for whoever comes from our side."""

    ours: str = Field(pattern=r"^[0-2](\.\d+)+$")
    """Policy in our certificates."""
    theirs: str = Field(pattern=r"^[0-2](\.\d+)+$")
    """Its equal in theirs."""


class Terms(Section):
    """What the certificate lets its holder do."""

    days: int | None = Field(default=None, ge=1)
    """Validity; the profile's own when left out."""
    path_length: int = Field(default=0, ge=0, le=6)
    """How many authorities may follow below it."""
    policies: tuple[str, ...] = (ANY_POLICY,)
    """Policies under which it may issue, dotted; anyPolicy when left out."""
    permitted: NamesPlan = NamesPlan()
    """Names within which it may issue; kinds left out are free."""
    excluded: NamesPlan = NamesPlan()
    """Names that it may not issue within."""
    mapping: tuple[MappingPlan, ...] = ()
    """Policies that are equal."""
    require_explicit_policy: int | None = Field(default=None, ge=0)
    """After how many further certificates a path needs an explicit policy."""
    inhibit_mapping: int | None = Field(default=None, ge=0)
    """After how many further certificates mappings count no more."""
    inhibit_any_policy: int | None = Field(default=None, ge=0)
    """After how many further certificates anyPolicy means nothing."""

    @model_validator(mode="after")
    def _consistent(self) -> "Terms":
        if any(each.ours not in self.policies for each in self.mapping):
            raise BadValue(
                "被映射的策略不在 policies 中", "a policy is mapped that is not among the policies"
            )
        for names in (self.permitted, self.excluded):
            for kind, text in names.pairs():
                _written(kind, text)
        return self


def _written(kind: str, text: str) -> None:
    try:
        write_subtree(kind, text)
    except MalformedTemplate as error:
        raise BadValue(f"{kind} 名称 {text} 的写法不对", f"{kind} {text} is not well formed") from error


def specialised(profile: Profile, terms: Terms, attributes: Iterable[str]) -> Profile:
    """The profile with a file's terms in it: a version of its own, and so is its hash in every intent.

    `attributes` are those of the holder's name, which stands as it is. Raises pydantic's ValidationError.
    """
    constraints = Constraints(
        permitted=terms.permitted.pairs(),
        excluded=terms.excluded.pairs(),
        mappings=tuple((each.ours, each.theirs) for each in terms.mapping),
        require_explicit_policy=terms.require_explicit_policy,
        inhibit_mapping=terms.inhibit_mapping,
        inhibit_any_policy=terms.inhibit_any_policy,
    )
    return Profile.model_validate(
        profile.model_dump()
        | {
            "path_length": terms.path_length,
            "policies": terms.policies,
            "constraints": constraints.model_dump(),
            "subject": dict.fromkeys(attributes, "request"),
        }
    )
