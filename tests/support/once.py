"""What takes long to make and is only read or copied is made once in a run, by whichever worker comes first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name as `make` makes it, the same for every worker; it has its name only when it is whole.

    `make` is given a folder that is not there yet, and that is renamed afterwards: what lies in it must not know where it is.
    """
    own = factory.getbasetemp()
    # a worker's lies in that of the whole run
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = folder.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            make(new)
            new.rename(folder)
    return folder
