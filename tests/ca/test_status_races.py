"""Two processes issuing, revoking and making lists together, and processes that die: nothing is lost, nothing doubled."""

import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from ca.models import CertificateRow
from ca.status import changes
from ca.status.line import Line
from ca.status.models import ChangeRow, CrlRow
from tests.support.forked import PROCESSES
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Revoked

from .conftest import REGISTRAR, Site
from .racer import die, work

ROUNDS = 6


def run(*tasks: "multiprocessing.process.BaseProcess") -> list[int | None]:
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    return [task.exitcode for task in tasks]


def holds(site: Site) -> None:
    """What must be so whoever worked together, and whenever somebody died."""
    with site.store.read() as session:
        rows = list(
            session.execute(
                sa.select(CrlRow.authority, CrlRow.shard, CrlRow.number, CrlRow.through).order_by(
                    CrlRow.number
                )
            )
        )
        sequence = list(session.scalars(sa.select(ChangeRow.sequence).order_by(ChangeRow.sequence)))
        revoked = {
            row.serial: row.shard
            for row in session.execute(
                sa.select(CertificateRow.serial, CertificateRow.shard).where(
                    CertificateRow.authority == "intl-issuing", CertificateRow.revoked_at.is_not(None)
                )
            )
        }
        assert sequence == list(range(1, changes.newest(session) + 1))
    # numbers rise by one in each line, and no list knows less than the one before
    for line in {(row.authority, row.shard) for row in rows}:
        mine = [row for row in rows if (row.authority, row.shard) == line]
        assert [row.number for row in mine] == list(range(1, len(mine) + 1))
        assert [row.through for row in mine] == sorted(row.through for row in mine)
    made = Counter(f"crl:{Line(row.authority, row.shard).path}:{row.number}" for row in rows)
    recorded = Counter(each["subject"] for each in site.events("ca.crl") if each["outcome"] == "done")
    # the ceremony's records are not copied with its tables
    assert made - recorded == Counter(f"crl:{name}:1" for name in site.ca.authorities())
    assert not recorded - made
    # nothing revoked is missing, nothing else is listed, nothing twice
    for shard in range(3):
        listed = CertificateList(site.ca.crl(Line("intl-issuing", shard).path))
        wanted = {int(serial, 16) for serial, its in revoked.items() if shard in (0, its)}
        assert listed.serials == wanted
        assert len(listed) == len(wanted)


def test_two_processes_work_together(founded: Callable[..., Site]) -> None:
    site = founded(status={"shards": 2})
    site.keys.close()
    codes = run(
        *(PROCESSES.Process(target=work, args=(site.url, site.folder, name, ROUNDS)) for name in "ab")
    )
    assert codes == [0, 0]
    site = founded(status={"shards": 2})
    assert (
        len([row for row in site.rows(profile="tls-server") if row.reference[:2] in ("a-", "b-")])
        == 4 * ROUNDS
    )
    holds(site)


@pytest.mark.parametrize("step", ["ca.revoke.1-recorded", "ca.crl.2-signed", "ca.crl.3-stored"])
def test_a_process_that_dies_leaves_nothing_unsaid(founded: Callable[..., Site], step: str) -> None:
    site = founded(status={"shards": 2})
    made = [site.ca.issue(REGISTRAR, site.request(f"d-{number}")) for number in range(3)]
    site.ca.presign()
    site.keys.close()
    codes = run(
        *(PROCESSES.Process(target=die, args=(site.url, site.folder, each.serial, step)) for each in made[:2])
    )
    # who finds his revocation on the other's list has none to make
    assert -signal.SIGKILL in codes
    assert set(codes) <= {-signal.SIGKILL, 0}
    site = founded(status={"shards": 2})
    for each in made[:2]:
        asked = OcspRequest.build([CertId.of(each.certificate.serial, site.ca.certificate("intl-issuing"))])
        assert isinstance(OcspResponse(site.ca.ocsp(asked)).answers[0].status, Revoked)
    holds(site)
    site.ca.revoke(REGISTRAR, made[2].serial, "superseded")
    holds(site)
