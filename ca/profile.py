"""Certificate profiles: what a kind of certificate says, as data under `profiles/`, known by a hash of its content.

A profile's file is reviewed like code. Its hash stands in every intent, and the profile's text is kept in the
database from its first use, so that years later anyone can see by which rules a certificate was made.
"""

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ca.errors import BadPlan, UnknownProfile
from yinxin import canonical
from yinxin.crypto.names import ATTRIBUTES
from yinxin.crypto.oids import EXTENDED_KEY_USAGES, KEY_USAGES
from yinxin.crypto.suite import INTL
from yinxin.faults import first_fault
from yinxin.settings import Section
from yinxin.text import Text

FOLDER = Path(__file__).parent / "profiles"

HolderKind = Literal["person", "organ", "service"]
#: where an attribute's text comes from: `request` as asked for, `request?` likewise or absent, `san?` as asked for or
#: else the first alternative name; any other source is `=` and a fixed text
SOURCES = frozenset(
    {"request", "request?", "san?", "holder.id", "person.name", "post.name", "organ.name", "organ.code"}
)

#: a signature proves that its holder acted; a copy of her key would prove nothing
_SIGNS = {"digitalSignature", "contentCommitment", "keyCertSign", "cRLSign"}


class Title(Section):
    """The profile's name for readers."""

    zh: str
    en: str


