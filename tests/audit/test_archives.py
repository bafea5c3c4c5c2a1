"""Entries past their period leave for sealed archives: never before the file is durable and read back, only by that path, and
every one of them is still proved.

Seen to fail when: the content leaves in a transaction before the seal; a trigger looks at the index and not at the hashes; the
check passes over archives.
"""

import base64
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError

from audit import Filters, LogTampered
from audit.archive.errors import (
    ArchiveBroken,
    ArchiveNotWritten,
    BadArchive,
    EntrySealed,
    NothingDue,
    NotInArchive,
)
from audit.archive.file import Archive
from audit.archive.make import make
from audit.archive.periods import period, rules_at
from audit.archive.proposals import RETAIN, RetentionContent
from audit.cli import group
from audit.report.gather import _archived
from yinxin import canonical, steps
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import LogProof

from .deciding import carried_out
from .people import Deciding, actor

BASIS = "网络安全法 第二十一条"
STEPS = [
    "audit.archive.1-gathered",
    "audit.archive.2-written",
    "audit.archive.3-read-back",
    "audit.archive.4-signed",
    "audit.archive.5-left",
]


class Killed(BaseException):
    """Ends what is under way; the database undoes what was not committed."""


def retain(site, scope, days, since=None):
    content = RetentionContent(scope=scope, days=days, since=since or site.store.clock.now(), basis=BASIS)
    carried_out(site, RETAIN, content)


def settle(site):
    site.log.sequence()
    site.log.checkpoint()
    site.log.index.catch_up()


@pytest.fixture
def old(site, clock, tmp_path):
    """Nine entries of two kinds, long ago, of which `test.` may leave, and the decision that they may; then one of today."""
    site.log.decider = Deciding(site.store)
    site.events = []
    for number in range(4):
        site.events.append(site.act(f"person:{number}", "test.act", text="印信"))
        site.events.append(site.act(f"certificate:{number}", "ca.issue"))
    site.act("person:8", "test.act")
    retain(site, "test.", 184)
    settle(site)
    clock.advance(timedelta(days=200))
    site.today = site.act("person:0", "test.act")
    settle(site)
    (tmp_path / "archives").mkdir()
    site.folder = tmp_path / "archives"
    return site


def content(site):
    with site.engine.connect() as connection:
        rows = connection.execute(sa.text('SELECT "index", data FROM audit_entry ORDER BY "index"')).all()
    return {index: bytes(data) for index, data in rows}


GONE = {0, 2, 4, 6, 8}


def test_the_whole_way(old):
    before = content(old)
    root = old.log.check().roots
    done = make(old.log, SYSTEM, old.folder)
    assert (done["count"], done["first"], done["last"]) == (5, 0, 8)
    after = content(old)
    assert {index for index, data in after.items() if not data} == GONE
    assert {index: data for index, data in after.items() if data} == {
        i: d for i, d in before.items() if i not in GONE
    }
    assert old.log.check().roots == root
    (file,) = old.folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    found = Archive.decode(file.read_bytes())
    assert found.entries == {index: before[index] for index in GONE}
    found.verify(old.log.verifiers)
    for suite in (INTL, SM):
        proof = found.prove(old.events[4], suite)
        LogProof.decode(proof.encode()).verify([old.log.verifiers[suite.hash.name]])
        assert canonical.decode(proof.entry)["facts"]["text"] == "印信"
    with pytest.raises(NotInArchive):
        found.prove(old.events[1], INTL)
    # what is asked of the log
    with pytest.raises(EntrySealed) as sealed:
        old.log.proof(old.events[4])
    assert sealed.value.facts["archive"] == done["archive"]
    entry = old.log.entry(old.events[4])
    assert entry.sealed
    assert entry.fields()["verb"] == "test.act"
    old.log.proof(old.events[1]).verify([old.log.verifiers["sha256"]])
    settle(old)
    assert [each.event for each in old.log.entries(Filters(verb="test.act"))] == [old.today]
    assert "audit.archive" in {each.verb for each in old.log.entries(limit=100)}
    with pytest.raises(NothingDue):
        make(old.log, SYSTEM, old.folder)
    old.log.index.rebuild()
    old.log.check()


