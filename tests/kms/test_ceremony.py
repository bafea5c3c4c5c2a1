"""The key centre's ceremonies: tokens and first keys from a reviewed file, and a fresh token in the place of a lost one."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kms.ceremony import Done, PreparePlan, ReplacePlan, conduct, read_plan, rehearse
from kms.ceremony.cli import group
from kms.ceremony.errors import (
    CopyDiffers,
    CopyMissing,
    KeyCeremonyUnfinished,
    KeyPlanRefused,
    KeyProposalNeeded,
    KeysExist,
    NoVault,
    TokenDiffers,
    TokenNotEmpty,
    VaultAltered,
    VaultNeeded,
)
from kms.ceremony.models import CopyRow, VaultRow
from kms.ceremony.proposal import CeremonyContent
from kms.ceremony.replace import check_replacing
from kms.ceremony.vault import TypedPin
from kms.engine import KeyReference
from kms.engine.mirror import MirroredEngine
from kms.models import Place
from yinxin.act import SYSTEM
from yinxin.proposal import Approved
from yinxin.steps import listen

from .conftest import OFFICER, World
from .test_keyring_crash import PROCESSES

pytestmark = pytest.mark.engines("any")

PLANS = Path(__file__).parents[2] / "kms" / "plans"
PIN = b"of those who brought it"
KEYS = ({"label": "kek-1", "purpose": "kek", "algorithm": "aes-256"}, {"label": "root", "purpose": "ca", "algorithm": "ecdsa-p256"}, {"label": "log", "purpose": "log", "algorithm": "sm2"})  # fmt: skip
MIRRORED: dict[str, Any] = {"mirror": [{}]}


def prepare_plan(**fields: Any) -> PreparePlan:
    return PreparePlan.model_validate(
        {"kind": "prepare", "title": "the first", "token": {"label": "yinxin"}, "key": KEYS} | fields
    )


def with_vault(**fields: Any) -> PreparePlan:
    return prepare_plan(mirror={"label": "yinxin-2"}, vault={"label": "vault"}, **fields)


def replace_plan(member: int = 1, **fields: Any) -> ReplacePlan:
    label = ("yinxin", "yinxin-2")[member]
    given = {"kind": "replace", "title": "a new one", "member": member, "token": {"label": label}}
    return ReplacePlan.model_validate(given | {"vault": {"label": "vault"}} | fields)


def approved(plan: ReplacePlan) -> Approved[Any]:
    return Approved("p" * 26, "0" * 64, CeremonyContent(plan=plan), OFFICER, ())


def hold(world: World, plan: ReplacePlan, pin: bytes = PIN) -> Done:
    return conduct(world.centre, OFFICER, plan, pin=TypedPin(pin), approved=approved(plan))


def bare(root: Path, **settings: Any) -> World:
    world = World(f"sqlite:///{root / 'test.sqlite'}", root)
    world.restarted(**settings)
    return world


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An installation without a token."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    world = bare(tmp_path)
    yield world
    world.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror with a vault, whose first ceremony was held: the dear part, done once."""
    root = tmp_path_factory.mktemp("prepared")
    world = bare(root, **MIRRORED)
    conduct(world.centre, SYSTEM, with_vault(), pin=TypedPin(PIN))
    world.close()
    return root


