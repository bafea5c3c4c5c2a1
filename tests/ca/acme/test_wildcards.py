"""Wildcards: only where profile and credential have them, proved in the DNS alone, and proof of nothing else."""

import json

import pytest

from ca.errors import ProfileRefuses
from ca.recheck.judge import certificate_faults
from tests.ca.acme.client import URN, problem, request_for
from tests.ca.conftest import OFFICER
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import INTL

from .conftest import HOME, Desk

pytestmark = pytest.mark.engines("any")

DOMAIN = "wild.example.gov.cn"
STAR = f"*.{DOMAIN}"


@pytest.fixture
def wild(opened) -> Desk:
    """A desk whose credential gives wildcards, and other certificates first."""
    desk = opened(authorization_days=2)
    desk.grant(profiles=("tls-server", "tls-wildcard"), domains=("example.gov.cn",))
    return desk


def put(desk, client, authorization):
    """Have it proved by dns-01."""
    challenge = client.challenge(authorization, "dns-01")
    answer = INTL.hash.digest(client.key_authorization(challenge["token"]).encode())
    desk.names.texts.setdefault(f"_acme-challenge.{DOMAIN}", []).append(encode64(answer))
    assert client.post(challenge["url"], {}).status_code == 200
    desk.acme.validators.idle()


def test_a_wildcard_and_its_domain(wild):
    """Seen to fail with the record looked for below the `*`, and with one authorization taken for both names."""
    client = wild.client()
    url, order = client.order(STAR, DOMAIN)
    assert order["profile"] == "tls-wildcard", "the first granted one that has wildcards"
    assert [each["value"] for each in order["identifiers"]] == [STAR, DOMAIN]
    star, domain = (client.get(each) for each in order["authorizations"])
    assert star["identifier"] == domain["identifier"] == {"type": "dns", "value": DOMAIN}
    assert star["wildcard"] is True
    assert "wildcard" not in domain
    assert [each["type"] for each in star["challenges"]] == ["dns-01"]
    put(wild, client, order["authorizations"][0])
    assert client.get(url)["status"] == "pending", "a wildcard proves nothing of its domain"
    put(wild, client, order["authorizations"][1])
    final = json.loads(client.finalize(client.get(url), request_for(order, commonName=STAR)).data)
    assert final["status"] == "valid", final
    certificate = Certificate.load_many(client.post(final["certificate"], None).data)[0]
    assert certificate.san == (("dns", STAR), ("dns", DOMAIN))
    assert certificate_faults(certificate.der, certificate.public_key) == ()
    # proved once, for the next order too; each name for itself
    assert client.order(STAR)[1]["authorizations"] == order["authorizations"][:1]
    assert client.order(DOMAIN)[1]["authorizations"] == order["authorizations"][1:]


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01"])
def test_no_host_proves_a_wildcard(wild, kind):
    """Seen to fail with the challenges of all host names."""
    client = wild.client()
    _, order = client.order(STAR)
    url = client.challenge(order["authorizations"][0], "dns-01")["url"]
    assert url.endswith("/dns-01")
    problem(client.post(url.removesuffix("dns-01") + kind, {}), "malformed", 404)
    assert client.get(order["authorizations"][0])["status"] == "pending"


def test_a_proved_domain_proves_no_wildcard_below_it(wild):
    """Seen to fail with valid authorizations looked for by the name without its `*`."""
    client = wild.client()
    _, order = client.order(DOMAIN)
    put(wild, client, order["authorizations"][0])
    assert client.order(DOMAIN)[1]["status"] == "ready"
    assert client.order(STAR)[1]["status"] == "pending"


@pytest.mark.parametrize(
    "name",
    ["*", "*.", "*.cn", "*.gov.cn", "*.*.example.gov.cn", "a.*.example.gov.cn", "a*.example.gov.cn", "*.other.gov.cn", "**.example.gov.cn", "*.10.0.0.1"],
)  # fmt: skip
def test_wildcards_that_nobody_has(wild, name):
    """Seen to fail with the public suffixes, and with the place of the `*`, not looked at: other names are out of bounds as well."""
    document = problem(wild.client().new_order(name), "rejectedIdentifier", 400)
    (sub,) = document["subproblems"]
    assert (sub["identifier"]["value"], sub["type"]) == (name, f"{URN}rejectedIdentifier")
    if name in ("*.cn", "*.gov.cn"):
        assert "公共后缀" in sub["detail"] or "public suffix" in sub["detail"], sub


def test_a_profile_without_wildcards_gives_none(wild):
    client = wild.client()
    told = problem(client.new_order(STAR, profile="tls-server"), "invalidProfile", 400)
    assert "tls-wildcard" in told["detail"]
    assert client.order(HOME)[1]["profile"] == "tls-server"
    for profile, name in (("tls-server", STAR), ("tls-wildcard", "*.localhost")):
        # by hand neither
        with pytest.raises(ProfileRefuses) as refused:
            wild.site.ca.issue(OFFICER, wild.site.request(profile=profile, subject={}, san=[("dns", name)]))
        assert refused.value.facts["field"] == "dns"
