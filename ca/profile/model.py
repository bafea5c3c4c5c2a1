"""What a certificate profile can say, and what makes one contradict itself."""

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ca.profile.constraints import Constraints
from ca.profile.gmt0015 import IDENTIFIERS, Title
from ca.profile.wildcards import any_wildcard
from yinxin import canonical
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.names import ATTRIBUTES
from yinxin.crypto.oids import EXTENDED_KEY_USAGES, KEY_USAGES
from yinxin.crypto.suite import INTL
from yinxin.settings import Section
from yinxin.text import Text

HolderKind = Literal["person", "organ", "service"]
#: where an attribute's text comes from: `request` as asked for, `request?` likewise or absent, `san?` as asked for or
#: else the first alternative name; any other source is `=` and a fixed text
SOURCES = frozenset(
    {
        "request",
        "request?",
        "san?",
        "holder.id",
        "person.name",
        "post.name",
        "organ.name",
        "organ.name?",
        "organ.code",
        "organ.code?",
    }
)
#: where an identifier of GM/T 0015 comes from: the directory alone, with `?` when it may hold none
IDENTIFIER_SOURCES = frozenset(
    f"{source}{optional}"
    for source in ("holder.id", "organ.code", "person.identity", "person.insurance")
    for optional in ("", "?")
)

#: fields whose order is written into certificates
_ORDERED = ("subject", "gmt0015")
#: a signature proves that its holder acted; a copy of her key would prove nothing
_SIGNS = {"digitalSignature", "contentCommitment", "keyCertSign", "cRLSign"}


