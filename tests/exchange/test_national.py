"""What travels beside the sealed PDF, under the national seal, is held to be that document, sealed by that organ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from apps.document.models import File as DocumentFile
from apps.document.number import LAYOUT_OFD
from apps.document.seal import SEALED_SM
from apps.document.seal_ofd import SEALED_OFD
from apps.document.sites import verify
from apps.document.sites.errors import ParcelUnfit
from apps.document.sites.verify import ALSO
from exchange.introduce import card_in
from ops.platform import Platform
from seal.plan import SealPlan
from tests.laws.province import client
from yinxin import ofd
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import DigestMismatch
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import SM
from yinxin.exchange import File
from yinxin.flow import stamp

from .sites import Net, copied, join, opened, sealed, settings

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def site(template, tmp_path):
    own = settings("jia.example", **{"exchange.organs": '["province-office"]'})
    with opened(copied(template, tmp_path, "jia.example"), *own) as platform:
        join(Net(), platform)
        yield platform


@dataclass(frozen=True)
class Parcel:
    """A message with a sealed document, as far as it is held to the roots of its site: octets by name, the sealed files first."""

    platform: Platform
    document: str
    octets: Mapping[str, bytes]

    object = property(lambda self: f"document:{self.document}")
    sender = "province-office"

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        return card_in(self.platform.exchange.publishing.card()).anchors

    @property
    def body(self) -> dict[str, Any]:
        return {"made": list(self.octets)[:3], "sha256": sha256(self.octets["sealed.pdf"]).hexdigest()}

    @property
    def files(self) -> tuple[File, ...]:
        return tuple(
            File(name, "", len(data), sha256(data).hexdigest(), SM.hash.digest(data).hex())
            for name, data in self.octets.items()
        )

    def read(self, number: int) -> Iterator[bytes]:
        yield list(self.octets.values())[number]


def parcel(platform: Platform, document: str) -> Parcel:
    registrar = client(platform, "demo-registrar").documents
    octets = {name: registrar.file(document, name) for name in ("sealed.pdf", *ALSO)}
    return Parcel(platform, document, {**octets, "方案.txt": "附件正文。".encode()})


def sealed_by_another(platform: Platform, genuine: Parcel) -> dict[str, bytes]:
    """OFD and signature of the same document, with everything that was signed of it, under the seal of a city of the same site."""
    seal = platform.seal.found(SealPlan(organ="city-jia", keeper="city-jia-registrar"), "another")
    binding = next(each for each in seal.bindings if each.suite == SM.name)
    own, *above = client(platform, "demo-registrar").ca.chain_of(binding.certificate.public_key)
    by, now = Identity(platform.seal.keys.signer(binding.key), own, tuple(above)), platform.clock.now()
    authority = SimpleNamespace(query_timestamp=lambda request, suite: platform.ca.timestamp(suite, request))
    with platform.store.read() as session:
        page = session.get_one(DocumentFile, (genuine.document, LAYOUT_OFD)).data
    national = ofd.seal(
        page,
        seal.structure,
        by,
        at=now,
        timestamp=lambda value: stamp(authority, value, SM.name),
        attachments=[ofd.Attachment(*each) for each in ofd.attachments(genuine.octets[SEALED_OFD]).items()],
    )
    signature = cms.sign_detached(by, genuine.octets["sealed.pdf"], signed_at=now)
    return {SEALED_OFD: national, SEALED_SM: signature}


def nowhere(_message: object, _organ: str) -> tuple[Certificate, ...]:
    """No other site is known."""
    return ()


def test_it_is_that_document_of_that_organ(site, tmp_path):
    """OFD and SM2 signature, each of another document of the same organ with the same text, and of the same document by another organ.

    Seen to fail when the content alone is compared, and when `_also` does not ask whose the certificate is.
    """
    one, other = (
        parcel(site, sealed(site, tmp_path, reference, ("dept-health",)))
        for reference in ("national", "other")
    )
    held = verify.sealed(one, site.clock.now(), nowhere)
    assert held.also == {name: one.octets[name] for name in ALSO}
    another = sealed_by_another(site, one)
    for name, octets, refusal, words in (
        (SEALED_OFD, other.octets[SEALED_OFD], ParcelUnfit, "OFD 不是同一份公文"),
        (SEALED_SM, other.octets[SEALED_SM], DigestMismatch, "摘要"),
        (SEALED_OFD, another[SEALED_OFD], ParcelUnfit, "国密印章不是发文机关的"),
        (SEALED_SM, another[SEALED_SM], ParcelUnfit, "国密印章不是发文机关的"),
    ):
        with pytest.raises(refusal) as told:
            verify.sealed(replace(one, octets={**one.octets, name: octets}), site.clock.now(), nowhere)
        assert words in told.value.text("zh"), name
