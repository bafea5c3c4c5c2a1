"""The commands: what they print, and in whose name they act."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from kms.cli import group
from kms.errors import BadKeyRequest
from yinxin.authz import Denied

from .conftest import OFFICER, World


def run(world: World, *arguments: str) -> Result:
    context = SimpleNamespace(platform=lambda: SimpleNamespace(kms=world.centre), actor=lambda: OFFICER)
    return CliRunner().invoke(group, list(arguments), obj=context)


def test_creating_and_listing(world: World) -> None:
    made = run(
        world, "create", "evidence-1", "--purpose", "evidence", "--suite", "sm", "--owner", "o-1", "--json"
    )
    assert made.exit_code == 0, made.output
    key = json.loads(made.output)
    assert (key["label"], key["algorithm"], key["place"], key["state"]) == (
        "evidence-1",
        "sm2",
        "wrapped",
        "active",
    )
    again = run(world, "create", "evidence-1", "--purpose", "evidence", "--suite", "sm", "--owner", "o-1")
    assert again.output.split() == ["evidence-1", "sm2", "wrapped:", "active"]
    assert world.events("kms.create")[-1]["actor"]["id"] == "p-officer"
    listed = json.loads(run(world, "list", "--json").output)
    assert [each["label"] for each in listed] == ["evidence-1", "kek-1"]
    assert len(run(world, "list").output.splitlines()) == 2


def test_status_says_plainly_where_keys_are_used(world: World) -> None:
    said = run(world, "status")
    assert said.exit_code == 0
    kinds = ("SM2", "ML-DSA-65", "ML-DSA-44", "ML-DSA-87")
    listed = ", ".join(kinds)
    en = f"keys that the HSM does not know ({listed}) are wrapped under its AES key and used in the memory of the process that has the module"
    zh = f"密码机不支持的密钥（{'、'.join(kinds)}）由其中的 AES 密钥加密保存，使用时在持有密码机的进程内存中解开"
    assert en in said.output
    assert zh in said.output
    facts = json.loads(run(world, "status", "--json").output)
    assert facts["ok"] is True
    assert facts["native"] == ["ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096", "ed25519", "aes-256"]


def test_status_of_a_token_that_is_not_there(world: World) -> None:
    world.restarted(token="none")
    said = run(world, "status")
    assert said.exit_code == 1
    assert "kms.hsm_missing" in said.output


def test_the_policies_decide(world: World) -> None:
    world.decider.allowed = lambda *_: False
    for arguments in (("list",), ("create", "evidence-a", "--purpose", "evidence", "--suite", "intl")):
        assert isinstance(run(world, *arguments).exception, Denied)


@pytest.mark.parametrize("arguments", [(), ("--suite", "intl", "--algorithm", "sm2"), ("--algorithm", "dsa")])
def test_bad_arguments(world: World, arguments: tuple[str, ...]) -> None:
    assert isinstance(
        run(world, "create", "evidence-a", "--purpose", "evidence", *arguments).exception, BadKeyRequest
    )
