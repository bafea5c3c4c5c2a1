"""The two verifiers that need no platform, asked side by side: the one Python file, and the page's engine in the node that playwright brings.

Fixture `alone`. Whatever it is asked, both give the same verdict in the same words, or the test fails.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from yinxin.evidence.page import engine
from yinxin.evidence.standalone.notes import Key, Policy
from yinxin.evidence.standalone.renewed import Ages
from yinxin.evidence.standalone.saying import Broken, NotJudged, Said
from yinxin.evidence.standalone.verify import Renewals, verify

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verifiers:
    """Both of them."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the engine is written for node to read."""
        script = folder / "engine.js"
        script.write_text(engine(), "utf-8")
        self._node = subprocess.Popen(
            [
                str(compute_driver_executable()[0]),
                str(Path(__file__).with_name("judge.js")),
                str(script),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self) -> None:
        """End the process."""
        self._node.communicate(timeout=30)

    def verify(self, data: bytes, keys: list[Key], policy: Policy | None, by: Renewals | None = None) -> Said:
        """What both say; raises what the Python one raises (Broken). The page thinks while Python does."""
        by = by or Renewals()
        record, at = by.record or (None, _EPOCH)
        self._ask(
            "verify.judged",
            {
                "file": data,
                "log": "\n".join(map(_text, keys)).encode(),
                "policy": _policy(policy).encode() if policy else None,
                "roots": _pem(each.der for each in by.roots).encode() if by.roots else None,
                "algorithms": _toml(by.ages).encode(),
                "record": record,
                "at": (at - _EPOCH) // timedelta(microseconds=1),
            },
        )
        said: Said = []
        refused: Broken | None = None
        try:
            said = verify(data, keys, policy, by)
        except Broken as broken:
            refused = broken
        told = self._answer()
        if refused:
            assert (told["refusal"], told["said"]) == ({"zh": refused.args[0], "en": refused.args[1]}, [])
            raise refused
        assert told["refusal"] is None
        assert [(each["zh"], each["en"], each["judged"]) for each in told["said"]] == [
            (*each, not isinstance(each, NotJudged)) for each in said
        ]
        return said

    def call(self, name: str, *given: Any) -> Any:
        """What a function of the engine (`module.function`) returns; of an error, its name."""
        self._ask(name, *given)
        return self._answer()

    def _ask(self, name: str, *given: Any) -> None:
        assert self._node.stdin
        line = json.dumps({"call": name, "given": _sent(given)})
        self._node.stdin.write(line.encode() + b"\n")
        self._node.stdin.flush()

    def _answer(self) -> Any:
        assert self._node.stdout
        found = json.loads(self._node.stdout.readline())
        return base64.b64decode(found["octets"]) if isinstance(found, dict) and "octets" in found else found


def _sent(value: Any) -> Any:
    """Octets and whole numbers as objects of one field."""
    if isinstance(value, dict):
        return {name: _sent(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sent(each) for each in value]
    if isinstance(value, bytes):
        return {"octets": base64.b64encode(value).decode()}
    return {"whole": str(value)} if type(value) is int else value


def _text(key: Key) -> str:
    return f"{key.name}+{key.id.hex()}+{base64.b64encode(bytes((key.kind,)) + key.key).decode()}"


def _policy(policy: Policy) -> str:
    lines = [f"witness {name} {_text(key)}" for name, key in policy.witnesses.items()]
    for name, (threshold, members) in policy.groups.items():
        lines.append(" ".join(("group", name, str(threshold), *members)))
    return "\n".join((*lines, f"quorum {policy.quorum}"))


def _pem(certificates: Iterator[bytes]) -> str:
    return "".join(
        f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(each).decode()}\n-----END CERTIFICATE-----\n"
        for each in certificates
    )


def _toml(ages: Ages) -> str:
    return "\n".join(("[until]", *(f"{name} = {day}" for name, day in ages.own.items())))


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifiers]:
    """Both, in a process that lives as long as the tests."""
    both = Verifiers(tmp_path_factory.mktemp("engine"))
    yield both
    both.close()
