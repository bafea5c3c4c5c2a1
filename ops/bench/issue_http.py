"""Issuing over HTTP, one request a certificate, beside OpenBao: both durable, both storing, both as their own server."""

import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ops.bench.measure import Result
from ops.bench.openbao import ROLE, openbao
from ops.bench.served import CLIENTS, Call, ours, served_rates
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

ROUNDS, _COUNT, _BATCH = 5, 200, 50
#: clients of the hour in which a whole province enrols
_MANY = 32

_INCLUDES = (
    "clients that keep their connections, P-256. Ours: TLS, session, policy decision, idempotency key, "
    "proof of possession, profile, lint, intent and result committed (SQLite, synchronous=FULL), SoftHSM2, binding, "
    "audit records in the Merkle trees. OpenBao: one a request, plain HTTP, raft, stored, key in its own memory, "
    "no audit device"
)


def issue_http() -> Iterator[Result]:
    """Certificates per second of the server's CPU, and per second of the wall clock; one a request by few clients and by many, and in batches."""
    with (
        tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder,
        openbao(Path(folder)) as theirs,
        ours(Path(folder)) as own,
    ):
        one, peer = (own, _our_calls), (theirs, _their_calls)
        few = served_rates({"one": one, "batch": (own, _our_batches), "OpenBao": peer}, rounds=ROUNDS)
        many = served_rates({"one": one, "OpenBao": peer}, rounds=ROUNDS, clients=_MANY)
    for name, found, each, how in (
        ("issue-http", few, "one", f"one a request, {CLIENTS}"),
        ("issue-http-batch", few, "batch", f"{_BATCH} a request, {CLIENTS}"),
        (f"issue-http-{_MANY}", many, "one", f"one a request, {_MANY}"),
    ):
        us, them, includes = found[each], found["OpenBao"], f"{how} {_INCLUDES}"
        unit = "certificates per CPU-second of the server"
        yield Result(name, us.cpu, unit, {"OpenBao": them.cpu}, includes)
        yield Result(f"{name}-wall", us.wall, "certificates per second", {"OpenBao": them.wall}, includes)


def _asked() -> dict[str, Any]:
    holder = {"kind": "person", "id": "demo-clerk", "post": "province-office-clerk"}
    asked = {"profile": "person-signing", "holder": holder}
    return {**asked, "reference": f"bench-{secrets.token_hex(12)}", "csr_pem": _csr("")}


def _csr(name: str) -> str:
    return CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": name} if name else {}).pem


def _our_calls() -> Sequence[Call]:
    return [Call("/api/ca/v1/certificates", json.dumps(_asked()).encode()) for _ in range(_COUNT)]


def _our_batches() -> Sequence[Call]:
    bodies = [{"requests": [_asked() for _ in range(_BATCH)]} for _ in range(CLIENTS)]
    return [Call("/api/ca/v1/certificate-batches", json.dumps(body).encode(), _BATCH) for body in bodies]


def _their_calls() -> Sequence[Call]:
    asked = [
        {"csr": _csr(name), "common_name": name} for name in (secrets.token_hex(8) for _ in range(_COUNT))
    ]
    return [Call(f"/v1/pki/sign/{ROLE}", json.dumps(each).encode()) for each in asked]
