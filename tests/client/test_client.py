"""The client over both transports: signing in, retries under one key, the platform's own errors, lists, remote keys."""

import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from yinxin import documents
from yinxin.authz import sign_in_statement
from yinxin.client import (
    Client,
    IdentityNeeded,
    NotAPlatform,
    RemoteProblem,
    Unreachable,
    UnusableForTls,
    https,
    in_process,
)
from yinxin.client.problems import error_of
from yinxin.crypto import cms
from yinxin.crypto.errors import BadSignature
from yinxin.errors import NotFound, Untrue, registered
from yinxin.wire import Reply

PATH = "/api/shelf/v1/books"


def put(client, name="己"):
    return client._connection.json("POST", PATH, json={"name": name})


def take(client, name):
    return client._connection.json("GET", f"{PATH}/{name}")


def fault(code):
    return registered()[code]()


@pytest.mark.parametrize("suite", ["intl", "sm"])
def test_signing_in_by_itself(connect, platform, identities, suite):
    client = connect(identity=identities[suite])
    assert platform.challenges == 0
    who = client.authz.whoami()
    assert (who.name, who.post_name.zh, who.organ_name.en) == ("王芳", "处长", "Office")
    client.authz.whoami()
    assert platform.challenges == 1
    (caller,) = platform.sessions.values()
    assert caller.actor.certificate == identities[suite].certificate.fingerprint


def test_signing_in_again_when_the_session_is_over(connect, platform, identities):
    client = connect(identity=identities["intl"])
    client.authz.whoami()
    platform.sessions.clear()
    assert put(client) == {"name": "己"}
    assert platform.challenges == 2
    assert platform.books.count("己") == 1


def test_a_session_that_is_refused_at_once_is_not_opened_for_ever(connect, platform, identities, monkeypatch):
    client = connect(identity=identities["intl"])
    monkeypatch.setattr(
        platform, "authenticate", lambda token, peer=None: (_ for _ in ()).throw(fault("test.session_ended"))
    )
    with pytest.raises(type(fault("test.session_ended"))):
        client.authz.whoami()
    assert platform.challenges == 2


def test_signing_out(connect, platform, identities):
    client = connect(identity=identities["intl"])
    client.authz.whoami()
    client.authz.sign_out()
    assert platform.sessions == {}
    client.authz.sign_out()
    assert platform.challenges == 1


def test_without_identity(connect):
    with pytest.raises(IdentityNeeded):
        connect().authz.whoami()


def test_a_token_from_elsewhere(connect, platform, identities):
    token = connect(identity=identities["intl"]).sign_in()
    assert connect(token=token).authz.whoami().person == "p1"
    with pytest.raises(type(fault("test.session_ended"))):
        connect(token="stolen").authz.whoami()


def test_a_signature_for_a_false_site_is_worth_nothing(connect, identities):
    """The client signs the address it talks to itself; relayed to the true site the signature does not hold."""
    client = connect()
    challenge = client.authz.challenge()
    signature = cms.sign_detached(
        identities["intl"], sign_in_statement(challenge, "https://phish.example"), signed_at=None
    )
    with pytest.raises(Untrue):
        client.authz.open_session(challenge, signature)


def test_the_tls_certificate_signs_in(connect, platform, tls):
    client = connect(mutual=tls["client"])
    client.authz.open_session_by_tls()
    (caller,) = platform.sessions.values()
    assert caller.actor.certificate == tls["client"].certificate.fingerprint
    with pytest.raises(type(fault("test.session_ended"))):
        connect().authz.open_session_by_tls()


def test_an_act_is_retried_under_one_key_and_done_once(connect, platform, identities):
    client = connect(identity=identities["intl"])
    platform.faults = [fault("test.asleep"), fault("test.asleep")]
    put(client)
    assert len(platform.keys_seen) == 3
    assert len(set(platform.keys_seen)) == 1
    assert connect.slept == [5.0, 5.0]
    put(client)
    assert len(set(platform.keys_seen)) == 2


def test_retries_are_bounded(connect, platform, identities):
    client = connect(identity=identities["intl"])
    platform.faults = [fault("test.asleep") for _ in range(9)]
    with pytest.raises(type(fault("test.asleep"))):
        put(client)
    assert len(platform.keys_seen) == 4


def test_what_cannot_help_is_not_retried(connect, platform, identities):
    with pytest.raises(NotFound):
        take(connect(identity=identities["intl"]), "辛")
    assert connect.slept == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_platforms_own_errors(connect, platform, identities, language):
    client = connect(identity=identities["intl"], language=language)
    with pytest.raises(NotFound) as caught:
        take(client, "𬱖书 100%")
    assert type(caught.value) is registered()["test.no_book"]
    assert caught.value.facts == {"name": "𬱖书 100%"}
    assert caught.value.text("en") == "There is no 𬱖书 100% on the shelf; check the title."


def test_a_refusal_names_its_audit_entry(connect, platform, identities):
    client = connect(identity=identities["intl"])
    with pytest.raises(RemoteProblem) as caught:
        client._connection.json("POST", PATH, json={"title": 7})
    error = caught.value
    assert error.http_status == 422
    assert error.entry
    assert {each["pointer"] for each in error.problem["errors"]} == {"/name", "/title"}
    assert "/title" in error.text("zh")


def test_a_full_quota_is_known_where_nothing_but_the_client_is():
    """Seen to fail while nothing that the client brings named that error: it was a RemoteProblem."""
    code = "import yinxin.client\nfrom yinxin.errors import registered\nprint(sorted(registered()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'quota.exceeded'" in done.stdout