@pytest.mark.engines("any")
def test_a_report_says_what_it_lacks(old, clock):
    def said():
        return [each.en for each in _archived(old.log, clock.now() - timedelta(days=365), clock.now())]

    assert said() == []
    make(old.log, SYSTEM, old.folder)
    assert "5 more entries" in said()[0]


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps(old, another, step):
    """Until the last step nothing is gone; whenever something is, a file that was read back has it."""
    before = content(old)

    def die(name):
        if name != STEPS[-1]:
            assert content(old) == before
        if name == step:
            raise Killed

    steps.listen(die)
    try:
        with pytest.raises(Killed):
            make(old.log, SYSTEM, old.folder)
    finally:
        steps.listen(None)
    restarted = another()
    restarted.log.start()
    restarted.log.check()
    left = step == STEPS[-1]
    assert {index for index, data in content(old).items() if not data} == (GONE if left else set())
    if left:
        with pytest.raises(NothingDue):
            make(restarted.log, SYSTEM, old.folder)
    else:
        assert make(restarted.log, SYSTEM, old.folder)["count"] == 5
    restarted.log.check()
    with restarted.engine.connect() as connection:
        name = connection.exec_driver_sql("SELECT name FROM audit_archive").scalar_one()
    kept = Archive.decode((old.folder / f"{name}.yinxin-archive").read_bytes())
    assert kept.entries == {index: before[index] for index in GONE}


@pytest.mark.engines("any")
@pytest.mark.parametrize("fault", ["full", "other", "torn"])
def test_a_file_that_is_not_written_as_it_should_be(old, monkeypatch, fault):
    from yinxin import files

    before, write = content(old), files.replace

    def wrong(file, data, **more):
        if fault == "full":
            raise OSError(28, "No space left on device")
        write(file, data[:-40] if fault == "torn" else data.replace(b"person:0", b"person:9"), **more)

    monkeypatch.setattr(files, "replace", wrong)
    with pytest.raises(ArchiveNotWritten):
        make(old.log, SYSTEM, old.folder)
    assert content(old) == before
    old.log.check()


LEAVE = (
    "UPDATE audit_entry SET data = :none, subject = '', actor = '', request = NULL WHERE \"index\" = :index"
)


def test_nothing_leaves_but_by_that_path(old):
    """Seen from a hand on the database: without a seal, with other hashes, with other columns, and back again."""

    def refused(statement, **values):
        with pytest.raises(DBAPIError, match="insert-only"):
            old.execute(statement, **values)

    refused(LEAVE, none=b"", index=0)
    done = make(old.log, SYSTEM, old.folder)
    refused(LEAVE, none=b"", index=1)
    refused('UPDATE audit_entry SET data = :d WHERE "index" = 0', d=b"{}")
    refused("UPDATE audit_entry SET verb = 'x' WHERE \"index\" = 0")
    refused('DELETE FROM audit_entry WHERE "index" = 0')
    for table in ("audit_archive", "audit_sealed", "audit_retention"):
        refused(f"DELETE FROM {table}")  # noqa: S608 - constants
    refused("UPDATE audit_archive SET count = 1")
    refused('UPDATE audit_sealed SET "index" = 1 WHERE "index" = 0')
    refused("UPDATE audit_retention SET days = 1")
    # a seal for other hashes lets nothing go; one without an archive cannot be
    insert = 'INSERT INTO audit_sealed ("index", archive, leaf_sha256, leaf_sm3) VALUES (:i, :a, :h, :h)'
    old.execute(insert, i=1, a=done["archive"], h=bytes(32))
    refused(LEAVE, none=b"", index=1)
    with pytest.raises(IntegrityError):
        old.execute(insert, i=3, a="none", h=bytes(32))
    with pytest.raises((LogTampered, ArchiveBroken)):
        old.log.check()


def forge(site, index, note=b""):
    """An archive of the insider's own, with the right hashes: the triggers let the content go."""
    site.execute(
        "INSERT INTO audit_archive (name, made, size, first, last, count, digest, note) "
        "SELECT 'forged', time, 9, :i, :i, 1, :d, :n FROM audit_entry WHERE \"index\" = :i",
        i=index,
        d=bytes(32),
        n=note,
    )
    site.execute(
        'INSERT INTO audit_sealed ("index", archive, leaf_sha256, leaf_sm3) '
        'SELECT "index", \'forged\', leaf_sha256, leaf_sm3 FROM audit_entry WHERE "index" = :i',
        i=index,
    )
    site.execute(LEAVE, none=b"", index=index)


