"""What is wrong gets ACME's own error, a record, and changes nothing."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from werkzeug.test import Client

from ca.acme.models import AccountRow, AuthorizationRow, NonceRow, OrderRow
from ca.enrolment import Protocol
from ca.enrolment.errors import ProvedByAcme
from ca.enrolment.renew import renew
from ca.request import Application
from tests.ca.acme.client import HOST, JOSE, URN, AcmeClient, problem, request_for
from tests.ca.conftest import REGISTRAR
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import decode64, encode64, mac, sign
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.renewal import renewal_statement

from .conftest import HOME

pytestmark = pytest.mark.engines("any")


NEW_ACCOUNT = f"{HOST}/acme/new-account"
NEW_ORDER = f"{HOST}/acme/new-order"


def state(desk):
    """Everything that ACME keeps but used nonces."""
    with desk.site.store.read() as session:
        return [
            [tuple(map(str, row)) for row in session.execute(sa.select(table.__table__).order_by(table.id))]
            for table in (AccountRow, OrderRow, AuthorizationRow)
        ]


# --- the signed request ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "kind", "status"),
    [
        ({"header": {"url": NEW_ACCOUNT}}, "malformed", 400),
        ({"drop": ("url",)}, "malformed", 400),
        ({"drop": ("nonce",)}, "badNonce", 400),
        ({"header": {"nonce": "x"}}, "badNonce", 400),
        ({"header": {"nonce": 7}}, "badNonce", 400),
        ({"header": {"nonce": encode64(bytes(32))}}, "badNonce", 400),
        ({"drop": ("kid",)}, "malformed", 400),
        ({"header": {"kid": "https://other.example/acme/account/1"}}, "malformed", 400),
        ({"header": {"kid": f"{HOST}/acme/order/1"}}, "malformed", 400),
        ({"header": {"kid": f"{HOST}/acme/account/01aaaaaaaaaaaaaaaaaaaaaaaa"}}, "accountDoesNotExist", 400),
        ({"header": {"kid": 5}}, "malformed", 400),
        ({"header": {"jwk": {"kty": "EC"}}}, "malformed", 400),
        ({"header": {"crit": ["x"]}}, "malformed", 400),
        ({"header": {"alg": "none"}}, "badSignatureAlgorithm", 400),
        ({"header": {"alg": "HS256"}}, "badSignatureAlgorithm", 400),
        ({"header": {"alg": "RS256"}}, "badSignatureAlgorithm", 400),
        ({"header": {"alg": "ES384"}}, "badSignatureAlgorithm", 400),
        ({"header": {"alg": 1}}, "malformed", 400),
        ({"key": PrivateKey.generate(INTL)}, "unauthorized", 403),
    ],
)  # fmt: skip
def test_a_request_that_is_not_believed(desk, parts, kind, status):
    client = desk.client()
    before = state(desk)
    body = client.signed(NEW_ORDER, {"identifiers": [{"type": "dns", "value": HOME}]}, **parts)
    answer = client.send(NEW_ORDER, body)
    document = problem(answer, kind, status)
    assert answer.headers["Replay-Nonce"]
    if kind == "badSignatureAlgorithm":
        assert document["algorithms"] == ["ES256", "ES384", "RS256", "EdDSA"]
    assert state(desk) == before
    refused = [event for event in desk.site.events("ca.acme-order") if event["outcome"] == "refused"]
    assert [event["actor"]["kind"] for event in refused] == ["stranger"]


def test_who_signs_where(desk):
    """A new account by its key, everything else by the account's address (RFC 8555 6.2)."""
    client = desk.client()
    problem(client.post(NEW_ACCOUNT, {}), "malformed", 400)
    both = client.signed(f"{HOST}/acme/revoke-cert", {}, header={"jwk": client.jwk()})
    problem(client.send(f"{HOST}/acme/revoke-cert", both), "malformed", 400)
    client.kid = None
    problem(client.post(NEW_ORDER, {}), "malformed", 400)


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "application/jose"],
)
def test_another_media_type(desk, media_type):
    client = desk.client()
    answer = client.send(NEW_ORDER, client.signed(NEW_ORDER, {}), media_type)
    problem(answer, "malformed", 415)


