"""kill -9 at every step of the exchange: each message arrives once, in order, receipted, and nothing is lost."""

import json
import signal

import pytest
import sqlalchemy as sa

from tests.exchange import driver
from tests.exchange.sites import copied
from tests.laws.province import template
from tests.support.forked import run
from yinxin.store import open_engine

pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]
__all__ = ["template"]
STEPS = {
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
}


def test_killed_at_every_step(template, tmp_path):
    for site in ("jia.example", "yi.example"):
        copied(template, tmp_path, site)
    seen = tmp_path / "seen"
    for _ in range(len(STEPS) + 2):
        code = run(driver.dying, tmp_path, seen, seconds=240)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert set(seen.read_text("utf-8").split()) == STEPS
    for site, other in (("jia.example", "yi.example"), ("yi.example", "jia.example")):
        engine = open_engine(f"sqlite:///{tmp_path / site / 'yinxin.db'}")
        with engine.connect() as connection:
            rows = connection.execute(
                sa.text(
                    "SELECT direction, seq, kind, state, object FROM exchange_message ORDER BY direction, seq"
                )
            ).all()
            events = connection.execute(sa.text("SELECT data FROM audit_entry")).scalars().all()
            events += connection.execute(sa.text("SELECT data FROM outbox")).scalars().all()
        engine.dispose()
        said = [json.loads(each) for each in events]
        taken = [
            each["facts"]["taken"]
            for each in said
            if each["verb"] == "exchange.deliver"
            and each["outcome"] == "done"
            and "taken" in each.get("facts", {})
        ]
        assert taken == list(range(driver.NUMBER)), (site, taken)
        for direction, state in (("out", "received"), ("in", "delivered")):
            mine = [row for row in rows if row.direction == direction]
            assert [row.seq for row in mine] == list(range(1, len(mine) + 1))
            assert {row.state for row in mine} == {state}
            assert [row.object for row in mine if row.kind == "test"] == [
                f"document:{n}" for n in range(driver.NUMBER)
            ]
        assert other
