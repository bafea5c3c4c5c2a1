"""A process of its own for one token: asked over the socket it was given, until that is closed.

It is started by `kms.engine.process` and ends with its parent, whose end closes the socket.
"""

import json
import logging
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import msgpack

from kms.engine.local import LocalEngine
from kms.engine.messages import answer, failure, raised
from kms.secrets import HSM_PIN, Secret
from kms.settings import KmsSettings
from yinxin.errors import YinxinError

_LENGTH = struct.Struct(">I")
#: octets of a question or an answer
LONGEST = 1 << 24
#: said once, when the process can be asked
READY = b"ready"
#: said in the middle of a call, when the token wants its PIN: the parent knows where that stands
PIN_WANTED = b"pin"


def send(connection: socket.socket, message: bytes) -> None:
    """One message; raises OSError."""
    connection.sendall(_LENGTH.pack(len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """The next message; raises EOFError when the other end is gone, OSError (TimeoutError) otherwise."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > LONGEST:
        raise EOFError
    return _exactly(connection, length)


def _exactly(connection: socket.socket, number: int) -> bytes:
    parts = bytearray()
    while len(parts) < number:
        part = connection.recv(number - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def tell_pin(read: Callable[[], Secret]) -> bytes:
    """The answer to PIN_WANTED: the PIN, or why there is none."""
    try:
        with read() as secret:
            return bytes(msgpack.packb([secret.octets(), secret.place, secret.state]))
    except YinxinError as error:
        return failure(error)


def _secret(told: bytes) -> Secret:
    found = msgpack.unpackb(told)
    if isinstance(found, dict):
        raise raised(found)
    octets, place, state = found
    return Secret(HSM_PIN, bytearray(octets), place=place, state=state)


def main() -> None:
    """Serve until the socket is closed. No core file: it would hold keys and PINs in the clear (law 2)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    connection = socket.socket(fileno=int(sys.argv[1]))
    told = json.loads(receive(connection))

    def pin() -> Secret:
        send(connection, PIN_WANTED)
        return _secret(receive(connection))

    engine = LocalEngine(KmsSettings.model_validate(told["settings"]), Path(told["folder"]), pin)
    try:
        send(connection, READY)  # the server may be gone already
        while True:
            send(connection, answer(engine, receive(connection)))
    except (EOFError, OSError):
        engine.close()
