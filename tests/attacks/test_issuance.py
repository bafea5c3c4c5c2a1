"""Certificates in the wrong hands: nobody gets one that opens what her post does not.

Seen to fail when: the policy `ca.seals-by-security-officer` is taken out.
"""

import pytest

from authz.directory import DirectoryFile
from ca.holders import ApplicationNeeded
from ca.request import Holder, IssueRequest
from ops.platform import Platform
from tests.laws.province import client, small
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import NotPermitted


def with_registration_in_the_city() -> DirectoryFile:
    """The city's registrar is its registration officer too, as a small organ would have it."""
    file = small()
    posts = tuple(
        each.model_copy(update={"roles": (*each.roles, "registration-officer")})
        if each.id == "city-jia-registrar"
        else each
        for each in file.posts
    )
    return file.model_copy(update={"posts": posts})


@pytest.fixture
def registrar(site: Platform) -> Actor:
    site.authz.directory.load(SYSTEM, with_registration_in_the_city())
    who = client(site, "city-jia-registrar").authz.whoami()
    return Actor(Kind.PERSON, who.person, who.post, who.organ)


def request(profile: str, holder: Holder, **names: str) -> IssueRequest:
    """Over a key of the attacker's own."""
    csr = CertificationRequest.build(PrivateKey.generate(INTL), names).der
    return IssueRequest(f"attack:{profile}:{holder.id}", profile, csr, holder)


def test_a_registration_officer_certifies_no_seal_over_her_own_key(site: Platform, registrar: Actor) -> None:
    """It would seal in the city's name outside the key centre, where nobody records it."""
    wanted = request("organ-seal", Holder("organ", "city-jia"), commonName="甲市人民政府")
    with pytest.raises(Denied):
        site.ca.issue(registrar, wanted)


@pytest.mark.parametrize("profile", ["root", "issuing", "ocsp-responder", "tsa", "evidence"])
def test_no_officer_issues_what_takes_a_ceremony(site: Platform, registrar: Actor, profile: str) -> None:
    wanted = request(
        profile, Holder("service", "mine", None, "city-jia"), organizationName="x", commonName="x"
    )
    with pytest.raises(Exception, match=r"ca\.profile_refuses"):
        site.ca.issue(registrar, wanted)


@pytest.mark.parametrize("person", ["demo-leader", "dept-health-registrar"])
def test_a_registration_officer_names_nobody_of_another_organ(
    site: Platform, registrar: Actor, person: str
) -> None:
    post = {each.person: each.post for each in small().appointments}[person]
    with pytest.raises(NotPermitted):
        site.ca.issue(registrar, request("person-signing", Holder("person", person, post=post)))


def test_a_registration_officer_becomes_no_leader_over_her_own_key(site: Platform, registrar: Actor) -> None:
    """She would sign in as those who approve her proposals."""
    leader = {
        "person": "city-jia-leader",
        "post": "city-jia-leader",
        "valid_from": "2026-01-01T00:00:00+08:00",
    }
    entered = {"people": [{"id": "city-jia-leader", "name": "演示"}], "appointments": [leader]}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(entered))
    wanted = request("person-signing", Holder("person", "city-jia-leader", post="city-jia-leader"))
    with pytest.raises(ApplicationNeeded):
        site.ca.issue(registrar, wanted)
