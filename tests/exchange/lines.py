"""The line to a site as a small proxy on this machine: open, shut, silent, or cut in the middle of what is said."""

import json
import random
import socket
import threading
from contextlib import suppress
from pathlib import Path

OPEN, SHUT, SILENT = "open", "shut", "silent"


class Line:
    """Listens in a site's place for ever, and hands on to wherever its server listens now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.state = OPEN
        self._held: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        """What its card names."""
        return f"https://127.0.0.1:{self.port}"

    def cut(self, chance: random.Random, share: float = 1.0) -> None:
        """End connections that are open now, wherever they are."""
        with self._lock:
            chosen = [each for each in self._held if chance.random() < share]
        for each in chosen:
            _end(each)

    def close(self) -> None:
        self._listener.close()
        self.cut(random.Random(0))

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self.state == SHUT:
                _end(caller)
            elif self.state == SILENT:
                self._hold(caller)
            else:
                threading.Thread(target=self._through, args=(caller,), daemon=True).start()

    def _through(self, caller: socket.socket) -> None:
        try:
            where = json.loads((self._folder / "run" / "server.json").read_text("utf-8"))
            called = socket.create_connection(("127.0.0.1", where["port"]), timeout=5)
        except (OSError, ValueError):
            _end(caller)
            return
        called.settimeout(None)
        for each in (caller, called):
            self._hold(each)
        threading.Thread(target=self._pump, args=(called, caller), daemon=True).start()
        self._pump(caller, called)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for each in (source, target):
            _end(each)
            with self._lock:
                self._held.discard(each)

    def _hold(self, each: socket.socket) -> None:
        with self._lock:
            self._held.add(each)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
