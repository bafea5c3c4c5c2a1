"""Challenges held against real servers on loopback: what proves a name, what does not, and what is said of it."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from ca.acme.errors import NoAddress, NoConnection
from ca.acme.reach import Reach
from ca.acme.settings import AcmeSettings
from tests.ca.acme.client import URN
from yinxin.crypto.jose import encode64
from yinxin.crypto.suite import INTL

from .conftest import HOME

pytestmark = pytest.mark.engines("any")


def tried(desk, client, kind="http-01", name=HOME):
    """A new order for the name, and its challenge after one attempt by `put`."""

    def attempt(put):
        url, order = client.order(name)
        authorization = order["authorizations"][0]
        challenge = client.challenge(authorization, kind)
        put(challenge["token"], client.key_authorization(challenge["token"]))
        answer = client.post(challenge["url"], {})
        assert answer.status_code == 200
        assert f'<{authorization}>;rel="up"' in answer.headers.getlist("Link")
        desk.acme.validators.idle()
        return url, authorization, client.challenge(authorization, kind)

    return attempt


def failed(challenge, kind, *words):
    assert (challenge["status"], challenge["error"]["type"]) == ("invalid", URN + kind), challenge
    for word in words:
        assert word in challenge["error"]["detail"], challenge


def path(token):
    return f"/.well-known/acme-challenge/{token}"


# --- http-01 ---------------------------------------------------------------------------------------------------


def test_the_right_answer_over_http(desk):
    client = desk.client()

    def put(token, answer):
        desk.web.answers[path(token)] = answer.encode() + b"\r\n"

    url, _, challenge = tried(desk, client)(put)
    assert challenge["status"] == "valid"
    assert client.get(url)["status"] == "ready"
    assert desk.web.asked[-1] == (f"{HOME}:{desk.web.port}", path(challenge["token"]))


@pytest.mark.parametrize("answer", [b"", b"x", b"\xff\x00" * 40, b"y" * 100_000])
def test_the_wrong_answer_over_http(desk, answer):
    """Seen to fail when the answer is not compared."""
    client = desk.client()

    def put(token, _):
        desk.web.answers[path(token)] = answer

    url, authorization, challenge = tried(desk, client)(put)
    failed(challenge, "incorrectResponse", f"http://{HOME}:{desk.web.port}", "HTTP 200")
    found = client.get(url)
    assert (found["status"], found["error"]["type"]) == ("invalid", f"{URN}incorrectResponse")
    assert client.get(authorization)["status"] == "invalid"


def test_an_answer_that_belongs_to_another_account(desk):
    client, other = desk.client(), desk.client()

    def put(token, _):
        desk.web.answers[path(token)] = other.key_authorization(token).encode()

    failed(tried(desk, client)(put)[2], "incorrectResponse")


def test_no_answer_over_http(desk):
    failed(tried(desk, desk.client())(lambda *_: None)[2], "incorrectResponse", "HTTP 404", "nothing here")


def test_redirections_are_followed_to_where_validation_goes(desk):
    client = desk.client()

    def put(token, answer):
        desk.web.redirects[path(token)] = f"http://b.example.gov.cn:{desk.web.port}/elsewhere?x=1"
        desk.web.answers["/elsewhere?x=1"] = answer.encode()

    assert tried(desk, client)(put)[2]["status"] == "valid"


def test_a_redirection_to_what_is_no_name_is_followed_nowhere(desk, caplog):
    """Seen to fail: an exception in the log, and a fault of ours told to the client."""

    def put(token, _):
        desk.web.redirects[path(token)] = "http://a..gov.cn/x"

    failed(tried(desk, desk.client())(put)[2], "dns", "a..gov.cn")
    assert [each for each in caplog.records if each.exc_info] == []


def test_what_is_no_name_has_no_address_by_the_system_either(monkeypatch):
    """Seen to fail with the UnicodeError of the system's resolver, which this is."""
    monkeypatch.setattr("ca.acme.reach.addresses_of", lambda name: [str(name.encode("idna"))])
    reach = Reach(AcmeSettings())
    with pytest.raises(NoAddress):
        reach.addresses("a..gov.cn", reach.until())


