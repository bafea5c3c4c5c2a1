"""A second site plays the State Council: chains validate in both directions, by our path validation and by OpenSSL."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ca.ceremony.errors import PlanRefused
from ca.errors import UnknownAuthority
from ca.hierarchy.chains import chains
from tests.support.openssl import openssl
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked, PathInvalid, UnknownIssuer
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError

from .conftest import OFFICER, Site
from .neighbours import Office, council_plan

pytestmark = pytest.mark.engines("any")


SUITES = ("intl", "sm", "pq")


@pytest.fixture(scope="module")
def council_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("council")
    site = Site(f"sqlite:///{folder / 'site.sqlite'}", folder, node=2)
    site.found(council_plan())
    site.close()
    return folder


@pytest.fixture
def council(council_folder: Path, tmp_path: Path) -> Iterator[Office]:
    """The State Council's site, in a data directory of its own."""
    folder = tmp_path / "council"
    shutil.copytree(council_folder, folder)
    site = Site(f"sqlite:///{folder / 'site.sqlite'}", folder, node=2, public_url="http://127.0.0.3:8080")
    yield Office.of(site)
    site.close()


@pytest.fixture
def province(site: Site, council: Office) -> Office:
    """Ours; the two take turns at the token's library, and their clocks agree."""
    council.site.keys.close()
    council.site.clock.advance(site.clock.now() - council.site.clock.now())
    office = Office.of(site)
    office.neighbour, council.neighbour = council, office
    return office


# --- the judges ------------------------------------------------------------------------------------------------


def lists_of(*offices: Office) -> RevocationEvidence:
    """Every list in force of these sites."""
    return RevocationEvidence(
        crls=tuple(
            CertificateList(office.turn().ca.crl(name))
            for office in offices
            for name in office.site.ca.authorities()
        )
    )


def good(leaf: Certificate, above: Sequence[Certificate], root: Certificate, *offices: Office) -> None:
    """A valid path with every certificate's status known: by ours, and by OpenSSL, which knows no ML-DSA before 3.5."""
    at = offices[0].site.clock.now()
    path = validate(leaf, above, [root], at=at, usage=Usage.SERVER, revocation=lists_of(*offices))
    assert path.certificates == (leaf, *above, root)
    folder = offices[0].site.folder
    if leaf.public_key.algorithm == "sm2":
        # OpenSSL hands the signer's identity to the leaf only, so a chain is verified link by link
        for below, issuer in pairwise(path.certificates):
            judged(folder, below, (), issuer, at, "-partial_chain", "-vfyopt", "distid:1234567812345678")
    elif leaf.public_key.suite.name == "intl":
        judged(folder, leaf, above, root, at, "-x509_strict")


def judged(
    folder: Path, leaf: Certificate, above: Sequence[Certificate], root: Certificate, at: datetime, *more: str
) -> None:
    files = {"leaf": (leaf,), "above": above, "root": (root,)}
    for name, certificates in files.items():
        (folder / f"{name}.pem").write_text("".join(each.pem for each in certificates))
    untrusted = ("-untrusted", folder / "above.pem") if above else ()
    when = ("-attime", str(int(at.timestamp())))
    openssl("verify", *when, *more, "-CAfile", folder / "root.pem", *untrusted, folder / "leaf.pem")


def bad(
    leaf: Certificate,
    above: Sequence[Certificate],
    root: Certificate,
    error: type[YinxinError],
    *offices: Office,
) -> None:
    at = offices[0].site.clock.now()
    with pytest.raises(error):
        validate(leaf, above, [root], at=at, usage=Usage.SERVER, revocation=lists_of(*offices))


def of_suite(office: Office, name: str, suite: str, *digests: str, **changes: str) -> Path:
    """A sample plan in another suite."""
    return office.sample(name, *digests, **{"intl": suite, **changes})


def issued_there(council: Office, reference: str, suite: str) -> Certificate:
    """A server of the State Council's, in a name of its own."""
    name = "www.gov.localhost"
    return council.issue(reference, suite, subject={"commonName": name}, san=[("dns", name)])


