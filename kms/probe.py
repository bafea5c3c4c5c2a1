"""How much a library bears: measured in processes of their own, because one that bears too little may end them.

PKCS#11 lets several threads in only when the library was initialised to lock (v3.1, 5.4), and python-pkcs11 initialises
without; so `yinxin` never does it. The probe says what would happen, and what more processes bring.
"""

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag
from pkcs11.exceptions import PKCS11Error

from kms.engine.local import LocalEngine
from kms.mechanisms import NATIVE
from kms.secrets import HSM_PIN, Secret, SecretSource
from kms.settings import KmsSettings

#: threads that enter the library together
THREADS = 8
#: seconds that each way of using it is tried
SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Bearing:
    """One way of using the library: signatures a second (P-256), and how it failed, if it did."""

    way: str
    rate: float | None
    failure: str | None


def probe(
    settings: KmsSettings, folder: Path, secrets: SecretSource, *, seconds: float = SECONDS
) -> list[Bearing]:
    """Try the library in three ways: one session, sessions in threads, and as many processes as the machine's cores allow.

    The keys are session objects and gone afterwards.
    """
    with secrets.read(HSM_PIN) as secret:
        pin = (secret.text(), secret.place, secret.state)
    told = {
        "settings": settings.model_dump(mode="json"),
        "folder": str(folder),
        "pin": pin,
        "seconds": seconds,
    }
    ways = (("one session", 1, 1), (f"{THREADS} sessions in threads", THREADS, 1), ("2 processes", 1, 2))
    return [_try(way, told | {"threads": threads}, processes) for way, threads, processes in ways]


def _try(way: str, told: dict[str, Any], processes: int) -> Bearing:
    children = [
        subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", "kms.probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(processes)
    ]
    rate, failures = 0.0, []
    for child in children:
        assert child.stdin is not None  # noqa: S101 - for the type checker; it is a pipe
        child.stdin.write(json.dumps(told).encode())
        child.stdin.close()
    for child in children:
        assert child.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
        with child.stdout:
            said = child.stdout.read()
        status = child.wait()
        if status != 0:
            failures.append(f"signal {-status}" if status < 0 else f"exit {status}")
            continue
        found = json.loads(said)
        rate += found["rate"]
        failures += found["failures"]
    return Bearing(way, None if failures else round(rate, 1), ", ".join(sorted(set(failures))) or None)


def _work(told: dict[str, Any]) -> dict[str, Any]:
    """In the child: as many sessions as threads, each with a key of its own, signing until the time is over."""
    text, place, state = told["pin"]
    pin = Secret(HSM_PIN, bytearray(text.encode()), place=place, state=state)
    engine = LocalEngine(KmsSettings.model_validate(told["settings"]), Path(told["folder"]), lambda: pin)
    failures: list[str] = []
    counts: list[int] = []

    def all_of_it(first: Any) -> None:
        sessions = [first, *(first.token.open(rw=True) for _ in range(told["threads"] - 1))]
        keys = [_key(session) for session in sessions]
        until = time.monotonic() + told["seconds"]
        threads = [threading.Thread(target=sign, args=(key, until)) for key in keys]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def sign(key: Any, until: float) -> None:
        count = 0
        try:
            while time.monotonic() < until:
                key.sign(bytes(32), mechanism=Mechanism.ECDSA)
                count += 1
        except PKCS11Error as error:
            failures.append(type(error).__name__)
        counts.append(count)

    engine.use(all_of_it)
    engine.close()
    return {"rate": sum(counts) / told["seconds"], "failures": failures}


def _key(session: Any) -> Any:
    parameters = {Attribute.EC_PARAMS: NATIVE["ecdsa-p256"].curve}
    domain = session.create_domain_parameters(KeyType.EC, parameters, local=True)
    _, private = domain.generate_keypair(
        store=False,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        mechanism=Mechanism.EC_KEY_PAIR_GEN,
    )
    return private


def fields(found: list[Bearing]) -> list[dict[str, Any]]:
    """As JSON."""
    return [asdict(each) for each in found]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_work(json.loads(sys.stdin.read()))))
