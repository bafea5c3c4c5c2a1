"""Fakes that fail, and fakes that fail after they have done what was asked, at each step of an issuance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from kms.errors import HsmGone
from kms.sign import KeySigner
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Revoked
from yinxin.errors import YinxinError
from yinxin.store import StoreUnavailable

from .conftest import REGISTRAR, Site

REFERENCE = "r-1"


@pytest.fixture
def csr(site: Site) -> bytes:
    return bytes(site.request(REFERENCE).csr)  # type: ignore[arg-type]


def is_whole(site: Site, ask: Callable[[], Any]) -> None:
    """After the fault: one certificate however it is asked for, and what else may have been signed is revoked everywhere."""
    site.clock.advance(timedelta(seconds=61))
    site.ca.reconcile()
    issued = ask()
    assert ask().certificate.der == issued.certificate.der
    rows = site.rows(reference=REFERENCE)
    assert [row.serial for row in rows if row.state == "issued"] == [issued.serial]
    listed = CertificateList(
        site.ca.crl(issued.certificate.crl_urls[0].rpartition("/crl/")[2].removesuffix(".crl"))
    )
    issuer = site.ca.certificate("intl-issuing")
    for row in rows:
        if row.state == "issued":
            continue
        assert (row.state, row.der, row.revoked_at is None) == ("abandoned", None, False)
        asked = OcspRequest.build([CertId.of(int(row.serial, 16), issuer)])
        assert isinstance(OcspResponse(site.ca.ocsp(asked)).answers[0].status, Revoked)
        assert row.shard != issued.row.shard or listed.lookup(int(row.serial, 16)) is not None


@pytest.mark.parametrize("done", [False, True], ids=["failed", "failed-but-done"])
@pytest.mark.parametrize("place", [1, 2])
def test_a_database_that_fails_at_any_transaction(
    site: Site, csr: bytes, monkeypatch: pytest.MonkeyPatch, place: int, done: bool
) -> None:
    """The transactions of the intent (1) and of the certificate (2). Seen to fail when what is given up is not revoked."""
    act, begun = site.store.act, list[str]()

    @contextmanager
    def failing(actor: Any, verb: str, subject: str, **more: Any) -> Iterator[Any]:
        begun.append(verb)
        with act(actor, verb, subject, **more) as under_way:
            yield under_way
            if not done and len(begun) == place:
                raise StoreUnavailable
        if done and len(begun) == place:
            raise StoreUnavailable

    def ask() -> Any:
        return site.ca.issue(REGISTRAR, site.request(REFERENCE, csr=csr))

    with monkeypatch.context() as patch:
        patch.setattr(site.store, "act", failing)
        with pytest.raises(StoreUnavailable) as told:
            ask()
    assert told.value.retryable
    assert begun[:place] == ["ca.issue"] * place
    states = {(1, False): [], (1, True): ["intent"], (2, False): ["abandoned"], (2, True): ["issued"]}
    assert [row.state for row in site.rows(reference=REFERENCE)] == states[place, done]
    is_whole(site, ask)


@pytest.mark.parametrize("done", [False, True], ids=["failed", "failed-but-done"])
def test_a_module_that_fails_before_or_after_it_signed(
    site: Site, csr: bytes, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    """A signature that is somewhere, and that nobody has told us of. Seen to fail when the intent is taken back instead of revoked."""
    true, signed = KeySigner.sign, list[bytes]()

    def failing(self: KeySigner, message: bytes) -> bytes:
        if self.info.label != "intl-issuing":
            return true(self, message)
        if done:
            signed.append(true(self, message))
        raise HsmGone(token="t", reason="gone")

    def ask() -> Any:
        return site.ca.issue(REGISTRAR, site.request(REFERENCE, csr=csr))

    with monkeypatch.context() as patch:
        patch.setattr(KeySigner, "sign", failing)
        with pytest.raises(YinxinError) as told:
            ask()
    assert (told.value.code, told.value.retryable, bool(signed)) == (HsmGone.code, True, done)
    assert [row.state for row in site.rows(reference=REFERENCE)] == ["abandoned"]
    is_whole(site, ask)