# --- (a) our province as its subordinate -----------------------------------------------------------------------


def adopted(province: Office, council: Office, suite: str) -> Certificate:
    """The request out, the certificate in."""
    done = province.hold(of_suite(province, "request", suite))
    csr = done.files[f"{suite}-national.csr"]
    (council.plans / "county-zi.csr.pem").write_bytes(csr.read_bytes())
    digest = INTL.hash.digest(CertificationRequest.load(csr.read_bytes()).der).hex()
    terms = {"zi.example.gov.cn": "example.gov.cn"}
    signed = council.hold(of_suite(council, "subordinate-site", suite, digest, **terms))
    certificate = signed.certificates["county-zi"]
    handed = council.site.folder / "ceremony"
    files = (
        province.place(f"{suite}-national.pem", handed / "county-zi.pem"),
        province.place("national-root.pem", handed / "county-zi.chain.pem"),
    )
    province.hold(of_suite(province, "adopt", suite, *files))
    return certificate


@pytest.mark.parametrize("suite", SUITES)
def test_the_province_as_a_subordinate(province: Office, council: Office, suite: str) -> None:
    site = province.site
    own = adopted(province, council, suite)
    root = council.site.ca.certificate(f"{suite}-root")
    leaf = province.issue("national", suite, authority=f"{suite}-national")
    good(leaf, [own], root, province, council)
    assert chains(site.ctx, f"{suite}-national") == ((own, root),)
    assert site.ctx.issuers.get(f"{suite}-national").chain == (own, root)
    assert Certificate.load((site.folder / "trust" / f"{suite}-national.root.pem").read_bytes()) == root
    row = site.ca.authority(OFFICER, f"{suite}-national")
    assert (row["state"], row["issuer"]) == ("issuing", root.subject.text)
    assert sorted(each["use"] for each in row["certificates"]) == ["taken-anchor", "taken-own"]
    # at home too: evidence of its certificates, sign-in with them
    proof = province.turn().ca.evidence(leaf, site.clock.now())
    assert proof.chain == (own,)
    assert site.ca.health().ok
    # and after the State Council has revoked it, no more
    council.hold(council.sample("revoke", own.fingerprint))
    bad(leaf, [own], root, CertificateRevoked, province, council)


def test_before_its_certificate_is_in_it_issues_nothing(province: Office) -> None:
    province.hold(province.sample("request"))
    with pytest.raises(UnknownAuthority):
        province.issue("early", authority="intl-national")
    states = {row["name"]: row["state"] for row in province.site.ca.hierarchy(OFFICER)}
    assert states["intl-national"] == "waiting"
    assert "intl-national" not in province.site.ca.authorities()


@pytest.mark.parametrize("wrong", ["key", "name"])
def test_what_comes_in_must_be_what_was_asked_for(province: Office, council: Office, wrong: str) -> None:
    """Seen to fail when `adopt` does not compare the key, and when it does not compare the name."""
    province.hold(province.sample("request"))
    ours = province.turn().keys.signer("intl-national")
    asked = CertificationRequest.load(
        (province.site.folder / "ceremony" / "intl-national.csr.pem").read_bytes()
    )
    if wrong == "key":
        csr = CertificationRequest.build(PrivateKey.generate(INTL), asked.subject)
    else:
        csr = CertificationRequest.build(ours, (("countryName", "CN"), ("commonName", "another")))
    (council.plans / "county-zi.csr.pem").write_text(csr.pem)
    signed = council.hold(council.sample("subordinate-site", INTL.hash.digest(csr.der).hex()))
    root = council.site.ca.certificate("intl-root")
    own = signed.certificates["county-zi"]
    digests = (province.place("intl-national.pem", own), province.place("national-root.pem", root))
    with pytest.raises(PlanRefused) as refused:
        province.hold(province.sample("adopt", *digests))
    assert refused.value.facts["field"] == "certificate"
    assert wrong in refused.value.text("en")
    with pytest.raises(UnknownAuthority):
        province.issue("early", authority="intl-national")


