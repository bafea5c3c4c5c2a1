"""Law 5: serial numbers never repeat; a certificate is stored before it is handed out; what fails the linter is not signed.

Seen to fail when: `judge` does not look at the findings; the serial number has 32 bits (the linter refuses it first).
"""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ca.errors import LintFailed, NoSerial
from ca.models import CertificateRow, State
from ca.request import Holder, IssueRequest
from kms.sign import KeySigner
from ops.acting import acting_person
from ops.data import DataDirectory
from ops.platform import Platform, Seams
from tests.laws.province import opened
from yinxin import steps
from yinxin.clock import SystemClock
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, Suite, suite
from yinxin.randomness import SystemRandomness


def request(reference: str, of: Suite = INTL) -> IssueRequest:
    csr = CertificationRequest.build(PrivateKey.generate(of), {})
    post = "province-office-clerk"
    return IssueRequest(reference, "person-signing", csr.der, Holder("person", "demo-clerk", post=post))


def states(platform: Platform, reference: str) -> list[str]:
    with platform.store.read() as session:
        query = sa.select(CertificateRow.state).where(CertificateRow.reference == reference)
        return [str(each) for each in session.scalars(query)]


def test_serial_numbers_are_long_random_and_never_repeat(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform, platform.store.read() as session:
        rows = list(session.scalars(sa.select(CertificateRow)))
        serials = [int(row.serial, 16) for row in rows]
        assert len(set(serials)) == len(serials) > 30
        for row, serial in zip(rows, serials, strict=True):
            assert Certificate(row.der or row.lint_certificate).serial == serial
            assert 0 < serial < 1 << 159  # RFC 5280 4.1.2.2: positive, at most 20 octets
        low = [serial & (1 << 128) - 1 for serial in serials]
        assert sum(each.bit_count() for each in low) / len(low) == pytest.approx(64, abs=6)
        assert {row.state for row in rows} == {State.ISSUED}


@pytest.mark.parametrize("name", ["intl", "sm"])
def test_it_is_stored_before_it_is_handed_out(platform: Platform, name: str) -> None:
    """Seen from another connection at every step: the intent before the signature, the certificate before the answer."""
    seen: dict[str, list[str]] = {}
    steps.listen(lambda step: seen.setdefault(step, states(platform, "law-5")))
    officer = acting_person(platform, None, None)
    seen.clear()
    try:
        issued = platform.ca.issue(officer, request("law-5", suite(name)))
    finally:
        steps.listen(None)
    assert seen == {
        "ca.issue.2-linted": [],
        "ca.issue.3-intended": ["intent"],
        "ca.issue.4-signed": ["intent"],
        "ca.issue.5-stored": ["issued"],
    }
    assert issued.certificate.public_key.suite.name == name


def test_what_fails_the_linter_is_not_signed(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[str] = []
    sign: Callable[[KeySigner, bytes], bytes] = KeySigner.sign
    monkeypatch.setattr(
        KeySigner, "sign", lambda self, data: (signed.append(self.info.label), sign(self, data))[1]
    )
    officer = acting_person(platform, None, None)
    signed.clear()
    platform.ca.issue(officer, request("good"))
    assert "intl-issuing" in signed
    signed.clear()
    strict = importlib.import_module("ca.lint.judge")  # the package's `judge` is the function
    monkeypatch.setattr(strict, "findings", lambda _case: ("a rule of this test",))
    with pytest.raises(LintFailed) as caught:
        platform.ca.issue(officer, request("bad"))
    assert "a rule of this test" in caught.value.text("en")
    assert signed == []
    assert states(platform, "bad") == []
    platform.audit.sequence()
    assert caught.value.entry is not None
    assert platform.audit.entry(caught.value.entry).fields()["error"] == "ca.lint_failed"


class Stuck(SystemRandomness):
    """A generator that has broken: what is asked for serial numbers is always the same."""

    def token(self, size: int) -> bytes:
        return b"\x5a" * size if size == 16 else super().token(size)


def test_a_broken_generator_gives_no_second_certificate_of_one_serial(folder: Path) -> None:
    with Platform.open(DataDirectory(folder), (), Seams(SystemClock(), Stuck())) as platform:
        officer = acting_person(platform, None, None)
        platform.ca.issue(officer, request("first"))
        with pytest.raises(NoSerial) as caught:
            platform.ca.issue(officer, request("second"))
        assert states(platform, "first") == ["issued"]
        assert states(platform, "second") == []
        assert caught.value.entry is not None