def test_a_name_that_leaves_no_room_for_its_record_is_not_proved_in_the_dns(desk, caplog):
    """Seen to fail: an exception in the log, and a fault of ours told to the client."""
    name = ".".join(["x" * 60] * 3 + ["y" * 50, "example.gov.cn"])[-250:].lstrip(".")
    failed(tried(desk, desk.client(), "dns-01", name)(lambda *_: None)[2], "dns")
    assert [each for each in caplog.records if each.exc_info] == []


@pytest.mark.parametrize(
    "target",
    ["ftp://b.example.gov.cn/x", "http://b.example.gov.cn:22/x", "file:///etc/passwd", "http://[::/x", "gopher://x"],
)  # fmt: skip
def test_redirections_to_elsewhere_are_not_followed(desk, target):
    """Seen to fail when `_next` allows any port."""

    def put(token, _):
        desk.web.redirects[path(token)] = target

    failed(tried(desk, desk.client())(put)[2], "incorrectResponse", "redirection")


def test_redirections_end(desk):
    def put(token, _):
        desk.web.redirects[path(token)] = path(token)

    failed(tried(desk, desk.client())(put)[2], "incorrectResponse", "too many")


def test_what_lies_behind_a_redirection_is_not_shown(desk):
    """Or a name's owner would read other servers through our errors. Seen to fail when it is always quoted."""

    def put(token, _):
        desk.web.redirects[path(token)] = f"http://b.example.gov.cn:{desk.web.port}/secret"
        desk.web.answers["/secret"] = b"a secret of the network"

    challenge = tried(desk, desk.client())(put)[2]
    failed(challenge, "incorrectResponse", "23")
    assert "a secret" not in challenge["error"]["detail"]


def test_a_slow_server_is_not_waited_for(opened):
    """It sends one octet now and then and would hold a thread for ever."""
    with dribbling() as port:
        desk = opened(http01_port=port, validation_timeout_seconds=1)
        challenge = tried(desk, desk.client())(lambda *_: None)[2]
    failed(challenge, "connection", HOME)


@contextmanager
def dribbling() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                while not over.wait(0.2):
                    connection.sendall(b"H")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    thread.join()
    listener.close()


def test_nobody_listens(opened):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    desk = opened(http01_port=port)
    failed(tried(desk, desk.client())(lambda *_: None)[2], "connection", f"{HOME}:{port}")


def test_networks_that_are_denied_are_not_connected_to(opened):
    """Seen to fail when `_allowed` allows everything."""
    for further in ({"deny_networks": ["127.0.0.0/8"]}, {"allow_networks": ["10.0.0.0/8"]}):
        desk = opened(**further)
        before = len(desk.web.asked)
        failed(tried(desk, desk.client())(lambda *_: None)[2], "connection", "127.0.0.1")
        assert len(desk.web.asked) == before


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:e000:0:100::",
        "64:ff9b:1:22a9:fe:a9fe::",
        "64:ff9b:1:2233:a9:fea9:fe00:0",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:808:808::5601:5601",
        "fe80::1",
    ],
)
def test_a_denied_address_inside_another_is_denied(address):
    """By NAT64 at every length of the prefix, 6to4, Teredo's server and client. Seen to fail without each of the ways."""
    reach = Reach(AcmeSettings())
    with pytest.raises(NoConnection):
        reach.addresses(address, reach.until())
    for allowed in ("64:ff9b::808:808", "64:ff9b:1::808:808", "64:ff9b:1:808:8:800::"):
        assert reach.addresses(allowed, reach.until()) == [allowed]
    assert reach.addresses("2001:db8::a9fe:a9fe", reach.until()) == ["2001:db8::a9fe:a9fe"]