def test_the_path_must_lead_to_the_anchor_that_was_named(province: Office, council: Office) -> None:
    """Seen to fail when `adopt` does not validate the path."""
    own = adopted_up_to_the_last_step(province, council)
    wrong = council.site.ca.certificate("sm-root")
    digests = (province.place("intl-national.pem", own), province.place("national-root.pem", wrong))
    with pytest.raises((UnknownIssuer, PathInvalid)):
        province.hold(province.sample("adopt", *digests))
    with pytest.raises(UnknownAuthority):
        province.issue("early", authority="intl-national")


def adopted_up_to_the_last_step(province: Office, council: Office) -> Certificate:
    csr = province.hold(province.sample("request")).files["intl-national.csr"].read_bytes()
    (council.plans / "county-zi.csr.pem").write_bytes(csr)
    digest = INTL.hash.digest(CertificationRequest.load(csr).der).hex()
    return council.hold(council.sample("subordinate-site", digest)).certificates["county-zi"]


# --- (b) cross-certified in both directions --------------------------------------------------------------------


def crossed(here: Office, there: Office, suite: str, **changes: str) -> Certificate:
    """The root of `here` certifies the root of `there`; `there` takes it in."""
    other = there.site.ca.certificate(f"{suite}-root")
    fingerprint = here.place("national-root.pem", other)
    certificate = here.hold(of_suite(here, "cross", suite, fingerprint, **changes)).certificates[
        f"national-{suite}"
    ]
    handed = here.site.folder / "ceremony"
    files = (
        there.place("national-root.pem", handed / f"national-{suite}.chain.pem"),
        there.place("ours-by-national.pem", handed / f"national-{suite}.pem"),
    )
    there.hold(of_suite(there, "cross-accept", suite, *files))
    return certificate


#: the State Council lets the province issue in its own names; the province keeps its own to itself
INWARD = {"[certify.excluded]": "[certify.permitted]"}


@pytest.mark.parametrize("suite", SUITES)
def test_cross_certified_both_ways(province: Office, council: Office, suite: str) -> None:
    outward = crossed(province, council, suite)
    inward = crossed(council, province, suite, **INWARD)
    ours, theirs = (office.site.ca.certificate(f"{suite}-root") for office in (province, council))
    assert (outward.subject, outward.public_key) == (theirs.subject, theirs.public_key)
    assert (inward.subject, inward.public_key) == (ours.subject, ours.public_key)
    mine = province.issue("ours", suite)
    yours = issued_there(council, "theirs", suite)
    our_issuing, their_issuing = (
        office.site.ca.certificate(f"{suite}-issuing") for office in (province, council)
    )
    # each side trusts nothing but its own root
    good(mine, [our_issuing, inward], theirs, council, province)
    good(yours, [their_issuing, outward], ours, province, council)
    # both ways up are handed out to clients
    assert (our_issuing, inward, theirs) in chains(province.site.ctx, f"{suite}-issuing")
    assert chains(province.site.ctx, f"{suite}-issuing")[0] == (our_issuing, ours)
    # the province's own names are not the State Council's to give
    stolen = council.issue("stolen", suite)
    bad(stolen, [their_issuing, outward], ours, PathInvalid, province, council)
    # revoked on the list of whoever signed it, it counts no more: in that direction, and in no other
    province.hold(province.sample("revoke", outward.fingerprint))
    bad(yours, [their_issuing, outward], ours, CertificateRevoked, province, council)
    good(mine, [our_issuing, inward], theirs, council, province)
    # and one taken in is handed out no more
    province.hold(province.sample("revoke", inward.fingerprint, cessationOfOperation="superseded"))
    assert chains(province.site.ctx, f"{suite}-issuing") == ((our_issuing, ours),)


def test_a_cross_certificate_for_another_key_is_not_taken_in(province: Office, council: Office) -> None:
    """Seen to fail when `_whose` looks at the name only."""
    root = council.site.ca.certificate("intl-root")
    foreign = council.site.ca.certificate("intl-issuing")
    digests = (province.place("national-root.pem", root), province.place("ours-by-national.pem", foreign))
    with pytest.raises(PlanRefused) as refused:
        province.hold(province.sample("cross-accept", *digests))
    assert refused.value.facts["field"] == "accept"


