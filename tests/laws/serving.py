"""The real server, `yinxin up`, on the small province, in a process group of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from tests.laws.province import identity, small
from yinxin.client import Client

ROOT = Path(__file__).parents[2]
#: seconds until a server must answer, on a machine that does other things as well
PATIENCE = 60


class Served:
    """The server on a folder. What it says goes to `server.log` beside the data."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.server.log")
        self._overrides = overrides
        self._process: subprocess.Popen[bytes] | None = None
        self.where: dict[str, object] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self) -> list[str]:
        """What is run."""
        return [sys.executable, "-m", "tests.laws.serving", str(self.folder), *self._overrides]

    def start(self) -> None:
        """Start; returns when it answers."""
        file = self.folder / "run" / "server.json"
        file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            assert self._process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < deadline, self.log.read_text("utf-8")
            time.sleep(0.05)
        self.where = json.loads(file.read_text("utf-8"))

    def kill(self) -> None:
        """SIGKILL to the whole group: no process of the server has time for a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a service manager stops it."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        if how is signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def url(self) -> str:
        """Pages and API."""
        return f"https://127.0.0.1:{self.where['port']}"

    @property
    def plain(self) -> str:
        """What is signed itself."""
        return f"http://127.0.0.1:{self.where['plain_port']}"

    @property
    def trust(self) -> Path:
        """The anchor of its certificate."""
        return self.folder / "trust" / "tls.pem"

    def client(self, person: str) -> Client:
        """The SDK's client, over TLS."""
        return Client(self.url, identity=identity(self.folder, person), trust=self.trust)

    def http(self) -> httpx.Client:
        """A client that is nobody's."""
        import ssl

        context = ssl.create_default_context(cafile=str(self.trust))
        return httpx.Client(base_url=self.url, verify=context, timeout=60)


def main(folder: str, *overrides: str) -> None:
    """`yinxin up`, with the small province in the place of the miniature one."""
    from ops.cli.main import main as yinxin
    from ops.demo import found

    found.directory_file = small
    settings = [word for override in overrides for word in ("--set", override)]
    sys.argv = ["yinxin", "up", "--data", folder, "--lang", "en", *settings]
    yinxin()


if __name__ == "__main__":
    main(*sys.argv[1:])
