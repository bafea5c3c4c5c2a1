"""Secrets in files: written at once or not at all, readable by this service only."""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from kms.secrets.errors import SecretFileLoose, SecretFileMissing
from kms.secrets.secret import LONGEST, Secret, is_secret_name
from yinxin import files
from yinxin.text import Text


class SecretFiles:
    """One folder with a file for each secret; `elsewhere` names the files that lie in other places."""

    def __init__(self, folder: Path, elsewhere: Mapping[str, Path] | None = None) -> None:
        self._folder = folder
        self._elsewhere = dict(elsewhere or {})

    def file(self, name: str) -> Path:
        """Where the secret of this name lies."""
        return self._elsewhere.get(name, self._folder / name)

    def read(self, name: str) -> Secret:
        """The secret; raises SecretFileMissing, or SecretFileLoose when anybody else could have read or set it."""
        return read_file(name, self.file(name))

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:
        """The secret, first made where there is none; raises as `read`."""
        file = self.file(name)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            files.replace(file, make() + b"\n", mode=0o600)
        return self.read(name)

    def names(self) -> list[str]:
        """Which secrets lie in files, in order."""
        here = self._folder.iterdir() if self._folder.is_dir() else ()
        found = {file.name for file in here if is_secret_name(file.name)}
        return sorted(found | {name for name, file in self._elsewhere.items() if file.exists()})

    def keep(self) -> None:
        """Nothing: files stay as they are."""

    def backup(self) -> tuple[Path, ...]:
        """None: whoever finds a copy of the token must not find its PIN with it."""
        return ()


def read_file(name: str, file: Path) -> Secret:
    """The line in `file`, named `name`; raises SecretFileMissing, or SecretFileLoose when it is not this service's alone."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretFileMissing(file=str(file), reason=error.strerror) from error
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretFileMissing(file=str(file), reason=Text("不是普通文件", "not a regular file"))
        if found.st_mode & 0o077:
            raise SecretFileLoose(file=str(file), reason=f"{stat.S_IMODE(found.st_mode):04o}")
        if found.st_uid not in (0, os.geteuid()):
            raise SecretFileLoose(
                file=str(file), reason=Text(f"属主为 {found.st_uid}", f"owner {found.st_uid}")
            )
        content = bytearray(LONGEST + 1)
        del content[stream.readinto(content) :]
    line = one_line(content)
    if line is None:
        raise SecretFileMissing(file=str(file), reason=Text("内容不是一行文字", "not one line of text"))
    state = f"{found.st_dev}:{found.st_ino}:{found.st_mtime_ns}:{found.st_size}"
    return Secret(name, line, place=str(file), state=state)


def one_line(content: bytearray) -> bytearray | None:
    """The line of text that `content` is, without the white space around it; None when it is none, or too long."""
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    if not text or len(content) > LONGEST or not text.isprintable():
        return None
    return bytearray(text.encode())