def test_a_parameter_of_the_media_type_is_no_other_type(desk):
    client = desk.client()
    body = client.signed(NEW_ORDER, {"identifiers": [{"type": "dns", "value": HOME}]})
    assert client.send(NEW_ORDER, body, f"{JOSE}; charset=utf-8").status_code == 201


@pytest.mark.engines("both")
def test_a_nonce_is_taken_once(desk):
    """Seen to fail when `spend` does nothing."""
    client = desk.client()
    body = client.signed(f"{client.kid}/orders", None)
    assert client.send(f"{client.kid}/orders", body).status_code == 200
    answer = client.send(f"{client.kid}/orders", body)
    problem(answer, "badNonce", 400)
    fresh = client.signed(f"{client.kid}/orders", None, header={"nonce": answer.headers["Replay-Nonce"]})
    assert client.send(f"{client.kid}/orders", fresh).status_code == 200


def test_a_refused_request_has_used_its_nonce(desk):
    client = desk.client()
    body = client.signed(NEW_ORDER, {"identifiers": []})
    problem(client.send(NEW_ORDER, body), "malformed", 400)
    problem(client.send(NEW_ORDER, body), "badNonce", 400)


@pytest.mark.engines("both")
def test_nonces_of_two_processes_are_one_kind_and_used_once(founded, settings, web, names):
    """Seen to fail when each process has a key of its own."""
    from .conftest import Desk, application

    desk = Desk(founded(acme=settings), web, names)
    client = desk.client()
    body = client.signed(f"{client.kid}/orders", None)
    other = founded(acme=settings)
    elsewhere = AcmeClient(Client(application(other)), client.key, client.kid)
    assert elsewhere.send(f"{client.kid}/orders", body).status_code == 200
    problem(client.send(f"{client.kid}/orders", body), "badNonce", 400)


@pytest.mark.engines("both")
def test_nonces_end_and_are_forgotten(desk):
    client = desk.client()
    late = client.signed(f"{client.kid}/orders", None)
    desk.site.clock.advance(timedelta(minutes=61))
    problem(client.send(f"{client.kid}/orders", late), "badNonce", 400)
    desk.site.clock.advance(timedelta(minutes=2))
    desk.acme.sweep()
    with desk.site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(NonceRow)) == 0


def test_a_nonce_made_by_nobody_costs_no_row(desk):
    """What anybody can send must not grow a table. Seen to fail when the nonce is spent before the signature holds."""
    client = desk.client()
    before = rows(desk)
    for _ in range(3):
        problem(client.post(NEW_ORDER, {}, key=PrivateKey.generate(INTL)), "unauthorized", 403)
    assert rows(desk) == before


def rows(desk):
    with desk.site.store.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(NonceRow))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"protected":"","payload":"","signature":""}',
        b'{"protected":"e30","payload":"","signature":""}', b"[" * 100_000, b'{"a":' * 50_000,
        b'{"protected":"e30","protected":"e30","payload":"","signature":""}', b"1" * 10_000,
        b'{"protected":1,"payload":2,"signature":3}', b'"\\ud800"', b'{"\\ud800":1}', b"NaN",
    ],
    ids=range(16),
)  # fmt: skip
def test_bodies_that_are_no_jws(desk, body):
    client = desk.client()
    problem(client.send(NEW_ORDER, body), "malformed", 400)


@pytest.mark.parametrize("extra", [{"header": {}}, {"signatures": []}])
def test_other_members_are_refused(desk, extra):
    client = desk.client()
    problem(client.send(NEW_ORDER, client.signed(NEW_ORDER, {}) | extra), "malformed", 400)


