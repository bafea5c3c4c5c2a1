"""A security module that fails on demand: `FaultyModule` compiles a PKCS#11 library in front of SoftHSM2's."""

import subprocess
from pathlib import Path

import pytest

from tests.support.softhsm import module

_SOURCE = Path(__file__).with_suffix(".c")
#: places in CK_FUNCTION_LIST
OPEN_SESSION, LOGIN, CREATE_OBJECT, FIND, ENCRYPT, DECRYPT, SIGN_INIT, SIGN, GENERATE, GENERATE_PAIR = (
    *(12, 18, 20, 26, 30, 34, 42, 43),
    *(58, 59),
)
#: return values (PKCS#11 v2.40, 3.6)
FUNCTION_FAILED = 0x6
GENERAL_ERROR, DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED = 0x5, 0x30, 0x31, 0x32
#: milliseconds of what waits until there is another plan
FOR_EVER = -1
PIN_INCORRECT, PIN_LOCKED, SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT = 0xA0, 0xA4, 0xB3, 0xE0


class FaultyModule:
    """The library, and its plan."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.library = folder / "faulty.so"
        self._plan = folder / "plan"
        self._plan.touch()
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(_SOURCE), "-ldl"], check=True
        )
        monkeypatch.setenv("YINXIN_FAULTY_REAL", module())
        monkeypatch.setenv("YINXIN_FAULTY_PLAN", str(self._plan))

    def plan(self, *faults: tuple[int, int, int]) -> None:
        """From the next call on: (function, return value, milliseconds) each; nothing of it is well again."""
        # in one step: a call that waits reads it all the time
        coming = self._plan.with_suffix(".new")
        coming.write_text("".join(f"{number} {code:x} {wait}\n" for number, code, wait in faults))
        coming.replace(self._plan)
