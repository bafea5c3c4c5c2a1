"""What the sign-on's programs' addresses refuse is recorded, within the limit, and is said in the protocol's own words.

Seen to fail when: an address leaves out `_recorded`; the payload of an assertion is read by `json.loads`; `_hold` makes a
set of whatever stands in `aud`; `Clients.get` looks for whatever it is given; `check` or `Outward` leaves out `permit`.
"""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from authz.oidc import Registration, errors
from yinxin.crypto.jose import Jwk, compact, encode64, sign
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.outward import Networks, Outward

from .conftest import ORIGIN
from .relying import BASE, code_of, exchange, last

#: one engine is enough but for what databases take as text
ONE = pytest.mark.engines("any")


def ask(world, path, auth=None, headers=None, **form):
    with world.http() as http:
        return http.post(
            f"/oidc/{path}", data=form, auth=auth or httpx.USE_CLIENT_DEFAULT, headers=headers or {}
        )


@ONE
def test_what_is_refused_is_recorded(world, events):
    secret = world.register(grants=("authorization_code", "refresh_token"))
    mail = httpx.BasicAuth("mail", secret)
    chat = httpx.BasicAuth("chat", world.register(id="chat"))
    world.register(id="program", authentication="none", consent="asked")
    access = exchange(world, secret, code=code_of(world)).json()["access_token"]

    def refused(verb, error, actor, subject=None):
        entry = events()[-1]
        assert (entry["verb"], entry["outcome"], entry["error"]) == (verb, "refused", error)
        assert entry["actor"]["id"] == actor
        assert subject is None or entry["subject"].partition(":")[0] == subject

    assert ask(world, "userinfo", headers={"Authorization": "Bearer " + "A" * 43}).status_code == 401
    refused("authz.read-userinfo", "authz.oidc_invalid_token", "stranger", "sign-on")
    assert ask(world, "userinfo").status_code == 401
    refused("authz.read-userinfo", "authz.oidc_invalid_token", "stranger", "client")
    assert ask(world, "device_authorization", mail, scope="openid").json()["error"] == "unauthorized_client"
    refused("authz.authorize-device", "authz.oidc_unauthorized_client", "client:mail")
    assert ask(world, "device_authorization", chat, scope="openid root").json()["error"] == "invalid_scope"
    refused("authz.authorize-device", "authz.oidc_invalid_scope", "client:chat")
    assert ask(world, "introspect", mail).json()["error"] == "invalid_request"
    refused("authz.introspect-token", "authz.oidc_invalid_request", "client:mail")
    assert ask(world, "introspect", client_id="program", token=access).status_code == 401
    refused("authz.introspect-token", "authz.oidc_invalid_client", "client:program")
    assert ask(world, "introspect", chat, token=access).json() == {"active": False}
    refused("authz.introspect-token", "authz.oidc_token_of_another", "client:chat", "sign-on")
    assert ask(world, "revoke", chat, token=access).status_code == 200
    refused("authz.revoke-token", "authz.oidc_token_of_another", "client:chat", "sign-on")
    with world.http() as http:
        twice = http.post("/oidc/token", content="code=a&code=b", headers=_FORM)
    assert twice.json()["error"] == "invalid_request"
    refused("authz.authenticate-client", "authz.oidc_invalid_request", "stranger")
    world.site.ca.revoke(world.person.certificate)
    assert ask(world, "userinfo", headers={"Authorization": f"Bearer {access}"}).status_code == 401
    refused("authz.read-userinfo", "authz.oidc_invalid_token", "zhang", "sign-on")
    assert events()[-1]["actor"]["via"] == "mail"
    # and nobody fills the log with it
    world.site.clock.advance(timedelta(minutes=1))
    world.site.authz.oidc.refusals._per_minute = 3
    before = len(events())
    for _ in range(5):
        ask(world, "userinfo", headers={"Authorization": "Bearer " + "A" * 43})
    assert len(events()) == before + 3


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


KEY = PrivateKey.generate(INTL)


def assertion(world, payload=None, **claims):
    """A client's signed word, with something in it that does not belong there."""
    now = int(world.site.clock.now().timestamp())
    told = {"iss": "chat", "sub": "chat", "aud": ORIGIN, "exp": now + 60, "jti": "1"} | claims
    return compact(sign(KEY, {"typ": "JWT"}, json.dumps(told).encode() if payload is None else payload))