def test_payloads_that_are_no_objects(desk):
    client = desk.client()
    for payload in (b"[]", b"1", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 50_000):
        problem(client.post(NEW_ORDER, payload), "malformed", 400)
    problem(client.post(NEW_ORDER, None), "malformed", 400)


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "x\x00y", "\u202e"])
def test_characters_that_no_table_takes(desk, odd):
    """PostgreSQL takes no NUL, UTF-8 no half of a surrogate pair. Seen to fail (500) without the checks of either."""
    client = desk.client()
    for payload in (
        {"identifiers": [{"type": odd, "value": HOME}]},
        {"identifiers": [{"type": "dns", "value": odd}]},
        {"identifiers": [{"type": "dns", "value": HOME}], "profile": odd},
        {"identifiers": [{"type": "dns", "value": HOME}], "replaces": odd},
    ):
        assert client.post(NEW_ORDER, payload).status_code == 400
    assert client.post(client.kid, {"contact": [f"mailto:{odd}@example.gov.cn"]}).status_code == 400
    assert client.post(client.kid, {"status": odd}).status_code == 400
    body = client.signed(NEW_ORDER, {}, header={"kid": f"{HOST}/acme/account/{odd}"})
    assert client.send(NEW_ORDER, body).status_code == 400
    for path in ("order/%00", "authorization/%00", "certificate/%00", "account/%00/orders"):
        url = f"{HOST}/acme/{path}"
        body = client.signed(url.replace("%00", "\x00"), None)
        assert client.send(url, body).status_code == 404
    kid, client.kid = client.kid, None
    bound = mac(desk.secret, {"kid": odd, "url": NEW_ACCOUNT}, json.dumps(client.jwk()).encode())
    client.key = PrivateKey.generate(INTL)
    assert client.post(NEW_ACCOUNT, {"externalAccountBinding": bound}).status_code == 400
    assert client.http.get("/acme/renewal-info/%00.%00", base_url=HOST).status_code == 404
    assert kid


def test_a_huge_body_is_not_read(desk):
    client = desk.client()
    problem(client.send(NEW_ORDER, b"x" * (1 << 19)), "malformed", 413)
    problem(client.send(NEW_ORDER, b"x" * (2 << 20)), "malformed", 413)


def test_methods_and_addresses_that_are_not_there(desk):
    http = desk.client().http
    for path, method, status in (
        ("/acme/new-order", "GET", 405),
        ("/acme/order/x", "GET", 405),
        ("/acme/new-nonce", "DELETE", 405),
        ("/acme/directory", "PUT", 405),
        ("/acme/nothing", "GET", 404),
        ("/acme/", "GET", 404),
    ):
        problem(http.open(path, base_url=HOST, method=method), "malformed", status)


def test_what_is_another_accounts_is_not_there(desk):
    """Seen to fail when `found` does not compare the account."""
    mine, other = desk.client(), desk.client()
    url, order = desk.ready(mine)
    final = json.loads(mine.finalize(order).data)
    for address in (
        url,
        order["authorizations"][0],
        final["certificate"],
        f"{order['authorizations'][0]}/http-01",
    ):
        problem(other.post(address, None), "malformed", 404)
    problem(other.finalize(order), "malformed", 404)
    problem(other.post(mine.kid, None), "malformed", 404)
    problem(other.post(f"{mine.kid}/orders", None), "malformed", 404)
    for address in (
        "order/x",
        "authorization/x",
        "certificate/x",
        "certificate/1/9",
        "authorization/x/http-01",
    ):
        problem(mine.post(f"{HOST}/acme/{address}", None), "malformed", 404)
    problem(mine.post(f"{final['certificate']}/7", None), "malformed", 404)


# --- accounts --------------------------------------------------------------------------------------------------


def test_keys_that_are_accepted(desk):
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        desk.client(key=PrivateKey(key))


