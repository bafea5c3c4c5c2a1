"""The way of RFC 8555 from the directory to the certificate and its end, one resource after another."""

import json
from datetime import timedelta

import pytest

from ca.acme import account
from ca.acme.models import AccountRow, OrderRow
from tests.ca.acme.client import HOST, problem, request_for
from tests.ca.conftest import REGISTRAR
from tests.support.openssl import openssl
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import Jwk, encode64, sign
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL

from .conftest import HOME, Desk

pytestmark = pytest.mark.engines("any")


def test_the_directory_says_where_everything_is(desk):
    client = desk.client(registered=False)
    answer = client.http.get("/acme/directory", base_url=HOST)
    directory = json.loads(answer.data)
    assert answer.content_type == "application/json"
    assert set(directory) == {
        "newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo", "meta",
    }  # fmt: skip
    assert directory["newAccount"] == f"{HOST}/acme/new-account"
    assert directory["meta"]["externalAccountRequired"] is True
    assert "tls-server" in directory["meta"]["profiles"]
    assert "root" not in directory["meta"]["profiles"]


def test_nonces_are_had_by_head_and_by_get(desk):
    http = desk.client(registered=False).http
    for method, status in (("HEAD", 200), ("GET", 204)):
        answer = http.open("/acme/new-nonce", base_url=HOST, method=method)
        assert (answer.status_code, answer.data) == (status, b"")
        assert len(answer.headers["Replay-Nonce"]) == 43
        assert answer.headers["Cache-Control"] == "no-store"
        assert f'<{HOST}/acme/directory>;rel="index"' in answer.headers.getlist("Link")


def test_from_order_to_certificate(desk, tmp_path):
    client = desk.client()
    url, order = client.order(HOME, "b.example.gov.cn")
    assert order["status"] == "pending"
    assert order["profile"] == "tls-server"
    assert "certificate" not in order
    first = client.get(order["authorizations"][0])
    assert (first["status"], first["identifier"]) == ("pending", {"type": "dns", "value": HOME})
    assert [each["type"] for each in first["challenges"]] == ["http-01", "dns-01", "tls-alpn-01"]
    desk.prove(client, order)
    done = client.get(order["authorizations"][0])
    assert done["status"] == "valid"
    assert [each["status"] for each in done["challenges"]] == ["valid"]
    assert done["challenges"][0]["validated"]
    assert client.get(url)["status"] == "ready"

    answer = client.finalize(order, request_for(order, commonName=HOME))
    final = json.loads(answer.data)
    assert (answer.status_code, final["status"]) == (200, "valid")
    assert answer.headers["Location"] == url
    chain = client.post(final["certificate"], None)
    assert chain.content_type == "application/pem-certificate-chain"
    leaf, issuing = Certificate.load_many(chain.data)
    assert set(leaf.san) == {("dns", HOME), ("dns", "b.example.gov.cn")}
    (tmp_path / "leaf").write_text(leaf.pem)
    (tmp_path / "issuing").write_text(issuing.pem)
    (tmp_path / "root").write_text(desk.site.pem("intl-root"))
    said = openssl(
        "verify", "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "issuing", tmp_path / "leaf"
    )
    assert ": OK" in said
    (row,) = desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}")
    assert (row.organ, row.requested_by) == ("county-a", f"credential:{desk.kid}")


def test_everything_done_is_on_the_record(desk):
    client = desk.client()
    _, order = desk.ready(client)
    client.finalize(order)
    account = client.kid.rpartition("/")[2]
    acme = [event for event in desk.site.events() if event["verb"].startswith("ca.acme-")]
    assert [(event["verb"], event["outcome"]) for event in acme] == [
        ("ca.acme-register", "done"),
        ("ca.acme-order", "done"),
        ("ca.acme-respond", "done"),
        ("ca.acme-validate", "done"),
        ("ca.acme-finalize", "intent"),
    ]
    actor = {"kind": "service", "id": f"acme:{account}", "organ": "county-a", "via": "acme"}
    assert all(event["actor"] == actor for event in acme)
    assert acme[0]["decision"]["credential"] == desk.kid
    assert [event["outcome"] for event in desk.site.events("ca.issue")][-2:] == ["intent", "done"]


def test_a_proved_name_is_not_proved_again(opened):
    """Seen to fail when `_proofs` makes every authorization anew."""
    desk = opened(authorization_days=2)
    client = desk.client()
    _, first = desk.ready(client)
    _, second = client.order(HOME)
    assert (second["status"], second["authorizations"]) == ("ready", first["authorizations"])
    other = desk.client()
    assert other.order(HOME)[1]["status"] == "pending", "what one account proved is nothing to another"
    desk.site.clock.advance(timedelta(days=2))
    assert client.order(HOME)[1]["status"] == "pending"


