"""What receivers acknowledged, held against the log, and what they have, held against what they acknowledged.

Seen to fail when: an entry is not looked up in the log; a range's digest is not compared; `resend` leaves the cursor alone.
"""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from audit.cli import group
from audit.forward import reconcile
from audit.forward.errors import CopiesDiffer, UnknownReceiver, UnreadableReport
from tests.support.databases import create_tables
from tests.support.fluent import Receiver
from yinxin.authz import Denied

from .people import Deciding, actor
from .test_forwarding import there

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def receiver(tmp_path):
    with Receiver(tmp_path / "received.jsonl") as running:
        yield running


@pytest.fixture
def site(receiver, another):
    site = another(forward=there(receiver))
    site.create()
    site.log.start()
    return site


def send(site, count):
    for number in range(count):
        site.act(f"thing:{number}")
    site.log.sequence()
    site.log.checkpoint()
    return site.log.forward.send("hall")


def lines(*records):
    return [json.dumps(record) + "\n" for record in records]


def test_a_receiver_that_acknowledges_from_memory_loses_and_is_found_out(site, tmp_path, clock):
    """Research: so does Fluent Bit with its default storage. Only the receiver's own file tells."""
    with Receiver(tmp_path / "memory.jsonl", memory=True) as forgetful:
        site.log.forward.settings.receivers["hall"] = site.log.forward.receiver("hall").model_copy(
            update={"port": forgetful.port}
        )
        assert send(site, 5) == 5
        forgetful.stop()  # the orderly way: written
        forgetful.start()
        clock.advance(timedelta(seconds=5))
        assert send(site, 7) == 7  # acknowledged
        forgetful.kill()
        forgetful.start()
        assert send(site, 3) == 3
        forgetful.stop()
        assert reconcile.agree(site.log.forward, "hall").missing == 0  # by its own word all is well
        found = reconcile.against(site.log.forward, "hall", forgetful.file.read_text().splitlines())
        assert (found.missing, found.ranges, found.altered) == (7, ((5, 11),), 0)
        with pytest.raises(CopiesDiffer) as refusal:
            found.judge()
        assert refusal.value.facts["first"] == 5
        forgetful.start()
        reconcile.resend(site.log.forward, found)
        assert site.log.forward.send("hall") == 10
        forgetful.stop()
        again = reconcile.against(site.log.forward, "hall", forgetful.file.read_text().splitlines())
        again.judge()
        assert (again.missing, again.repeated) == (0, 3)
    assert reconcile.agree(site.log.forward, "hall").missing == 0


def test_what_a_file_can_say(site, receiver):
    send(site, 12)
    records = [each for each in receiver.events() if each["kind"] == "entry"]

    def found(given):
        return reconcile.against(site.log.forward, "hall", given)

    # the forms that receivers write: a record; time, tag and record by tabs; an array; a range
    for form in (
        "{}",
        "2026-11-22T01:30:00Z\tyinxin.audit\t{}",
        '["yinxin.audit",[1,2],{}]',
        "yinxin.audit: [1.2, {}]",
    ):
        assert found([form.replace("{}", json.dumps(each)) + "\n" for each in records]).missing == 0
    assert found(lines({"first": 0, "last": 3}, {"first": 6, "last": 11})).ranges == ((4, 5),)
    assert found(lines({"first": 0, "last": 10**12})).missing == 0  # more than was acknowledged is no fault
    assert found([]).missing == 12
    other = records[4] | {"leaf_sha256": records[5]["leaf_sha256"]}
    altered = found(lines(*records[:4], other, *records[5:]))
    assert (altered.altered, altered.first, altered.missing) == (1, 4, 0)
    assert found(lines(*records, other)).altered == 1  # two answers to one question
    assert found(lines(*records, records[0] | {"index": 99})).foreign == 1
    assert found([*lines(*records), '{"kind":"entry","ind']).missing == 0  # torn: it was being written
    for bad in (
        "nonsense",
        "{}",
        '{"index":-1,"leaf_sha256":""}',
        '{"index":true,"leaf_sha256":""}',
        '{"first":3,"last":2}',
        '{"first":1}',
    ):
        with pytest.raises(UnreadableReport) as refusal:
            found([*lines(records[0]), bad + "\n", *lines(records[1])])
        assert refusal.value.facts["line"] == 2
    with pytest.raises(UnknownReceiver):
        reconcile.against(site.log.forward, "elsewhere", [])


def test_daily(site, clock):
    """Ranges that agree are folded into one; a log that was changed since is found, named and recorded."""
    send(site, 3)
    send(site, 4)
    reconcile.daily(site.log.forward)
    facts = site.log.forward.facts()["receivers"]["hall"]
    assert (facts["reconciled"], facts["differing"]) == (7, None)
    reconcile.daily(site.log.forward)  # nothing new: nothing recorded
    assert send(site, 2) == 3
    reconcile.daily(site.log.forward)
    assert send(site, 2) == 3
    site.drop_triggers()
    site.execute('UPDATE audit_entry SET leaf_sha256 = leaf_sm3 WHERE "index" = 11')
    reconcile.daily(site.log.forward)
    site.log.sequence()
    outcomes = [(each.outcome, each.actor) for each in site.log.entries() if each.verb == "audit.reconcile"]
    assert outcomes == [("failed", "system"), ("done", "system"), ("done", "system")]
    facts = site.log.forward.facts()["receivers"]["hall"]
    assert (facts["reconciled"], facts["differing"]) == (10, 10)
    assert not site.log.health().ok


def test_an_acknowledged_range_that_is_gone(site):
    send(site, 3)
    send(site, 3)
    send(site, 3)
    site.execute("DELETE FROM audit_copy WHERE first = 3")
    found = reconcile.agree(site.log.forward, "hall")
    assert (found.missing, found.ranges, found.first) == (3, ((3, 5),), 3)


class Context:
    def __init__(self, site, name):
        self.audit, self._name = site.log, name

    def platform(self):
        return self

    def actor(self):
        return actor(self._name)


def test_commands(site, receiver, tmp_path):
    create_tables(site.engine)
    site.log.decider = Deciding(site.store)
    send(site, 6)

    def run(name, *arguments):
        return CliRunner().invoke(group, ["forward", *arguments], obj=Context(site, name))

    assert "hall: 已确认 / acknowledged 6" in run("auditor", "status").output
    assert isinstance(run("clerk", "status").exception, Denied)
    assert json.loads(run("administrator", "status", "--json").output)["receivers"]["hall"]["behind"] == 0
    good = run("administrator", "reconcile", str(receiver.file), "--receiver", "hall", "--json")
    assert json.loads(good.output)["missing"] == 0
    part = tmp_path / "part.jsonl"
    part.write_text("".join(receiver.file.read_text().splitlines(keepends=True)[:4]))
    bad = run("auditor", "reconcile", str(part), "--receiver", "hall", "--resend")
    assert isinstance(bad.exception, CopiesDiffer)
    assert "  4-5" in bad.output
    assert site.log.forward.facts()["receivers"]["hall"]["acknowledged"] == 0  # the batch that they were in
    assert isinstance(run("clerk", "reconcile", str(part), "--receiver", "hall").exception, Denied)
    site.log.sequence()
    looked = [(each.actor, each.outcome) for each in site.log.entries() if each.verb == "audit.read-copies"]
    assert looked == [("administrator", "done"), ("clerk", "refused"), ("auditor", "done")]
    asked = [(each.actor, each.outcome) for each in site.log.entries() if each.verb == "audit.reconcile"]
    assert asked == [("clerk", "refused"), ("auditor", "failed"), ("administrator", "done")]
