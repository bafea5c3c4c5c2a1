"""Making the software token of the embedded shape.

The PINs reach `softhsm2-util` through a terminal of its own: on its command line every user of the machine could read
them. A network HSM is initialised with its vendor's tools; then only the PIN file is written here.
"""

import os
import pty
import secrets
import shutil
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path

from kms.errors import HsmMissing, InitialisingFailed
from kms.find import list_keys
from kms.folder import CONFIGURATION, TOKENS, configuration_for
from kms.secrets import HSM_PIN, HSM_SO_PIN, Secret, SecretSource
from yinxin import files
from yinxin.act import Actor, Outcome
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store
from yinxin.text import Text

VERB = "kms.initialise"

_PROMPT = b"PIN:"


@dataclass(frozen=True, slots=True)
class SoftToken:
    """Which token is wanted: its label, its place, and where its PINs stand; in files they are made when there are none."""

    label: str
    folder: Path
    secrets: SecretSource
    #: what the names of its PINs end in
    ending: str = ""


def initialise(store: Store, actor: Actor, wanted: SoftToken) -> bool:
    """Make the token unless it is there; True when it was made. Raises InitialisingFailed, and HsmMissing for a lost one.

    1. Intent: its record, then a note beside the token's place.
    2. The token.
    3. Done: its record, then the note goes. A note that is found means that 3 is still to be done.

    The caller lets one in at a time.
    """
    note, subject = wanted.folder / "initialising", f"token:{wanted.label}"
    if not note.exists():
        if (wanted.folder / TOKENS).is_dir():
            return False
        _demand_no_keys(store, wanted)
        with store.act(actor, VERB, subject, outcome=Outcome.INTENT):
            wanted.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.replace(note, b"", mode=0o600)
    step("kms.initialise.1-intended")
    try:
        make_token(wanted)
    except YinxinError as error:
        store.refuse(actor, VERB, subject, error)
        raise
    step("kms.initialise.2-made")
    with store.act(actor, VERB, subject):
        pass
    step("kms.initialise.3-done")
    note.unlink()
    return True


def _demand_no_keys(store: Store, wanted: SoftToken) -> None:
    """Raise HsmMissing when keys are on record: an empty token in the place of a lost one would stand in its way."""
    if list_keys(store, limit=1):
        place = wanted.folder / TOKENS
        raise HsmMissing(
            what=str(place),
            reason=Text(
                "已有登记的密钥，请从备份恢复令牌", "keys are registered: restore the token from its backup"
            ),
        )


def make_token(wanted: SoftToken) -> None:
    """The token, whole or not at all; a token that is there stays as it is.

    1. Have the SO PIN and the user PIN, made where they stand in files; those of a run that crashed are used again.
    2. Make the token in a folder beside its place; the leavings of a crashed run are removed first.
    3. Move it to its place: only now does it exist.
    """
    folder = wanted.folder
    place, making = folder / TOKENS, folder / f".{TOKENS}"
    if place.is_dir():
        return
    with (
        wanted.secrets.ensure(HSM_SO_PIN + wanted.ending, _new_pin) as so_pin,
        wanted.secrets.ensure(HSM_PIN + wanted.ending, _new_pin) as pin,
    ):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        configuration = folder / f".{CONFIGURATION}"
        files.replace(configuration, configuration_for(making), mode=0o600)
        _run(configuration, wanted.label, (so_pin, so_pin, pin, pin))
    configuration.unlink()
    files.sync_folder(making)
    making.rename(place)
    files.sync_folder(folder)


def _new_pin() -> bytes:
    """144 random bits."""
    return secrets.token_urlsafe(18).encode()


def _run(configuration: Path, label: str, answers: tuple[Secret, ...]) -> None:
    try:
        terminal, other_end = pty.openpty()
    except OSError as error:  # a container or chroot without devpts
        raise InitialisingFailed(reason=f"/dev/pts: {error}") from error
    _silence(other_end)
    try:
        process = subprocess.Popen(
            ["softhsm2-util", "--init-token", "--free", "--label", label],
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            env={**os.environ, "SOFTHSM2_CONF": str(configuration)},
        )
    except OSError as error:
        os.close(terminal)
        raise InitialisingFailed(reason=f"softhsm2-util: {error.strerror}") from error
    finally:
        os.close(other_end)
    said = _answer(terminal, list(answers))
    if process.wait() != 0:
        raise InitialisingFailed(reason=said)


def _silence(terminal: int) -> None:
    """No echo: what is typed must not come back in what the program is quoted with."""
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def _answer(terminal: int, answers: list[Secret]) -> str:
    """Give each prompt its answer; the last line that was said."""
    said = b""
    with os.fdopen(terminal, "r+b", buffering=0) as stream:
        while True:
            try:
                read = stream.read(1024)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            said += read
            if answers and said.rstrip().endswith(_PROMPT):
                stream.write(answers.pop(0).octets() + b"\n")
                said = b""
    lines = said.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no answer")