def test_an_address_is_an_identifier(desk):
    client = desk.client()
    url, order = client.order("127.0.0.1")
    kinds = [each["type"] for each in client.get(order["authorizations"][0])["challenges"]]
    assert kinds == ["http-01", "tls-alpn-01"]
    desk.prove(client, order)
    final = json.loads(client.finalize(client.get(url)).data)
    assert Certificate.load_many(client.post(final["certificate"], None).data)[0].san == (
        ("ip", "127.0.0.1"),
    )


def test_a_profile_is_chosen(desk):
    desk.grant(profiles=("tls-server", "vpn-gateway"))
    client = desk.client()
    assert "vpn-gateway" in client.directory()["meta"]["profiles"]
    url, order = desk.ready(client, HOME, profile="vpn-gateway")
    assert order["profile"] == "vpn-gateway"
    assert client.finalize(order).status_code == 200
    assert desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}")[0].profile == "vpn-gateway"
    for wrong in ("tls-client", "no-such"):
        assert "tls-server" in problem(client.new_order(HOME, profile=wrong), "invalidProfile", 400)["detail"]


# --- accounts --------------------------------------------------------------------------------------------------


def test_an_account_is_registered_once(desk):
    client = desk.client()
    kid, client.kid = client.kid, None
    answer = client.register(desk.kid, desk.secret, contact=["mailto:x@example.gov.cn"])
    assert (answer.status_code, answer.headers["Location"]) == (200, kid)
    client.kid = None
    answer = client.post(f"{HOST}/acme/new-account", {"onlyReturnExisting": True})
    assert (answer.status_code, answer.headers["Location"]) == (200, kid)


def test_only_existing_accounts_are_returned_where_that_is_asked(desk):
    client = desk.client(registered=False)
    problem(client.post(f"{HOST}/acme/new-account", {"onlyReturnExisting": True}), "accountDoesNotExist", 400)


def test_what_other_servers_tolerate_is_tolerated(opened):
    desk = opened(eab="optional")
    client = desk.client(registered=False)
    payload = {
        "externalAccountBinding": None,
        "onlyReturnExisting": False,
        "contact": None,
        "x-new": {"y": 1},
    }
    problem(client.post(f"{HOST}/acme/new-account", payload), "externalAccountRequired", 403)


def test_an_account_without_binding_where_the_installation_wants_that(founded, settings, web, names, caplog):
    first = Desk(founded(acme=settings), web, names)
    kid, _ = first.grant()
    desk = Desk(founded(acme={**settings, "eab": "optional", "open_credential": kid}), web, names)
    assert (
        f"ca.acme.eab is optional: whoever reaches this server may have certificates on credential {kid}"
        in caplog.text
    )
    client = desk.client(registered=False)
    assert client.directory()["meta"]["externalAccountRequired"] is False
    answer = client.post(f"{HOST}/acme/new-account", {"externalAccountBinding": None})
    assert answer.status_code == 201
    client.kid = answer.headers["Location"]
    _, order = desk.ready(client)
    assert client.finalize(order).status_code == 200
    assert desk.site.rows(requested_by=f"credential:{kid}")


def test_contacts_are_kept_and_changed(desk):
    client = desk.client(registered=False)
    answer = client.register(desk.kid, desk.secret, contact=["mailto:one@example.gov.cn"])
    assert json.loads(answer.data)["contact"] == ["mailto:one@example.gov.cn"]
    changed = client.post(client.kid, {"contact": ["mailto:two@example.gov.cn"]})
    assert json.loads(changed.data)["contact"] == ["mailto:two@example.gov.cn"]
    assert client.get(client.kid)["contact"] == ["mailto:two@example.gov.cn"]
    problem(client.post(client.kid, {"contact": ["tel:110"]}), "unsupportedContact", 400)
    problem(client.post(client.kid, {"contact": ["mailto:nobody"]}), "invalidContact", 400)
    assert all("two@example" not in str(event) for event in desk.site.events()), "no personal data in the log"


def test_terms_are_agreed_to(opened):
    desk = opened(terms_url="https://trust.example.gov.cn/terms")
    client = desk.client(registered=False)
    assert client.directory()["meta"]["termsOfService"] == "https://trust.example.gov.cn/terms"
    answer = client.register(desk.kid, desk.secret, termsOfServiceAgreed=False)
    problem(answer, "userActionRequired", 403)
    assert client.register(desk.kid, desk.secret).status_code == 201


def test_a_deactivated_account_can_do_nothing(desk):
    client = desk.client()
    url, _ = desk.ready(client)
    answer = client.post(client.kid, {"status": "deactivated"})
    assert json.loads(answer.data)["status"] == "deactivated"
    problem(client.post(url, None), "unauthorized", 401)
    client.kid = None
    problem(client.register(desk.kid, desk.secret), "unauthorized", 401)
    with desk.site.store.read() as session:
        assert session.get(OrderRow, url.rpartition("/")[2]).state == "invalid"