class NameRule(Section):
    """What an attribute of the subject or an alternative name must look like, beyond its source."""

    pattern: str = ""
    """Regular expression that the whole text matches."""
    hint: Title | None = None
    """The pattern in words, for whoever is refused."""
    domains: tuple[str, ...] = ()
    """Domains (with all below them) that a `dns` or `email` name lies in."""
    most: int | None = Field(default=None, ge=1)
    """How many names of this kind there are at most."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return value

    def matches(self, text: str) -> bool:
        """Whether a text is of the pattern."""
        return not self.pattern or re.fullmatch(self.pattern, text) is not None

    def covers(self, text: str) -> bool:
        """Whether a host name, or the host of a mail address, lies in one of the domains."""
        host = text.rpartition("@")[2].lower()
        return not self.domains or any(host == each or host.endswith(f".{each}") for each in self.domains)

    def allows(self, text: str) -> bool:
        """Whether a text keeps the rule."""
        return self.matches(text) and self.covers(text)


class Profile(Section):
    """What certificates of one kind say, and who may hold them."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,58}$")
    """Name in requests, tables and pages; the file's own name."""
    title: Title
    """Name for readers."""
    signed_by: Literal["self", "root", "issuing"] = "issuing"
    """Which authority of the hierarchy signs."""
    hierarchy: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,40})?$")
    """Name of the hierarchy that signs; that of the key's suite when left out."""
    alternative: str = ""
    """Kind of the issuer's second key, when its certificates carry a signature by that one too (X.509 9.8)."""
    ceremony_only: bool = False
    """Made by the ceremony only, never on request."""
    holders: tuple[HolderKind, ...]
    """Kinds of holder."""
    keys: tuple[str, ...]
    """Kinds of key that are certified, as in `PublicKey.algorithm`."""
    smallest_rsa: int = Field(default=3072, ge=2048)
    """Smallest RSA modulus, in bits (NIST SP 800-57: 128-bit strength)."""
    largest_rsa: int = Field(default=8192, le=16384)
    """Largest RSA modulus, in bits: a larger one costs every verifier more than it protects."""
    organs: tuple[str, ...] = ()
    """Organs in which, or below which, holders must be; empty: anywhere."""
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
    constraints: Constraints = Constraints()
    """What it imposes on those below; authorities only."""
    attributes: bool = False
    """Whether the holder states attributes of others (RFC 5755 4.5): aaControls and sOAIdentifier; never with `ca`."""
    no_check: bool = False
    """Status need not be asked (RFC 6960 4.2.2.2.1): OCSP responders only."""
    subject: dict[str, str]
    """Attributes of the subject in the order written, each with its source."""
    san: dict[Literal["dns", "ip", "email", "uri"], Literal["required", "optional"]] = {}  # noqa: RUF012 - pydantic copies defaults
    """Kinds of alternative names."""
    least_names: int = Field(default=0, ge=0)
    """How many alternative names there are at least, of whatever kind."""
    most_names: int = Field(default=100, ge=0, le=1000)
    """How many alternative names there are at most, of whatever kind."""
    wildcards: bool = False
    """Whether a host name may begin with a label `*`, for every host right below a domain (RFC 9525 6.3)."""
    rules: dict[str, NameRule] = {}  # noqa: RUF012 - pydantic copies defaults
    """Rules for an attribute of the subject or a kind of alternative name, by its name."""
    gmt0015: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Identifiers of GM/T 0015 in certificates of the national suite, each with its source in the directory."""

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

    @field_validator("subject", "gmt0015", mode="before")
    @classmethod
    def _ordered(cls, value: Any) -> Any:
        """As `data` writes them: pairs, since an object of JSON has no order and a name has one."""
        return dict(value) if isinstance(value, list) else value

    @field_validator("subject")
    @classmethod
    def _attributes(cls, value: dict[str, str]) -> dict[str, str]:
        _known("attribute", tuple(value), ATTRIBUTES)
        for attribute, source in value.items():
            if source not in SOURCES and not source.startswith("="):
                raise ValueError(f"{attribute} has the unknown source {source}")
        return value

    @field_validator("gmt0015")
    @classmethod
    def _identifiers(cls, value: dict[str, str]) -> dict[str, str]:
        _known("identifier", tuple(value), IDENTIFIERS)
        for name, source in value.items():
            if source not in IDENTIFIER_SOURCES:
                raise ValueError(f"{name} has the unknown source {source}")
        return value

    @model_validator(mode="after")
    def _constrained(self) -> "Profile":
        if self.attributes and (self.ca or self.extended_key_usage):
            raise ValueError("an attribute authority is no certification authority and has no other purpose")
        if self.constraints != Constraints() and not self.ca:
            raise ValueError("constraints are for authorities")
        if self.wildcards and "dns" not in self.san:
            raise ValueError("wildcards are for host names, and san has no dns")
        return self

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
        if unused := self.rules.keys() - self.subject.keys() - set(map(str, self.san)):
            raise ValueError(f"rules names {min(unused)}, which neither subject nor san has")
        if self.smallest_rsa > self.largest_rsa or self.least_names > self.most_names:
            raise ValueError("the least is more than the most")
        return self

    def usage_of(self, key: str) -> frozenset[str]:
        """The key usages of a certificate for this kind of key."""
        return frozenset(self.key_usage_by_key.get(key, self.key_usage))

    def may_name(self, names: Collection[GeneralName]) -> bool:
        """Whether its certificates may have such alternative names: their kinds, and wildcards among the hosts."""
        kinds = {kind for kind, _ in names}
        return kinds <= {str(kind) for kind in self.san} and (self.wildcards or not any_wildcard(names))

    @property
    def binding(self) -> Literal["signing", "encryption", "other"]:
        """What a person may do with it at this platform: only `signing` signs in."""
        if self.escrow:
            return "encryption"
        return "signing" if "clientAuth" in self.extended_key_usage else "other"

    @cached_property
    def data(self) -> bytes:
        """Canonical JSON of what it says. Defaults are left out, so that a field added later makes no new version."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        ordered = {field: [list(pair) for pair in said[field].items()] for field in _ORDERED if field in said}
        return canonical.encode(said | ordered)

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
