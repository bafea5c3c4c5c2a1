"""`yinxin ca ceremony …` and `yinxin ca authority …`: from the dry run to the new authority."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ca.ceremony.errors import ApprovalsMissing
from ca.cli import group as commands
from ca.errors import CeremonyDiffers
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity

from .conftest import Site
from .neighbours import Office

pytestmark = pytest.mark.engines("any")


@dataclass
class Opened:
    """The command line's context, on the test's site, as one person."""

    office: Office
    person: str

    @property
    def ca(self) -> object:
        return self.office.site.ca

    @property
    def root(self) -> Path:
        return self.office.site.folder

    def platform(self) -> "Opened":
        return self

    def directory(self) -> "Opened":
        return self

    def actor(self) -> Actor:
        return self.office.officer(self.person)

    def holder(self) -> Identity:
        return self.office.people[self.person]


@pytest.fixture
def office(site: Site) -> Office:
    return Office.of(site)


def run(office: Office, person: str, *arguments: object) -> Any:
    done = CliRunner().invoke(commands, [*map(str, arguments), "--json"], obj=Opened(office, person))
    if done.exception:
        raise done.exception
    return json.loads(done.output)


def test_from_the_dry_run_to_the_new_authority(office: Office) -> None:
    path = office.sample("subordinate")
    dry = run(office, "zhao", "ceremony", "--plan", path, "--dry-run")
    assert (dry["kind"], dry["dry_run"], set(dry["certificates"])) == ("subordinate", True, {"intl-city-jia", "intl-city-jia-ocsp"})  # fmt: skip
    with pytest.raises(ApprovalsMissing):
        run(office, "zhao", "ceremony", "--plan", path)
    for person in ("qian", "feng"):
        given = run(office, person, "ceremony", "approve", "--plan", path)
        assert (given["plan"], given["approved_by"], given["title"]) == (dry["plan"], person, "甲市签发机构（国际算法）")  # fmt: skip
        assert Path(given["approval"]).parent == path.parent
    # an approval is never overwritten, her own included
    with pytest.raises(CeremonyDiffers):
        run(office, "qian", "ceremony", "approve", "--plan", path)
    done = run(office, "zhao", "ceremony", "--plan", path)
    assert (done["plan"], done["approved_by"]) == (dry["plan"], ["feng", "qian"])
    certificate = Certificate.load(Path(done["trust"]["intl-city-jia"]).read_bytes())
    assert certificate.fingerprint == done["certificates"]["intl-city-jia"]["fingerprint"]
    rows = run(office, "zhao", "authority", "list")
    assert "intl-city-jia" in [row["name"] for row in rows]
    shown = run(office, "zhao", "authority", "show", "intl-city-jia")
    assert shown["certificates"][0]["fingerprint"] == certificate.fingerprint
    assert (
        run(office, "zhao", "ceremony", "--plan", path)["certificates"].keys() == done["certificates"].keys()
    )


def test_for_people_too(office: Office) -> None:
    path = office.sample("request")
    for arguments in (["ceremony", "--plan", str(path), "--dry-run"], ["authority", "list"], ["authority", "show", "sm-root"]):  # fmt: skip
        done = CliRunner().invoke(commands, arguments, obj=Opened(office, "zhao"))
        assert done.exit_code == 0, done.exception
        assert "intl-root" in done.output or "request" in done.output or "sm-root" in done.output
