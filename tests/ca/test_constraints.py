"""Constraints that a profile puts on names, organs, keys and validity; and profiles of an installation's own."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ca import Holder
from ca.cli import group as commands
from ca.errors import BadPlan, ProfileRefuses, UnknownProfile, UnknownVersion, WeakKey
from ca.issue import issue
from ca.profile import Profile, Profiles
from ca.profile.gmt0015 import BY_OID, IDENTIFIERS
from ca.profile.versions import difference, version, versions
from ca.register import DirectoryRegister
from ca.request import Holder as RequestHolder
from ca.request import Register, examine
from yinxin.act import Actor
from yinxin.authz import Denied
from yinxin.crypto import der
from yinxin.text import Text

from .asking import asked, made
from .conftest import AUDITOR, CLERK, REGISTRAR, Site

pytestmark = pytest.mark.engines("any")


OWN = """
title = { zh = "县级服务器证书", en = "County server" }
holders = ["service"]
keys = ["ecdsa-p256", "rsa"]
smallest_rsa = 4096
organs = ["county-a"]
days = 30
most_days = 90
key_usage = ["digitalSignature"]
extended_key_usage = ["serverAuth"]
least_names = 1
most_names = 3

[subject]
countryName = "=CN"
organizationalUnitName = "request?"
commonName = "san?"

[san]
dns = "optional"
email = "optional"

[rules.dns]
domains = ["county.example.gov.cn"]
most = 2

[rules.email]
domains = ["example.gov.cn"]

