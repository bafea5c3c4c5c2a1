"""Other people's clients against the running server, exactly as the manual's pages say."""

import email
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.laws.province import template
from tests.laws.serving import Served
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList

from .manual import run_page

__all__ = ["template"]


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("served") / "data"))
    with Served(folder) as served:
        yield served
        # whatever clients sent, the server has nothing to complain of
        assert "Traceback" not in served.log.read_text("utf-8")


def credential(served: Served, name: str) -> dict[str, str]:
    return dict(json.loads((served.folder / "credentials" / f"{name}.json").read_text("utf-8")))


def chained(served: Served, file: Path) -> None:
    trust = served.folder / "trust"
    openssl("verify", "-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem", file)


def test_est(served: Served, tmp_path: Path) -> None:
    login = credential(served, "est")
    said = run_page(
        "ca/est.md",
        tmp_path,
        EST=f"{served.url}/.well-known/est",
        TRUST=str(served.trust),
        LOGIN=f"{login['username']}:{login['password']}",
    )
    for name in ("device", "next", "server"):
        chained(served, tmp_path / f"{name}.pem")
    assert "prime256v1" in said  # among the attributes that a request should have
    old, new = (Certificate.load((tmp_path / f"{name}.pem").read_bytes()) for name in ("device", "next"))
    assert old.subject.pairs == new.subject.pairs
    assert old.public_key != new.public_key
    made = email.message_from_bytes((tmp_path / "made.mime").read_bytes())
    assert not made.is_multipart()  # the answer's own header is not in curl's file
    assert b"application/pkcs8" in (tmp_path / "made.mime").read_bytes()


def test_cmp(served: Served, tmp_path: Path) -> None:
    given = credential(served, "cmp")
    root = served.folder / "trust" / "intl.root.pem"
    said = run_page(
        "ca/cmp.md",
        tmp_path,
        CMP=f"{served.plain}/cmp",
        REFERENCE=given["reference"],
        SECRET=given["secret"],
        ROOT=str(root),
    )
    names = ("gateway", "next", "second", "server")
    found = {name: Certificate.load((tmp_path / f"{name}.pem").read_bytes()) for name in names}
    for name in names:
        chained(served, tmp_path / f"{name}.pem")
    assert len({each.serial for each in found.values()}) == len(names)
    assert found["next"].subject.pairs == found["gateway"].subject.pairs == found["second"].subject.pairs
    assert Certificate.load((tmp_path / "root.pem").read_bytes()) == Certificate.load(root.read_bytes())
    assert "received GENP" in said
    with served.http() as http:
        listed = http.get(f"{served.plain}/crl/intl-issuing.crl").content
    assert CertificateList(listed).lookup(found["second"].serial) is not None
    assert CertificateList(listed).lookup(found["next"].serial) is None


def test_scep(served: Served, tmp_path: Path) -> None:
    given = credential(served, "scep")
    run_page("ca/scep.md", tmp_path, SCEP=f"{served.plain}/scep", CHALLENGE=given["challenge"])
    names = ("device", "next")
    found = {name: Certificate.load((tmp_path / f"{name}.pem").read_bytes()) for name in names}
    for name in names:
        chained(served, tmp_path / f"{name}.pem")
    assert found["next"].subject.pairs == found["device"].subject.pairs
    assert found["next"].public_key != found["device"].public_key


def test_a_client_of_scep_that_knows_des_only_is_told_so(served: Served, tmp_path: Path) -> None:
    given = credential(served, "scep")
    command = [
        "scepclient",
        "-server-url",
        f"{served.plain}/scep",
        "-challenge",
        given["challenge"],
        "-keySize",
        "3072",
    ]
    agent = Certificate.load_many(
        openssl(
            "pkcs7",
            "-inform",
            "DER",
            "-print_certs",
            input=httpx.get(f"{served.plain}/scep?operation=GetCACert").content,
        ).encode()
    )[0]
    files = ["-private-key", tmp_path / "tablet.key", "-certificate", tmp_path / "tablet.pem"]
    done = subprocess.run(
        [*command, *files, "-ca-fingerprint", agent.fingerprint], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )  # fmt: skip
    assert done.returncode != 0
    assert "badAlg" in done.stdout + done.stderr
    assert not (tmp_path / "tablet.pem").exists()
