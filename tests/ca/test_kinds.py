"""Every kind of ceremony from the sample plans: what it makes, what it refuses, and that a repetition changes nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from authz.proposal.errors import ApprovalsMissing
from ca.ceremony.errors import (
    CeremonyDiffers,
    CeremonyUnfinished,
    FileDiffers,
    FileMissing,
    PlanRefused,
    ProposalNeeded,
)
from ca.ceremony.kinds import read_plan
from ca.ceremony.rehearse import rehearse
from ca.errors import (
    AuthorityRetired,
    AuthorityRevoked,
    BadPlan,
    LintFailed,
    UnderARoot,
    UnknownAuthority,
)
from ca.hierarchy.chains import chains
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertId, CertificateList, Good, OcspRequest, OcspResponse, Revoked
from yinxin.crypto.suite import INTL
from yinxin.crypto.timestamps import Token, request

from .conftest import OFFICER, REGISTRAR, ROOT, Site
from .neighbours import Office

pytestmark = pytest.mark.engines("any")


def verified(site: Site, leaf: Certificate, *above: Certificate, root: Certificate, status: int = 0) -> str:
    """OpenSSL's judgement."""
    for name, certificates in (("leaf", (leaf,)), ("above", above), ("root", (root,))):
        (site.folder / f"{name}.pem").write_text("".join(each.pem for each in certificates))
    untrusted = ("-untrusted", site.folder / "above.pem") if above else ()
    when = ("-attime", str(int(site.clock.now().timestamp())))
    trusted = ("-x509_strict", "-CAfile", site.folder / "root.pem")
    return openssl("verify", *when, *trusted, *untrusted, site.folder / "leaf.pem", status=status)


def answer(site: Site, leaf: Certificate, issuer: Certificate) -> object:
    response = OcspResponse(site.ca.ocsp(OcspRequest.build([CertId.of(leaf.serial, issuer)])))
    response.verify(issuer, site.clock.now())
    return response.answers[0].status


# --- a subordinate ---------------------------------------------------------------------------------------------


def test_a_city_gets_an_authority_of_its_own(office: Office) -> None:
    site = office.site
    done = office.hold(office.sample("subordinate"))
    assert [each["person"] for each in done.approvals] == ["qian", "feng"]
    city = done.certificates["intl-city-jia"]
    assert (city.path_length, city.issuer) == (0, site.ca.certificate("intl-root").subject)
    assert city.name_constraints is not None
    assert city.name_constraints.permitted == (("dns", "jia.example.gov.cn"),)
    leaf = office.issue("city", subject={"commonName": "www.jia.example.gov.cn"}, san=[("dns", "www.jia.example.gov.cn")], authority="intl-city-jia")  # fmt: skip
    assert leaf.issuer == city.subject
    verified(site, leaf, city, root=site.ca.certificate("intl-root"))
    assert answer(site, leaf, city) == Good()
    CertificateList(site.ca.crl("intl-city-jia")).verify(city)
    assert Certificate.load((site.folder / "trust" / "intl-city-jia.pem").read_bytes()) == city
    assert site.ca.health().ok
    states = {row["name"]: (row["depth"], row["state"]) for row in site.ca.hierarchy(OFFICER)}
    assert states["intl-city-jia"] == (1, "issuing")
    assert chains(site.ctx, "intl-city-jia") == ((city, site.ca.certificate("intl-root")),)