@pytest.fixture
def site(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    world = bare(tmp_path, **MIRRORED)
    yield world
    world.close()


@pytest.fixture
def unrehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the dry run, which has a test of its own and costs a token."""
    monkeypatch.setattr(sys.modules["kms.ceremony.conduct"], "rehearse", lambda *_: {})


def lose(world: World, member: int) -> Path:
    """The token is gone; where a copy of it lies, for what only it can show."""
    folder = world.folder / "mirror-1" if member else world.folder
    world.centre.close()
    shutil.move(folder / "tokens", world.root / "lost")
    return world.root / "lost"


def only(world: World, member: int) -> Any:
    """The one token, asked by itself."""
    engine = world.centre.engine
    assert isinstance(engine, MirroredEngine)
    return engine.members[member]


# --- the plan ---


@pytest.mark.parametrize("name", ["embedded", "mirrored", "replace"])
def test_the_plans_that_come_with_it(name: str) -> None:
    assert len(read_plan(PLANS / f"{name}.toml").digest) == 64


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("not toml", "plan.toml"),
        ('kind = "destroy"', "*"),
        ('kind = "prepare"\ntitle = "x"\ntoken = { label = "t" }', "key"),
        ('kind = "prepare"\ntitle = "x"\ntoken = { label = "t" }\nvault = { label = "v" }\nkey = [{ label = "a", purpose = "ca", algorithm = "sm2" }]', "*"),
        ('kind = "prepare"\ntitle = "x"\ntoken = { label = "t" }\nkey = [{ label = "a", purpose = "ca", algorithm = "rot13" }]', "key.0"),
        ('kind = "prepare"\ntitle = "x"\ntoken = { label = "t" }\nkey = [{ label = "A", purpose = "ca", algorithm = "sm2" }]', "key.0"),
        ('kind = "replace"\ntitle = "x"\nmember = 2', "member"),
    ],
)  # fmt: skip
def test_a_plan_that_says_too_little_or_too_much(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(KeyPlanRefused) as refused:
        read_plan(tmp_path / "plan.toml")
    assert refused.value.facts["field"] == field


def test_a_rehearsal_leaves_nothing(empty: World) -> None:
    before = sorted(path.name for path in empty.root.iterdir())
    where = rehearse(empty.centre.settings, prepare_plan())
    assert where == {"kek-1": "hsm", "root": "hsm", "log": "wrapped"}
    for wrong in (prepare_plan(token={"label": "other"}), with_vault()):
        with pytest.raises(KeyPlanRefused):
            rehearse(empty.centre.settings, wrong)
    assert sorted(path.name for path in empty.root.iterdir()) == before
    assert empty.events() == []


# --- the first ---


@pytest.mark.usefixtures("unrehearsed")
def test_the_first_keys_are_made_from_the_plan_and_once(empty: World) -> None:
    done = conduct(empty.centre, SYSTEM, prepare_plan())
    assert done.keys == {"kek-1": "hsm", "root": "hsm", "log": "wrapped"}
    assert done.tokens == {"0": empty.centre.engine.facts().serial}
    assert [each["outcome"] for each in empty.events("kms.ceremony")] == ["intent", "done"]
    held = {each.label: each.id for each in empty.centre.register()}
    assert conduct(empty.centre, SYSTEM, prepare_plan()).keys == done.keys
    assert {each.label: each.id for each in empty.centre.register()} == held
    with pytest.raises(KeysExist, match="root"):
        conduct(empty.centre, SYSTEM, prepare_plan(title="another"))
    assert empty.events("kms.ceremony")[-1]["error"] == KeysExist.code
    assert empty.centre.generations.get(1).label == "kek-1"
    assert empty.centre.health().ok


@pytest.mark.usefixtures("unrehearsed")
def test_a_token_with_keys_of_others_is_not_written_to(world: World) -> None:
    world.centre.token.make_key(KeyReference("theirs", "ecdsa-p256", b"theirs"))
    with pytest.raises(TokenNotEmpty):
        conduct(world.centre, SYSTEM, prepare_plan())
    assert world.centre.register() == []
    with pytest.raises(KeyCeremonyUnfinished):
        conduct(world.centre, SYSTEM, prepare_plan(title="another"))
    world.centre.token.destroy(KeyReference("theirs", "ecdsa-p256", b"theirs"))
    conduct(world.centre, SYSTEM, prepare_plan(title="another", instead_of=prepare_plan().digest))
    assert len(world.centre.register()) == 3
    with pytest.raises(KeyPlanRefused, match="instead_of"):
        conduct(world.centre, SYSTEM, prepare_plan(title="a third", instead_of="0" * 64))


@pytest.mark.usefixtures("unrehearsed")
def test_the_token_is_the_one_that_was_reviewed(world: World) -> None:
    with pytest.raises(TokenDiffers, match="0000000000000000"):
        conduct(world.centre, SYSTEM, prepare_plan(token={"label": "yinxin", "serial": "0" * 16}))


def killed(world: World, step: str, act: Callable[[World], object], **settings: Any) -> None:
    """Run `act` in a process that dies by its own hand at `step`."""
    world.centre.close()
    world.store.engine.dispose()

    def child() -> None:
        listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        act(bare(world.root, **settings))
        os._exit(3)

    process = PROCESSES.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{step} was not reached"
    world.restarted(**settings)


_SLOW = [pytest.param(each, marks=pytest.mark.slow) for each in ("kms.ceremony.2-intended", "kms.ceremony.3-vault", "kms.ceremony.3-held")]  # fmt: skip


@pytest.mark.usefixtures("unrehearsed")
@pytest.mark.parametrize("step", ["kms.create.2-made", *_SLOW])
def test_the_first_killed_between_two_steps(empty: World, step: str) -> None:
    killed(empty, step, lambda there: conduct(there.centre, SYSTEM, prepare_plan()))
    conduct(empty.centre, SYSTEM, prepare_plan())
    assert sorted(each.label for each in empty.centre.register()) == ["kek-1", "log", "root"]
    assert len(empty.centre.engine.inventory()) == 2
    assert [each["outcome"] for each in empty.events("kms.ceremony")] == ["intent", "intent", "done"]


# --- the vault, and a token that was lost ---


def copies(world: World) -> set[str]:
    with world.store.read() as session:
        return set(session.scalars(sa.select(CopyRow.id)))


def test_a_vault_needs_its_pin(empty: World) -> None:
    empty.restarted(**MIRRORED)
    with pytest.raises(VaultNeeded):
        conduct(empty.centre, SYSTEM, with_vault())
    assert empty.events("kms.ceremony")[-1]["outcome"] == "refused"


@pytest.mark.parametrize("member", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_fresh_token_takes_the_place_of_a_lost_one(site: World, member: int) -> None:
    secret = site.centre.protect(SYSTEM, {"for": "test"}, b"a secret")
    hsm = {each.id for each in site.centre.register() if each.place is Place.HSM}
    assert copies(site) == hsm
    old = site.centre.health().facts["tokens"][member]["serial"]
    lose(site, member)
    site.restarted(**MIRRORED)
    assert site.centre.initialise(SYSTEM) is False, "a lost token is not made anew by a start"
    assert not site.centre.health().ok
    done = hold(site, replace_plan(member))
    assert done.keys == {"kek-1": "hsm", "root": "hsm"}
    assert done.tokens[str(member)] != old
    assert site.centre.health().ok, site.centre.health().facts["tokens"]
    fresh = only(site, member)
    held = {each.identifier for each in fresh.inventory()} - {b"receiver"}
    assert held == {each.encode() for each in hsm}
    assert all(each.stays for each in fresh.inventory())
    # the other one goes as well: what the fresh one was given is enough
    shutil.rmtree((site.folder if member else site.folder / "mirror-1") / "tokens")
    site.restarted(**MIRRORED)
    root = site.centre.signer("root")
    root.public_key.verify(root.sign(b"x"), b"x")
    assert site.centre.reveal({"for": "test"}, secret) == b"a secret"
    facts = site.events("kms.ceremony")[-1]["facts"]
    assert (facts["kind"], facts["labels"]) == ("replace", ["kek-1", "root"])


def test_who_may_not_replace_a_token(site: World) -> None:
    lose(site, 1)
    plan = replace_plan()
    with pytest.raises(KeyProposalNeeded):
        conduct(site.centre, OFFICER, plan, pin=TypedPin(PIN))
    with pytest.raises(VaultNeeded):
        conduct(site.centre, OFFICER, plan, approved=approved(plan))
    with pytest.raises(TokenDiffers):
        hold(site, replace_plan(vault={"label": "vault", "serial": "0" * 16}))
    with pytest.raises(KeyPlanRefused):
        hold(site, replace_plan(token={"label": "other"}))
    assert not (site.folder / "mirror-1" / "tokens").exists()


def test_without_a_vault_or_a_mirror_it_says_where_the_keys_are_to_come_from(empty: World) -> None:
    with pytest.raises(KeyPlanRefused, match="restored from its backup"):
        check_replacing(empty.centre, replace_plan())
    with pytest.raises(NoVault) as refused:
        check_replacing(empty.restarted(mirror=[{}]), replace_plan())
    assert not refused.value.retryable


def test_what_has_no_copy_is_told_before_anything_is_done(site: World) -> None:
    site.centre.create(SYSTEM, label="later", purpose="seal", algorithm="ecdsa-p256")
    assert site.centre.key("later").id in copies(site), "keys made later have copies too"
    site.centre.copies.drop(site.centre.key("later").reference)
    lose(site, 1)
    with pytest.raises(CopyMissing, match="later"):
        hold(site, replace_plan())
    assert not (site.folder / "mirror-1" / "tokens").exists()


@pytest.mark.slow
def test_copies_that_were_exchanged_are_found(site: World) -> None:
    """Whoever writes in the database gives the fresh token another key under the old one's name.

    Seen to fail when what was taken is not held against the other token.
    """
    site.centre.create(SYSTEM, label="other", purpose="seal", algorithm="ecdsa-p256")
    root, other = site.centre.key("root").id, site.centre.key("other").id
    with site.store.engine.begin() as connection:
        rows = {row.id: row._asdict() for row in connection.execute(sa.select(CopyRow.__table__))}
        for to, of in ((root, other), (other, root)):
            connection.execute(sa.update(CopyRow).where(CopyRow.id == to).values(rows[of] | {"id": to}))
    lose(site, 1)
    with pytest.raises(CopyDiffers):
        hold(site, replace_plan())
    wrong = {root.encode(), other.encode()} & {each.identifier for each in only(site, 1).inventory()}
    assert wrong == set()


def test_a_vault_that_only_the_database_names_is_given_no_key(site: World, tmp_path: Path) -> None:
    """Whoever writes in the database names a key of her own as the vault's, or a vault where there is none, or none.

    Seen to fail when `Copies.vault` does not compare.
    """
    own = rsa.generate_private_key(65537, 3072).public_key()
    forged = own.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    with site.store.read() as session:
        genuine = session.scalars(sa.select(VaultRow)).one().receiver
    known, before = site.folder / "vault.receiver", copies(site)
    for receiver, file in ((forged, genuine), (genuine, b"")):
        with site.store.engine.begin() as connection:
            connection.execute(sa.update(VaultRow).values(receiver=receiver))
        known.write_bytes(file)
        with pytest.raises(VaultAltered):
            site.centre.create(SYSTEM, label="later", purpose="seal", algorithm="ecdsa-p256")
    assert copies(site) == before
    known.write_bytes(genuine)
    made = site.centre.create(SYSTEM, label="later", purpose="seal", algorithm="ecdsa-p256")
    assert made.id in copies(site)


def test_a_destroyed_key_leaves_no_copy(site: World) -> None:
    key = site.centre.key("root")
    site.centre.engine.destroy(key.reference)
    assert key.id not in copies(site)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["kms.ceremony.2-intended", "kms.ceremony.3-taken", "kms.ceremony.3-held"])
def test_replacing_killed_between_two_steps(site: World, step: str) -> None:
    lose(site, 1)
    killed(site, step, lambda there: hold(there, replace_plan()), **MIRRORED)
    with pytest.raises(KeyCeremonyUnfinished):
        hold(site, replace_plan(title="another"))
    hold(site, replace_plan())
    assert site.centre.health().ok
    assert len(only(site, 1).inventory()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("step", ["kms.mirror.1-made", "kms.create.2-made"])
def test_a_mirrored_key_killed_while_it_is_made(site: World, step: str) -> None:
    """The next call makes it whole, in both tokens, with one copy, which is of the key that is there."""

    def make(there: World) -> None:
        there.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")

    killed(site, step, make, **MIRRORED)
    make(site)
    key = site.centre.key("new")
    engine = site.centre.engine
    assert isinstance(engine, MirroredEngine)
    held = [[each for each in one.inventory() if each.identifier == key.handle] for one in engine.members]
    assert [len(each) for each in held] == [1, 1]
    copy = site.centre.copies.copy(key.id)
    assert copy is not None
    assert copy.spki == held[0][0].spki == held[1][0].spki == key.reference.spki


# --- the commands ---


def run(platform: Any, *words: str | Path, typed: str = "") -> Result:
    context = SimpleNamespace(
        platform=lambda: platform, assembled=lambda **_: platform, actor=lambda: OFFICER
    )
    return CliRunner().invoke(group, [str(each) for each in words], obj=context, input=typed)


def test_the_commands(empty: World, tmp_path: Path) -> None:
    platform = SimpleNamespace(kms=empty.centre)
    said = json.loads(run(platform, "--dry-run", "--json").output)
    assert (said["kind"], said["keys"]["log-ed25519"]) == ("prepare", "hsm")
    assert empty.centre.register() == []
    made = run(platform, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["plan"] == said["plan"]
    assert len(empty.centre.register()) == 5
    refused = run(platform, "--plan", PLANS / "replace.toml")
    assert refused.exit_code == 2
    assert "propose" in refused.output
    nothing = run(platform, "propose", "--plan", PLANS / "embedded.toml", "--reason", "x")
    assert isinstance(nothing.exception, KeyPlanRefused)