def test_an_error_that_is_not_installed_here(connect, platform, identities, monkeypatch):
    client = connect(identity=identities["intl"])
    monkeypatch.setattr("yinxin.client.problems.registered", dict)
    with pytest.raises(RemoteProblem) as caught:
        take(client, "辛")
    assert caught.value.facts["remote_code"] == "test.no_book"
    assert "书架上没有 辛" in caught.value.text("zh")
    platform.faults = [fault("test.asleep")]
    assert take(client, "甲") == {"name": "甲"}


def answer(document, status=404, media_type="application/problem+json"):
    request = httpx.Request("GET", "https://localhost/x?secret=1")
    return httpx.Response(status, json=document, headers={"Content-Type": media_type}, request=request)


def test_another_version_of_an_error_keeps_the_platforms_words(platform):
    document = {"code": "test.no_book", "facts": {"title": "辛"}, "detail": "没有《辛》", "entry": "e1"}
    error = error_of(answer(document))
    assert type(error) is RemoteProblem
    assert "没有《辛》" in error.text("zh")
    assert error.entry == "e1"


@pytest.mark.parametrize("document", [[], {}, {"code": 7}, "x"])
def test_a_problem_that_is_none(document):
    error = error_of(answer(document))
    assert type(error) is NotAPlatform
    assert "secret" not in error.text("en")


def test_who_is_no_platform(connect):
    with pytest.raises(NotAPlatform):
        connect()._connection.json("GET", "/api/shelf/v1/page", public=True)
    client = connect()
    with pytest.raises(NotAPlatform):
        client._connection.json("GET", "/language", public=True, headers={"Accept": "text/html"})


def test_lists_come_page_by_page(connect, identities):
    client = connect(identity=identities["intl"])
    assert [item["name"] for item in client._connection.pages(PATH, {})] == ["甲", "乙", "丙", "丁", "戊"]


@pytest.mark.parametrize("label", ["seal-intl", "seal-sm"])
def test_a_key_that_stays_in_the_centre(connect, platform, identities, label):
    client = connect(identity=identities["intl"])
    signer = client.kms.signer(label, purpose="document.seal", subject="document:1")
    message = "公文".encode() * 1000
    platform.keys[label].public_key.verify(signer.sign(message), message)


def test_a_signature_by_another_key_is_not_passed_on(connect, platform, identities):
    client = connect(identity=identities["intl"])
    signer = client.kms.signer("seal-intl", purpose="document.seal", subject="document:1")
    platform.forge = True
    with pytest.raises(BadSignature):
        signer.sign(b"x")


def test_many_threads_sign_in_once(connect, platform, identities):
    client = connect(identity=identities["intl"])
    threads = [threading.Thread(target=client.authz.whoami) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert platform.challenges == 1


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    waits = []
    client = Client(f"https://127.0.0.1:{port}", token="t", sleep=waits.append)
    with client, pytest.raises(Unreachable) as caught:
        client.authz.whoami()
    assert waits == [0.5, 1.0, 2.0]
    assert str(port) in caught.value.text("zh")


def test_only_the_pinned_anchor_is_believed(served, tls, tmp_path):
    stranger, root = tmp_path / "stranger.pem", tmp_path / "root.pem"
    stranger.write_text(tls["stranger"].certificate.pem)
    root.write_text(tls["root"].certificate.pem)
    with served() as address:
        with (
            Client(address, trust=stranger, token="t", sleep=lambda _: None) as client,
            pytest.raises(Unreachable),
        ):
            client.authz.challenge()
        with Client(address, trust=root, token="t") as client:
            assert client.authz.challenge()


def test_only_the_pinned_certificate_is_spoken_to(served, tls, platform, tmp_path):
    """Another one of the same name, from the same authority, is sent no request."""
    root = tmp_path / "root.pem"
    root.write_text(tls["root"].certificate.pem)
    server, other = (tls[each].certificate.fingerprint for each in ("server", "client"))
    with served() as address:
        for pins in ({other}, set()):
            transport = https(trust=root, pins=frozenset(pins))
            with (
                httpx.Client(transport=transport) as client,
                pytest.raises(httpx.ConnectError, match="pinned"),
            ):
                client.post(f"{address}/api/authz/v1/challenges")
        assert platform.challenges == 0
        transport = https(trust=root, pins=frozenset({server, other}))
        with Client(address, transport=transport, token="t") as client:
            assert client.authz.challenge()


def test_no_key_is_ever_written_in_the_clear(tls, monkeypatch):
    """The TLS library reads files only: what it is given is encrypted."""
    seen = []

    def load(self, path, password):
        seen.append(Path(path).read_bytes())
        assert password

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    https(identity=tls["client"])
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in seen[0]
    assert b"BEGIN PRIVATE KEY" not in seen[0]


def test_sm2_cannot_authenticate_tls(identities):
    with pytest.raises(UnusableForTls):
        https(identity=identities["sm"])


def test_no_server_library_is_needed():
    code = (
        "import sys\n"
        "for name in ('flask', 'sqlalchemy', 'flask_babel', 'werkzeug'): sys.modules[name] = None\n"
        "import yinxin.client\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_a_newer_platform_adds_is_passed_over():
    replies = [each for name, each in vars(documents).items() if name.endswith("Out")]
    assert len(replies) > 5
    assert all(issubclass(each, Reply) for each in replies)
    assert documents.FileOut.model_validate({"name": "a", "sha256": "b", "later": 1}).name == "a"


def test_exported_names():
    import yinxin.client

    assert sorted(yinxin.client.__all__) == yinxin.client.__all__
    assert all(hasattr(yinxin.client, name) for name in yinxin.client.__all__)
    assert in_process


def test_secrets_stay_out_of_reprs(connect, identities):
    client = connect(identity=identities["intl"])
    token = client.sign_in()
    assert token not in repr(client)
    assert token not in repr(client._connection)
