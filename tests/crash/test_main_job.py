"""The main job killed with SIGKILL at every point and run again: done once or not done, and the books balance.

Default tier: on SQLite, a story that is killed at every kind of point but right before a commit, one after another, in one and the
same province, with the books balanced after each kill. Slow tier: its founding likewise (`test_founding.py`); both engines; and every
single point by itself.

Seen to fail when: the intent of a dead enrolment is not given up; a record commits apart from its act; the file of an
enrolment that was cut off at its end is not cleared up; everybody signs in for each of her acts (the limit stops her).
"""

import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from kms.models import KeyRow
from kms.models import State as KeyState
from ops.data import DataDirectory
from ops.platform import LOG_KEYS, WITNESS_KEYS, Platform
from tests.crash.books import balance, close
from tests.crash.driver import Work, die_at, die_at_new, kind, parts, record
from tests.laws.province import PEOPLE, prepared
from tests.support import forked
from tests.support.postgres import PostgresServer

#: the kinds of points that a job cannot do without; a step that is taken away is missed here
FOUNDING = {
    "kms.initialise.1-intended",
    "kms.initialise.2-made",
    "kms.initialise.3-done",
    "kms.create.1-intended",
    "kms.create.2-made",
    "kms.create.3-done",
    "kms.rotate.1-made",
    "ca.ceremony.2-intended",
    "ca.ceremony.3-key",
    "ca.ceremony.3-authority",
    "ca.ceremony.3-certificate",
    "ca.ceremony.5-files",
    "ca.issue.2-linted",
    "ca.issue.3-intended",
    "ca.issue.4-signed",
    "ca.issue.5-stored",
    "ca.crl.2-signed",
    "ca.crl.3-stored",
    "seal.make.1-bound",
    "seal.make.2-signed",
    "ops.enrol.1-key",
    "ops.enrol.2-issued",
    "ops.enrol.3-saved",
    "committing:authz.sign-in:done",
    "committed:authz.sign-in:done",
}
STORY = {
    "document.number.1-laid-out",
    "document.seal.1-intended",
    "document.seal.2-signed",
    "document.seal.3-finished",
    "ca.timestamp.2-signed",
    "ca.revoke.1-recorded",
    "audit.sequence.1-locked",
    "audit.sequence.2-read",
    "audit.sequence.3-entered",
    "audit.sequence.4-taken",
    "audit.sequence.5-committed",
    "audit.checkpoint.1-computed",
    "audit.checkpoint.2-signed",
    "audit.checkpoint.3-remembered",
    "audit.checkpoint.4-stored",
    *(
        f"{side}:document.{verb}:done"
        for side in ("committing", "committed")
        for verb in (
            "draft",
            "submit",
            "approve",
            "sign-off",
            "number",
            "begin-seal",
            "seal",
            "dispatch",
            "receive",
            "return",
            "export",
        )
    ),
}
#: the tests that kill at the steps which the main job does not pass
ELSEWHERE = {
    "attachment/test_store.py": {
        "attachment.upload.1-checked",
        "attachment.upload.2-placed",
        "attachment.upload.3-kept",
        "attachment.discard.1-recorded",
    },
    "exchange/test_crashes.py": {
        "exchange.send.1-sealed",
        "exchange.send.2-kept",
        "exchange.publish.1-kept",
        "exchange.sign.1-signed",
        "exchange.sign.2-kept",
        "exchange.push.1-answered",
        "exchange.pull.1-received",
        "exchange.receive.1-verified",
        "exchange.receive.2-signed",
        "exchange.receive.3-kept",
        "exchange.confirm.1-verified",
        "exchange.confirm.2-kept",
        "exchange.deliver.1-prepared",
        "exchange.deliver.2-taken",
        "exchange.reconcile.1-compared",
    },
    "document/test_joint.py": {
        "document.print.1-allotted",
        "document.put-name-seal.1-begun",
        "document.put-name-seal.2-put",
    },
    "exchange/test_documents.py": {"document.report.1-sent"},
    "exchange/test_secrecy.py": {"document.advise.1-sent"},
    "exchange/test_nats.py": {"exchange.nats.1-taken", "exchange.nats.2-put"},
    "kms/test_custodians.py": {
        "kms.make-custodians.1-intended",
        "kms.make-custodians.2-handed-out",
        "kms.make-custodians.3-in-force",
        "kms.make-custodians.4-recorded",
    },
    "authz/test_scim_push.py": {"authz.scim-push.1-sent", "authz.scim-push.2-kept"},
    "audit/test_archives.py": {
        "audit.archive.1-gathered",
        "audit.archive.2-written",
        "audit.archive.3-read-back",
        "audit.archive.4-signed",
        "audit.archive.5-left",
    },
    "audit/test_erasure.py": {"audit.erase.1-chosen", "audit.erase.2-noted", "audit.erase.3-gone"},
    "audit/test_cosigner.py": {"audit.cosign.1-signed", "audit.cosign.2-moved", "audit.cosign.3-remembered"},
    "audit/test_forwarding.py": {
        "audit.forward.1-read",
        "audit.forward.2-acknowledged",
        "audit.forward.3-noted",
    },
    "audit/test_renewal.py": {
        "audit.renew.1-joined",
        "audit.renew.2-stamped",
        "audit.renew.3-entered",
        "audit.keep.1-written",
        "audit.keep.2-entered",
    },
    "audit/test_reports.py": {
        "audit.make-report.1-recorded",
        "audit.make-report.2-signed",
        "audit.make-report.3-kept",
    },
    "authz/test_delegation_crash.py": {
        "authz.act-for.1-opened",
        "authz.act-for.2-recorded",
        "authz.change.1-made",
        "authz.change.2-recorded",
        "authz.delegate.1-entered",
        "authz.delegate.2-recorded",
        "authz.end-delegation.1-ended",
        "authz.end-delegation.2-recorded",
    },
    "authz/test_proposal_crash.py": {
        "authz.approve.1-judged",
        "authz.approve.2-stamped",
        "authz.approve.3-recorded",
        "authz.execute.1-claimed",
        "authz.execute.2-carried-out",
        "authz.execute.3-recorded",
        "authz.propose.2-recorded",
    },
    "kms/test_ceremony.py": {
        "kms.ceremony.2-intended",
        "kms.ceremony.3-vault",
        "kms.ceremony.3-taken",
        "kms.ceremony.3-held",
        "kms.mirror.1-made",
    },
    "kms/test_keyring_crash.py": {
        "kms.create-service-key.1-made",
        "kms.create-service-key.2-done",
        "kms.rotate-service-key.1-made",
        "kms.rotate-service-key.2-done",
    },
    "kms/test_holder_crash.py": {
        "kms.add-holder-passkey.1-wrapped",
        "kms.add-holder-passkey.2-done",
        "kms.change-holder-pin.1-wrapped",
        "kms.change-holder-pin.2-done",
        "kms.create-holder-key.1-made",
        "kms.create-holder-key.2-done",
        "kms.end-holder-key.1-done",
        "kms.open-holder-key.1-counted",
        "kms.sign-as-holder.1-signed",
        "kms.sign-as-holder.2-recorded",
    },
    "kms/test_keyring_end.py": {
        "kms.destroy-service-key.1-intended",
        "kms.destroy-service-key.2-module",
        "kms.destroy-service-key.3-done",
    },
    "ca/acme/test_once.py": {"ca.acme-finalize.2-claimed", "ca.acme-finalize.3-issued"},
    "ca/test_outside.py": {"ca.timestamp-outside.1-held", "ca.timestamp-outside.2-recorded"},
    "ca/test_attribute.py": {
        "ca.attribute-list.1-signed",
        "ca.issue-attribute-certificate.2-linted",
        "ca.issue-attribute-certificate.3-intended",
        "ca.issue-attribute-certificate.4-signed",
        "ca.issue-attribute-certificate.5-stored",
        "ca.revoke-attribute-certificate.1-recorded",
    },
    "ca/test_bulk.py": {"ca.enrol.1-begun", "ca.enrol.2-together"},
    "kms/test_generations.py": {
        "kms.destroy-generation.1-destroyed",
        "kms.destroy-generation.2-recorded",
        "kms.retire-generation.1-recorded",
        "kms.rewrap.1-wrapped",
        "kms.rewrap.2-moved",
    },
    "ca/test_ceremony_crash.py": {"ca.ceremony.4-changed"},
    "ca/test_cmp.py": {
        "ca.cmp.1-begun",
        "ca.cmp.2-issued",
        "ca.cmp.2-revoked",
        "ca.cmp.3-kept",
        "ca.cmp.4-rejecting",
        "ca.cmp.5-revoked",
    },
    "ca/test_crash_acts.py": {
        "ca.approve.1-approved",
        "ca.block.1-recorded",
        "ca.block.2-revoked",
        "ca.block.3-imported",
        "ca.recheck.2-kept",
        "ca.renew.3-issued",
        "ca.resume.1-recorded",
        "ca.suspend.1-recorded",
        "kms.give-user-key.1-given",
        "kms.make-user-keys.1-made",
    },
    "ca/test_gather.py": {
        "ca.issue-many.2-linted",
        "ca.issue-many.3-intended",
        "ca.issue-many.4-signed",
        "ca.issue-many.5-stored",
    },
    "ca/test_pair.py": {
        "ca.issue-pair.2-escrowed",
        "ca.issue-pair.3-linted",
        "ca.issue-pair.4-intended",
        "ca.issue-pair.5-signed",
        "ca.issue-pair.6-stored",
    },
}


