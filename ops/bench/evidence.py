"""Verifying the evidence of one official document, beside the bare signature verifications that it takes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ops.bench.measure import Result, rates
from ops.data import DataDirectory
from ops.demo.found import found
from ops.demo.story import SAMPLE, Story
from ops.platform import Platform
from yinxin.crypto.keys import PublicKey
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify


def evidence_verify() -> Iterator[Result]:
    """The bundle of a document that was drafted, signed off, sealed, sent and signed for, as `yinxin verify` checks it offline."""
    with (
        tempfile.TemporaryDirectory(prefix="yinxin-bench-") as folder,
        Platform.open(DataDirectory(Path(folder)), ()) as platform,
    ):
        found(platform)
        outcome = Story(platform, SAMPLE, "NOTICE", lambda _text: None).run()
        data, trust = outcome.files["evidence"].read_bytes(), Trust.load(platform.data.path("trust"))
        at = platform.clock.now()
    asked: list[tuple[PublicKey, tuple[Any, ...], dict[str, Any]]] = []
    whole = PublicKey.verify

    def heard(key: PublicKey, *given: Any, **named: Any) -> None:
        asked.append((key, given, named))
        whole(key, *given, **named)

    def checked() -> int:
        verify(data, trust, at=at, held=[])
        return 1

    def bare() -> int:
        for key, given, named in asked:
            whole(key, *given, **named)
        return 1

    with patch.object(PublicKey, "verify", heard):
        checked()
    result = rates({"verify": checked, "bare": bare})
    yield Result(
        "evidence-verify",
        result["verify"],
        "bundles per CPU-second",
        {f"its {len(asked)} signature verifications alone": result["bare"]},
        f"{len(data)} octets: container read and written again, documents, certificates, revocation, timestamps, log proofs",
    )
