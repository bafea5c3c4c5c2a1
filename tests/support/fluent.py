"""A receiver of the Forward protocol that is not ours: the fluent organisation's server, in the node that playwright brings."""

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Self

from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent


class Receiver:
    """One receiver with its file; it may be killed and started again, on the same port. A context manager."""

    def __init__(self, file: Path, **config: Any) -> None:
        """`config`: tls (key, cert, ca), security, memory (acknowledge first, write at the end)."""
        self.file = file
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._config = config
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, die: int = 0) -> Self:
        """Receive; with `die`, kill itself (SIGKILL) once it has written so many events, wherever that is."""
        self.stop()
        node = str(compute_driver_executable()[0])
        config = self._config | {"port": self.port, "file": str(self.file), "die": die}
        self._process = subprocess.Popen(
            [node, str(HERE / "receiver.js"), json.dumps(config)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == str(self.port)
        return self

    def kill(self) -> None:
        """SIGKILL, as at a power cut of the receiver."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """The orderly way."""
        self._end(signal.SIGTERM)

    def died(self) -> bool:
        """Wait for it to have killed itself."""
        assert self._process
        return self._process.wait(timeout=30) == -signal.SIGKILL

    def events(self) -> list[dict[str, Any]]:
        """The records that are in its file."""
        return [record for _, _, record in self.lines()]

    def lines(self) -> list[Any]:
        """What is in its file: tag, time as (seconds, nanoseconds), record."""
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
        self._process.communicate(timeout=30)
        self._process = None
