"""`kill -9` of the serving processes in the middle of acts: what was acknowledged is there once, the rest once or not.

Seen to fail when: drafting does not look for its reference first; `once` does not keep its answer.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from apps.document.models import Document
from tests.crash.books import balance
from tests.laws.province import opened
from tests.laws.serving import Served
from yinxin.client.errors import Unreachable
from yinxin.errors import Conflict, YinxinError

TEXT = """# 关于做好网络安全值守工作的通知

各单位:

请按照职责分工做好网络安全值守工作,发现情况及时报告。
"""
THREADS = 8
#: acknowledged acts before the next kill
BETWEEN = 12
KILLS = 3
TRIES = 20


@dataclass
class Told:
    """What the threads were told; references to documents, and what was acknowledged of them."""

    drafted: dict[str, str] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    #: idempotency key → (form, answer)
    keyed: dict[str, tuple[str, str]] = field(default_factory=dict)
    unsure: dict[str, str] = field(default_factory=dict)
    faults: list[BaseException] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    @property
    def acknowledged(self) -> int:
        return len(self.drafted) + len(self.submitted) + len(self.keyed)


def by_client(server: Served, file: Path, told: Told, thread: int) -> None:
    """Draft and submit through the kit's client, which keeps its key over its own tries."""
    with server.client("demo-clerk") as clerk:
        count = 0
        while not told.enough.is_set():
            reference = f"client-{thread}-{count}"
            told.tried.add(reference)
            try:
                told.drafted[reference] = clerk.documents.draft(
                    file, reference=reference, recipients=["city-jia"]
                )
                clerk.documents.submit(told.drafted[reference])
                told.submitted.add(reference)
            except Unreachable:
                continue  # the same reference again, under a new key
            except Conflict as error:
                # submitted by a try whose answer was lost, or by one whose key is still held
                if error.code not in {"flow.wrong_state", "request.answer_lost", "request.under_way"}:
                    raise
            count += 1


def send(http: httpx.Client, token: str, key: str, form: str) -> httpx.Response:
    """Again where the server says that it may be tried again: right after a crash the database is being put in order."""
    for _ in range(TRIES):
        answer = http.post(
            "/api/document/v1/documents",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
            data={"body": form},
            files={"content": ("a.md", TEXT.encode(), "application/octet-stream")},
        )
        if answer.status_code != 503:
            break
        time.sleep(0.5)
    return answer


def by_key(server: Served, token: str, told: Told, thread: int) -> None:
    """Draft by hand, one key each, no second try: what was not answered is unsure."""
    count = 0
    with server.http() as http:
        while not told.enough.is_set():
            key = f"key-{thread}-{count}"
            form = json.dumps({"reference": key, "kind": "NOTICE", "recipients": ["city-jia"]})
            told.tried.add(key)
            try:
                response = send(http, token, key, form)
            except httpx.TransportError:
                told.unsure[key] = form
                time.sleep(0.2)
            else:
                assert response.status_code == 201, response.text
                told.keyed[key] = (form, response.json()["id"])
            count += 1


def guarded(told: Told, work: object, *arguments: object) -> threading.Thread:
    def carry_out() -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - reported by the test
            told.faults.append(error)

    thread = threading.Thread(target=carry_out)
    thread.start()
    return thread


def test_kill_9_of_the_server_in_the_middle_of_acts(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(TEXT, "utf-8")
    told = Told()
    with Served(folder, "authz.attempts_per_minute=600") as server:
        with server.client("demo-clerk") as clerk:
            token = clerk.sign_in()
        threads = [
            guarded(told, by_client, server, file, told, number)
            if number % 2
            else guarded(told, by_key, server, token, told, number)
            for number in range(THREADS)
        ]
        try:
            for _ in range(KILLS):
                goal, deadline = told.acknowledged + BETWEEN, time.monotonic() + 90
                while told.acknowledged < goal and not told.faults:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                server.kill()
                server.start()
        finally:
            told.enough.set()
            for thread in threads:
                thread.join(90)
        if told.faults:
            raise told.faults[0]
        assert told.unsure, "no request was cut off: the kills came at the wrong moments"
        keys_hold(server, token, told)
    everything_is_there_once(folder, told)


def keys_hold(server: Served, token: str, told: Told) -> None:
    """Acknowledged: the same answer again. Not acknowledged: done now, or said to be done, or still held."""
    with server.http() as http:
        for key, (form, document) in told.keyed.items():
            again = send(http, token, key, form)
            assert (again.status_code, again.json()["id"]) == (201, document)
            assert again.headers["Idempotency-Replayed"] == "true"
        for key, form in told.unsure.items():
            again = send(http, token, key, form)
            if again.status_code != 201:
                assert again.status_code == 409, server.log.read_text("utf-8")[-6000:]
                assert again.json()["code"] in {"request.answer_lost", "request.under_way"}
        key, (form, _) = next(iter(told.keyed.items()))
        other = send(http, token, key, form.replace("city-jia", "dept-health"))
        assert (other.status_code, other.json()["code"]) == (422, "request.idempotency_key_reused")


def everything_is_there_once(folder: Path, told: Told) -> None:
    with opened(folder) as platform:
        balance(platform)
        with platform.store.read() as session:
            rows = {row.reference: row for row in session.scalars(sa.select(Document))}
    for reference, document in told.drafted.items():
        assert rows[reference].id == document
    for key, (_, document) in told.keyed.items():
        assert rows[key].id == document
    assert {rows[reference].state for reference in told.submitted} == {"in_review"}
    assert set(rows) <= told.tried


def test_a_worker_that_dies_alone_is_replaced(folder: Path) -> None:
    """The serving process is killed, not its parent: the next one opens the token anew and answers."""
    import signal
    import subprocess

    with Served(folder) as server:
        parent = server.where["pid"]
        found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=True)
        (worker,) = found.stdout.split()
        import os

        os.kill(int(worker), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while True:
            try:
                with server.client("demo-clerk") as clerk:
                    assert clerk.authz.whoami().person == "demo-clerk"
                break
            except YinxinError:
                assert time.monotonic() < deadline, server.log.read_text("utf-8")
                time.sleep(0.2)


@pytest.mark.slow
def test_kill_9_again_and_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.crash.test_server.KILLS", 12)
    test_kill_9_of_the_server_in_the_middle_of_acts(folder, tmp_path)
