"""Making and renewing a set of custodians; no secret is lost by a crash between."""

import json
import os
import signal
import stat
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kms.custodians.cli import group
from kms.custodians.errors import (
    BadCustodians,
    CustodiansExist,
    NobodyWaits,
    NothingToSeal,
    Sealed,
    ShareForeign,
)
from kms.custodians.gather import Gathering
from kms.custodians.make import Making, Wanted
from kms.custodians.sealed import FILE, Custodian, SealedSet
from kms.custodians.shares import Share
from kms.custodians.source import CustodianSecrets
from kms.module import MODULE
from kms.secrets import HSM_PIN, HSM_SO_PIN, SecretFiles, SecretsSettings, Sources
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.clock import ManualClock
from yinxin.errors import YinxinError
from yinxin.steps import listen

from .conftest import OFFICER, World
from .custodian_sets import START

pytestmark = pytest.mark.engines("any")


class Site:
    """A world whose secrets are sealed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.file = world.secrets / FILE
        self.making = Making(world.store, world.decider, SecretFiles(world.secrets), self.file)
        self.words: list[list[str]] = []

    def hand(self) -> Any:
        """Gives shares to custodians of a new set."""
        self.words.append([])
        return lambda _custodian, share: self.words[-1].append(share.words)

    def opens(self, words: list[str]) -> bool:
        """Whether these words open what lies in the file now."""
        gathering = Gathering(SealedSet.load(self.file), ManualClock(START), timedelta(hours=2))
        try:
            for each in words[:2]:
                gathering.enter(each)
            return HSM_PIN in gathering.sealed.open(gathering.key(), self.file)
        except YinxinError:
            return False


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def test_a_set_is_made_and_recorded_and_no_word_of_it(site: Site) -> None:
    sealed, _ = site.making.make(OFFICER, Wanted(2, 3, ("p-1", "p-2", "p-3")), site.hand())
    events = site.world.events("kms.make-custodians")
    assert [(each["outcome"], each["subject"]) for each in events] == [
        ("intent", f"custodians:{sealed.set}"),
        ("done", f"custodians:{sealed.set}"),
    ]
    assert events[0]["facts"]["people"] == ["p-1", "p-2", "p-3"]
    assert events[1]["facts"]["secrets"] == [HSM_PIN, HSM_SO_PIN]
    pin = (site.world.secrets / HSM_PIN).read_text().strip()
    said = json.dumps(events) + site.file.read_text()
    assert pin not in said
    assert not any(words in said for words in site.words[0])
    assert site.opens(site.words[0])
    assert sorted(path.name for path in site.world.secrets.iterdir()) == [
        ".custodians-lock",
        FILE,
        HSM_PIN,
        HSM_SO_PIN,
    ]


def test_the_token_opens_with_what_was_sealed(site: Site) -> None:
    _, key = site.making.make(SYSTEM, Wanted(2, 2), site.hand())
    world = site.world
    for name in (HSM_PIN, HSM_SO_PIN):
        (world.secrets / name).unlink()
    settings = SecretsSettings.model_validate({"source": "custodians"})
    sources = Sources(settings, SecretFiles(world.secrets), CustodianSecrets(site.file))
    world.source = sources
    centre = world.restarted()
    with pytest.raises(Sealed):
        centre.token.open()
    assert centre.health().facts["error"] == "kms.sealed"
    assert MODULE.backup is not None
    assert site.file in MODULE.backup(centre), "shares open nothing without it"
    sources.sealed.unseal(key)
    centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")


def test_what_cannot_be_made_changes_nothing(site: Site) -> None:
    for wanted in (
        Wanted(1, 3),
        Wanted(4, 3),
        Wanted(2, 17),
        Wanted(2, 3, ("p-1",)),
        Wanted(2, 2, ("p-1", "p-1")),
    ):
        with pytest.raises(BadCustodians):
            site.making.make(OFFICER, wanted, site.hand())
    site.world.decider.allowed = lambda *_: False
    with pytest.raises(Denied):
        site.making.make(OFFICER, Wanted(2, 3), site.hand())
    site.world.decider.allowed = lambda *_: True
    assert not site.file.exists()
    assert {each["outcome"] for each in site.world.events("kms.make-custodians")} == {"refused"}
    site.making.make(OFFICER, Wanted(2, 3), site.hand())
    with pytest.raises(CustodiansExist):
        site.making.make(OFFICER, Wanted(2, 3), site.hand())
    assert site.opens(site.words[-2])


def test_nothing_to_seal(site: Site) -> None:
    for name in (HSM_PIN, HSM_SO_PIN):
        (site.world.secrets / name).unlink()
    with pytest.raises(NothingToSeal):
        site.making.make(OFFICER, Wanted(2, 3), site.hand())


def test_a_custodian_who_does_not_take_her_share(site: Site) -> None:
    def leaves(custodian: Custodian, _share: Share) -> None:
        if custodian.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        site.making.make(OFFICER, Wanted(2, 3), leaves)
    assert not site.file.exists()
    assert [each["outcome"] for each in site.world.events("kms.make-custodians")] == ["intent", "failed"]


def test_renewing_voids_the_old_shares_and_takes_what_lies_in_files(site: Site) -> None:
    _, key = site.making.make(OFFICER, Wanted(2, 3), site.hand())
    (site.world.secrets / HSM_PIN).unlink()
    (site.world.secrets / "database-password").touch(0o600)
    (site.world.secrets / "database-password").write_text("new")
    sealed, key = site.making.renew(OFFICER, Wanted(2, 2), key, site.hand())
    assert not site.opens(site.words[0])
    assert site.opens(site.words[1])
    assert sorted(sealed.open(key, site.file)) == ["database-password", HSM_PIN, HSM_SO_PIN]
    assert [each["outcome"] for each in site.world.events("kms.renew-custodians")] == ["intent", "done"]


STEPS = ("1-intended", "2-handed-out", "3-in-force", "4-recorded")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("renewing", [False, True], ids=["make", "renew"])
def test_killed_between_two_steps(site: Site, tmp_path: Path, step: str, renewing: bool) -> None:
    """Either the old shares open the file or the new ones; the record says which, once the next making finishes it."""
    key = site.making.make(OFFICER, Wanted(2, 3), site.hand())[1] if renewing else b""
    new = tmp_path / "new"
    site.world.store.engine.dispose()
    child = os.fork()
    if child == 0:
        listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name.endswith(step) else None)

        def hand(_custodian: Custodian, share: Share) -> None:
            with new.open("a") as stream:
                stream.write(share.words + "\n")

        if renewing:
            site.making.renew(OFFICER, Wanted(2, 3), key, hand)
        else:
            site.making.make(OFFICER, Wanted(2, 3), hand)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    words = new.read_text().splitlines() if new.exists() else []
    in_force = step in STEPS[2:]
    assert site.file.exists() == (renewing or in_force)
    if site.file.exists():
        assert site.opens(words) == in_force
    if renewing:
        assert site.opens(site.words[0]) != in_force
    site.making.finish(SYSTEM)
    site.making.finish(SYSTEM)
    verb = "kms.renew-custodians" if renewing else "kms.make-custodians"
    outcomes = [each["outcome"] for each in site.world.events(verb)]
    assert outcomes[0] == "intent"
    assert set(outcomes[1:]) == {"done" if in_force else "failed"}
    if not site.file.exists():
        site.making.make(OFFICER, Wanted(2, 3), site.hand())
        assert site.opens(site.words[-1])


# --- the commands ---


class Command:
    """The commands as `yinxin` runs them."""

    def __init__(self, site: Site) -> None:
        self.site, self.folder = site, site.world.root
        (self.folder / "run").mkdir(mode=0o700)
        directory = SimpleNamespace(person=self._person)
        self.platform = SimpleNamespace(custodians=site.making, authz=SimpleNamespace(directory=directory))
        self.keys: list[bytes] = []

    def _person(self, name: str) -> None:
        if name == "p-nobody":
            raise Denied(action="x", resource="y", reason="z")

    def run(self, *words: str | Path, typed: str = "") -> Result:
        context = SimpleNamespace(
            platform=lambda: self.platform,
            actor=lambda: OFFICER,
            folder=lambda: self.folder,
            unseal=self.keys.append,
        )
        return CliRunner().invoke(group, [str(each) for each in words], obj=context, input=typed)


def test_the_way_of_a_set_by_commands(site: Site, tmp_path: Path) -> None:
    command, out = Command(site), tmp_path / "print"
    people = [word for name in ("p-1", "p-2", "p-3") for word in ("--person", name)]
    made = command.run("init", "--threshold", "2", "--shares", "3", *people, "--out", out, "--json")
    assert made.exit_code == 0, made.output
    said = json.loads(made.output)
    assert [each["person"] for each in said["custodians"]] == ["p-1", "p-2", "p-3"]
    assert said["plain"] == [HSM_PIN, HSM_SO_PIN]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    words = [Path(file).read_text() for file in said["files"]]
    assert all(stat.S_IMODE(Path(file).stat().st_mode) == 0o600 for file in said["files"])
    assert not any(text.splitlines()[1] in made.output for text in words)

    state = json.loads(command.run("status", "--json").output)
    assert (state["state"], state["set"]) == ("stopped", said["set"])
    for typed in (words[0], ""):  # nobody is asked for words that nobody waits for
        assert isinstance(command.run("enter", typed=typed).exception, NobodyWaits)

    again = command.run(
        "renew",
        "--threshold",
        "2",
        "--shares",
        "2",
        "--out",
        tmp_path / "new",
        "--json",
        typed=words[2] + words[0],
    )
    assert again.exit_code == 0, again.output
    assert json.loads(again.output)["set"] != said["set"]
    assert len(command.keys) == 2
    void = command.run("renew", "--threshold", "2", "--shares", "2", "--out", tmp_path / "x", typed=words[1])
    assert isinstance(void.exception, ShareForeign)


def test_shares_are_not_shown_but_on_a_terminal(site: Site) -> None:
    said = Command(site).run("init", "--threshold", "2", "--shares", "3")
    assert said.exit_code == 2
    assert "--out" in said.output
    assert not site.file.exists()


def test_nobody_holds_a_share_whom_the_directory_does_not_know(site: Site, tmp_path: Path) -> None:
    command = Command(site)
    words = ("--person", "p-1", "--person", "p-nobody", "--out", tmp_path / "out")
    assert isinstance(command.run("init", "--threshold", "2", "--shares", "2", *words).exception, Denied)
    assert not site.file.exists()


def test_no_command_takes_words_as_an_argument() -> None:
    for name, command in group.commands.items():
        assert not [each for each in command.params if each.param_type_name == "argument"], name
        assert not [each for each in command.params if each.name in ("words", "share")], name
