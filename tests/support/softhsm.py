"""A SoftHSM2 token of the test's own: `token` initialises one and points this process and its children at it."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so")


@dataclass(frozen=True)
class Token:
    """Where an initialised token is and what opens it; PINs stand in files (0600), as in production."""

    module: str
    label: str
    configuration: Path
    directory: Path
    pin_file: Path
    so_pin_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to find the token; SoftHSM reads it once, at C_Initialize."""
        return {"SOFTHSM2_CONF": str(self.configuration)}


def module() -> str:
    """The path of SoftHSM2's PKCS#11 library."""
    for pattern in _MODULES:
        for found in Path("/").glob(pattern.lstrip("/")):
            return str(found)
    message = "SoftHSM2 is not installed; run ./yinxin once, or: apt-get install softhsm2"
    raise FileNotFoundError(message)


def init_token(home: Path, label: str = "yinxin-test") -> Token:
    """Make a token under home, which must exist and hold none yet.

    One directory for one token: SoftHSM reads every token of its directory at C_Initialize.
    """
    tokens = home / "tokens"
    tokens.mkdir(mode=0o700)
    configuration = home / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n", "utf-8"
    )
    made = Token(module(), label, configuration, tokens, home / "pin", home / "so-pin")
    for path in (made.pin_file, made.so_pin_file):
        path.touch(mode=0o600)
        path.write_text(f"{secrets.randbelow(10**8):08d}", "ascii")
    done = subprocess.run(
        [
            *("softhsm2-util", "--init-token", "--free", "--label", label),
            *("--pin", made.pin_file.read_text(), "--so-pin", made.so_pin_file.read_text()),
        ],
        env=made.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"softhsm2-util: {done.stdout}{done.stderr}"
    return made


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """A fresh token; afterwards the library is unloaded, so that the next test's C_Initialize reads the next token.

    Close sessions before the test ends. Never fork after opening one: start children by exec.
    """
    home = tmp_path / "hsm"
    home.mkdir(mode=0o700)
    made = init_token(home)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    import pkcs11

    pkcs11.unload(made.module)