def test_it_issues_nothing_outside_its_constraints(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the linter's rule it would, and OpenSSL refuse it."""
    from ca.lint import rfc5280

    site = office.site
    city = office.hold(office.sample("subordinate")).certificates["intl-city-jia"]
    with pytest.raises(LintFailed) as refused:
        office.issue("outside", authority="intl-city-jia")
    assert "4.2.1.10" in refused.value.text("en")
    monkeypatch.setattr(rfc5280, "hold_names", lambda _certificate, _above: None)
    leaf = office.issue("outside", authority="intl-city-jia")
    said = verified(site, leaf, city, root=site.ca.certificate("intl-root"), status=2)
    assert "permitted subtree violation" in said


def test_a_repetition_changes_nothing(office: Office) -> None:
    path = office.sample("subordinate")
    done = office.hold(path)
    before, events = office.site.rows(), office.site.events("ca.issue")
    again = office.conduct(path)
    assert again.certificates == done.certificates
    assert [row.serial for row in office.site.rows()] == [row.serial for row in before]
    assert office.site.events("ca.issue") == events


def test_a_rehearsal_of_every_sample_writes_nothing(office: Office) -> None:
    site = office.site
    root = site.ca.certificate("intl-root")
    key = PrivateKey.generate(INTL)
    csr = CertificationRequest.build(
        key, {"countryName": "CN", "organizationName": "子县", "commonName": "子县 CA"}
    )
    (office.plans / "county-zi.csr.pem").write_text(csr.pem)
    paths = [
        office.sample("subordinate"),
        office.sample("subordinate-site", INTL.hash.digest(csr.der).hex()),
        office.sample("request"),
        office.sample("rollover-root"),
        office.sample("rollover-issuing"),
        office.sample("retire", **{"intl-city-jia": "intl-issuing"}),
        office.sample("revoke", site.ca.certificate("intl-issuing").fingerprint),
        office.sample("services"),
    ]
    before, events, files = site.rows(), site.events(), sorted(site.folder.rglob("*.pem"))
    for path in paths:
        for each in rehearse(
            site.ctx, site.keys, read_plan(path), folder=site.folder, beside=path.parent
        ).values():
            assert each.public_key != root.public_key
    assert (len(site.rows()), site.events(), sorted(site.folder.rglob("*.pem"))) == (
        len(before),
        events,
        files,
    )


def test_too_deep_a_path_is_linted_before_anybody_approves(office: Office) -> None:
    path = office.sample("subordinate", **{'parent = "intl-root"': 'parent = "intl-issuing"'})
    with pytest.raises(LintFailed) as refused:
        office.hold(path)
    assert "path length" in refused.value.text("en")
    assert office.site.events("authz.propose")[-1]["error"] == "ca.lint_failed"
    with office.site.store.read() as session:
        from ca.hierarchy.models import CeremonyRow

        assert session.get(CeremonyRow, read_plan(path).digest) is None


def test_another_plan_for_the_same_name_stops(office: Office) -> None:
    office.hold(office.sample("subordinate"))
    other = office.sample("subordinate", 甲市政务签发机构="乙市政务签发机构")
    rows = len(office.site.rows())
    with pytest.raises(CeremonyDiffers):
        office.hold(other)
    assert len(office.site.rows()) == rows


def test_a_file_that_is_there_is_not_overwritten(office: Office) -> None:
    path = office.site.folder / "trust" / "intl-city-jia.pem"
    path.write_text("something else")
    with pytest.raises(CeremonyDiffers):
        office.hold(office.sample("subordinate"))
    assert path.read_text() == "something else"


def test_another_site_is_certified_on_its_request(office: Office) -> None:
    site = office.site
    key = PrivateKey.generate(INTL)
    subject = (
        ("countryName", "CN"),
        ("organizationName", "子县人民政府"),
        ("commonName", "子县政务签发机构"),
    )
    csr = CertificationRequest.build(key, subject)
    (office.plans / "county-zi.csr.pem").write_text(csr.pem)
    path = office.sample("subordinate-site", INTL.hash.digest(csr.der).hex())
    certificate = office.hold(path).certificates["county-zi"]
    assert (certificate.public_key, certificate.subject) == (key.public_key, csr.subject)
    root = site.ca.certificate("intl-root")
    verified(site, certificate, root=root)
    handed = site.folder / "ceremony"
    assert Certificate.load((handed / "county-zi.pem").read_bytes()) == certificate
    assert Certificate.load_many((handed / "county-zi.chain.pem").read_bytes()) == [root]
    assert "county-zi" not in [row["name"] for row in site.ca.hierarchy(OFFICER)]


def test_a_request_that_was_not_reviewed_is_refused(office: Office) -> None:
    path = office.sample("subordinate-site", "ab" * 32)
    with pytest.raises(FileMissing):
        office.hold(path)
    csr = CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": "x"})
    (office.plans / "county-zi.csr.pem").write_text(csr.pem)
    with pytest.raises(FileDiffers):
        office.hold(path)


# --- generations -----------------------------------------------------------------------------------------------


def rolled(office: Office, name: str) -> dict[str, Certificate]:
    """A rollover that takes effect in an hour."""
    at = (office.site.clock.now() + timedelta(hours=1)).isoformat()
    return office.hold(office.sample(name, **{"2027-01-01T00:00:00+08:00": at})).certificates


def test_a_root_is_followed_by_its_second_generation(office: Office) -> None:
    site = office.site
    old = site.ca.certificate("intl-root")
    leaf = office.issue("old")
    made = rolled(office, "rollover-root")
    new, forth, back = (
        made[each] for each in ("intl-root-2", "intl-root-2-new-with-old", "intl-root-2-old-with-new")
    )
    assert new.subject == old.subject == forth.subject == back.subject
    assert (forth.public_key, back.public_key) == (new.public_key, old.public_key)
    # RFC 9810 4.4: from the key's own beginning to the old one's end
    assert (forth.not_before, forth.not_after) == (new.not_before, min(old.not_after, new.not_after))
    assert (back.not_before, back.not_after) == (old.not_before, min(old.not_after, new.not_after))
    issuing = site.ca.certificate("intl-issuing")
    verified(site, leaf, issuing, root=old)
    verified(site, leaf, issuing, back, root=new)
    # each generation has addresses and a list of its own
    assert forth.crl_urls == issuing.crl_urls != back.crl_urls
    CertificateList(site.ca.crl("intl-root")).verify(old)
    CertificateList(site.ca.crl("intl-root-2")).verify(new)
    # and the chains say so: our own first, then by the link
    assert chains(site.ctx, "intl-issuing") == ((issuing, old), (issuing, back, new))
    assert set(chains(site.ctx, "intl-root-2")) == {(new,), (forth, old)}
    assert (site.folder / "trust" / "intl-2.root.pem").exists()
    # as a client that asks for all of them gets it
    (site.folder / "all.p7c").write_bytes(site.ca.collection("intl-issuing"))
    said = openssl("pkcs7", "-inform", "DER", "-in", site.folder / "all.p7c", "-print_certs", "-noout")
    assert said.count("subject=") == 4
    states = {row["name"]: row["state"] for row in site.ca.hierarchy(OFFICER)}
    assert (states["intl-root"], states["intl-root-2"]) == ("issuing", "coming")
    site.clock.advance(timedelta(hours=1))
    states = {row["name"]: row["state"] for row in site.ca.hierarchy(OFFICER)}
    assert (states["intl-root"], states["intl-root-2"]) == ("superseded", "issuing")
    assert site.ctx.issuers.issuing("intl-root").name == "intl-root-2"
    assert site.ctx.issuers.of_key(old.public_key.key_id) is site.ctx.issuers.get("intl-root")
    # what the new one signs is good for whoever knows only the old one
    second = rolled(office, "rollover-issuing")["intl-issuing-2"]
    assert second.authority_key_id == new.subject_key_id
    verified(site, second, root=new)
    verified(site, second, forth, root=old)


def test_an_issuing_authority_is_followed_from_the_stated_time(office: Office) -> None:
    """Seen to fail when `_generation` does not look at `active_from`."""
    site = office.site
    before = office.issue("before")
    rolled(office, "rollover-issuing")
    old, new = site.ca.certificate("intl-issuing"), site.ca.certificate("intl-issuing-2")
    meanwhile = office.issue("meanwhile")
    site.clock.advance(timedelta(hours=1))
    after = office.issue("after")
    assert [each.authority_key_id for each in (before, meanwhile, after)] == [
        old.subject_key_id,
        old.subject_key_id,
        new.subject_key_id,
    ]
    root = site.ca.certificate("intl-root")
    verified(site, before, old, root=root)
    verified(site, after, new, root=root)
    # status of both generations, each by its own responder and list
    assert (answer(site, before, old), answer(site, after, new)) == (Good(), Good())
    site.ca.revoke(OFFICER, f"{before.serial:x}", "superseded")
    site.ca.revoke(OFFICER, f"{after.serial:x}", "superseded")
    assert isinstance(answer(site, before, old), Revoked)
    assert isinstance(answer(site, after, new), Revoked)
    lists = [CertificateList(site.ca.crl(name)) for name in ("intl-issuing", "intl-issuing-2")]
    lists[0].verify(old)
    lists[1].verify(new)
    assert [[each.lookup(leaf.serial) is not None for leaf in (before, after)] for each in lists] == [
        [True, False],
        [False, True],
    ]
    # the same reference still gives the certificate of then, with the chain of then
    same = site.ca.issue(REGISTRAR, site.request("again"))
    assert same.chain[0] == new
    assert site.ca.health().ok


def test_a_reference_of_the_old_generation_keeps_its_chain(office: Office) -> None:
    """Seen to fail when `recall` gives the chain of whoever signs now."""
    site = office.site
    request = site.request("kept")
    first = site.ca.issue(REGISTRAR, request)
    rolled(office, "rollover-issuing")
    site.clock.advance(timedelta(hours=1))
    assert site.ca.issue(REGISTRAR, request) == first


def test_timestamps_go_on_over_a_rollover(office: Office) -> None:
    site = office.site
    rolled(office, "rollover-issuing")
    asked = request(INTL.hash, INTL.hash.digest(b"content"))
    token = Token.from_response(site.ca.timestamp("intl", asked), asked)
    assert site.ca.certificate("intl-issuing-2") in token.certificates


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [("generation = 2", "generation = 3", "generation"), ('"intl-root"', '"intl-nobody"', "")],
)
def test_a_rollover_of_what_is_not_there(office: Office, before: str, after: str, field: str) -> None:
    path = office.sample("rollover-root", **{before: after})
    with pytest.raises((PlanRefused, UnknownAuthority)) as refused:
        office.hold(path)
    assert refused.value.facts.get("field", "") == field