class Profile(Section):
    """What certificates of one kind say, and who may hold them."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,58}$")
    """Name in requests, tables and pages; the file's own name."""
    title: Title
    """Name for readers."""
    signed_by: Literal["self", "root", "issuing"] = "issuing"
    """Which authority of the hierarchy signs."""
    ceremony_only: bool = False
    """Made by the ceremony only, never on request."""
    holders: tuple[HolderKind, ...]
    """Kinds of holder."""
    keys: tuple[str, ...]
    """Kinds of key that are certified, as in `PublicKey.algorithm`."""
    smallest_rsa: int = Field(default=3072, ge=2048)
    """Smallest RSA modulus, in bits (NIST SP 800-57: 128-bit strength)."""
    days: int = Field(ge=1)
    """Validity when the request names none, in days."""
    most_days: int = Field(ge=1, le=36525)
    """Longest validity, in days."""
    clamp: bool = False
    """Whether a validity that would outlive the issuer is shortened to its end; else such a request is refused."""
    escrow: bool = False
    """The key is made and kept by the key centre; no applicant brings one of her own."""
    pair_of: str | None = None
    """The signing profile whose holder gets this certificate beside her own; only with `escrow`."""
    ca: bool = False
    """Whether the holder is a certification authority."""
    path_length: int | None = None
    """How many authorities may follow."""
    key_usage: tuple[str, ...] = Field(min_length=1)
    """Names of RFC 5280 4.2.1.3."""
    key_usage_by_key: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - pydantic copies defaults
    """The same for kinds of key that cannot do all of it: RSA agrees on nothing, an EC key encrypts nothing."""
    extended_key_usage: tuple[str, ...] = ()
    """Names of RFC 5280 4.2.1.12, RFC 4945 and RFC 9336, in the order written."""
    policies: tuple[str, ...] = ()
    """Certificate policies, dotted."""
    no_check: bool = False
    """Status need not be asked (RFC 6960 4.2.2.2.1): OCSP responders only."""
    subject: dict[str, str]
    """Attributes of the subject in the order written, each with its source."""
    san: dict[Literal["dns", "ip", "email", "uri"], Literal["required", "optional"]] = {}  # noqa: RUF012 - pydantic copies defaults
    """Kinds of alternative names."""
    least_names: int = Field(default=0, ge=0)
    """How many alternative names there are at least, of whatever kind."""

    @field_validator("key_usage")
    @classmethod
    def _usages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known("key usage", value, KEY_USAGES)

    @field_validator("key_usage_by_key")
    @classmethod
    def _usages_by_key(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for kind, usages in value.items():
            if not _known("key usage", usages, KEY_USAGES):
                raise ValueError(f"a {kind} key would be of no use")
        return value

    @field_validator("extended_key_usage")
    @classmethod
    def _purposes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known("extended key usage", value, EXTENDED_KEY_USAGES)

    @field_validator("subject")
    @classmethod
    def _attributes(cls, value: dict[str, str]) -> dict[str, str]:
        _known("attribute", tuple(value), ATTRIBUTES)
        for attribute, source in value.items():
            if source not in SOURCES and not source.startswith("="):
                raise ValueError(f"{attribute} has the unknown source {source}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Profile":
        if self.days > self.most_days:
            raise ValueError("days is more than most_days")
        if self.ca != ("keyCertSign" in self.key_usage) or (self.path_length is not None and not self.ca):
            raise ValueError("ca, keyCertSign and path_length contradict each other")
        if self.no_check != ("OCSPSigning" in self.extended_key_usage):
            raise ValueError("no_check is for OCSPSigning, and OCSPSigning needs it")
        if self.signed_by != "issuing" and not self.ca:
            raise ValueError("a root signs authorities only")
        if self.escrow != (self.pair_of is not None) or (self.escrow and self.ceremony_only):
            raise ValueError("escrow is for the second half of a pair, and that is always in escrow")
        if self.escrow and any(_SIGNS & set(self.usage_of(kind)) for kind in self.keys):
            raise ValueError("a key that signs must not be in escrow")
        if unused := self.key_usage_by_key.keys() - set(self.keys):
            raise ValueError(f"key_usage_by_key names {min(unused)}, which keys does not")
        return self

    def usage_of(self, key: str) -> frozenset[str]:
        """The key usages of a certificate for this kind of key."""
        return frozenset(self.key_usage_by_key.get(key, self.key_usage))

    @property
    def binding(self) -> Literal["signing", "encryption", "other"]:
        """What a person may do with it at this platform: only `signing` signs in."""
        if self.escrow:
            return "encryption"
        return "signing" if "clientAuth" in self.extended_key_usage else "other"

    @cached_property
    def data(self) -> bytes:
        """Canonical JSON of what it says. Defaults are left out, so that a field added later makes no new version."""
        return canonical.encode(self.model_dump(mode="json", exclude_defaults=True))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of `data`, hexadecimal: the profile's version."""
        return INTL.hash.digest(self.data).hex()

    @property
    def text(self) -> Text:
        """Name for readers."""
        return Text(self.title.zh, self.title.en)


def _known(what: str, given: tuple[str, ...], known: Mapping[str, object]) -> tuple[str, ...]:
    if unknown := [each for each in given if each not in known]:
        raise ValueError(f"unknown {what} {unknown[0]}")
    if len(set(given)) != len(given):
        raise ValueError(f"{what} given twice")
    return given


class Profiles(Mapping[str, Profile]):
    """The profiles of an installation, by name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read every `*.toml` of `folder`; raises BadPlan naming file and field."""
        self._profiles = {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}
        for name, profile in self._profiles.items():
            other = self._profiles.get(profile.pair_of or name)
            if other is None or (other.escrow and profile.pair_of):
                reason = Text(
                    f"没有签名证书模板“{profile.pair_of}”", f"there is no signing profile {profile.pair_of}"
                )
                raise BadPlan(file=f"{name}.toml", field="pair_of", reason=reason)

    def __getitem__(self, name: str) -> Profile:
        """The profile of this name; raises UnknownProfile."""
        try:
            return self._profiles[name]
        except KeyError:
            raise UnknownProfile(profile=name[:60], known=", ".join(self._profiles)) from None

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - given by Mapping
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


def _read(path: Path) -> Profile:
    try:
        return Profile.model_validate({"name": path.stem, **tomllib.loads(path.read_text("utf-8"))})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPlan(file=path.name, field="*", reason=str(error)) from error
    except ValidationError as error:
        place, reason = first_fault(error)
        raise BadPlan(file=path.name, field=".".join(map(str, place)), reason=reason) from error
