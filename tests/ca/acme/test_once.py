"""One order, one certificate: however many ask, whatever dies, and nothing stays in between."""

import json
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ca.acme.models import OrderRow
from tests.ca.acme.client import URN, problem, request_for
from tests.ca.acme.conftest import HOME, Desk
from tests.ca.acme.crasher import keep, killed, racing
from tests.ca.test_crash import is_revoked
from tests.support.forked import PROCESSES, run
from yinxin.crypto.jose import encode64
from yinxin.errors import Unavailable

NOT_READY = (403, f"{URN}orderNotReady")


def reference(order):
    return f"acme/{order['finalize'].split('/')[-2]}"


def test_64_at_once_get_one_certificate(desk):
    """Seen to fail when `_claim` does not compare the state: several certificates begun, all but one answer 500."""
    client = desk.client()
    url, order = desk.ready(client)
    requests = [request_for(order) for _ in range(64)]
    bodies = [client.signed(order["finalize"], {"csr": encode64(each)}) for each in requests]
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda body: client.send(order["finalize"], body), bodies))
    said = Counter((each.status_code, json.loads(each.data).get("type", "")) for each in answers)
    assert said == {(200, ""): 1, NOT_READY: 63}
    rows = desk.site.rows(reference=reference(order))
    assert [row.state for row in rows] == ["issued"]
    assert client.get(url)["status"] == "valid"


def test_processes_and_threads_get_one_certificate(opened, settings):
    """Two processes of 32 threads. Seen to fail as the one above."""
    desk = opened()
    client = desk.client()
    url, order = desk.ready(client)
    order["csr"] = [encode64(request_for(order)) for _ in range(8)]
    keep(client, desk.site.folder)
    desk.site.keys.close()
    barrier = PROCESSES.Barrier(2)
    processes = [
        PROCESSES.Process(
            target=racing,
            args=(desk.site.url, desk.site.folder, settings, order),
            kwargs={"barrier": barrier, "threads": 32},
        )
        for _ in range(2)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join(120)
    assert [each.exitcode for each in processes] == [0, 0]
    answers = [
        tuple(each) for file in desk.site.folder.glob("race.*") for each in json.loads(file.read_text())
    ]
    assert Counter(answers) == {(200, ""): 1, NOT_READY: 63}
    assert [row.state for row in desk.site.rows(reference=reference(order))] == ["issued"]
    assert desk.site.rows(state="intent") == []
    with desk.site.store.read() as session:
        assert session.get(OrderRow, url.rpartition("/")[2]).state == "valid"


@pytest.mark.parametrize(
    "step",
    [
        "ca.acme-finalize.2-claimed",
        "ca.issue.2-linted",
        "ca.issue.3-intended",
        "ca.issue.4-signed",
        "ca.issue.5-stored",
        "ca.acme-finalize.3-issued",
    ],
)
def test_a_finalization_killed_at_any_step(founded, settings, web, names, step):
    """Seen to fail when `_concluded` is left out: after 5-stored a certificate is issued, and its order is invalid."""
    desk = Desk(founded(acme=settings), web, names)
    client = desk.client()
    url, order = desk.ready(client)
    folder = desk.site.folder
    (folder / "csr").write_bytes(request_for(order))
    keep(client, folder)
    desk.site.keys.close()
    assert run(killed, desk.site.url, folder, settings, order, step) == -signal.SIGKILL

    desk = Desk(founded(acme=settings), web, names)
    again = desk.client(registered=False, key=client.key)
    again.kid = client.kid
    done = step in ("ca.issue.5-stored", "ca.acme-finalize.3-issued")
    assert again.get(url)["status"] == ("valid" if done else "processing")
    problem(again.finalize(order), "orderNotReady", 403)
    desk.site.clock.advance(timedelta(seconds=61))
    if step == "ca.issue.4-signed":
        desk.acme.settle()  # the job came first; else whoever looks does
    found = again.get(url)
    rows = desk.site.rows(reference=reference(order))
    if done:
        assert found["status"] == "valid"
        assert [row.state for row in rows] == ["issued"]
        assert again.post(found["certificate"], None).status_code == 200
        return
    assert (found["status"], found["error"]["type"]) == ("invalid", f"{URN}serverInternal")
    assert {row.state for row in rows} <= {"abandoned"}
    for row in rows:
        is_revoked(desk.site, row.serial)
    _, next_order = again.order(HOME)
    assert next_order["status"] == "ready", "what was proved stays proved"
    assert again.finalize(next_order).status_code == 200


def test_a_process_that_was_only_slow_hands_nothing_out(desk, monkeypatch):
    """Its order failed while it slept. Seen to fail when `_concluded` does not look at the state."""
    from ca.issue import sign

    def late(prepared, issuer):
        desk.site.clock.advance(timedelta(seconds=61))
        desk.acme.settle()
        return sign(prepared, issuer)

    client = desk.client()
    url, order = desk.ready(client)
    monkeypatch.setattr("ca.issue.sign", late)
    answer = client.finalize(order)
    problem(answer, "serverInternal", 500)
    assert client.get(url)["status"] == "invalid"
    rows = desk.site.rows(reference=reference(order))
    assert [row.state for row in rows] == ["abandoned"]
    is_revoked(desk.site, rows[0].serial)


def test_without_the_security_module_the_order_fails_and_says_so(desk, monkeypatch):
    class Dead(Unavailable):
        code = "acme_test.dead"
        zh = "密码设备没有应答。"
        en = "The security module does not answer."

    def dead(*_):
        raise Dead

    client = desk.client()
    url, order = desk.ready(client)
    monkeypatch.setattr("ca.issue.sign", dead)
    answer = client.finalize(order)
    problem(answer, "serverInternal", 503)
    assert answer.headers["Retry-After"]
    found = client.get(url)
    assert (found["status"], found["error"]["type"]) == ("invalid", f"{URN}serverInternal")
    assert desk.site.rows(reference=reference(order), state="issued") == []
    monkeypatch.undo()
    assert client.finalize(client.order(HOME)[1]).status_code == 200


def test_a_fault_of_ours_leaves_the_order_invalid(desk, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("a fault")

    client = desk.client()
    url, order = desk.ready(client)
    monkeypatch.setattr("ca.issue.sign", broken)
    answer = client.finalize(order)
    assert "a fault" not in problem(answer, "serverInternal", 500)["detail"]
    assert "a fault" in caplog.text
    assert client.get(url)["status"] == "invalid"


def test_a_spent_credential_ends_the_order(desk):
    desk.grant(uses=1)
    client = desk.client()
    one, other = desk.ready(client), desk.ready(client, "b.example.gov.cn")
    assert client.finalize(one[1]).status_code == 200
    problem(client.finalize(other[1]), "unauthorized", 403)
    assert len(desk.site.rows(requested_by=f"credential:{desk.kid}", state="issued")) == 1
