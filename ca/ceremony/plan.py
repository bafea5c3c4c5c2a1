"""The plan of a ceremony: one TOML file that several people review before anything is made."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from ca.errors import BadPlan
from ca.request import Holder
from kms.models import Purpose
from yinxin import canonical
from yinxin.authz import PLATFORM
from yinxin.crypto.errors import UnknownSuite
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.suite import INTL, PQ, suite
from yinxin.faults import BadValue, first_fault
from yinxin.settings import Section

#: names of keys, authorities and files
LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,57}")
#: what the key centre holds the key of each kind of certificate for
PURPOSES = {
    "root": Purpose.CA,
    "issuing": Purpose.CA,
    "ocsp-responder": Purpose.OCSP,
    "tsa": Purpose.TSA,
    "evidence": Purpose.EVIDENCE,
    "attribute-authority": Purpose.ATTRIBUTES,
    "organ-seal": Purpose.SEAL,
    "seal-maker": Purpose.SEAL_MAKER,
    "tls-server": Purpose.TLS,
}


class AuthorityPlan(Section):
    """A root or issuing authority."""

    common_name: str
    """Its name in the certificate."""
    days: int | None = None
    """Validity; the profile's own when left out."""
    key_algorithm: str = ""
    """Kind of its key, one of the suite's; the suite's own when left out."""
    alternative: str = ""
    """Kind of its second key, one of the suite pq's, when it makes alternative signatures as well (X.509 9.8)."""


class ServicePlan(Section):
    """A certificate for the platform itself or for an organ's seal."""

    label: str
    """Name of the key and of the certificate's files."""
    profile: Literal[
        "ocsp-responder", "tsa", "evidence", "attribute-authority", "seal-maker", "organ-seal", "tls-server"
    ]
    """Its profile."""
    common_name: str
    """Its name in the certificate."""
    organ: str = ""
    """The organ that holds it, by its identifier in the directory: for seals."""
    days: int | None = None
    """Validity; the profile's own when left out."""
    dns: tuple[str, ...] = ()
    """Host names, for servers."""
    ip: tuple[str, ...] = ()
    """Addresses, for servers."""
    key: Literal["hsm", "file"] = "hsm"
    """In the key centre; or in an encrypted file, for a TLS server that reads its key itself."""
    key_algorithm: str = ""
    """Kind of its key, one of the suite's; the suite's own when left out."""


class HierarchyPlan(Section):
    """A root, the issuing authority below it, and what that one signs in the ceremony."""

    suite: str
    """Its suite of algorithms."""
    name: str = ""
    """What its authorities and files are called after; the suite when left out."""
    root: AuthorityPlan
    """The anchor."""
    issuing: AuthorityPlan
    """The authority that signs everything else."""
    service: tuple[ServicePlan, ...] = ()
    """Service and seal certificates."""

    @property
    def called(self) -> str:
        """What its authorities and files are called after."""
        return self.name or self.suite


@dataclass(frozen=True, slots=True)
class Item:
    """One certificate to make, in the order of making."""

    label: str
    profile: str
    suite: str
    #: kind of key that the plan asks for; empty for the suite's own
    asked_key: str
    #: the authority that signs; the item's own label for a root
    authority: str
    subject: tuple[tuple[str, str], ...]
    san: tuple[GeneralName, ...]
    holder: Holder
    days: int | None
    in_file: bool
    #: name of the hierarchy that an authority belongs to
    hierarchy: str = ""
    #: kind of an authority's second key; empty when it has none
    alternative: str = ""

    @property
    def key_algorithm(self) -> str:
        """Kind of its key, as in `Suite.signing_keys`."""
        return self.asked_key or suite(self.suite).key_algorithm

    @property
    def makes_authority(self) -> bool:
        """Whether the holder signs certificates."""
        return self.profile in ("root", "issuing")


