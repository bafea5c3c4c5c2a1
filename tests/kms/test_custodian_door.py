"""The door of a sealed installation: who comes, what she is told, and who finds nobody."""

import base64
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kms.custodians import door, wait
from kms.custodians.door import Door, NotUnderstood, visit
from kms.custodians.errors import (
    AlreadyWaiting,
    NobodyWaits,
    Sealed,
    SealedFileAltered,
    ShareInvalid,
    ShareTwice,
    StrangerAtTheDoor,
)
from kms.custodians.gather import Gathering
from kms.custodians.sealed import FILE
from kms.custodians.settings import CustodianSettings
from kms.custodians.source import CustodianSecrets
from kms.secrets import HSM_PIN
from yinxin.clock import ManualClock
from yinxin.errors import YinxinError

from .conftest import World
from .custodian_sets import KEY, START, a_set

pytestmark = pytest.mark.engines("any")


class Waiting:
    """A start that waits, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir(mode=0o700)
        (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
        self.folder, self.clock = folder, ManualClock(START)
        sealed, self.shares = a_set()
        sealed.write(folder / "secrets" / FILE)
        self.source = CustodianSecrets(folder / "secrets" / FILE)
        self.told: list[int] = []
        ready = threading.Event()

        def told(gathering: Gathering) -> None:
            self.told.append(gathering.missing)
            ready.set()

        arguments = (self.source, folder, CustodianSettings(), self.clock, told)
        self.thread = threading.Thread(target=wait.gather, args=arguments, daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def enter(self, words: str) -> dict[str, Any]:
        return visit(self.folder, {"do": "enter", "words": words})


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    made = Waiting(tmp_path)
    yield made
    for share in made.shares:
        if made.thread.is_alive():
            try:
                made.enter(share.words)
            except YinxinError:
                continue
    made.thread.join(10)
    assert not made.thread.is_alive()


def test_custodians_come_to_the_door(waiting: Waiting) -> None:
    assert visit(waiting.folder, {"do": "status"})["missing"] == 2
    entered = waiting.enter(waiting.shares[1].words)
    assert (entered["number"], entered["person"], entered["missing"]) == (2, "p-2", 1)
    with pytest.raises(ShareTwice, match="Share 2"):
        waiting.enter(waiting.shares[1].words)
    with pytest.raises(ShareInvalid, match="word 1"):
        waiting.enter("nonsense")
    with pytest.raises(Sealed) as refused:
        visit(waiting.folder, {"do": "key"})
    assert refused.value.facts["entered"] == 1
    with pytest.raises(AlreadyWaiting), Door(waiting.folder):
        pass
    waiting.enter(waiting.shares[2].words)
    waiting.thread.join(10)
    assert waiting.source.open
    assert waiting.told == [2, 1, 0]
    assert not (waiting.folder / door.DOOR).exists()
    with pytest.raises(NobodyWaits):
        visit(waiting.folder, {"do": "status"})


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"do": 1}',
        '{"do": "open"}',
        "x" * 9000,
        "[" * 65000,
    ],
    ids=lambda line: line[:16],
)
def test_what_is_no_request(waiting: Waiting, line: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(waiting.folder / door.DOOR))
        connection.sendall(line.encode() + b"\n")
        assert json.loads(connection.recv(4096))["code"] == NotUnderstood.code
    assert visit(waiting.folder, {"do": "status"})["missing"] == 2


def test_the_door_is_this_users(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without the question who comes; root, whom nothing keeps out, stands for the user here."""
    assert stat.S_IMODE((waiting.folder / door.DOOR).stat().st_mode) == 0o600
    monkeypatch.setattr(door.struct, "unpack", lambda *_: (1, 65534, 65534))
    with pytest.raises(StrangerAtTheDoor):
        visit(waiting.folder, {"do": "status"})