@pytest.mark.parametrize("note", ["none", "another archive's"])
def test_a_forged_archive_is_named(old, note):
    """Whoever may write to the database gets past the triggers, and is named by the check: she cannot sign."""
    given = b""
    if note != "none":
        make(old.log, SYSTEM, old.folder)
        with old.engine.connect() as connection:
            given = bytes(connection.exec_driver_sql("SELECT note FROM audit_archive").scalar_one())
    forge(old, 3, given)
    for term in ('DELETE FROM audit_posting WHERE "index" = 3',):
        old.execute(term)
    with pytest.raises(ArchiveBroken) as found:
        old.log.check()
    assert found.value.facts["archive"] == "forged"


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ('DELETE FROM audit_sealed WHERE "index" = 4', LogTampered),
        ("DELETE FROM audit_sealed", LogTampered),
        ('UPDATE audit_entry SET leaf_sm3 = leaf_sha256 WHERE "index" = 4', LogTampered),
        ("UPDATE audit_entry SET actor = 'x' WHERE \"index\" = 4", LogTampered),
        ("UPDATE audit_entry SET verb = 'x' WHERE \"index\" = 4", ArchiveBroken),
        ("UPDATE audit_entry SET outcome = 'refused' WHERE \"index\" = 4", ArchiveBroken),
        (
            'UPDATE audit_entry SET time = (SELECT time FROM audit_entry WHERE "index" = 10) WHERE "index" = 4',
            ArchiveBroken,
        ),
        ("UPDATE audit_archive SET count = 4", ArchiveBroken),
        ("UPDATE audit_archive SET digest = note", ArchiveBroken),
        ("UPDATE audit_sealed SET number = number + 1", ArchiveBroken),
        ("UPDATE audit_sealed SET source = NULL", ArchiveBroken),
        ("UPDATE audit_archive SET size = 10 WHERE size <> 10", ArchiveBroken),
    ],
)
def test_every_edit_of_what_is_kept_is_found(old, statement, error):
    make(old.log, SYSTEM, old.folder)
    old.drop_triggers()
    if statement.startswith("UPDATE audit_archive SET size"):
        statement = "UPDATE audit_archive SET size = size + 1"
    old.execute(statement)
    with pytest.raises(error):
        old.log.check()


@pytest.mark.engines("any")
def test_no_byte_of_a_file_can_change(old, another):
    make(old.log, SYSTEM, old.folder)
    (file,) = old.folder.iterdir()
    octets = file.read_bytes()
    known = Archive.decode(octets)

    def read(data):
        found = Archive.decode(data)
        found.verify(old.log.verifiers)
        if (found.name, found.site) != (known.name, known.site):
            raise BadArchive(part="name")  # not bound by the trees, but by the log's seal: see the commands

    for at in range(0, len(octets), 13):
        with pytest.raises(BadArchive):
            read(octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :])
    for cut in (b"", octets[:-1], octets + b"\n", octets + octets.splitlines()[-1] + b"\n"):
        with pytest.raises(BadArchive):
            Archive.decode(cut)


@pytest.mark.engines("any")
def test_what_a_receiver_has_not_acknowledged_stays(old):
    from audit.forward.settings import ForwardSettings, ReceiverSettings

    hall = ReceiverSettings(host="127.0.0.1", tls=False)
    old.log.settings = old.log.settings.model_copy(
        update={"forward": ForwardSettings(receivers={"hall": hall})}
    )
    with pytest.raises(NothingDue):
        make(old.log, SYSTEM, old.folder)
    old.execute(
        "INSERT INTO audit_cursor (receiver, acknowledged, failures, alarmed, reconciled) VALUES ('hall', 3, 0, false, 0)"
    )
    assert make(old.log, SYSTEM, old.folder)["count"] == 2


