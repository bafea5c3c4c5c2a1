"""Secrets for receivers: from files that nobody else could have read or set, in the one folder that the administrator names.

An officer names a file in it and no other: what is read is sent to an address that she names, and it must be no file of
ours, such as a token's PIN.
"""

import os
import stat
from pathlib import Path

from authz.scim.push.errors import BadSecretFile
from yinxin.text import Text

#: octets; a secret is one line
_LONGEST = 4096


class Secrets:
    """The secrets in `folder`; none where it is empty."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """The secret; raises BadSecretFile."""
        if not self._folder:
            unset = Text("未设置 authz.scim.secrets", "authz.scim.secrets is not set")
            raise BadSecretFile(file=name, reason=unset)
        return _read(Path(self._folder) / name)


def _read(file: Path) -> str:
    """The secret; raises BadSecretFile, which does not say what stands there."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise BadSecretFile(file=str(file), reason=error.strerror) from error
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise BadSecretFile(file=str(file), reason=Text("不是普通文件", "not a regular file"))
        if found.st_mode & 0o077:
            raise BadSecretFile(file=str(file), reason=f"{stat.S_IMODE(found.st_mode):04o}")
        if found.st_uid not in (0, os.geteuid()):
            owner = Text(f"属主为 {found.st_uid}", f"owner {found.st_uid}")
            raise BadSecretFile(file=str(file), reason=owner)
        content = stream.read(_LONGEST + 1)
    lines = content.split()
    if len(lines) != 1 or len(content) > _LONGEST or not lines[0].isascii():
        raise BadSecretFile(file=str(file), reason=Text("内容不是一行文字", "not one line of text"))
    return lines[0].decode("ascii")
