"""A file signed on one's own side, with the time and the state of that moment: checked offline, and no octet of it changes unnoticed."""

import pytest

from ops.platform import Platform
from tests.laws.province import client, identity
from yinxin import evidence
from yinxin.client.signing import sign_file
from yinxin.errors import YinxinError
from yinxin.evidence import (
    Attached,
    Beside,
    EvidenceAltered,
    EvidenceMismatch,
    MalformedEvidence,
    Trust,
    container,
)
from yinxin.evidence.compare import digests
from yinxin.evidence.signed_file import SignedFile
from yinxin.text import Text

pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]
LETTER = "关于同意开工的函\n".encode()


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_from_a_persons_key_to_a_file_that_proves_itself(platform: Platform, suite: str) -> None:
    """Seen to fail when the timestamp is left out."""
    own = identity(platform.data.root, "demo-clerk", suite)
    now = platform.clock.now()
    with client(platform, "demo-clerk", suite) as person:
        made = sign_file(person.ca, own, "函.txt", LETTER, at=now)
    trust = Trust.load(platform.data.root / "trust")
    held: list[Text] = []
    evidence.verify(made, trust, at=now, held=held)
    (said,) = held
    assert "函.txt" in said.zh
    for data, holds in ((LETTER, True), (b"another", False)):
        brought = Beside(attached=(Attached("a copy", **digests(data)),))
        try:
            evidence.verify(made, trust, at=now, held=[], beside=brought)
        except EvidenceMismatch:
            assert not holds
        else:
            assert holds
    files, manifest, signature = container.unpack(made)
    assert SignedFile.of(files).data == LETTER
    files["content/函.txt"] = LETTER + b"x"
    with pytest.raises(EvidenceAltered):
        evidence.verify(container._zip({**files, container.MANIFEST: manifest, container.SIGNATURE: signature}), trust, at=now, held=[])  # fmt: skip
    del files["revocation/01.crl"]
    with pytest.raises(YinxinError):
        evidence.verify(container.pack(files, signature), trust, at=now, held=[])
    other = SignedFile.of(container.unpack(made)[0])
    with pytest.raises(MalformedEvidence):
        SignedFile("../函.txt", other.data, other.certificates, other.crls, other.ocsps)


def test_a_revoked_certificate_signs_no_file(platform: Platform) -> None:
    own = identity(platform.data.root, "demo-clerk")
    with client(platform, "demo-officer") as officer:
        officer.ca.revoke(f"{own.certificate.serial:x}", "keyCompromise")
        made = sign_file(officer.ca, own, "letter.txt", LETTER, at=platform.clock.now())
    trust = Trust.load(platform.data.root / "trust")
    with pytest.raises(YinxinError) as caught:
        evidence.verify(made, trust, at=platform.clock.now(), held=[])
    assert caught.value.code == "crypto.certificate_revoked"
