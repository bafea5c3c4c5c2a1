"""KMIP's port of a founded province: its own TLS certificate, certificates of its own authority, revoked by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ca.request import Holder, IssueRequest
from kms.kmip.errors import BadKmipClient
from kms.kmip.listener import Listener
from kms.kmip.recover import RECOVER
from ops.acting import acting_person
from ops.kmip import listen_for_kmip, serve_kmip
from ops.listening import PortTaken
from ops.platform import Platform
from tests.laws.province import client as person
from tests.laws.province import folder, opened, template
from tests.support.pykmip import KmipOperationFailure, ProxyKmipClient, enums
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest

__all__ = ["folder", "template"]

pytestmark = [
    pytest.mark.engines("any"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:kmip"),
]
AES = (enums.CryptographicAlgorithm.AES, 256)
MASKS = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
ADDRESS = 'kms.kmip.address="127.0.0.1:0"'


@pytest.fixture
def platform(folder: Path) -> Iterator[Platform]:
    with opened(folder, ADDRESS) as platform:
        yield platform


@pytest.fixture
def port(platform: Platform) -> Iterator[int]:
    listening = listen_for_kmip(platform.settings)
    assert listening is not None
    port: int = listening.getsockname()[1]
    serving: Listener = serve_kmip(platform, platform.data, platform.secrets, listening)
    yield port
    serving.close()


def issued(platform: Platform, officer: Actor, name: str, profile: str, folder: Path) -> Certificate:
    """A certificate, and files for PyKMIP."""
    key = PrivateKey.generate("ecdsa-p256")
    names = (("dns", "array.example.gov.cn"),) if profile == "tls-server" else ()
    csr = CertificationRequest.build(key, {"commonName": names[0][1] if names else name}, names)
    request = IssueRequest(f"kmip/{name}", profile, csr.der, Holder("service", name, None, officer.organ))
    made = platform.ca.issue(officer, request)
    chain = "".join(each.pem for each in (made.certificate, *made.chain[:-1]))
    (folder / f"{name}.pem").write_text(chain, "utf-8")
    loaded = serialization.load_der_private_key(key.pkcs8(), None)
    (folder / f"{name}.key").write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made.certificate


def recovered(platform: Platform, key: str) -> None:
    """Proposed by one, approved by two in distinct posts."""
    people = {each: person(platform, each) for each in ("demo-officer", "demo-deputy", "demo-leader")}
    made = people["demo-officer"].proposals.propose(RECOVER, {"object": key}, reason="误删卷密钥，需恢复数据")
    for each in ("demo-deputy", "demo-leader"):
        proposals = people[each].proposals
        proposals.approve(proposals.show(made.id))
    people["demo-officer"].proposals.execute(made.id)


def test_an_array_comes_until_its_certificate_is_revoked(
    platform: Platform, port: int, tmp_path: Path
) -> None:
    """Seen to fail when the authority is not handed to the face, and when it is asked at the handshake only."""
    officer = acting_person(platform, None, None)
    organ = officer.organ or ""
    certificate = issued(platform, officer, "array-1", "tls-client", tmp_path)
    issued(platform, officer, "array-2", "tls-server", tmp_path)
    platform.kms.kmip.register(officer, "array-1", organ, (tmp_path / "array-1.pem").read_bytes())
    with pytest.raises(BadKmipClient):  # a server's
        platform.kms.kmip.register(officer, "array-2", organ, (tmp_path / "array-2.pem").read_bytes())
    client = ProxyKmipClient(
        hostname="127.0.0.1",
        port=port,
        cert=str(tmp_path / "array-1.pem"),
        key=str(tmp_path / "array-1.key"),
        ca=str(platform.data.path("trust", "intl.root.pem")),
    )
    with client:
        key = client.create(*AES, name="volume-1", cryptographic_usage_mask=MASKS)
        client.activate(key)
        octets = client.get(key).value
        assert len(octets) == 32
        client.revoke(enums.RevocationReasonCode.SUPERSEDED, key)
        client.destroy(key)
        with pytest.raises(KmipOperationFailure, match="DESTROYED"):
            client.get(key)
        recovered(platform, key)
        assert client.get(key).value == octets
        platform.ca.revoke(officer, certificate.fingerprint, "keyCompromise")
        with pytest.raises(KmipOperationFailure, match=r"crypto\.certificate_revoked"):
            client.get(key)
    (kept,) = platform.kms.kmip.objects_of(officer, "array-1")
    assert (kept.id, kept.names) == (key, ("volume-1",))
    platform.audit.sequence()
    entries = [each.fields() for each in platform.audit.entries(limit=1000)]
    told = [(each["verb"], each["outcome"]) for each in entries if "kmip" in each["verb"]]
    assert told.count(("kms.get-kmip-object", "done")) == 2
    assert ("kms.call-kmip", "refused") in told


def test_a_port_that_is_taken_is_named(platform: Platform, port: int) -> None:
    taken = platform.settings.model_copy(deep=True)
    object.__setattr__(taken.section("kms").kmip, "address", f"127.0.0.1:{port}")
    with pytest.raises(PortTaken) as caught:
        listen_for_kmip(taken)
    assert "kms.kmip.address" in caught.value.text("en")