@pytest.mark.engines("any")
def test_which_period_holds(site, clock):
    now = clock.now()
    for scope, days, since in (
        ("", 400, None),
        ("ca.", 2000, None),
        ("ca.issue", 3650, None),
        ("kms.", None, None),
        ("ca.", 3000, now + timedelta(days=30)),
    ):
        retain(site, scope, days, since)
    with site.store.read() as session:
        rules = rules_at(session, now)
        later = rules_at(session, now + timedelta(days=31))
    assert [
        period(rules, verb) for verb in ("ca.issue", "ca.revoke", "kms.sign", "authz.sign-in", "cab.x")
    ] == [
        3650,
        2000,
        None,
        400,
        400,
    ]
    assert period(later, "ca.revoke") == 3000
    assert period({}, "ca.issue") is None
    for bad in ({"days": 183}, {"scope": "ca"}, {"scope": "Ca.x"}, {"basis": ""}, {"since": "yesterday"}):
        given = {"scope": "", "days": 400, "since": now, "basis": BASIS} | bad
        with pytest.raises(ValidationError):
            RetentionContent(**given)


class Context:
    def __init__(self, site, name):
        self.audit, self._name = site.log, name

    def platform(self):
        return self

    def actor(self):
        return actor(self._name)


@pytest.mark.engines("any")
def test_commands(old, tmp_path):
    def run(name, *arguments):
        return CliRunner().invoke(group, ["archive", *arguments], obj=Context(old, name))

    for name in ("clerk", "administrator"):
        assert isinstance(run(name, "make", "--out", str(old.folder)).exception, Denied)
        assert isinstance(run(name, "list").exception, Denied)
    answer = run("auditor", "make", "--out", str(old.folder), "--json")
    assert answer.exit_code == 0, answer.exception
    made = json.loads(answer.output)
    assert made["count"] == 5
    assert isinstance(run("auditor", "make", "--out", str(old.folder)).exception, NothingDue)
    (listed,) = json.loads(run("auditor", "list", "--json").output)
    assert (listed["archive"], listed["digest"]) == (made["archive"], made["digest"])
    assert made["archive"] in run("auditor", "list").output
    verified = run("auditor", "verify", made["file"])
    assert verified.exit_code == 0, verified.output
    out = tmp_path / "entry.tlog-proof"
    proved = run("auditor", "prove", made["file"], old.events[0], "--out", str(out), "--suite", "sm")
    assert proved.exit_code == 0, proved.output
    proof = LogProof.decode(out.read_bytes())
    proof.verify([old.log.verifiers["sm3"]])
    # whole in itself, and another than the log sealed: its name is no other's
    octets = (old.folder / f"{made['archive']}.yinxin-archive").read_bytes()
    other = tmp_path / "other"
    other.write_bytes(octets.replace(b'yinxin.local/log","size', b'yinxin.other/log","size'))
    assert other.read_bytes() != octets
    assert isinstance(run("auditor", "verify", str(other)).exception, BadArchive)
    other.write_bytes(base64.b64encode(octets))
    assert isinstance(run("auditor", "verify", str(other)).exception, BadArchive)
    # who may have the log checked may have its archives checked, and who may export a proof may take one out
    assert run("administrator", "verify", made["file"]).exit_code == 0
    for name, arguments in (
        ("clerk", ("verify", made["file"])),
        ("administrator", ("prove", made["file"], old.events[0], "--out", str(out))),
    ):
        assert isinstance(run(name, *arguments).exception, Denied)
    assert isinstance(
        run("auditor", "prove", made["file"], old.today, "--out", str(out)).exception, NotInArchive
    )
    old.log.sequence()
    told = [
        (each.actor, each.verb.removeprefix("audit."), each.outcome, each.subject)
        for each in reversed(old.log.entries())
        if each.verb.startswith("audit.")
    ]
    archive, entry = f"archive:{made['archive']}", f"entry:{old.events[0]}"
    asked = [(name, verb, outcome) for name, verb, outcome, _ in told]
    assert asked == [
        *((name, verb, "refused") for name in ("clerk", "administrator") for verb in ("archive", "read")),
        *(("auditor", "archive", outcome) for outcome in ("done", "refused")),
        *(("auditor", "read", "done") for _ in range(2)),
        ("auditor", "check", "done"),
        ("auditor", "export", "done"),
        *(("auditor", "check", "refused") for _ in range(2)),
        ("administrator", "check", "done"),
        ("clerk", "check", "refused"),
        ("administrator", "export", "refused"),
        ("auditor", "export", "refused"),
    ]
    subjects = [subject for _, verb, _, subject in told if verb in ("check", "export")]
    assert subjects[:2] == [archive, entry]
