"""What a disk may hold after a power cut: a process's file system calls recorded by strace, and replayed without what was not synchronised.

The model is POSIX's, not a kind file system's: a write or truncation lasts once its file has been synchronised, a rename or
removal once its folder has, a new name once either has. At a crash any choice of the rest is there, a write also in part.
"""

import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALLS = (
    "openat,write,pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,close,dup,fcntl"
)
_LINE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
SECTOR = 512


@dataclass
class Call:
    """One call that changed something, or that synchronised it. `said` is what it told the outside."""

    kind: str
    inode: int = -1
    offset: int = 0
    data: bytes = b""
    names: tuple[Path, ...] = ()
    said: str = ""


@dataclass
class Recording:
    """A process's calls on the files below a folder, from the state in `before`."""

    folder: Path
    before: dict[Path, bytes]
    calls: list[Call] = field(default_factory=list)
    status: int = 0

    def told(self, until: int) -> list[str]:
        """What the process had said before call number `until`."""
        return [word for each in self.calls[:until] for word in each.said.split("\n") if word]

    def after(self, until: int, keep: Callable[[], float]) -> dict[Path, bytes]:
        """The files after a power cut before call number `until`; `keep` chooses what part (0 to 1) of each pending call is there."""
        names = {path: -2 - at for at, path in enumerate(self.before)}
        contents = {inode: bytearray(self.before[path]) for path, inode in names.items()}
        past = self.calls[:until]
        for at, call in enumerate(past):
            part = 1.0 if self._lasts(call, past[at + 1 :]) else keep()
            _apply(call, part, names, contents)
        return {path: bytes(contents[inode]) for path, inode in names.items() if inode in contents}

    @staticmethod
    def _lasts(call: Call, later: Sequence[Call]) -> bool:
        for each in later:
            if each.kind != "sync":
                continue
            if call.kind in ("write", "truncate", "create") and each.inode == call.inode:
                return True
            if call.kind in ("create", "rename", "unlink") and each.names == (call.names[-1].parent,):
                return True
        return False


def record(command: Sequence[str], folder: Path, trace: Path) -> Recording:
    """Run `command` under strace and read what it did below `folder`."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # every octet in hexadecimal, and none left out
    strace = [
        "strace",
        "-qq",
        "-xx",
        "-s",
        "10000000",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(trace),
    ]
    done = subprocess.run(
        [*strace, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    found = Recording(folder, before, status=done.returncode)
    assert "Traceback" not in done.stderr, done.stderr
    _read(trace, found)
    return found


def lay(files: dict[Path, bytes], folder: Path, at: Path) -> Path:
    """Put an image of `folder` down at another place."""
    for path, data in files.items():
        target = at / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return at


def nothing() -> float:
    """Everything pending is lost."""
    return 0.0


def any_part(seed: int) -> Callable[[], float]:
    """Of every pending call all, nothing or a part is there, as the seed has it."""
    chance = random.Random(seed)
    return lambda: chance.choice((0.0, 0.0, 1.0, 1.0, chance.random()))


def python(*arguments: str) -> list[str]:
    """A child of the tests."""
    return [sys.executable, "-m", *arguments]


def _read(trace: Path, into: Recording) -> None:
    opened: dict[int, tuple[int, Path, list[int]]] = {}
    inodes = {path: -2 - at for at, path in enumerate(into.before)}
    fresh = iter(range(1_000_000))
    for line in trace.read_text().splitlines():
        if not (found := _LINE.match(line)) or int(found[3]) < 0:
            continue
        name, rest, result = found[1], found[2], int(found[3])
        texts = [bytes.fromhex(each.replace("\\x", "")) for each in _TEXT.findall(rest)]
        number = int(re.match(r"-?\d+", rest)[0]) if re.match(r"-?\d+,?", rest) else -1
        if name == "openat":
            path = Path(texts[0].decode())
            if not path.is_relative_to(into.folder):
                opened.pop(result, None)
                continue
            if path.is_dir() and path not in inodes:
                opened[result] = (-1, path, [0])
                continue
            if path not in inodes:
                inodes[path] = next(fresh)
                into.calls.append(Call("create", inodes[path], names=(path,)))
            elif "O_TRUNC" in rest:
                into.calls.append(Call("truncate", inodes[path]))
            opened[result] = (inodes[path], path, [0])
        elif name in ("rename", "renameat", "renameat2"):
            old, new = (Path(each.decode()) for each in texts[-2:])
            if old in inodes:
                inodes[new] = inodes.pop(old)
                into.calls.append(Call("rename", inodes[new], names=(old, new)))
        elif name == "unlink":
            path = Path(texts[0].decode())
            if path in inodes:
                into.calls.append(Call("unlink", inodes.pop(path), names=(path,)))
        elif name == "write" and number == 1:
            into.calls.append(Call("said", said=texts[0].decode()))
        elif number in opened:
            inode, path, position = opened[number]
            if name == "close":
                del opened[number]
            elif name in ("fsync", "fdatasync"):
                into.calls.append(Call("sync", inode, names=(path,) if inode == -1 else ()))
            elif name == "ftruncate":
                into.calls.append(Call("truncate", inode, int(rest.split(",")[1])))
            elif name == "pwrite64":
                into.calls.append(Call("write", inode, int(rest.rsplit(",", 1)[1]), texts[0]))
            elif name == "write":
                into.calls.append(Call("write", inode, position[0], texts[0]))
                position[0] += result
            elif name != "fcntl":
                raise AssertionError(f"a call that the model does not know: {line[:80]}")


def _apply(call: Call, part: float, names: dict[Path, int], contents: dict[int, bytearray]) -> None:
    if part == 0 or call.kind in ("said", "sync"):
        return
    if call.kind == "create":
        names[call.names[0]] = call.inode
        contents.setdefault(call.inode, bytearray())
    elif call.kind == "rename":
        names.pop(call.names[0], None)
        names[call.names[1]] = call.inode
        contents.setdefault(call.inode, bytearray())
    elif call.kind == "unlink":
        names.pop(call.names[0], None)
    elif call.kind == "truncate":
        content = contents.setdefault(call.inode, bytearray())
        del content[call.offset :]
        content.extend(bytes(call.offset - len(content)))
    else:
        content = contents.setdefault(call.inode, bytearray())
        # whole sectors from its beginning
        size = len(call.data) if part == 1 else int(len(call.data) * part) // SECTOR * SECTOR
        if not size:
            return
        content.extend(bytes(max(0, call.offset - len(content))))
        content[call.offset : call.offset + size] = call.data[:size]