DEEP = b'{"sub":"chat","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_an_assertion_that_is_none_is_refused_in_the_protocols_words(world, events):
    """Also on a database that takes no such text: PostgreSQL knows no NUL, neither any half of a surrogate pair."""
    jwk = dict(Jwk.of(KEY.public_key).members)
    world.register(id="chat", authentication="private_key_jwt", jwks=(jwk,))
    wrong = {
        "an object": assertion(world, aud={"a": ORIGIN}),
        "objects": assertion(world, aud=[{"a": 1}, [ORIGIN]]),
        "a number": assertion(world, aud=7),
        "deep": assertion(world, payload=DEEP),
        "deep header": ".".join((encode64(DEEP), encode64(b'{"sub":"chat"}'), encode64(b"x" * 64))),
        "no object": assertion(world, payload=b'["chat"]'),
        "NUL": assertion(world, sub="a\0b"),
        "half a pair": assertion(world, payload=b'{"sub":"\\ud800"}'),
        "half a pair as jti": assertion(world, jti="\ud800"),
        "an object as sub": assertion(world, sub={"a": "chat"}),
        "an object as exp": assertion(world, exp={}),
        "beyond all time": assertion(world, exp=10**400),
    }
    for name, each in wrong.items():
        answer = ask(world, "token", client_assertion_type=_TYPE, client_assertion=each)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), name
        assert last(events) == ("authz.authenticate-client", "refused", "authz.oidc_invalid_client"), name
    for auth in (httpx.BasicAuth("a\0b", "x"), httpx.BasicAuth("mail%00", "x")):
        assert ask(world, "token", auth).json()["error"] == "invalid_client"
    assert ask(world, "token", client_id="a\0b").json()["error"] == "invalid_client"
    good = ask(
        world,
        "token",
        client_assertion_type=_TYPE,
        client_assertion=assertion(world, aud=["https://other.example", ORIGIN], jti="2"),
    )
    assert good.json()["error"] == "unsupported_grant_type"


_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

NOT_PUBLIC = [
    "https://127.0.0.1/x",
    "http://127.0.0.1:8080/x",
    "https://[::1]/x",
    "https://localhost/x",
    "https://a.localhost./x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/latest",
    "https://[fe80::1]/x",
    "https://[fd00::1]/x",
    "https://[::ffff:10.1.2.3]/x",
    "https://[64:ff9b::a01:203]/x",
    "https://[2002:a01:203::1]/x",
    "https://0.0.0.0/x",
    "https://224.0.0.1/x",
    "https://100.64.0.1/x",
    "https://2130706433/x",
    "https://127.1/x",
    "https://0x7f.1/x",
    "https://0x7f000001/x",
]


@ONE
def test_no_client_is_told_of_a_logout_at_an_address_of_our_own(world):
    clients = world.site.authz.oidc.clients
    for address in NOT_PUBLIC:
        with pytest.raises(errors.BadClient) as caught:
            clients.check(Registration(**BASE, backchannel_logout_uri=address))
        assert caught.value.facts["field"] == "backchannel_logout_uri", address
    for address in ("https://mail.example.gov.cn/x", "https://93.184.216.34/x", "https://[2606:4700::1]/x"):
        clients.check(Registration(**BASE, backchannel_logout_uri=address))
    clients._networks = Networks(["10.1.0.0/16", "127.0.0.0/8"])
    for address in ("https://10.1.2.3/x", "http://127.0.0.1:8080/x", "https://localhost/x"):
        clients.check(Registration(**BASE, backchannel_logout_uri=address))
    with pytest.raises(errors.BadClient):
        clients.check(Registration(**BASE, backchannel_logout_uri="https://10.2.2.3/x"))


class Answer(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - the server makes the handlers

    def do_POST(self) -> None:
        self.asked.append(self.headers["Host"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence."""


@ONE
def test_where_a_name_leads_is_judged_each_time_and_nothing_else_is_connected_to():
    """A name that was public when it was registered and is ours when it is called: no request is sent."""
    Answer.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://mail.example.gov.cn:{server.server_port}/x"
        try:
            for opened, found, told in (
                ((), ["127.0.0.1"], False),
                ((), ["::ffff:127.0.0.1", "10.0.0.1"], False),
                (("10.0.0.0/8",), ["127.0.0.1"], False),
                (("127.0.0.0/8",), ["10.0.0.1", "127.0.0.1"], True),
            ):
                way = Outward(Networks(opened), httpx.HTTPTransport(), lambda _name, found=found: found)
                with httpx.Client(transport=way, timeout=5) as http:
                    if told:
                        assert http.post(address, data={}).status_code == 204
                    else:
                        with pytest.raises(httpx.ConnectError, match="no network that is permitted"):
                            http.post(address, data={})
        finally:
            server.shutdown()
            thread.join()
    assert Answer.asked == [address.split("/")[2]]


@ONE
def test_the_certificate_is_still_the_names():
    seen = []
    inner = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(204))
    with httpx.Client(transport=Outward(Networks(), inner, lambda _: ["93.184.216.34"])) as http:
        http.post("https://mail.example.gov.cn/x", data={"a": "b"})
    (request,) = seen
    assert (request.url.host, request.headers["Host"]) == ("93.184.216.34", "mail.example.gov.cn")
    assert request.extensions["sni_hostname"] == "mail.example.gov.cn"
    assert request.read() == b"a=b"


@ONE
def test_a_name_that_is_nowhere_is_told_later():
    def nowhere(_name):
        raise OSError("no such host")

    way = Outward(Networks(), httpx.MockTransport(lambda _: httpx.Response(204)), nowhere)
    with httpx.Client(transport=way) as http, pytest.raises(httpx.ConnectError, match="no such host"):
        http.post("https://mail.example.gov.cn/x")
