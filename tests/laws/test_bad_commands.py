"""Bad input on the command line: a clear sentence in the chosen language, the right exit status, nothing done.

Seen to fail when: `main` ends with 0 after a refusal; `read_file` does not look at the mode.
"""

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.cli.main import main
from tests.laws.province import opened

_HAN = re.compile("[\u4e00-\u9fff]")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: its exit status and what it said on standard error."""
    root = logging.getLogger()
    handlers = list(root.handlers)

    def run_(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["yinxin", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        root.handlers[:] = handlers
        return int(ended.value.code or 0), capsys.readouterr().err

    return run_


def both(run: Run, status: int, code: str, *words: str | Path) -> str:
    """The same refusal in Chinese, in English and as JSON; the English text."""
    said = {}
    for language in ("zh", "en"):
        ended, said[language] = run(*words, "--lang", language)
        assert ended == status, (ended, said[language])
        assert f"[{code}]" in said[language], said[language]
    assert _HAN.search(said["zh"])
    assert said["zh"] != said["en"]
    assert "Traceback" not in said["zh"] + said["en"]
    return said["en"]


def test_the_wrong_pin(run: Run, folder: Path) -> None:
    file = folder / "secrets" / "hsm-pin"
    file.write_text("0000", "utf-8")
    assert str(file) in both(run, 78, "kms.wrong_pin", "kms", "list", "--data", folder)


def test_a_missing_token(run: Run, folder: Path) -> None:
    (folder / "token" / "tokens").rename(folder / "away")
    assert "token" in both(run, 78, "kms.hsm_missing", "kms", "list", "--data", folder)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_loose_secrets(run: Run, folder: Path, mode: int) -> None:
    (folder / "secrets" / "hsm-pin").chmod(mode)
    assert "chmod 600" in both(run, 78, "kms.secret_file_loose", "kms", "list", "--data", folder)


def test_a_data_directory_that_cannot_be_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file", "ascii")
    assert "--data" in both(run, 73, "ops.data_unusable", "kms", "list", "--data", tmp_path / "file")
    assert "yinxin up" in both(run, 66, "ops.no_data_directory", "kms", "list", "--data", "/proc/yinxin")
    both(run, 73, "ops.data_unusable", "up", "--data", "/proc/yinxin")


def test_settings_that_are_wrong(run: Run, folder: Path) -> None:
    text = both(run, 78, "settings.bad", "kms", "list", "--data", folder, "--set", "server.prt=1")
    assert "server.prt" in text
    both(run, 78, "settings.bad", "kms", "list", "--data", folder, "--set", "server.port=many")
    (folder / "config.toml").write_text("[server\n", "utf-8")
    assert "config.toml" in both(run, 78, "settings.bad", "kms", "list", "--data", folder)


def test_a_request_that_is_none(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "csr").write_bytes(b"-----BEGIN NOTHING-----")
    issue = ("ca", "issue", "--profile", "tls-server", "--csr", tmp_path / "csr", "--holder", "web")
    status, said = run(*issue, "--data", folder, "--lang", "en")
    assert status == 65, said
    assert "[crypto.malformed_request]" in said


def test_a_serial_number_of_nothing(run: Run, folder: Path) -> None:
    words = ("ca", "revoke", "--serial", "deadbeef", "--reason", "superseded", "--data", folder)
    both(run, 66, "ca.unknown_certificate", *words)
    status, said = run(*words, "--json")
    answer = json.loads(said)
    assert status == 66
    assert answer["zh"] != answer["en"]
    with opened(folder) as platform:
        platform.audit.sequence()
        event = platform.audit.entry(answer["entry"]).fields()
    assert (event["actor"]["id"], event["verb"], event["outcome"]) == ("demo-officer", "ca.revoke", "refused")


def test_somebody_who_may_not(run: Run, folder: Path) -> None:
    who = ("--as", folder / "accounts/demo-clerk.intl.p12")
    words = (*who, "--password-file", folder / "accounts/demo-clerk.password", "--data", folder)
    create = ("kms", "create", "evidence-mine", "--purpose", "evidence", "--suite", "intl", *words)
    both(run, 77, "authz.denied", *create)
    status, said = run(*create, "--json")
    assert status == 77
    with opened(folder) as platform:
        platform.audit.sequence()
        event = platform.audit.entry(json.loads(said)["entry"]).fields()
    assert (event["actor"]["id"], event["error"]) == ("demo-clerk", "authz.denied")


def test_the_wrong_password_and_no_certificate(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong", "ascii")
    who = ("--as", folder / "accounts/demo-clerk.intl.p12", "--password-file", tmp_path / "password")
    status, said = run("kms", "list", *who, "--data", folder, "--lang", "en")
    assert status in (65, 77), said
    assert "[crypto." in said
    nobody = ("--as", tmp_path / "nothing.p12", "--password-file", tmp_path / "password")
    both(run, 77, "ops.nobody_acts", "kms", "list", *nobody, "--data", folder)


def test_a_command_that_is_none(run: Run, folder: Path) -> None:
    status, said = run("kms", "explode", "--data", folder)
    assert status == 2
    assert "explode" in said