def test_a_subordinate_keeps_its_terms_in_the_next_generation(office: Office) -> None:
    first = office.hold(office.sample("subordinate")).certificates["intl-city-jia"]
    path = office.sample(
        "rollover-issuing",
        **{
            "intl-issuing": "intl-city-jia",
            "2027-01-01T00:00:00+08:00": office.site.clock.now().isoformat(),
            "intl-ocsp-2": "jia-ocsp-2",
            "intl-tsa-2": "jia-tsa-2",
        },
    )
    second = office.hold(path).certificates["intl-city-jia-2"]
    assert second.public_key != first.public_key
    assert (second.name_constraints, second.path_length, second.subject) == (
        first.name_constraints,
        first.path_length,
        first.subject,
    )


# --- the end ---------------------------------------------------------------------------------------------------


def test_a_retired_authority_renews_its_responder_and_nothing_else(office: Office) -> None:
    site = office.site
    at = site.clock.now().isoformat()
    retired = {"intl-city-jia": "intl-issuing", "2027-06-30T18:00:00+08:00": at}
    leaf = office.issue("before")
    office.hold(office.sample("retire", **retired))
    with pytest.raises(AuthorityRetired):
        office.issue("after")
    site.clock.advance(timedelta(days=365))
    done = office.hold(office.sample("services"))
    assert done.certificates["intl-ocsp"].public_key
    site.clock.advance(timedelta(days=20))
    assert answer(site, leaf, site.ca.certificate("intl-issuing")) == Good()
    with pytest.raises(AuthorityRetired):
        office.hold(office.sample("services", **{"ocsp-responder": "tsa", "intl-ocsp": "intl-tsa"}))