def test_an_account_goes_on_with_a_new_credential(desk):
    """Seen to fail when an existing account is returned without being bound."""
    client = desk.client()
    desk.site.ca.enrolment.withdraw(REGISTRAR, desk.kid)
    problem(client.new_order(HOME), "unauthorized", 403)
    kid, secret = desk.grant()
    account, client.kid = client.kid, None
    assert client.register(kid, secret).headers["Location"] == account
    assert client.new_order(HOME).status_code == 201
    with desk.site.store.read() as session:
        assert session.get(AccountRow, account.rpartition("/")[2]).credential == kid


def test_the_key_of_an_account_is_changed(desk):
    client = desk.client()
    new = PrivateKey.generate(INTL)
    assert change(client, new).status_code == 200
    old, client.key = client.key, new
    assert client.get(client.kid)["status"] == "valid"
    problem(client.post(client.kid, None, key=old), "unauthorized", 403)
    other = desk.client()
    taken = change(other, new)
    problem(taken, "malformed", 409)
    assert taken.headers["Location"] == client.kid


def change(client, new, *, old=None, account=None, header=None):
    url = f"{HOST}/acme/key-change"
    inside = {"account": account or client.kid, "oldKey": old or client.jwk()}
    given = {"url": url, "jwk": dict(Jwk.of(new.public_key).members), **(header or {})}
    return client.post(url, sign(new, given, json.dumps(inside).encode()))


def test_a_key_change_that_does_not_hold(desk):
    client, other = desk.client(), desk.client()
    new = PrivateKey.generate(INTL)
    for parts in (
        {"account": other.kid},
        {"old": other.jwk()},
        {"header": {"url": f"{HOST}/acme/new-order"}},
        {"header": {"nonce": "x"}},
        {"header": {"kid": client.kid}},
    ):
        problem(change(client, new, **parts), "malformed", 400)
    assert client.get(client.kid)["status"] == "valid"


def test_orders_are_listed_by_page(desk):
    client = desk.client()
    made = sorted(client.order(f"h{n}.example.gov.cn")[0] for n in range(3))
    assert client.get(f"{client.kid}/orders")["orders"] == made
    size, account._PAGE = account._PAGE, 2
    try:
        first = client.post(f"{client.kid}/orders", None)
        assert json.loads(first.data)["orders"] == made[:2]
        link = next(each for each in first.headers.getlist("Link") if 'rel="next"' in each)
        assert client.get(link[1 : link.index(">")])["orders"] == made[2:]
    finally:
        account._PAGE = size


# --- revocation ------------------------------------------------------------------------------------------------


def issued(desk, client, *names):
    key = PrivateKey.generate(INTL)
    _, order = desk.ready(client, *names)
    final = json.loads(client.finalize(order, request_for(order, key)).data)
    leaf = Certificate.load_many(client.post(final["certificate"], None).data)[0]
    return leaf, key


def revoke(client, leaf, **parts):
    payload = {"certificate": encode64(leaf.der), **parts.pop("payload", {})}
    return client.post(f"{HOST}/acme/revoke-cert", payload, **parts)


def test_who_ordered_revokes(desk):
    client = desk.client()
    leaf, _ = issued(desk, client)
    assert revoke(client, leaf, payload={"reason": 4}).status_code == 200
    (row,) = desk.site.rows(fingerprint=leaf.fingerprint)
    assert (row.revoked_at is not None, row.reason) == (True, "superseded")
    problem(revoke(client, leaf), "alreadyRevoked", 400)


def test_the_certificates_own_key_revokes(desk):
    leaf, key = issued(desk, desk.client())
    nobody = desk.client(registered=False, key=key)
    assert revoke(nobody, leaf, payload={"reason": 1}).status_code == 200
    assert desk.site.rows(fingerprint=leaf.fingerprint)[0].reason == "keyCompromise"
    (event,) = desk.site.events("ca.revoke")
    assert event["actor"]["certificate"] == leaf.fingerprint


def test_who_may_have_all_the_names_revokes(desk):
    leaf, _ = issued(desk, desk.client(), HOME, "b.example.gov.cn")
    other = desk.client()
    desk.ready(other, HOME)
    problem(revoke(other, leaf), "unauthorized", 403)
    desk.ready(other, "b.example.gov.cn")
    assert revoke(other, leaf).status_code == 200


def test_nobody_else_revokes(desk):
    leaf, _ = issued(desk, desk.client())
    problem(revoke(desk.client(), leaf), "unauthorized", 403)
    problem(revoke(desk.client(registered=False), leaf), "unauthorized", 403)
    issuing = desk.site.ca.certificate("intl-issuing")
    problem(revoke(desk.client(), issuing), "unauthorized", 403)
    assert desk.site.rows(fingerprint=leaf.fingerprint)[0].revoked_at is None


def test_reasons_that_cannot_be_given(desk):
    client = desk.client()
    leaf, _ = issued(desk, client)
    for reason in (2, 6, 7, 8, 10, 99, -1, "1", True, 1.0):
        problem(revoke(client, leaf, payload={"reason": reason}), "badRevocationReason", 400)
    assert desk.site.rows(fingerprint=leaf.fingerprint)[0].revoked_at is None