def test_an_account_with_an_rsa_key(desk):
    """The kit signs with no RSA key, so the signature is made here."""
    for bits, status in ((2048, 201), (1024, 400)):
        key = rsa.generate_private_key(65537, bits)
        numbers = key.public_key().public_numbers()
        jwk = {"kty": "RSA", "n": encode64(numbers.n.to_bytes(bits // 8)), "e": "AQAB"}
        client = desk.client(registered=False)
        bound = mac(desk.secret, {"kid": desk.kid, "url": NEW_ACCOUNT}, json.dumps(jwk).encode())
        header = {"alg": "RS256", "nonce": client.nonce(), "url": NEW_ACCOUNT, "jwk": jwk}
        protected = encode64(json.dumps(header).encode())
        payload = encode64(json.dumps({"externalAccountBinding": bound}).encode())
        signature = key.sign(f"{protected}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256())
        body = {"protected": protected, "payload": payload, "signature": encode64(signature)}
        answer = client.send(NEW_ACCOUNT, body)
        assert answer.status_code == status, answer.text
        if status == 400:
            problem(answer, "badPublicKey", 400)


@pytest.mark.parametrize(
    "jwk",
    [
        {}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": encode64(bytes(32)), "y": encode64(bytes(32))},
        {"kty": "EC", "crv": "P-256", "x": encode64(bytes(31)), "y": encode64(bytes(33))},
        {"kty": "OKP", "crv": "X25519", "x": encode64(bytes(32))}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "RSA", "n": encode64(b"\xff" * 256), "e": "Aw"}, {"kty": "RSA", "n": encode64(b"\xff" * 2048), "e": "AQAB"},
        {"kty": ["EC"]}, {"kty": "EC", "crv": "P-256", "x": 1, "y": None}, [], 7, None,
    ],
    ids=range(14),
)  # fmt: skip
def test_keys_that_are_not_accepted(desk, jwk):
    client = desk.client(registered=False)
    problem(client.post(NEW_ACCOUNT, {}, header={"jwk": jwk}), "badPublicKey", 400)


def test_a_key_that_brings_its_secret_is_not_accepted(desk):
    client = desk.client(registered=False)
    answer = client.post(NEW_ACCOUNT, {}, header={"jwk": {**client.jwk(), "d": "AAAA"}})
    assert "AAAA" not in problem(answer, "badPublicKey", 400)["detail"]


def bindings(desk, client):
    """Each is wrong in one way."""
    url, jwk = NEW_ACCOUNT, json.dumps(client.jwk()).encode()
    good = {"kid": desk.kid, "url": url}
    foreign = json.dumps(AcmeClient(client.http).jwk()).encode()
    est, _ = desk.grant_other()
    return {
        "another secret": (mac(bytes(32), good, jwk), "unauthorized"),
        "no such credential": (mac(desk.secret, {**good, "kid": "0" * 26}, jwk), "unauthorized"),
        "another protocol's": (mac(desk.secret, {**good, "kid": est}, jwk), "unauthorized"),
        "another key": (mac(desk.secret, good, foreign), "malformed"),
        "another address": (mac(desk.secret, {**good, "url": NEW_ORDER}, jwk), "malformed"),
        "no kid": (mac(desk.secret, {"url": url}, jwk), "malformed"),
        "a nonce": (mac(desk.secret, {**good, "nonce": "x"}, jwk), "malformed"),
        "a signature": (sign(client.key, good, jwk), "malformed"),
        "no MAC": (mac(desk.secret, good, jwk) | {"signature": ""}, "unauthorized"),
        "a text": ("x", "malformed"),
        "nothing": ({}, "malformed"),
    }


def test_bindings_that_prove_nothing(desk):
    """Seen to fail when `verify_mac` compares nothing."""
    from ca.enrolment import Grant, Protocol

    def other():
        expires = desk.site.clock.now() + timedelta(days=1)
        made, secret = desk.site.ca.enrolment.grant(
            REGISTRAR, Grant(Protocol.EST, "county-a", ("tls-server",), expires, domains=("example.gov.cn",))
        )
        return made.id, secret

    desk.grant_other = other
    client = desk.client(registered=False)
    before = state(desk)
    for name, (binding, kind) in bindings(desk, client).items():
        answer = client.post(NEW_ACCOUNT, {"externalAccountBinding": binding})
        assert json.loads(answer.data)["type"] == URN + kind, (name, answer.text)
        problem(answer, kind, 403 if kind == "unauthorized" else 400)
    problem(client.post(NEW_ACCOUNT, {}), "externalAccountRequired", 403)
    assert state(desk) == before


@pytest.mark.parametrize("ended", ["withdrawn", "expired"])
def test_a_credential_that_has_ended(desk, ended):
    client = desk.client()
    if ended == "withdrawn":
        desk.site.ca.enrolment.withdraw(REGISTRAR, desk.kid)
    else:
        desk.site.clock.advance(timedelta(days=366))
    problem(desk.client(registered=False).register(desk.kid, desk.secret), "unauthorized", 403)
    problem(client.new_order(HOME), "unauthorized", 403)


# --- orders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifiers", "kind"),
    [
        ([], "malformed"), (None, "malformed"), ("x", "malformed"), ([1], "malformed"), ([{"type": "dns"}], "malformed"),
        ([{"type": "dns", "value": 1}], "malformed"), ([{"type": "dns", "value": HOME}] * 101, "malformed"),
        ([{"type": "dns", "value": "*.example.gov.cn"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a.other.gov.cn"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": ""}], "rejectedIdentifier"), ([{"type": "dns", "value": "a..gov.cn"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "10.0.0.1"}], "rejectedIdentifier"), ([{"type": "dns", "value": "政府.cn"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a.example.gov.cn."}], "rejectedIdentifier"), ([{"type": "dns", "value": "x" * 4000}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a\x00.example.gov.cn"}], "rejectedIdentifier"), ([{"type": "ip", "value": "010.0.0.1"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a_b.example.gov.cn"}], "rejectedIdentifier"), ([{"type": "dns", "value": "xn--a.example.gov.cn"}], "rejectedIdentifier"),
        ([{"type": "ip", "value": "FE80::1"}], "rejectedIdentifier"), ([{"type": "email", "value": "x@y"}], "rejectedIdentifier"),
    ],
    ids=range(21),
)  # fmt: skip
def test_names_that_cannot_be_ordered(desk, identifiers, kind):
    client = desk.client()
    before = state(desk)
    document = problem(client.post(NEW_ORDER, {"identifiers": identifiers}), kind, 400)
    assert state(desk) == before
    if kind == "rejectedIdentifier":
        (sub,) = document["subproblems"]
        assert sub["identifier"]["type"] == identifiers[0]["type"]
        assert " / " in sub["detail"]
        assert sub["type"].startswith(URN)


def test_every_name_that_is_wrong_is_named(desk):
    desk.grant(domains=("county.example.gov.cn",))
    client = desk.client()
    document = problem(
        client.new_order("x.county.example.gov.cn", HOME, "10.0.0.1"), "rejectedIdentifier", 400
    )
    assert [each["identifier"]["value"] for each in document["subproblems"]] == [HOME, "10.0.0.1"]


@pytest.mark.parametrize("field", ["notBefore", "notAfter"])
def test_validity_is_the_profiles(desk, field):
    client = desk.client()
    problem(client.new_order(HOME, **{field: "2030-01-01T00:00:00Z"}), "malformed", 400)
    problem(client.new_order(HOME, **{field: "soon"}), "malformed", 400)


def requests(order, client):
    """Requests that do not fit the order for HOME, each in one way."""
    key, san = PrivateKey.generate(INTL), [("dns", HOME)]
    build = CertificationRequest.build
    good = bytearray(request_for(order, key))
    good[-1] ^= 1
    return {
        "more names": build(key, {}, [*san, ("dns", "b.example.gov.cn")]).der,
        "another name": build(key, {}, [("dns", "b.example.gov.cn")]).der,
        "no name": build(key, {}).der,
        "another common name": build(key, {"commonName": "b.example.gov.cn"}, san).der,
        "another kind": build(key, {}, [*san, ("email", "x@example.gov.cn")]).der,
        "the account's key": build(client.key, {}, san).der,
        "broken proof of possession": bytes(good),
        "a weak key": weak(),
        "an attribute of no profile": build(key, {"localityName": "x"}, san).der,
        "nonsense": b"\x30\x03\x02\x01\x05",
        "nothing": b"",
        "a lot": b"\x30" * 100_000,
    }


def weak():
    """A request by a key of 2048 bits, made by another library."""
    names = x509.SubjectAlternativeName([x509.DNSName(HOME)])
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False)
    made = request.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_requests_that_do_not_fit_leave_the_order_ready(desk):
    """Seen to fail when the names are not compared, when the account's key is not, and when proof is not verified."""
    client = desk.client()
    url, order = desk.ready(client)
    before = state(desk)
    for name, csr in requests(order, client).items():
        answer = client.post(order["finalize"], {"csr": encode64(csr)})
        assert answer.status_code == 400, (name, answer.text)
        assert json.loads(answer.data)["type"] in (f"{URN}badCSR", f"{URN}malformed"), (name, answer.text)
    for csr in (1, [], {}, None, "=", "a b", "A"):
        assert client.post(order["finalize"], {"csr": csr}).status_code == 400
    assert state(desk) == before
    assert client.get(url)["status"] == "ready"
    assert desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}") == []
    assert client.finalize(order).status_code == 200


def test_a_key_of_somebody_else_is_not_certified(desk):
    key = PrivateKey.generate(INTL)
    client = desk.client()
    _, order = desk.ready(client)
    assert client.finalize(order, request_for(order, key)).status_code == 200
    _, other = desk.ready(client, "b.example.gov.cn")
    problem(client.finalize(other, request_for(other, key)), "badCSR", 400)
    _, again = desk.ready(client)
    assert client.finalize(again, request_for(again, key)).status_code == 200, (
        "a holder renews with the same key"
    )


def test_a_name_alone_in_the_common_name_is_enough(desk):
    client = desk.client()
    _, order = desk.ready(client)
    csr = CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": HOME}).der
    assert client.finalize(order, csr).status_code == 200


def test_an_order_is_not_finalized_before_its_time(desk):
    client = desk.client()
    _, order = client.order(HOME)
    problem(client.finalize(order), "orderNotReady", 403)
    _, ready = desk.ready(client)
    assert client.finalize(ready).status_code == 200
    problem(client.finalize(ready), "orderNotReady", 403)


def test_orders_and_proofs_end(desk):
    client = desk.client()
    url, order = client.order(HOME)
    proved = client.get(desk.ready(client, "b.example.gov.cn")[0])
    desk.site.clock.advance(timedelta(hours=169))
    assert client.get(url)["status"] == "invalid"
    assert client.get(order["authorizations"][0])["status"] == "invalid"
    assert client.get(proved["authorizations"][0])["status"] == "valid", "what is proved lasts longer"
    problem(client.finalize(order), "orderNotReady", 403)
    challenge = client.challenge(order["authorizations"][0])
    problem(client.post(challenge["url"], {}), "malformed", 403)
    desk.site.clock.advance(timedelta(days=30))
    assert client.get(proved["authorizations"][0])["status"] == "expired"


def test_a_proof_that_is_withdrawn_ends_its_orders(desk):
    client = desk.client()
    url, order = desk.ready(client)
    answer = client.post(order["authorizations"][0], {"status": "deactivated"})
    assert json.loads(answer.data)["status"] == "deactivated"
    assert client.get(url)["status"] == "invalid"
    problem(client.finalize(order), "orderNotReady", 403)
    assert client.order(HOME)[1]["status"] == "pending"
    problem(client.post(order["authorizations"][0], {"status": "valid"}), "malformed", 400)


# --- limits ----------------------------------------------------------------------------------------------------


def test_limits_are_told_with_the_time_to_wait(opened):
    desk = opened(accounts_per_hour=2, orders_per_hour=2, failures_per_hour=1)
    client, _ = desk.client(), desk.client()
    refused = desk.client(registered=False).register(desk.kid, desk.secret)
    problem(refused, "rateLimited", 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    orders = [client.order(HOME)[1] for _ in range(2)]
    problem(client.new_order(HOME), "rateLimited", 429)
    assert client.post(client.challenge(orders[0]["authorizations"][0])["url"], {}).status_code == 200
    desk.acme.validators.idle()
    problem(client.post(client.challenge(orders[1]["authorizations"][0])["url"], {}), "rateLimited", 429)
    desk.site.clock.advance(timedelta(hours=1))
    assert client.new_order(HOME).status_code == 201


def test_strangers_cannot_fill_the_log(desk):
    client = desk.client()
    for _ in range(130):
        client.send(NEW_ORDER, b"{}")
    assert len([each for each in desk.site.events("ca.acme-order") if each["outcome"] == "refused"]) <= 120


def test_nonces_are_as_long_as_said():
    assert len(decode64(encode64(bytes(32)), "x")) == 32


@pytest.mark.parametrize("way", ["protocol", "self-service"])
def test_what_acme_proved_is_renewed_by_acme_alone(desk, way):
    """Whoever lost a host would have certificates for it for ever. Seen to fail: there were successors, unproved."""
    client, key, new = desk.client(), PrivateKey.generate(INTL), PrivateKey.generate(INTL)
    _, order = desk.ready(client)
    final = json.loads(client.finalize(order, request_for(order, key)).data)
    certificate, *chain = Certificate.load_many(client.post(final["certificate"], None).data)
    csr = CertificationRequest.build(new, certificate.subject, certificate.san)
    signed = cms.sign_detached(
        Identity(key, certificate, tuple(chain)), renewal_statement(csr.der), signed_at=None
    )
    ways = {
        "self-service": lambda: desk.site.ca.renew_own(csr.der, signed),
        "protocol": lambda: renew(desk.site.ctx, certificate, "again", Application.of(csr), Protocol.EST),
    }
    with pytest.raises(ProvedByAcme):
        ways[way]()
    assert len(desk.site.rows(profile="tls-server", holder=HOME)) == 1
