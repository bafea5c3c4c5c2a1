"""Files that hold a PIN: written at once or not at all, readable by this service only."""

import os
import secrets
import stat
from pathlib import Path

from kms.errors import PinFileLoose, PinFileMissing
from yinxin import files
from yinxin.text import Text

#: octets; a PIN file is one short line
_LONGEST = 256


def read_pin(file: Path) -> str:
    """The PIN in `file`; raises PinFileMissing, or PinFileLoose when anybody else could have read or set it."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise PinFileMissing(file=str(file), reason=error.strerror) from error
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise PinFileMissing(file=str(file), reason=Text("不是普通文件", "not a regular file"))
        if found.st_mode & 0o077:
            raise PinFileLoose(file=str(file), reason=f"{stat.S_IMODE(found.st_mode):04o}")
        if found.st_uid not in (0, os.geteuid()):
            raise PinFileLoose(file=str(file), reason=Text(f"属主为 {found.st_uid}", f"owner {found.st_uid}"))
        content = stream.read(_LONGEST + 1)
    try:
        pin = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        pin = ""
    if not pin or len(content) > _LONGEST:
        raise PinFileMissing(file=str(file), reason=Text("内容不是一行文字", "not one line of text"))
    return pin


def ensure_pin(file: Path) -> str:
    """The PIN in `file`, first made of 144 random bits where there is none; raises as `read_pin`."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.replace(file, secrets.token_urlsafe(18).encode() + b"\n", mode=0o600)
    return read_pin(file)