def test_a_subordinate_is_revoked_on_its_parents_list(office: Office) -> None:
    site = office.site
    city = office.hold(office.sample("subordinate")).certificates["intl-city-jia"]
    with pytest.raises(UnderARoot):
        site.ca.revoke(OFFICER, city.fingerprint, "keyCompromise")
    path = office.sample("revoke", city.fingerprint, cessationOfOperation="cACompromise")
    office.hold(path)
    listed = CertificateList(site.ca.crl("intl-root")).lookup(city.serial)
    assert listed is not None
    assert str(listed.reason) == "cACompromise"
    with pytest.raises(AuthorityRevoked):
        office.issue("after", authority="intl-city-jia")
    assert chains(site.ctx, "intl-city-jia") == ()
    number = CertificateList(site.ca.crl("intl-root")).number
    office.conduct(path)
    assert CertificateList(site.ca.crl("intl-root")).number == number


def test_a_persons_certificate_is_not_revoked_by_ceremony(office: Office) -> None:
    leaf = office.issue("leaf")
    with pytest.raises(PlanRefused):
        office.hold(office.sample("revoke", leaf.fingerprint))


# --- plans -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after", "field"),
    [
        ("subordinate", 'kind = "subordinate"', 'kind = "coronation"', "*"),
        ("subordinate", "path_length = 0", "path_length = -1", "terms.path_length"),
        ("subordinate", "countryName", "planetName", "authority.subject"),
        ("subordinate", "jia.example.gov.cn", "jia example", "terms"),
        ("subordinate", 'profile = "ocsp-responder"', 'profile = "tsa"', "*"),
        ("subordinate-site", "county-zi.csr.pem", "../csr.pem", "request.file"),
        ("adopt", "1" * 64, "11", "anchor.sha256"),
        ("rollover-root", "generation = 2", "generation = 1", "generation"),
        ("retire", "+08:00", "", "at"),
        ("revoke", "reason", "raison", "reason"),
        ("cross", "[certify", "[certified", "certified"),
    ],
)
def test_a_wrong_plan_names_its_field(tmp_path: Path, name: str, before: str, after: str, field: str) -> None:
    text = (ROOT / "plans" / f"{name}.toml").read_text("utf-8")
    assert before in text
    path = tmp_path / "plan.toml"
    path.write_text(text.replace(before, after))
    with pytest.raises(BadPlan) as refused:
        read_plan(path)
    assert refused.value.facts["field"] == field


