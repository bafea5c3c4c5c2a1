"""Operational logs to an agent: each line received or counted as dropped, and nobody waits for it.

Seen to fail when: the overflow of the library's buffer is not counted; the queue is waited for; the drops are not kept.
"""

import logging
import socket
import time
from datetime import timedelta

import pytest

from audit.forward.operational import OperationalLogs
from audit.forward.settings import OperationalSettings
from tests.support.fluent import Receiver
from tests.support.network import free_port

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def logger():
    logger = logging.getLogger("yinxin.test")
    logging.getLogger("yinxin").setLevel(logging.DEBUG)
    logging.getLogger("yinxin").propagate = False
    yield logger
    logging.getLogger("yinxin").propagate = True


def test_lines_arrive_with_level_and_exact_time(logger, tmp_path):
    with Receiver(tmp_path / "received.jsonl") as agent:
        logs = OperationalLogs(OperationalSettings(host="127.0.0.1", port=agent.port), "a.example/log")
        logs.start()
        logs.start()  # once is enough
        logger.info("印信 %s", "ready")
        logger.debug("not sent")
        try:
            int("x")
        except ValueError:
            logger.exception("failed")
        logs.close()
        logger.info("after the end")
    (tag, at, first), (_, _, second) = agent.lines()
    assert (tag, first["message"], first["level"], first["site"]) == (
        "yinxin.log",
        "印信 ready",
        "INFO",
        "a.example/log",
    )
    assert abs(at[0] - time.time()) < 60
    assert at[1] % 1000 == 0
    assert "ValueError: invalid literal" in second["exception"]
    assert logs.take_dropped() == 0


def test_without_an_agent_nothing_is_held(logger):
    logs = OperationalLogs(OperationalSettings(), "a.example/log")
    before = list(logging.getLogger("yinxin").handlers)
    logs.start()
    assert logging.getLogger("yinxin").handlers == before
    logs.close()


def test_every_line_is_received_or_counted(logger, tmp_path):
    """The agent is down for a while: the buffer overflows, and what it held is counted line by line."""
    agent = Receiver(tmp_path / "received.jsonl")
    settings = OperationalSettings(host="127.0.0.1", port=agent.port, buffer=1024)
    logs = OperationalLogs(settings, "a.example/log")
    logs.start()
    for number in range(200):
        logger.info("line %d", number)
    while not logs._queue.empty():
        time.sleep(0.001)
    agent.start()
    logger.info("the last")
    logs.close()
    agent.stop()
    received = [each["message"] for each in agent.events()]
    dropped = logs.take_dropped()
    assert dropped > 150
    assert received[-1] == "the last"
    assert len(received) + dropped == 201


def test_nobody_waits_for_an_agent_that_hangs(logger):
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    try:
        settings = OperationalSettings(host="127.0.0.1", port=listener.getsockname()[1], waiting=10)
        logs = OperationalLogs(settings, "a.example/log")
        thread = logs._thread
        assert thread is None
        # no thread takes anything: as when the agent has stopped it
        began = time.monotonic()
        for _ in range(500):
            logs.put(0.0, {"message": "x"})
        assert time.monotonic() - began < 1
        assert logs.take_dropped() == 490
    finally:
        listener.close()


def test_drops_are_kept_for_the_machine_and_alarmed_once_an_hour(another, clock):
    site = another(forward={"operational": {"host": "127.0.0.1", "port": free_port()}})
    site.create()
    site.log.start()

    def alarms():
        site.log.sequence()
        return [
            each.fields()["facts"]["dropped"]
            for each in site.log.entries()
            if each.verb == "audit.copies-alarm"
        ]

    for count in (3, 4):
        site.log.forward.operational._drop(count)
        site.log.forward.tick()
    site.log.forward.tick()
    assert alarms() == [3]
    (dropped,) = site.log.forward.facts()["operational"]["dropped"].values()
    assert dropped["dropped"] == 7
    clock.advance(timedelta(hours=1))
    site.log.forward.operational._drop(1)
    site.log.forward.tick()
    assert alarms() == [5, 3]  # what came since the last one