def run(task: Callable[[Work], None], work: Work) -> int:
    """The exit code of a process of its own; a failure of the job itself fails the test with its traceback."""
    code = forked.run(task, work)
    if code == 1:
        pytest.fail((work.folder / "driver.err").read_text("utf-8"))
    return code


def opened(work: Work) -> AbstractContextManager[Platform]:
    return Platform.open(DataDirectory(work.folder), work.overrides)


def keys_are_there(work: Work) -> bool:
    """Whether the token and the log's keys are made: opening the platform would finish them, and heal what we look for."""
    platform = Platform(*parts(work))
    made = sa.select(KeyRow.label).where(KeyRow.state == KeyState.ACTIVE)
    with platform.store.read() as session:
        labels = set(session.scalars(made))
    platform.close()
    return labels >= {*LOG_KEYS, *WITNESS_KEYS}


def killed_at_every_kind(work: Work) -> set[str]:
    """Run the job until a run comes to its end; balance the books after every kill. The kinds of points died at.

    The story's books are balanced by one platform that stays open, as another process of the site would: so nothing but the
    runs themselves heals what a kill left.
    """
    if work.job == "found":
        return _killed(work, lambda: _balanced_anew(work))
    with opened(work) as platform:
        return _killed(work, lambda: balance(platform, enter=False))