def test_a_door_that_a_kill_left_standing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(NobodyWaits):
        visit(tmp_path, {"do": "status"})
    with Door(tmp_path):
        os.link(tmp_path / door.DOOR, tmp_path / "left")
    (tmp_path / "left").rename(tmp_path / door.DOOR)
    with pytest.raises(NobodyWaits):
        visit(tmp_path, {"do": "status"})
    with Door(tmp_path):
        pass


def test_an_open_installation_serves_the_commands_of_its_user(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    sealed, _ = a_set()
    sealed.write(tmp_path / FILE)
    source = CustodianSecrets(tmp_path / FILE)
    source.unseal(KEY)
    thread = threading.Thread(target=wait.attend, args=(source, tmp_path), daemon=True)
    thread.start()
    while not (tmp_path / door.DOOR).exists():
        thread.join(0.01)
    assert visit(tmp_path, {"do": "status"})["state"] == "open"
    assert base64.b64decode(visit(tmp_path, {"do": "key"})["key"]) == KEY
    with pytest.raises(NotUnderstood):
        visit(tmp_path, {"do": "enter", "words": "x"})
    for key in ("é", "x", 7, None, ["a"]):  # Base64 is ASCII, and none of these ends the attendance
        with pytest.raises(NotUnderstood):
            visit(tmp_path, {"do": "renewed", "key": key})
    a_set(key=b"n" * 32, name="set-2")[0].write(tmp_path / FILE)
    with pytest.raises(SealedFileAltered):
        visit(tmp_path, {"do": "renewed", "key": base64.b64encode(KEY).decode()})
    visit(tmp_path, {"do": "renewed", "key": base64.b64encode(b"n" * 32).decode()})
    with source.read(HSM_PIN) as secret:
        assert secret.state == "custodians:set-2"


def test_shares_are_entered_once_for_all_processes(waiting: Waiting) -> None:
    """A second process waits for the first, takes its key, stands at the door after it, and hears of a renewal."""
    file = waiting.folder / "secrets" / FILE
    looks: list[float] = []

    def rest(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            assert waiting.told == [2], "the second one does not come to the door"
            for share in waiting.shares[:2]:
                waiting.enter(share.words)
            waiting.thread.join(10)
            thread = threading.Thread(target=wait.attend, args=(waiting.source, waiting.folder), daemon=True)
            thread.start()
            while not (waiting.folder / door.DOOR).exists():
                thread.join(0.01)

    second = CustodianSecrets(file)
    assert wait.opened_elsewhere(second, waiting.folder, rest)
    assert second.key() == KEY
    second.ask = lambda: base64.b64decode(visit(waiting.folder, {"do": "key"})["key"])
    a_set(key=b"n" * 32, name="set-2")[0].write(file)
    with pytest.raises(Sealed):
        second.read(HSM_PIN)  # the first one has not heard of it either
    visit(waiting.folder, {"do": "renewed", "key": base64.b64encode(b"n" * 32).decode()})
    with second.read(HSM_PIN) as secret:
        assert secret.state == "custodians:set-2"


def test_nobody_else_has_opened(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    looks: list[float] = []
    assert not wait.opened_elsewhere(CustodianSecrets(tmp_path / FILE), tmp_path, looks.append)
    assert len(looks) == 2, "somebody may be on the way to the door"


def test_who_opened_is_recorded_afterwards(world: World) -> None:
    sealed, shares = a_set()
    sealed.write(world.secrets / FILE)
    source = CustodianSecrets(world.secrets / FILE)
    gathering = Gathering(sealed, ManualClock(START), timedelta(hours=2))
    with pytest.raises(ShareInvalid):
        gathering.enter("nonsense")
    for share in shares[:2]:
        gathering.enter(share.words)
    source.unseal(gathering.key(), gathering)
    for _ in range(2):
        wait.record(world.store, source)
    tried = world.events("kms.enter-share")
    assert [each["outcome"] for each in tried] == ["refused", "done", "done"]
    assert [each["facts"]["person"] for each in tried[1:]] == ["p-1", "p-2"]
    assert [each["outcome"] for each in world.events("kms.unseal")] == ["done"]
