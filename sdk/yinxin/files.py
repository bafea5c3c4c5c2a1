"""Files that survive a power cut: the old content or the new, never half of either."""

import os
import tempfile
from pathlib import Path


def replace(file: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Put `data` in place of `file`; on disk when this returns. Raises OSError, and then nothing has changed.

    Written under another name, synchronised, renamed, and the folder synchronised too: without the last step the
    name itself can be lost.
    """
    handle, temporary = tempfile.mkstemp(
        dir=file.parent, prefix=f".{file.name}."
    )  # mode 0600 from the first octet
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
