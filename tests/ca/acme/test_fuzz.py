"""Whatever comes, the answer is ACME's own and no fault of ours: bodies, headers, payloads, addresses, by the hundred."""

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ca.acme.client import HOST, JOSE, URN, request_for
from tests.ca.acme.test_refuse import state
from yinxin.crypto.jose import encode64

from .conftest import HOME

pytestmark = pytest.mark.engines("any")


BOUNDED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
TEXT = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
#: names that payloads have, so that what is made up lands where it is read
NAMES = st.sampled_from(
    [
        "identifiers", "profile", "replaces", "notBefore", "notAfter", "contact", "status", "csr", "certificate",
        "reason", "externalAccountBinding", "onlyReturnExisting", "termsOfServiceAgreed", "protected", "payload",
        "signature", "account", "oldKey", "resource",
    ]
)  # fmt: skip
PAYLOAD = st.dictionaries(NAMES, JSON, max_size=6)
HEADER = st.dictionaries(
    st.sampled_from(["alg", "kid", "jwk", "nonce", "url", "crit", "typ", "b64"]), JSON, max_size=3
)


@pytest.fixture
def routes(desk):
    """A client, and every address there is for it."""
    client = desk.client()
    url, order = desk.ready(client)
    authorization = order["authorizations"][0]
    addresses = [
        f"{HOST}/acme/new-account", f"{HOST}/acme/new-order", f"{HOST}/acme/key-change", f"{HOST}/acme/revoke-cert",
        url, order["finalize"], f"{client.kid}/orders", client.kid, authorization, f"{authorization}/dns-01",
        f"{HOST}/acme/certificate/1",
    ]  # fmt: skip
    return client, addresses


def sound(answer: Any) -> None:
    """An answer that ACME has: done, or a problem of its own types and no fault of ours."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json"
        assert json.loads(answer.data)["type"].startswith(URN)
        assert answer.headers["Replay-Nonce"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """No exception in the operator's log."""
    with caplog.at_level(logging.ERROR):
        yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_bodies(routes):
    client, addresses = routes

    @BOUNDED
    @given(
        st.sampled_from(addresses), st.binary(max_size=200) | JSON.map(lambda each: json.dumps(each).encode())
    )
    def check(url, body):
        answer = client.send(url, body)
        assert answer.status_code == 400
        sound(answer)

    check()


def test_headers(desk, routes):
    """A right request but for its header; it is never taken for the account's."""
    client, addresses = routes
    before = state(desk)

    @BOUNDED
    @given(st.sampled_from(addresses), HEADER.filter(bool))
    def check(url, header):
        try:
            body = client.signed(url, {}, header=header)
        except ValueError:
            return  # half a surrogate pair is no text to sign
        answer = client.send(url, body)
        if set(header) != {"typ"}:
            assert answer.status_code >= 400
            sound(answer)
            assert state(desk) == before

    check()


def test_payloads(routes):
    """Signed as they should be, made up inside."""
    client, addresses = routes
    harmless = [each for each in addresses if not each.endswith(client.kid)]

    @BOUNDED
    @given(st.sampled_from(harmless), PAYLOAD)
    def check(url, payload):
        if payload.get("status") == "deactivated":
            return
        kid = client.kid
        if url.endswith("/new-account"):
            client.kid = None
        try:
            sound(client.post(url, payload))
        except UnicodeEncodeError:
            return
        finally:
            client.kid = kid

    check()


def test_requests_with_an_octet_changed(desk):
    """PKCS#10 of the order, damaged: refused, and the order is as it was."""
    client = desk.client()
    url, order = desk.ready(client)
    csr = request_for(order, commonName=HOME)

    @BOUNDED
    @given(st.integers(0, len(csr) - 1), st.integers(1, 255), st.booleans())
    def check(place, change, shorter):
        damaged = bytearray(csr)
        damaged[place] ^= change
        answer = client.post(
            order["finalize"], {"csr": encode64(bytes(damaged[:place] if shorter else damaged))}
        )
        assert answer.status_code == 400
        sound(answer)

    check()
    assert client.get(url)["status"] == "ready"
    assert client.finalize(order).status_code == 200


def test_addresses(routes):
    client, _ = routes

    @BOUNDED
    @given(
        st.text(st.characters(codec="utf-8", exclude_characters="?#"), max_size=60),
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    )
    def check(path, method):
        answer = client.http.open(f"/acme/{path}", base_url=HOST, method=method, content_type=JOSE)
        assert answer.status_code < 500
        if method != "HEAD" and answer.status_code >= 400:
            assert answer.content_type == "application/problem+json", answer.text

    check()


def test_media_types_and_lengths(routes):
    client, addresses = routes

    @BOUNDED
    @given(
        st.sampled_from(addresses),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40),
    )
    def check(url, media_type):
        sound(client.send(url, client.signed(url, {}), media_type)) if media_type != JOSE else None

    check()
