"""Processes killed with SIGKILL between any two steps: what was signed is found and worthless, and work completes."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ca import inventory
from ca.check import evidence
from tests.support.databases import PostgresServer
from tests.support.forked import run
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertId, CertificateList, OcspRequest, OcspResponse, Revoked, Status, Unknown

from .conftest import OFFICER, REGISTRAR, Site
from .crasher import ceremony, issue, small_plan


def answered(site: Site, serial: str) -> Status:
    issuer = site.ca.certificate("intl-issuing")
    response = OcspResponse(site.ca.ocsp(OcspRequest.build([CertId.of(int(serial, 16), issuer)])))
    response.verify(issuer, site.clock.now())
    return response.answers[0].status


def is_revoked(site: Site, serial: str) -> None:
    assert isinstance(answered(site, serial), Revoked)
    assert CertificateList(site.ca.crl("intl-issuing")).lookup(int(serial, 16)) is not None


@pytest.mark.parametrize("step", ["2-linted", "3-intended", "4-signed", "5-stored"])
def test_an_issuance_killed_at_any_step(founded: Callable[..., Site], step: str) -> None:
    site = founded()
    csr = site.request().csr
    (site.folder / "csr").write_bytes(csr)
    site.keys.close()
    assert run(issue, site.url, site.folder, f"ca.issue.{step}") == -signal.SIGKILL

    site = founded()
    left = site.rows(reference="crash")
    assert [row.state for row in left] == {"2-linted": [], "5-stored": ["issued"]}.get(step, ["intent"])
    for row in left if step != "5-stored" else ():
        assert answered(site, row.serial) == Unknown()
    for row in left:
        assert Certificate(row.lint_certificate).public_key == CertificationRequest(csr).public_key
        assert inventory.find(site.ctx, row.serial).tbs == row.tbs
    site.clock.advance(timedelta(seconds=61))
    site.ca.reconcile()
    for row in site.rows(reference="crash", state="abandoned"):
        is_revoked(site, row.serial)
    issued = site.ca.issue(REGISTRAR, site.request("crash", csr=csr))
    if step == "5-stored":
        assert issued.serial == left[0].serial
    else:
        assert issued.serial not in [row.serial for row in left]
    assert [row.state for row in site.rows(reference="crash")].count("issued") == 1


def test_an_intent_can_be_revoked_before_anyone_reconciles(founded: Callable[..., Site]) -> None:
    site = founded()
    (site.folder / "csr").write_bytes(site.request().csr)
    site.keys.close()
    assert run(issue, site.url, site.folder, "ca.issue.4-signed") == -signal.SIGKILL
    site = founded()
    (row,) = site.rows(reference="crash")
    site.ca.revoke(OFFICER, row.serial, "keyCompromise")
    is_revoked(site, row.serial)
    assert inventory.find(site.ctx, row.serial).state == "abandoned"


def held(url: str, folder: Path, every: str) -> int:
    """Hold the ceremony until it completes; how often it was killed."""
    seen = folder / "seen"
    for count in range(200):
        code = run(ceremony, url, folder, seen, every)
        if code == 0:
            return count
        assert code == -signal.SIGKILL
    raise AssertionError("the ceremony does not end")


def is_whole(url: str, folder: Path) -> None:
    site = Site(url, folder)
    rows = site.rows()
    labels = [item.label for item in small_plan().items()]
    issued = [row for row in rows if row.state == "issued"]
    assert sorted(row.reference for row in issued) == sorted(f"ceremony/{label}" for label in labels)
    assert [row for row in rows if row.state == "intent"] == []
    assert all(row.revoked_at for row in rows if row.state == "abandoned")
    for row in issued:
        suite = row.authority.split("-")[0]
        root, issuing = site.ca.certificate(f"{suite}-root"), site.ca.certificate(f"{suite}-issuing")
        validate(
            Certificate(row.der),
            [issuing],
            [root],
            at=site.clock.now(),
            usage=Usage.ANY,
            require_revocation=False,
        )
    tls = Certificate.load_many((folder / "tls" / "tls-server.pem").read_bytes())[0]
    assert evidence(site.ctx, tls, site.clock.now()).ocsp
    assert site.keys.health().ok
    site.close()


def test_a_ceremony_killed_at_every_kind_of_step(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'site.sqlite'}"
    assert held(url, tmp_path, "kinds") >= 15
    is_whole(url, tmp_path)


@pytest.mark.slow
def test_a_ceremony_killed_at_every_single_step(database_url: str, tmp_path: Path) -> None:
    assert held(database_url, tmp_path, "every") >= 50
    is_whole(database_url, tmp_path)


@pytest.mark.slow
def test_a_database_killed_with_the_process_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with PostgresServer(durable=True) as server:
        url = server.url(server.create_database())
        held(url, tmp_path, "kinds")
        server.crash()
        server.start()
        is_whole(url, tmp_path)
