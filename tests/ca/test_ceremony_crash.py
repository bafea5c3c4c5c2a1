"""Ceremonies killed with SIGKILL at every single step: the same plan finishes them, and nothing is there twice."""

import multiprocessing
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ca.ceremony.kinds import read_plan
from ca.ceremony.rehearse import rehearse
from ca.hierarchy.models import CeremonyRow
from yinxin.crypto.status import CertificateList

from .conftest import OFFICER, Site
from .crasher import hold
from .neighbours import Office

pytestmark = pytest.mark.engines("any")


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.ca.crasher"])


def finished(site: Site, path: Path, least: int) -> None:
    """The ceremony held in processes that die, one step further each time, until it is done."""
    seen = path.with_suffix(".seen")
    site.keys.close()
    for count in range(200):
        process = PROCESSES.Process(target=hold, args=(site.url, site.folder, path, seen))
        process.start()
        process.join()
        if process.exitcode == 0:
            assert count >= least, f"killed only {count} times"
            return
        assert process.exitcode == -signal.SIGKILL
    raise AssertionError("the ceremony does not end")


@pytest.mark.parametrize(
    ("name", "least"),
    [("subordinate", 15), ("rollover-root", 20), ("request", 5), ("retire", 3), ("revoke", 4)],
)
def test_a_ceremony_killed_at_every_step(founded: Callable[..., Site], name: str, least: int) -> None:
    """Seen to fail when `_begun` does not find the ceremony's own row, and when `register` does not look first."""
    site = founded()
    office = Office.of(site)
    at = (site.clock.now() - timedelta(minutes=1)).isoformat()
    changes = {
        "subordinate": {},
        "rollover-root": {"2027-01-01T00:00:00+08:00": at},
        "request": {},
        "retire": {"intl-city-jia": "sm-issuing", "2027-06-30T18:00:00+08:00": at},
        "revoke": {"0" * 64: site.ca.certificate("sm-issuing").fingerprint},
    }[name]
    path = office.sample(name, **changes)
    for person in ("qian", "feng"):
        office.approve(path, person)
    plan = read_plan(path)
    wanted = rehearse(site.ctx, site.keys, plan, folder=site.folder, beside=path.parent)
    finished(site, path, least)

    site = founded()
    rows = [row for row in site.rows() if row.reference.startswith(f"ceremony/{plan.digest[:20]}/")]
    issued = sorted(row.reference.rpartition("/")[2] for row in rows if row.state == "issued")
    assert issued == sorted(wanted)
    assert [row for row in rows if row.state == "intent"] == []
    abandoned = [row for row in rows if row.state == "abandoned"]
    assert all(row.revoked_at for row in abandoned)
    for row in abandoned:
        if row.authority in site.ca.authorities():
            assert CertificateList(site.ca.crl(row.authority)).lookup(int(row.serial, 16)) is not None
    with site.store.read() as session:
        ceremony = session.get_one(CeremonyRow, plan.digest)
        assert ceremony.done is not None
        assert [each["person"] for each in ceremony.approvals] == ["feng", "qian"]
    assert [event["outcome"] for event in site.events("ca.ceremony")][-1] == "done"
    assert site.keys.health().ok
    states = {row["name"]: row["state"] for row in site.ca.hierarchy(OFFICER)}
    expected = {
        "subordinate": ("intl-city-jia", "issuing"),
        "rollover-root": ("intl-root-2", "issuing"),
        "request": ("intl-national", "waiting"),
        "retire": ("sm-issuing", "retired"),
        "revoke": ("sm-issuing", "revoked"),
    }[name]
    assert expected in states.items()
    before = len(site.rows())
    site.ca.conduct(OFFICER, plan, path, site.folder)
    assert len(site.rows()) == before