class CeremonyPlan(Section):
    """Everything a ceremony makes."""

    kind: Literal["found"] = "found"
    """What the ceremony does; a plan that does not say founds hierarchies."""
    organization: str = Field(min_length=1, max_length=64)
    """The organ in whose name the authorities and services stand."""
    hierarchy: tuple[HierarchyPlan, ...] = Field(min_length=1)
    """One for each suite."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read TOML; raises BadPlan naming the field."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadPlan(file=path.name, field="*", reason=str(error)) from error
        except ValidationError as error:
            place, reason = first_fault(error)
            field = ".".join(map(str, place)) or "*"
            raise BadPlan(file=path.name, field=field, reason=reason) from error

    @model_validator(mode="after")
    def _sound(self) -> Self:
        items = list(self.items())
        labels = [item.label for item in items]
        for label in labels:
            if not LABEL.fullmatch(label) or labels.count(label) > 1:
                raise ValueError(f"label {label} is given twice or has other characters than a-z 0-9 -")
        for each in self.hierarchy:
            try:
                known = suite(each.suite)
            except UnknownSuite as error:
                raise ValueError(error.text("en")) from error
            for service in each.service:
                if (service.profile == "organ-seal") != bool(service.organ):
                    raise ValueError(f"{service.label}: organ goes with organ-seal, and only with it")
                if service.key == "file" and (service.profile != "tls-server" or known is not INTL):
                    raise ValueError(
                        f"{service.label}: only a TLS server's key of the suite intl lies in a file"
                    )
        return self

    @model_validator(mode="after")
    def _keys_known(self) -> Self:
        for item in self.items():
            kinds = ", ".join(suite(item.suite).signing_keys)
            if item.key_algorithm not in suite(item.suite).signing_keys:
                raise BadValue(
                    f"{item.label}：{item.suite} 套件没有 {item.key_algorithm} 签名密钥，可用的有 {kinds}",
                    f"{item.label}: {item.key_algorithm} is no signing key of the suite {item.suite}: use one of {kinds}",
                )
            others = () if item.suite == PQ.name else PQ.signing_keys
            if item.alternative not in ("", *others):
                kinds = ", ".join(others) or "-"
                raise BadValue(
                    f"{item.label}：备用密钥不能是 {item.alternative}，可用的有 {kinds}",
                    f"{item.label}: the second key cannot be {item.alternative}: use one of {kinds}",
                )
        for each in self.hierarchy:
            if each.issuing.alternative and not each.root.alternative:
                raise BadValue(
                    "issuing 有 alternative 时 root 也须有",
                    "an issuing authority with alternative needs a root with alternative",
                )
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the plan, hexadecimal: what the reviewers compare."""
        return INTL.hash.digest(canonical.encode(self.model_dump(mode="json"))).hex()

    def items(self) -> Iterator[Item]:
        """Every certificate, each after the one that signs it."""
        for each in self.hierarchy:
            root, issuing = f"{each.called}-root", f"{each.called}-issuing"
            yield self._authority(each, root, "root", root, each.root)
            yield self._authority(each, issuing, "issuing", root, each.issuing)
            for service in each.service:
                yield self._service(each.suite, issuing, service)

    def _authority(
        self, hierarchy: HierarchyPlan, label: str, profile: str, signer: str, plan: AuthorityPlan
    ) -> Item:
        return Item(
            label=label,
            profile=profile,
            suite=hierarchy.suite,
            asked_key=plan.key_algorithm,
            authority=signer,
            subject=(("organizationName", self.organization), ("commonName", plan.common_name)),
            san=(),
            holder=Holder("service", label, None, PLATFORM),
            days=plan.days,
            in_file=False,
            hierarchy=hierarchy.called,
            alternative=plan.alternative,
        )

    def _service(self, suite_name: str, issuing: str, plan: ServicePlan) -> Item:
        common_name = ("commonName", plan.common_name)
        seal = bool(plan.organ)
        return Item(
            label=plan.label,
            profile=plan.profile,
            suite=suite_name,
            asked_key=plan.key_algorithm,
            authority=issuing,
            # an organ's name comes from the directory
            subject=(common_name,) if seal else (("organizationName", self.organization), common_name),
            san=(*(("dns", name) for name in plan.dns), *(("ip", name) for name in plan.ip)),
            holder=Holder("organ", plan.organ) if seal else Holder("service", plan.label, None, PLATFORM),
            days=plan.days,
            in_file=plan.key == "file",
        )