def test_a_name_that_is_not_there(desk):
    desk.names.missing.add("gone.example.gov.cn")
    failed(
        tried(desk, desk.client(), name="gone.example.gov.cn")(lambda *_: None)[2],
        "dns",
        "gone.example.gov.cn",
    )


def test_a_resolver_that_does_not_answer(opened):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        desk = opened(dns_resolver=f"127.0.0.1:{silent.getsockname()[1]}", validation_timeout_seconds=1)
        failed(tried(desk, desk.client())(lambda *_: None)[2], "dns")


def test_the_systems_resolver_is_asked_where_none_is_chosen(opened):
    desk = opened(dns_resolver="")
    client = desk.client()

    def put(token, answer):
        desk.web.answers[path(token)] = answer.encode()

    assert tried(desk, client, name="localhost")(put)[2]["status"] == "valid"


# --- dns-01 ----------------------------------------------------------------------------------------------------


def digest(answer):
    return encode64(INTL.hash.digest(answer.encode()))


def test_the_right_record_in_the_dns(desk):
    client = desk.client()

    def put(_, answer):
        desk.names.texts[f"_acme-challenge.{HOME}"] = ["something else", digest(answer)]

    assert tried(desk, client, "dns-01")(put)[2]["status"] == "valid"


def test_aliases_are_followed(desk):
    client = desk.client()

    def put(_, answer):
        desk.names.aliases["_acme-challenge.alias.example.gov.cn"] = "one.example.gov.cn"
        desk.names.aliases["one.example.gov.cn"] = "two.example.gov.cn"
        desk.names.texts["two.example.gov.cn"] = [digest(answer)]

    assert tried(desk, client, "dns-01", "alias.example.gov.cn")(put)[2]["status"] == "valid"


def test_aliases_in_a_ring_end(desk):
    desk.names.aliases["_acme-challenge.ring.example.gov.cn"] = "ring.example.gov.cn"
    desk.names.aliases["ring.example.gov.cn"] = "_acme-challenge.ring.example.gov.cn"
    challenge = tried(desk, desk.client(), "dns-01", "ring.example.gov.cn")(lambda *_: None)[2]
    failed(challenge, "dns")


@pytest.mark.parametrize("texts", [[], ["wrong"], ["x" * 200, "y"]])
def test_the_wrong_record_in_the_dns(desk, texts):
    """Seen to fail when the record is not compared."""
    desk.names.texts["_acme-challenge.c.example.gov.cn"] = texts
    challenge = tried(desk, desk.client(), "dns-01", "c.example.gov.cn")(lambda *_: None)[2]
    failed(challenge, "incorrectResponse", "_acme-challenge.c.example.gov.cn", *(each[:60] for each in texts))


# --- tls-alpn-01 -----------------------------------------------------------------------------------------------

ACME_IDENTIFIER = ObjectIdentifier("1.3.6.1.5.5.7.1.31")


