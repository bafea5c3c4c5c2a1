"""Law 10: verification needs no server, no database and none of our platform: a file, a trust folder, the kit.

Seen to fail when: `evidence.verify` imports what a stranger does not have.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from yinxin import evidence
from yinxin.errors import YinxinError
from yinxin.text import Text

#: a verifier of five lines in a process that can import nothing of the platform and open no socket
STRANGER = """
import sys, json, pathlib, datetime
class Shut:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"ops", "apps", "ca", "kms", "authz", "audit", "flask", "sqlalchemy", "pkcs11"}:
            raise ImportError(f"{name} is no part of what a stranger has")
sys.meta_path.insert(0, Shut())
import socket
def no(*a, **k): raise OSError("no network here")
socket.socket.connect = no
from yinxin import evidence
held = []
data = pathlib.Path(sys.argv[1]).read_bytes()
evidence.verify(data, evidence.Trust.load(pathlib.Path(sys.argv[2])), at=datetime.datetime.now(datetime.UTC), held=held)
print(json.dumps([each.en for each in held]))
"""


@pytest.fixture
def bundle(finished: Path) -> Path:
    (found,) = [each for each in (finished / "artifacts").glob("*.asice") if "changed" not in each.name]
    return found


@pytest.fixture
def trust(finished: Path) -> evidence.Trust:
    return evidence.Trust.load(finished / "trust")


def test_a_stranger_without_network_database_or_platform(
    finished: Path, bundle: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "usb"
    alone.mkdir()
    shutil.copy(bundle, alone / "it.asice")
    shutil.copytree(finished / "trust", alone / "trust")
    for file in ("it.asice",):
        done = subprocess.run(
            [*_no_network(), sys.executable, "-c", STRANGER, alone / file, alone / "trust"],
            capture_output=True,
            text=True,
            check=False,
            cwd=alone,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr
        said = " ".join(json.loads(done.stdout))
        for words in ("bundle is whole", "seal holds", "SM2 seal", "signed off", "signed for", "returned"):
            assert words in said, said


def _no_network() -> list[str]:
    """A network of its own, with nothing in it, where the kernel lets us."""
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return ["unshare", "-n"] if tried.returncode == 0 else []


def test_it_holds_when_every_certificate_has_expired(bundle: Path, trust: evidence.Trust) -> None:
    held: list[Text] = []
    evidence.verify(bundle.read_bytes(), trust, at=datetime.now(UTC) + timedelta(days=365 * 8), held=held)
    assert len(held) >= 8


def test_what_is_in_the_container_is_all_that_is_needed(bundle: Path) -> None:
    """The parts that the law names are there, by an ordinary unzip."""
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
    assert names[0] == "mimetype"
    assert "META-INF/ASiCManifest001.xml" in names
    for wanted in ("document.pdf", ".p7s", "crl", "proof"):
        assert any(wanted in name for name in names), (wanted, names)


@pytest.mark.parametrize("share", [each / 24 for each in range(24)])
def test_no_changed_copy_holds(bundle: Path, trust: evidence.Trust, share: float) -> None:
    data = bytearray(bundle.read_bytes())
    data[int(len(data) * share)] ^= 0x20
    with pytest.raises(YinxinError) as caught:
        evidence.verify(bytes(data), trust, at=datetime.now(UTC), held=[])
    assert caught.value.text("zh")
    assert caught.value.exit in (65, 66)


def test_nothing_can_be_taken_out_of_it(bundle: Path, trust: evidence.Trust) -> None:
    """Each member removed in turn, the container rewritten as if it had never been there."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for gone in members:
        if gone == "mimetype":
            continue
        changed = BytesIO()
        with zipfile.ZipFile(changed, "w", zipfile.ZIP_STORED) as archive:
            for name, content in members.items():
                if name != gone:
                    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        with pytest.raises(YinxinError):
            evidence.verify(changed.getvalue(), trust, at=datetime.now(UTC), held=[])


def test_a_stranger_who_trusts_others_is_not_persuaded(bundle: Path, trust: evidence.Trust) -> None:
    from yinxin.tlog import NoteVerifier

    foreign_roots = evidence.Trust(roots=trust.roots[:1], logs=trust.logs)
    with pytest.raises(YinxinError):
        evidence.verify(bundle.read_bytes(), foreign_roots, at=datetime.now(UTC), held=[])
    no_logs: tuple[NoteVerifier, ...] = ()
    with pytest.raises(YinxinError):
        evidence.verify(
            bundle.read_bytes(), evidence.Trust(trust.roots, no_logs), at=datetime.now(UTC), held=[]
        )
