"""A SoftHSM2 token of the test's own: `token` initialises one and points this process and its children at it."""

import os
import secrets
import subprocess
import sys
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


#: C_InitToken alone, on the token that is there; softhsm2-util would set a user PIN as well
_BLANK = """
import ctypes, sys
library, label, pin = ctypes.CDLL(sys.argv[1]), sys.argv[2].encode().ljust(32), sys.stdin.buffer.read()
slots, number = (ctypes.c_ulong * 8)(), ctypes.c_ulong(8)
for done in (
    library.C_Initialize(None),
    library.C_GetSlotList(1, slots, ctypes.byref(number)),
    library.C_InitToken(slots[0], pin, ctypes.c_ulong(len(pin)), label),
):
    assert done == 0, hex(done)
"""


def initialise_anew(configuration: Path, label: str, so_pin: str, pin: str | None) -> None:
    """What somebody with the SO PIN does from a process of his own: every key is gone; no `pin` leaves the token without."""
    if pin is None:
        command = [sys.executable, "-I", "-c", _BLANK, module(), label]
    else:
        named = ("--token", label, "--label", label)
        command = ["softhsm2-util", "--init-token", *named, "--so-pin", so_pin, "--pin", pin]
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    done = subprocess.run(command, input=so_pin, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