def proof(answer, names=(HOME,), *, critical=True, value=None):
    """A certificate as RFC 8737 section 3 wants it, but for what is said; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if names:
        listed = [
            x509.IPAddress(ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(listed), False)
    if value != b"":
        octets = value or b"\x04\x20" + INTL.hash.digest(answer.encode())
        builder = builder.add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, octets), critical)
    made = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    return made.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption())


@contextmanager
def tls(tmp_path, protocols=("acme-tls/1",)) -> Iterator[tuple[int, list[str], object]]:
    """A TLS server that shows whatever lies in the file, and the names it was asked for."""
    file, listener = tmp_path / "proof.pem", socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            context.set_alpn_protocols(list(protocols))
            context.sni_callback = lambda _socket, name, _context: asked.append(name)
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], asked, file.write_bytes
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize(
    ("name", "server_name"), [(HOME, HOME), ("127.0.0.1", "1.0.0.127.in-addr.arpa")], ids=["name", "address"]
)
def test_the_right_certificate(opened, tmp_path, name, server_name):
    with tls(tmp_path) as (port, asked, show):
        desk = opened(tlsalpn01_port=port)
        put = lambda _, answer: show(proof(answer, (name,)))  # noqa: E731
        assert tried(desk, desk.client(), "tls-alpn-01", name)(put)[2]["status"] == "valid"
    assert asked == [server_name]


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ({"names": ("b.example.gov.cn",)}, "b.example.gov.cn"),
        ({"names": (HOME, "b.example.gov.cn")}, "b.example.gov.cn"),
        ({"names": ()}, "-"),
        ({"names": ("127.0.0.1",)}, "127.0.0.1"),
        ({"critical": False}, "acmeIdentifier"),
        ({"value": b""}, "acmeIdentifier"),
        ({"value": b"\x04\x20" + bytes(32)}, "acmeIdentifier"),
        ({"value": b"\x04\x01\x00"}, "acmeIdentifier"),
    ],
    ids=range(8),
)
def test_certificates_that_prove_nothing(opened, tmp_path, parts, word):
    """Seen to fail when the names, the criticality or the digest are not looked at."""
    with tls(tmp_path) as (port, _, show):
        desk = opened(tlsalpn01_port=port)
        put = lambda _, answer: show(proof(answer, **parts))  # noqa: E731
        failed(tried(desk, desk.client(), "tls-alpn-01")(put)[2], "incorrectResponse", word)


def test_a_server_that_speaks_another_protocol(opened, tmp_path):
    with tls(tmp_path, ("http/1.1",)) as (port, _, show):
        desk = opened(tlsalpn01_port=port)
        put = lambda _, answer: show(proof(answer))  # noqa: E731
        failed(tried(desk, desk.client(), "tls-alpn-01")(put)[2], "tls")


def test_a_server_that_speaks_no_tls(opened):
    desk = opened()
    desk = opened(tlsalpn01_port=desk.web.port)
    failed(tried(desk, desk.client(), "tls-alpn-01")(lambda *_: None)[2], "tls")


# --- attempts --------------------------------------------------------------------------------------------------


def test_a_challenge_is_tried_again_and_then_holds(opened):
    desk = opened(validation_attempts=3, validation_wait_seconds=5)
    client = desk.client()
    _, authorization, challenge = tried(desk, client)(lambda *_: None)
    assert (challenge["status"], challenge["error"]["type"]) == ("processing", f"{URN}incorrectResponse")
    assert client.post(authorization, None).headers["Retry-After"]
    asked = len(desk.web.asked)
    due(desk)
    assert len(desk.web.asked) == asked, "it is not its time yet"
    desk.web.put(client, challenge["token"])
    desk.site.clock.advance(timedelta(seconds=5))
    due(desk)
    done = client.challenge(authorization)
    assert done["status"] == "valid"
    assert "error" not in done


def test_attempts_end(opened):
    desk = opened(validation_attempts=3, validation_wait_seconds=5)
    client = desk.client()
    before = len(desk.web.asked)
    _, authorization, _ = tried(desk, client)(lambda *_: None)
    for seconds in (5, 10, 20, 40):
        desk.site.clock.advance(timedelta(seconds=seconds))
        due(desk)
    assert len(desk.web.asked) == before + 3
    assert client.challenge(authorization)["status"] == "invalid"
    outcomes = [event["outcome"] for event in desk.site.events("ca.acme-validate")]
    assert outcomes == ["failed", "intent", "failed", "intent", "failed"]


def due(desk):
    desk.acme.validate_due()
    desk.acme.validators.idle()


def test_a_challenge_whose_process_died_is_taken_over(desk, monkeypatch):
    """Seen to fail when `_taken_up` sets no time: nobody ever tries it."""
    client = desk.client()
    monkeypatch.setattr(desk.acme.validators, "submit", lambda _: None)
    url, order = client.order(HOME)
    challenge = client.challenge(order["authorizations"][0])
    desk.web.put(client, challenge["token"])
    assert json.loads(client.post(challenge["url"], {}).data)["status"] == "processing"
    monkeypatch.undo()
    due(desk)
    assert client.get(url)["status"] == "pending", "its lease is not out"
    desk.site.clock.advance(timedelta(seconds=60))
    due(desk)
    assert client.get(url)["status"] == "ready"


def test_a_result_whose_writer_was_cut_off_is_written_alone(desk, monkeypatch):
    """Seen to fail when it is left at that: the attempt was made and nobody knows what came of it."""
    monkeypatch.setattr(desk.acme.parts.results, "join", lambda _: None)
    desk.ready(desk.client())
    assert len(desk.site.events("ca.acme-validate")) == 1


def test_a_result_that_cannot_be_written_is_told_of_and_tried_again(desk, monkeypatch, caplog):
    """Seen to fail when it is left at that: nothing in the operator's log."""
    client = desk.client()
    monkeypatch.setattr(desk.acme.parts.results, "join", lambda _: RuntimeError("a full disk"))
    url, _, _ = tried(desk, client)(lambda token, _: desk.web.put(client, token))
    assert "a full disk" in caplog.text
    monkeypatch.undo()
    desk.site.clock.advance(timedelta(seconds=60))
    due(desk)
    assert client.get(url)["status"] == "ready"