def test_it_does_not_outlive_the_others_own(province: Office, council: Office) -> None:
    issuing = council.site.ca.certificate("intl-issuing")
    province.site.clock.advance(timedelta(days=3000))
    fingerprint = province.place("national-root.pem", issuing)
    with pytest.raises(PlanRefused) as refused:
        province.hold(province.sample("cross", fingerprint))
    assert refused.value.facts["field"] == "certify.days"


def test_ones_own_authority_is_not_cross_certified(province: Office) -> None:
    fingerprint = province.place("national-root.pem", province.site.ca.certificate("sm-root"))
    with pytest.raises(PlanRefused):
        province.hold(province.sample("cross", fingerprint))


def test_a_mapped_policy_must_be_granted(province: Office, council: Office) -> None:
    fingerprint = province.place("national-root.pem", council.site.ca.certificate("intl-root"))
    mapping = '\n[[certify.mapping]]\nours = "1.2.3"\ntheirs = "1.2.4"\n'
    path = province.sample("cross", fingerprint)
    granted = path.read_text("utf-8").replace('["2.5.29.32.0"]', '["1.2.3"]')
    mapped = province.write("mapped.toml", granted + mapping)
    certificate = province.hold(mapped).certificates["national-intl"]
    assert certificate.policy_mappings == (("1.2.3", "1.2.4"),)
    assert certificate.policies == ("1.2.3",)


# --- (c) rollover on either side -------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_a_rollover_on_either_side(province: Office, council: Office, suite: str) -> None:
    outward = crossed(province, council, suite)
    inward = crossed(council, province, suite, **INWARD)
    mine = province.issue("old", suite)
    made = {}
    for office in (province, council):
        at = {"2027-01-01T00:00:00+08:00": office.site.clock.now().isoformat()}
        made[office.site.folder] = office.hold(of_suite(office, "rollover-root", suite, **at)).certificates
        services = {f"{suite}-ocsp-2": f"{suite}-ocsp-b", f"{suite}-tsa-2": f"{suite}-tsa-b"}
        office.hold(of_suite(office, "rollover-issuing", suite, **at, **services))
    here, there = made[province.site.folder], made[council.site.folder]
    theirs_old, theirs_new = council.site.ca.certificate(f"{suite}-root"), there[f"{suite}-root-2"]
    ours_old = province.site.ca.certificate(f"{suite}-root")
    new = province.issue("new", suite)
    issuing_1, issuing_2 = (province.site.ca.certificate(f"{suite}-issuing{each}") for each in ("", "-2"))
    assert (mine.authority_key_id, new.authority_key_id) == (
        issuing_1.subject_key_id,
        issuing_2.subject_key_id,
    )
    to_new = here[f"{suite}-root-2-new-with-old"]
    from_old = there[f"{suite}-root-2-old-with-new"]
    both = (province, council)
    # what the first generation signed: by the cross-certificate to the other's old root, and by its link to the new one
    good(mine, [issuing_1, inward], theirs_old, *both)
    good(mine, [issuing_1, inward, from_old], theirs_new, *both)
    # what the second one signed: by our link, the cross-certificate for our first root, and their link
    good(new, [issuing_2, to_new, inward], theirs_old, *both)
    good(new, [issuing_2, to_new, inward, from_old], theirs_new, *both)
    # and what the other side's second generation signed, for those who know our first root only
    yours = issued_there(council, "new", suite)
    above = [
        council.site.ca.certificate(f"{suite}-issuing-2"),
        there[f"{suite}-root-2-new-with-old"],
        outward,
    ]
    good(yours, above, ours_old, *both)
    # after the cross-certificates are revoked nothing of the other side is good any more
    council.hold(council.sample("revoke", inward.fingerprint))
    bad(new, [issuing_2, to_new, inward, from_old], theirs_new, CertificateRevoked, *both)
    bad(mine, [issuing_1, inward], theirs_old, CertificateRevoked, *both)
    # and the nightly check finds links and cross-certificates in order
    province.site.ca.recheck.run(SYSTEM)
    assert province.site.ca.recheck.found() == []