[rules.organizationalUnitName]
pattern = "[A-Z]{2}[0-9]{3}"
hint = { zh = "两个大写字母加三位数字", en = "two capital letters and three digits" }
"""


@pytest.fixture
def county(founded: Callable[..., Site]) -> Site:
    """A site whose data directory has a profile of its own, and a seal profile that replaces the shipped one."""

    def prepare(folder: Path) -> None:
        own = folder / "profiles"
        own.mkdir()
        (own / "county-server.toml").write_text(OWN, "utf-8")

    return founded(before=prepare, profiles="profiles")


def server(site: Site, **parts: Any) -> Any:
    wanted = {"profile": "county-server", "subject": {}, "san": [("dns", "a.county.example.gov.cn")], **parts}
    return issue(site.ctx, REGISTRAR, site.request("r-own", **wanted))


def test_a_profile_of_ones_own_is_in_force_beside_the_shipped_ones(county: Site) -> None:
    certificate = server(county).certificate
    assert (certificate.not_after - certificate.not_before).days == 29
    assert "county-server" in county.ctx.profiles.own
    assert "tls-server" in county.ctx.profiles
    assert "tls-server" not in county.ctx.profiles.own


@pytest.mark.parametrize(
    ("parts", "field", "zh"),
    [
        ({"san": [("dns", "a.example.gov.cn")]}, "dns", "不在 county.example.gov.cn 之内"),
        ({"san": [("dns", "evilcounty.example.gov.cn")]}, "dns", "不在"),
        ({"san": [("dns", f"{i}.county.example.gov.cn") for i in range(3)]}, "dns", "最多 2 个"),
        (
            {
                "san": [
                    *(("dns", f"{i}.county.example.gov.cn") for i in range(2)),
                    *(("email", f"{i}@example.gov.cn") for i in range(2)),
                ]
            },
            "subjectAltName",
            "最多 3 个",
        ),
        ({"san": [("email", "a@example.com")]}, "email", "不在 example.gov.cn 之内"),
        ({"san": [("email", "a@example.gov.cn@x.cn")]}, "email", "邮箱名"),
        (
            {"subject": {"organizationalUnitName": "ab123"}},
            "organizationalUnitName",
            "两个大写字母加三位数字",
        ),
        (
            {"subject": {"organizationalUnitName": "AB123 "[:6] + "4"}},
            "organizationalUnitName",
            "两个大写字母",
        ),
        ({"holder": Holder("service", "a", None, "county-b")}, "organ", "county-a 及其下级"),
        ({"holder": Holder("service", "a", None, "city")}, "organ", "county-a 及其下级"),
        ({"holder": Holder("service", "a", None, None)}, "organ", "platform"),
        ({"days": 91}, "days", "最长 90 天"),
    ],
)
def test_what_breaks_a_constraint_is_told_by_field_and_remedy(
    county: Site, parts: dict[str, Any], field: str, zh: str
) -> None:
    """Seen to fail with `_fits`, `_count` and `_placed` each made to return at once."""
    before = len(county.rows())
    with pytest.raises(ProfileRefuses) as refused:
        server(county, **parts)
    reason = refused.value.facts["reason"]
    assert isinstance(reason, Text)
    assert refused.value.facts["field"] == field
    assert zh in reason.zh
    assert reason.en.isascii() or "“" in reason.en
    assert len(county.rows()) == before
    assert county.events()[-1]["error"] == "ca.profile_refuses"


def test_an_organ_below_the_one_named_is_in_its_subtree(county: Site) -> None:
    wanted = Profile.model_validate(
        {**county.ctx.profiles["county-server"].model_dump(exclude_defaults=True), "organs": ("city",)}
    )
    request = county.request("r", subject={}, san=[("dns", "a.county.example.gov.cn")])
    assert examine(request, wanted, county.ctx.register, county.ctx.settings).holder.organ == "county-a"


def test_a_kind_of_key_that_the_profile_does_not_certify_is_refused(county: Site) -> None:
    with pytest.raises(WeakKey):
        server(county, suite="sm")


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("bad.toml", "title = 1", "title"),
        ("bad.toml", OWN.replace("[rules.dns]", "[rules.uri]"), "*"),
        ("bad.toml", OWN.replace("[A-Z]{2}", "([A-Z]"), "rules.organizationalUnitName.pattern"),
        ("bad.toml", OWN.replace("most_names = 3", "most_names = 0"), "*"),
        ("bad.toml", OWN.replace("[san]", '[gmt0015]\nshoeSize = "organ.code"\n[san]'), "gmt0015"),
        ("bad.toml", OWN.replace("[san]", '[gmt0015]\nidentityCode = "request"\n[san]'), "gmt0015"),
        ("bad.toml", 'name = "other"\n' + OWN, "name"),
    ],
)
def test_a_bad_profile_of_ones_own_stops_the_start_by_file_and_field(
    tmp_path: Path, name: str, text: str, field: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(BadPlan) as refused:
        Profiles(tmp_path)
    assert refused.value.facts["file"] == name
    assert refused.value.facts["field"] in (field, "", "*")


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadPlan):
        Profiles(tmp_path / "missing")


# --- identifiers of GM/T 0015 ----------------------------------------------------------------------------------


def test_an_organs_code_stands_in_its_national_certificates_only(site: Site) -> None:
    national, other = made(site, "organ-seal", "sm").certificate, made(site, "organ-seal").certificate
    extension = national.extensions[IDENTIFIERS["organizationCode"].oid]
    assert (extension.critical, extension.value) == (False, der.printable("11511301008778183N"))
    assert not BY_OID.keys() & other.extensions.keys()


def test_no_other_profile_says_anything_of_persons(site: Site) -> None:
    """Personal data stands in a certificate only where a profile asks for it, and no shipped one does."""
    for profile in site.ctx.profiles.values():
        assert set(profile.gmt0015) <= {"organizationCode"}
    assert not BY_OID.keys() & made(site, "person-signing", "sm").certificate.extensions.keys()


@dataclass
class Knowing:
    """The directory, and what a register of persons would add."""

    directory: DirectoryRegister
    more: dict[str, str]

    def facts(self, holder: RequestHolder) -> tuple[RequestHolder, dict[str, str]]:
        found, facts = self.directory.facts(holder)
        return found, {**facts, **self.more}

    def ahead(self, holders: Sequence[RequestHolder]) -> Register:
        return self.directory.ahead(holders)

    def is_under(self, organ: str, ancestor: str) -> bool:
        return self.directory.is_under(organ, ancestor)

    def of_power(self, holder: RequestHolder) -> bool:
        return self.directory.of_power(holder)


@pytest.mark.parametrize(
    ("more", "source", "outcome"),
    [
        ({"person.identity": "11010519491231002X"}, "person.identity", "written"),
        ({}, "person.identity", "refused"),
        ({}, "person.identity?", "left out"),
        ({"person.identity": "1101051949123100"}, "person.identity?", "refused"),
    ],
)
def test_an_identity_code_comes_from_the_register_where_the_profile_asks(
    site: Site, more: dict[str, str], source: str, outcome: str
) -> None:
    shipped = site.ctx.profiles["person-signing"].model_dump(exclude_defaults=True)
    profile = Profile.model_validate({**shipped, "gmt0015": {"identityCode": source}})
    assert isinstance(site.ctx.register, DirectoryRegister)
    register = Knowing(site.ctx.register, more)
    request = asked(site, "person-signing", suite="sm")
    if outcome == "refused":
        with pytest.raises(ProfileRefuses) as refused:
            examine(request, profile, register, site.ctx.settings)
        assert refused.value.facts["field"] == "identityCode"
        return
    order = examine(request, profile, register, site.ctx.settings)
    written = [each.value for each in order.identifiers]
    # [0] EXPLICIT PrintableString: the alternative residenterCardNumber
    assert written == ([der.explicit(0, der.printable("11010519491231002X"))] if more else [])


# --- versions --------------------------------------------------------------------------------------------------


def test_every_version_that_was_used_is_known_and_compared(site: Site) -> None:
    old = site.ctx.profiles["tls-server"]
    made(site, "tls-server")
    changed = Profile.model_validate({**old.model_dump(exclude_defaults=True), "most_days": 90, "days": 90})
    site.ctx.profiles._profiles["tls-server"] = changed  # as a start with another file would have it
    found = versions(site.ctx, "tls-server")
    assert [(each.hash, each.in_force) for each in found] == [(changed.hash, True), (old.hash, False)]
    assert found[1].issuances >= 1
    assert version(site.ctx, "tls-server", old.hash[:8]) == old
    assert version(site.ctx, "tls-server") == changed
    assert dict(difference(old, changed)) == {"days": (398, 90), "most_days": (398, 90)}
    for bad in ("0" * 8, old.hash[:7], "zz"):
        with pytest.raises(UnknownVersion):
            version(site.ctx, "tls-server", bad)
    with pytest.raises(UnknownProfile):
        versions(site.ctx, "no-such")


@dataclass
class Opened:
    """A run of the command line with the site already open."""

    site: Site
    person: Actor

    def platform(self) -> Any:
        return self

    @property
    def ca(self) -> Any:
        return self.site.ca

    def actor(self) -> Actor:
        return self.person


@pytest.fixture
def run(site: Site) -> Callable[..., Any]:
    def invoke(*arguments: str, person: Actor = REGISTRAR) -> Any:
        return CliRunner().invoke(commands, arguments, obj=Opened(site, person))

    return invoke


def test_the_commands_list_show_and_compare(site: Site, run: Callable[..., Any]) -> None:
    old = site.ctx.profiles["tls-server"]
    made(site, "tls-server")
    changed = Profile.model_validate({**old.model_dump(exclude_defaults=True), "days": 90})
    site.ctx.profiles._profiles["tls-server"] = changed
    listed = json.loads(run("profile", "list", "--json").output)
    assert {each["profile"] for each in listed} == set(site.ctx.profiles)
    assert all(each["in_force"] for each in listed)
    every = json.loads(run("profile", "list", "--all", "--json").output)
    assert [each["hash"] for each in every if each["profile"] == "tls-server"] == [changed.hash, old.hash]
    assert "服务器证书" in run("profile", "list").output
    shown = json.loads(run("profile", "show", "tls-server", "--version", old.hash, "--json").output)
    assert (shown["days"], shown["hash"]) == (398, old.hash)
    assert "serverAuth" in run("profile", "show", "tls-server").output
    assert run("profile", "diff", "tls-server", old.hash[:12]).output == "- days: 398\n+ days: 90\n"
    assert json.loads(run("profile", "diff", "tls-server", old.hash, "--json").output) == {
        "days": {"old": 398, "new": 90}
    }
    assert isinstance(run("profile", "list", person=CLERK).exception, Denied)
    assert run("profile", "list", person=AUDITOR).exit_code == 0
    assert isinstance(run("profile", "show", "nothing").exception, UnknownProfile)
