"""The ceremony: what it makes, judged by OpenSSL; that it can be repeated, and what it refuses."""

from pathlib import Path

import pytest

from ca import CeremonyPlan, conduct, rehearse
from ca.ceremony.errors import CeremonyDiffers, CeremonyUnderWay
from ca.errors import BadPlan
from tests.support.openssl import openssl
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate

from .conftest import Site, plan

pytestmark = pytest.mark.engines("any")


SM = ("-vfyopt", "distid:1234567812345678")


def test_openssl_verifies_every_chain_of_the_international_suite(site: Site) -> None:
    trust = site.folder / "trust"
    for row in site.rows(authority="intl-issuing"):
        leaf = site.folder / "leaf.pem"
        leaf.write_text(Certificate(row.der).pem)
        openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", trust / "intl.root.pem", "-untrusted", trust / "intl.issuing.pem", leaf)  # fmt: skip


def test_openssl_verifies_every_sm2_link(site: Site) -> None:
    # OpenSSL hands the signer's identity to the leaf only, so a chain is verified link by link
    trust = site.folder / "trust"
    openssl("verify", *SM, "-CAfile", trust / "sm.root.pem", trust / "sm.issuing.pem")
    leaves = site.rows(authority="sm-issuing")
    assert len(leaves) >= 4
    for row in leaves:
        leaf = site.folder / "leaf.pem"
        leaf.write_text(Certificate(row.der).pem)
        openssl("verify", *SM, "-partial_chain", "-trusted", trust / "sm.issuing.pem", leaf)


def test_the_server_key_is_encrypted_and_private(site: Site) -> None:
    key, password = site.folder / "tls" / "tls-server.key", site.folder / "secrets" / "tls-server.password"
    assert key.stat().st_mode & 0o777 == 0o600
    assert password.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in key.read_bytes()
    openssl("pkey", "-in", key, "-passin", f"file:{password}", "-noout")
    sent = Certificate.load_many((site.folder / "tls" / "tls-server.pem").read_bytes())
    assert [each.subject.common_name for each in sent] == ["yinxin.localhost", "政务信任平台签发机构（国际）"]
    assert (site.folder / "trust" / "tls.pem").read_bytes() == (
        site.folder / "trust" / "intl.root.pem"
    ).read_bytes()


def test_a_seal_bears_the_name_on_record(site: Site) -> None:
    (seal,) = site.rows(profile="organ-seal", authority="sm-issuing")
    assert seal.subject == (
        "CN=示范省人民政府(电子印章), organizationIdentifier=11511301008778183N, O=示范省人民政府, C=CN"
    )
    assert (seal.holder_kind, seal.holder) == ("organ", "province")


def test_a_repetition_changes_nothing(site: Site) -> None:
    before = [(row.serial, row.der) for row in site.rows()]
    done = conduct(site.ctx, site.keys, SYSTEM, plan(), site.folder)
    assert [(row.serial, row.der) for row in site.rows()] == before
    assert {f"{each.serial:x}" for each in done.certificates.values()} == {serial for serial, _ in before}
    known = [f"{suite}.{kind}" for suite in ("intl", "pq", "sm") for kind in ("issuing", "root")]
    assert sorted(done.trust) == [*known, "tls"]


@pytest.mark.parametrize(
    ("path", "value"),
    [(("hierarchy", 0, "root", "common_name"), "别的根"), (("hierarchy", 1, "service", 1, "days"), 100)],
)
def test_a_different_plan_is_refused(site: Site, path: tuple[str | int, ...], value: object) -> None:
    values = plan().model_dump()
    part = values
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    before = [row.serial for row in site.rows()]
    with pytest.raises(CeremonyDiffers):
        conduct(site.ctx, site.keys, SYSTEM, CeremonyPlan.model_validate(values), site.folder)
    assert [row.serial for row in site.rows()] == before


def test_a_foreign_trust_file_is_not_overwritten(site: Site) -> None:
    path = site.folder / "trust" / "sm.root.pem"
    path.write_text("something else")
    with pytest.raises(CeremonyDiffers) as refused:
        conduct(site.ctx, site.keys, SYSTEM, plan(), site.folder)
    assert refused.value.facts["what"] == str(path)
    assert path.read_text() == "something else"


def test_a_rehearsal_writes_nothing(site: Site) -> None:
    before, events = site.rows(), site.events()
    made = rehearse(site.ctx, site.keys, plan())
    assert [each.subject.text for each in made.values() if each.is_self_issued] == [
        site.ca.certificate("intl-root").subject.text,
        site.ca.certificate("sm-root").subject.text,
        site.ca.certificate("pq-root").subject.text,
    ]
    assert len(made) == len(before)
    assert site.events() == events
    assert len(site.rows()) == len(before)


def test_only_one_at_a_time(site: Site) -> None:
    import fcntl

    with (site.folder / "ceremony.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CeremonyUnderWay):
            conduct(site.ctx, site.keys, SYSTEM, plan(), site.folder)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("organization = ''", "organization"),
        ("organization = 'x'\nhierarchy = []", "hierarchy"),
        ("organization = 'x'\nunknown = 1", "hierarchy"),
        ("organization = [", "*"),
        (
            "organization = 'x'\n[[hierarchy]]\nsuite = 'rot13'\nroot = {common_name = 'r'}\nissuing = {common_name = 'i'}",
            "*",
        ),
    ],
)
def test_a_wrong_plan_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(BadPlan) as refused:
        CeremonyPlan.read(path)
    assert refused.value.facts["field"] == field
