"""`yinxin ca ceremony …` and `yinxin ca authority …`: from the dry run to the new authority."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authz.cli import group as authz_commands
from ca.ceremony.errors import CeremonyHeld, ProposalNeeded
from ca.cli import group as commands
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity

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
    def authz(self) -> object:
        return self.office.site.authz

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


def run(office: Office, person: str, *arguments: object) -> Any:
    group = authz_commands if arguments[0] == "proposal" else commands
    done = CliRunner().invoke(group, [*map(str, arguments), "--json"], obj=Opened(office, person))
    if done.exception:
        raise done.exception
    return json.loads(done.output)


def test_from_the_dry_run_to_the_new_authority(office: Office) -> None:
    path = office.sample("subordinate")
    dry = run(office, "zhao", "ceremony", "--plan", path, "--dry-run")
    assert (dry["kind"], dry["dry_run"], set(dry["certificates"])) == ("subordinate", True, {"intl-city-jia", "intl-city-jia-ocsp"})  # fmt: skip
    with pytest.raises(ProposalNeeded):
        run(office, "zhao", "ceremony", "--plan", path)
    made = run(office, "zhao", "ceremony", "propose", "--plan", path, "--reason", "按年度计划新建签发机构")
    assert (made["plan"], made["kind"], made["needed"]) == (dry["plan"], "subordinate", 2)
    id_ = made["proposal"]
    file = path.with_suffix(".approval")
    run(office, "qian", "proposal", "approve", id_, "--out", file)
    run(office, "zhao", "proposal", "submit", id_, file)
    shown = run(office, "feng", "proposal", "approve", id_)
    assert (shown["state"], {each["person"] for each in shown["approvals"]}) == ("approved", {"qian", "feng"})
    assert "甲市签发机构（国际算法）" in shown["describes"][0]["zh"]
    done = run(office, "zhao", "proposal", "execute", id_)
    assert done["state"] == "executed"
    certificate = Certificate.load(Path(done["outcome"]["trust"]["intl-city-jia"]).read_bytes())
    assert certificate.fingerprint == done["outcome"]["certificates"]["intl-city-jia"]["fingerprint"]
    with pytest.raises(CeremonyHeld):  # before people compare the digest of a plan that would make nothing
        run(office, "zhao", "ceremony", "--plan", path, "--dry-run")
    rows = run(office, "zhao", "authority", "list")
    assert "intl-city-jia" in [row["name"] for row in rows]
    shown = run(office, "zhao", "authority", "show", "intl-city-jia")
    assert shown["certificates"][0]["fingerprint"] == certificate.fingerprint
    (row,) = run(office, "zhao", "proposal", "list", "--state", "executed")
    assert (row["id"], row["given"]) == (id_, 2)
    kinds = [each["name"] for each in run(office, "zhao", "proposal", "kinds")]
    assert "ca.ceremony" in kinds
    assert kinds == [each.name for each in office.site.authz.proposals.kinds]


def test_refused_and_withdrawn(office: Office) -> None:
    for number, (person, verb, *more) in enumerate(
        (("feng", "refuse", "--reason", "依据不足"), ("zhao", "withdraw"))
    ):
        path = office.sample("request", 示范省政务签发机构=f"示范省政务签发机构 {number}")
        told = ("--reason", "按年度计划申请证书", "--basis", "电子认证服务管理办法")
        id_ = run(office, "zhao", "ceremony", "propose", "--plan", path, *told)["proposal"]
        ended = run(office, person, "proposal", verb, id_, *more)
        assert (ended["state"], ended["moved_by"], ended["basis"]) == (("refused", "withdrawn")[number], person, told[3])  # fmt: skip


def test_for_people_too(office: Office) -> None:
    path = office.sample("request")
    for arguments, told in (
        (["ceremony", "--plan", str(path), "--dry-run"], "kind: request"),
        (["authority", "list"], "intl-root"),
        (["authority", "show", "sm-root"], "sm-root"),
    ):
        done = CliRunner().invoke(commands, arguments, obj=Opened(office, "zhao"))
        assert done.exit_code == 0, done.exception
        assert told in done.output
    id_ = office.propose(path)
    for arguments, told in (
        (["proposal", "list"], id_),
        (["proposal", "show", id_], id_),
        (["proposal", "kinds"], "ca.ceremony"),
    ):
        done = CliRunner().invoke(authz_commands, arguments, obj=Opened(office, "zhao"))
        assert done.exit_code == 0, done.exception
        assert told in done.output
