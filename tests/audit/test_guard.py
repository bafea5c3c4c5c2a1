"""Fail closed: no act without a log that can record and sign."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from audit import LogStopped, LogUnavailable, UnreadableRecord
from kms.errors import KeyLost
from yinxin.store import OutboxRow


def test_signer_failure_closes_the_gate_and_its_return_opens_it(site, clock):
    event = site.act()
    site.signers[1].fault = "gone"
    with pytest.raises(LogUnavailable) as refusal:
        site.log.settle(event)
    assert refusal.value.facts["reason"] == "RuntimeError"
    assert refusal.value.status == 503
    with pytest.raises(LogUnavailable):
        site.act()  # at once
    clock.advance(timedelta(seconds=2))
    with pytest.raises(LogUnavailable):
        site.act()  # tried again, in vain
    assert "acts are refused" in site.log.health().text.en
    site.signers[1].fault = None
    with pytest.raises(LogUnavailable):
        site.act()  # an attempt has only just failed
    clock.advance(timedelta(seconds=2))
    site.act()
    assert site.log.health().ok
    site.log.settle(event).verify(site.log.verifiers.values())
    entries = [(entry.verb, entry.outcome) for entry in site.log.entries()]
    assert entries.count(("test.act", "refused")) == 3  # every refusal is in the log
    site.log.check()


def test_what_does_not_pass_by_itself_is_told_as_final_until_it_is_mended(site, clock, monkeypatch):
    """Nobody is made to try again for ever because the key of the log is gone."""
    event = site.act()

    def lost(_message):
        raise KeyLost(label="log-sm2")

    with monkeypatch.context() as patched:
        patched.setattr(site.signers[1], "sign", lost)
        for act in (lambda: site.log.settle(event), site.act):
            with pytest.raises(LogStopped) as refusal:
                act()
            assert refusal.value.facts["reason"] == "kms.key_lost"
            assert (refusal.value.retryable, refusal.value.status) == (False, 503)
    clock.advance(timedelta(seconds=2))
    site.act()
    assert site.log.health().ok


def test_false_signatures_never_leave(site):
    event = site.act()
    site.signers[0].fault = "false"
    with pytest.raises(LogUnavailable):
        site.log.settle(event)
    assert not site.log.checkpoint_file.exists()
    site.signers[0].fault = None
    site.log.settle(event).verify([site.log.verifiers["sha256"]])


def test_old_backlog_is_worked_off_or_acts_are_refused(site, clock, monkeypatch):
    site.act()
    clock.advance(timedelta(seconds=29))
    site.act()
    assert site.waiting() == 2
    clock.advance(timedelta(seconds=2))
    site.act()  # nobody had run the jobs: the gate did
    assert site.waiting() == 1
    assert site.log.health().facts["signed"] == 2

    def broken():
        raise OSError

    monkeypatch.setattr(site.log._sequencer, "run", broken)
    clock.advance(timedelta(seconds=31))
    with pytest.raises(LogUnavailable) as refusal:
        site.act()
    assert refusal.value.facts["reason"] == "OSError"


def test_entered_but_unsigned_entries_are_a_backlog_too(site, clock):
    site.act()
    site.log.sequence()
    for signer in site.signers:
        signer.fault = "gone"
    clock.advance(timedelta(seconds=31))
    with pytest.raises(LogUnavailable):
        site.act()


def test_another_process_sees_the_backlog(site, clock, another):
    other = another()
    other.log.start()
    for signer in other.signers:
        signer.fault = "gone"
    site.act()
    clock.advance(timedelta(seconds=31))
    with pytest.raises(LogUnavailable):
        other.act()


def test_the_gate_asks_once_a_second(site, clock):
    statements = []

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def seen(*given):
        statements.append(given[2])

    try:
        for _ in range(10):
            site.log.gate()
        first = len(statements)
        assert first
        clock.advance(timedelta(seconds=1))
        site.log.gate()
        assert len(statements) == 2 * first
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", seen)


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"id":"x"}', b"\xff", b'"text"'])
def test_a_foreign_row_in_the_outbox_stops_the_log(site, clock, record, another):
    with site.engine.begin() as connection:
        connection.execute(sa.insert(OutboxRow).values(id="x", data=record))
    with pytest.raises(LogUnavailable) as refusal:
        site.log.sequence()
    assert isinstance(refusal.value.__cause__, UnreadableRecord)
    clock.advance(timedelta(seconds=2))
    with pytest.raises(LogUnavailable):
        site.act()
    # a process that comes later sees it as well
    other = another()
    other.log.start()
    with pytest.raises(LogUnavailable):
        other.act()


def test_nothing_is_refused_before_the_log_starts(another):
    site = another()
    site.create()
    site.act()  # the key centre's own acts come before the log's keys exist
    site.log.start()
    site.act()
    assert site.log.settle(site.act()).index == 2