def test_a_machine_without_threads_tries_challenges_when_it_has_them_again(desk, monkeypatch, caplog):
    """Seen to fail, with the request, and with a thread counted that never ran: no challenge was tried any more."""

    def refused(self):
        raise RuntimeError("can't start new thread")

    client = desk.client()
    url, order = client.order(HOME)
    challenge = client.challenge(order["authorizations"][0])
    desk.web.put(client, challenge["token"])
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(desk.acme.parts.settings.validators):
            desk.acme.validators.submit("01" + "a" * 24)
        assert client.post(challenge["url"], {}).status_code == 200
    assert "can't start new thread" in caplog.text
    desk.acme.validators.submit("01" + "a" * 24)
    desk.acme.validators.idle()
    assert client.get(url)["status"] == "ready"


def test_a_due_challenge_is_one_processes(desk, monkeypatch):
    """Seen to fail when `_claimed` does not compare the time: both try it."""
    from ca.acme import validate

    client = desk.client()
    monkeypatch.setattr(desk.acme.validators, "submit", lambda _: None)
    _, order = client.order(HOME)
    client.post(client.challenge(order["authorizations"][0])["url"], {})
    desk.site.clock.advance(timedelta(seconds=60))
    parts, read = desk.acme.parts, validate._claimed
    both = []

    def claimed(*arguments):
        both.append(read(*arguments))
        both.append(read(*arguments))
        return both[0]

    monkeypatch.setattr(validate, "_claimed", claimed)
    assert len(validate.take_over(parts)) == 1
    assert both == [True, False]


@pytest.mark.engines("both")
def test_a_challenge_is_chosen_once(desk):
    client = desk.client()
    _, order = client.order(HOME)
    first, second = (client.challenge(order["authorizations"][0], kind) for kind in ("http-01", "dns-01"))
    client.post(first["url"], {})
    desk.acme.validators.idle()
    events = len(desk.site.events("ca.acme-respond"))
    for each in (first, second):
        assert client.post(each["url"], {}).status_code == 200
    assert len(desk.site.events("ca.acme-respond")) == events


def test_a_fault_of_ours_is_a_failed_attempt_and_no_more(desk, monkeypatch, caplog):
    from ca.acme import validate

    def broken(*_):
        raise RuntimeError("a fault")

    monkeypatch.setitem(validate._PROBES, "http-01", broken)
    failed(tried(desk, desk.client())(lambda *_: None)[2], "serverInternal")
    assert "a fault" in caplog.text
