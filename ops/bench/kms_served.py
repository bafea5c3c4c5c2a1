"""Service keys over HTTP, one by one and in batches, beside OpenBao's transit engine in the same run."""

import json
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from authz.grant.records import Wanted
from ops.bench.measure import Result
from ops.bench.openbao import Ask, openbao
from ops.bench.served import CLIENTS, Call, Served, ours, served_rates
from ops.data import DataDirectory
from ops.platform import Platform
from yinxin.act import SYSTEM

#: OpenBao refuses JSON with more strings than five hundred items have
ROUNDS, _COUNT, _BATCH = 5, 400, 200
#: who uses the keys, and over whose keys she was granted it
_PERSON, _ORGAN = "demo-clerk", "province-office"
_TEXT = b64encode(b"one record of the benchmark, which is of forty octets"[:40]).decode()

_INCLUDES = (
    f"{CLIENTS} clients that keep their connections. Ours: TLS, what session, policy decision and key rest on asked again, "
    "the key opened under the wrapping key in SoftHSM2 for those who meet, {what}, the record with its decision committed ({disk}) and entered in the "
    "Merkle trees. OpenBao: plain HTTP, token, key in its own memory, no audit device"
)


def kms_sign() -> Iterator[Result]:
    """P-256 signatures per second of the server's CPU, and per second of the wall clock."""
    yield from _measured(
        "kms-sign",
        "signatures",
        ("ecdsa-p256", "kms.grant-signing", "signatures", "sign", {"data_base64": _TEXT}),
        ("ecdsa-p256", "sign", {"input": _TEXT}),
        _INCLUDES.format(what="signed, own signature verified", disk="SQLite, synchronous=FULL"),
    )


def kms_encrypt() -> Iterator[Result]:
    """AES-256-GCM ciphertexts of forty octets."""
    yield from _measured(
        "kms-encrypt",
        "ciphertexts",
        ("aes-256-gcm", "kms.grant-encrypting", "ciphertexts", "encrypt", {"plaintext_base64": _TEXT}),
        ("aes256-gcm96", "encrypt", {"plaintext": _TEXT}),
        _INCLUDES.format(what="encrypted, counted", disk="SQLite, not waiting for the disk"),
    )


def _measured(
    name: str,
    what: str,
    own: tuple[str, str, str, str, dict[str, str]],
    peer: tuple[str, str, dict[str, str]],
    includes: str,
) -> Iterator[Result]:
    algorithm, template, path, operation, one = own
    their_type, their_path, their_one = peer

    def enabled(ask: Ask, _address: str, token: str) -> None:
        ask("POST", "sys/mounts/transit", {"type": "transit"}, token)
        ask("POST", "transit/keys/bench", {"type": their_type}, token)

    item = {"data_base64": _TEXT}
    batches = {
        "ours": _calls(
            "/api/kms/v1/service-keys/bench/batches",
            {"operation": operation, "items": [item] * _BATCH},
            CLIENTS,
            _BATCH,
        ),
        "OpenBao": _calls(
            f"/v1/transit/{their_path}/bench", {"batch_input": [their_one] * _BATCH}, CLIENTS, _BATCH
        ),
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-bench-")))
        theirs = stack.enter_context(openbao(folder, enabled))
        server = stack.enter_context(ours(folder))
        us = _granted(folder, server, algorithm, template)
        contestants: Mapping[str, tuple[Served, Callable[[], Sequence[Call]]]] = {
            "one": (us, _calls(f"/api/kms/v1/service-keys/bench/{path}", one, _COUNT)),
            "batch": (us, batches["ours"]),
            "OpenBao": (theirs, _calls(f"/v1/transit/{their_path}/bench", their_one, _COUNT)),
            "OpenBao, batch": (theirs, batches["OpenBao"]),
        }
        found = served_rates(contestants, rounds=ROUNDS)
    for label, each, peers, how in (
        (name, "one", ("OpenBao",), "one a request"),
        (f"{name}-batch", "batch", ("OpenBao, batch", "OpenBao"), f"{_BATCH} a request"),
    ):
        against_cpu = {peer: found[peer].cpu for peer in peers}
        against_wall = {peer: found[peer].wall for peer in peers}
        unit = f"{what} per CPU-second of the server"
        yield Result(label, found[each].cpu, unit, against_cpu, f"{how}; {includes}")
        yield Result(
            f"{label}-wall", found[each].wall, f"{what} per second", against_wall, f"{how}; {includes}"
        )


def _calls(path: str, body: dict[str, Any], number: int, work: int = 1) -> Callable[[], Sequence[Call]]:
    calls = [Call(path, json.dumps(body).encode(), work)] * number
    return lambda: calls


def _granted(folder: Path, server: Served, algorithm: str, template: str) -> Served:
    """The server as somebody calls it who was granted the use of a new key, which the officer has made."""
    if server.client is None or server.as_person is None:
        raise AssertionError
    server.client.kms.keyring.create("bench", owner=_ORGAN, purpose="bench", algorithm=algorithm)
    with Platform.open(DataDirectory(folder / "yinxin")) as platform:
        now = platform.clock.now()
        wanted = Wanted(template, f"person:{_PERSON}", _ORGAN, now, now + timedelta(days=1), "benchmark")
        with platform.store.act(SYSTEM, "authz.grant", "grant:bench") as act:
            platform.authz.grants.give(act.session, SYSTEM, wanted)
    return server.as_person(_PERSON)