def test_the_digest_covers_the_order_of_a_name(tmp_path: Path) -> None:
    text = (ROOT / "plans" / "request.toml").read_text("utf-8")
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text(
        text.replace(
            'countryName = "CN", organizationName = "示范省人民政府"',
            'organizationName = "示范省人民政府", countryName = "CN"',
        )
    )
    assert read_plan(tmp_path / "a.toml").digest != read_plan(tmp_path / "b.toml").digest


def test_an_unfinished_ceremony_stands_before_every_other(office: Office) -> None:
    from ca.hierarchy.models import CeremonyRow

    begun = office.sample("subordinate")
    office.hold(begun)
    digest = read_plan(begun).digest
    with office.site.store.act(OFFICER, "ca.ceremony", "test") as act:
        act.session.get_one(CeremonyRow, digest).done = None
    other = office.sample("request")
    with pytest.raises(CeremonyUnfinished):
        office.hold(other)
    given_up = office.write("other.toml", f'instead_of = "{digest}"\n' + other.read_text("utf-8"))
    office.hold(given_up)
    with pytest.raises(CeremonyUnfinished):
        office.conduct(begun)


def test_founding_more_on_a_founded_site_takes_approvals(office: Office) -> None:
    text = (ROOT / "plans" / "embedded.toml").read_text("utf-8")
    more = (
        '[[hierarchy.service]]\nlabel = "sm-tsa-b"\nprofile = "tsa"\ncommon_name = "时间戳服务（国密，乙）"\n'
    )
    path = office.write("more.toml", text + more)
    with pytest.raises(ProposalNeeded):
        office.site.ca.found(OFFICER, read_plan(path), path.parent)
    with pytest.raises(ApprovalsMissing):
        office.conduct(path)
    assert "sm-tsa-b" in office.hold(path).certificates
