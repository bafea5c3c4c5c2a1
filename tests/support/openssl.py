"""OpenSSL's command line, the judge of everything we encode: `openssl("x509", "-noout", "-text", input=pem)`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def openssl(*arguments: str | Path, input: bytes | None = None, status: int = 0) -> str:  # noqa: A002 -- subprocess's word
    """Run openssl and return what it said (both streams, in that order); fail unless it ends with status."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, input=input, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == status, (
        f"{' '.join(command)}: exit {done.returncode}, expected {status}\n{said}"
    )
    return said


@pytest.fixture(name="openssl")
def openssl_command() -> Callable[..., str]:
    return openssl