def _balanced_anew(work: Work) -> None:
    if keys_are_there(work):
        with opened(work) as platform:
            balance(platform, enter=False)


def _killed(work: Work, balanced: Callable[[], object]) -> set[str]:
    assert work.seen is not None
    took = []
    for _ in range(300):
        began = time.monotonic()
        code = run(die_at_new, work)
        took.append(time.monotonic() - began)
        if code == 0:
            died = set(work.seen.read_text("utf-8").split())
            print(
                f"{work.job}: {len(died)} kills; kill and resume took {sum(took) / len(took):.2f} s on average"
            )
            return died
        assert code == -signal.SIGKILL
        balanced()
    raise AssertionError("the job does not come to its end")


def test_killed_at_every_kind_of_point(tmp_path: Path) -> None:
    work = Work("found", prepared(tmp_path / "data").root, seen=tmp_path / "found")
    assert run(record, work) == 0
    work = replace(work, job="story", seen=tmp_path / "story")
    assert killed_at_every_kind(work) >= {each for each in STORY if not each.startswith("committing:")}
    with opened(work) as platform:
        close(platform, PEOPLE, told=True)


@pytest.mark.slow
def test_killed_at_every_kind_of_point_on_a_durable_postgresql_that_dies_as_well(tmp_path: Path) -> None:
    with PostgresServer(durable=True) as server:
        work = Work(
            "found",
            prepared(tmp_path / "data").root,
            url=server.url(server.create_database()),
            seen=tmp_path / "found",
            every=True,
        )
        assert killed_at_every_kind(work) >= FOUNDING
        server.crash()
        server.start()
        work = replace(work, job="story", seen=tmp_path / "story")
        assert killed_at_every_kind(work) >= STORY
        server.crash()
        server.start()
        with opened(work) as platform:
            close(platform, PEOPLE, told=True)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("job", ["found", "story"])
def test_killed_at_every_single_point(tmp_path: Path, job: str, engine: str) -> None:
    """Each kill on a province of its own: run, killed once, run again to the end, books closed."""
    start = tmp_path / "start"
    with PostgresServer(durable=True) as server:
        url = server.url(name := server.create_database()) if engine == "postgresql" else ""
        first = Work("found", prepared(start).root, url, seen=tmp_path / "points")
        if job == "story":
            assert run(record, first) == 0
        rehearsal = Work(job, Path(shutil.copytree(start, tmp_path / "rehearsal")), seen=tmp_path / "points")
        if url:
            rehearsal = replace(rehearsal, url=server.url(server.create_database(name)))
        assert run(record, rehearsal) == 0
        points = (tmp_path / "points").read_text("utf-8").split("\n")
        for number, point in enumerate(points):
            work = Work(job, Path(shutil.copytree(start, tmp_path / "one")), die_at=number)
            database = server.create_database(name) if url else ""
            work = replace(work, url=server.url(database) if url else "")
            assert run(die_at, work) == -signal.SIGKILL, point
            assert run(die_at, replace(work, die_at=None)) == 0, point
            with opened(work) as platform:
                close(platform, PEOPLE, told=job == "story")
            shutil.rmtree(work.folder)
            if url:
                server.drop_database(database)
        assert {kind(point) for point in points} >= (STORY if job == "story" else FOUNDING)


def test_no_step_of_the_product_is_forgotten() -> None:
    """Every step that the code names is one that the kills above, or those of another test, must have died at."""
    root = Path(__file__).parents[2]
    named = {
        re.sub(r"-\{[^}]*\}", "", name)
        for folder in ("ops", "apps", "exchange", "seal", "ca", "kms", "authz", "audit", "sdk/yinxin")
        for file in (root / folder).rglob("*.py")
        if file.name != "steps.py"
        for name in re.findall(r'\bstep\(f?"([^"]+)"\)', file.read_text("utf-8"))
    }
    assert len(named) > 25
    assert all((root / "tests" / file).is_file() for file in ELSEWHERE)
    assert named <= (FOUNDING | STORY).union(*ELSEWHERE.values())
