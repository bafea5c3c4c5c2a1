"""What is wrong is refused by name, in the reader's language, with the remedy, and on the record where the caller is known.

Seen to fail when: a challenge can be answered twice; `verified` does not compare the certificate; `transition` lets
NotPermitted through (403); `record_refusal` does nothing.
"""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ops.data import DataDirectory
from ops.demo.story import SAMPLE
from ops.platform import INSIDE, Platform, Seams
from tests.laws.asking import Desk, in_the_log, refused
from tests.laws.province import client, identity
from yinxin.authz import sign_in_statement
from yinxin.client import Client, in_process
from yinxin.clock import ManualClock, SystemClock
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.errors import YinxinError
from yinxin.randomness import SystemRandomness

REPORT = """# 关于网络安全工作情况的报告

一、工作情况。今年以来各项工作进展顺利。

二、存在问题。经费不足,请予批准追加经费。

特此报告。
"""
DOCUMENTS = "/api/document/v1/documents"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@pytest.fixture
def platform(folder: Path, clock: ManualClock) -> Iterator[Platform]:
    with Platform.open(DataDirectory(folder), (), Seams(clock, SystemRandomness())) as platform:
        yield platform


@pytest.fixture
def clerk(platform: Platform) -> Desk:
    return Desk(platform, "demo-clerk")


def both(send: Callable[..., object], code: str, status: int) -> dict[str, object]:
    """The same refusal in Chinese and in English; what differs is the words."""
    english = refused(send(language="en"), code, status, "en")  # type: ignore[arg-type]
    chinese = refused(send(language="zh"), code, status, "zh")  # type: ignore[arg-type]
    assert english["detail"] != chinese["detail"]
    return dict(chinese)


@pytest.mark.parametrize(
    ("data", "name", "form", "code"),
    [
        (b"PK\x03\x04 not a document", "a.docx", {}, "document.draft_unreadable"),
        (b"%PDF-1.7", "a.pdf", {}, "document.draft_format_unknown"),
        (b"\xff\xfe\xfa\x00\x81", "a.txt", {}, "document.draft_encoding_unknown"),
        (b"", "a.md", {}, "document.draft_empty"),
        (REPORT.encode(), "a.md", {"kind": "REPORT"}, "document.rule.request_inside_report"),
        (SAMPLE.read_bytes(), "a.md", {"recipients": ["city-nowhere"]}, "document.unknown_recipient"),
        (SAMPLE.read_bytes(), "a.md", {"recipients": []}, "document.rule.recipient_missing"),
        (SAMPLE.read_bytes(), "a.md", {"kind": "LOVE-LETTER"}, "document.unknown_kind"),
    ],
)
def test_documents_that_cannot_be_drafted(
    clerk: Desk, data: bytes, name: str, form: dict[str, object], code: str
) -> None:
    status = 415 if code == "document.draft_format_unknown" else 422
    problem = both(lambda language: clerk.draft(data, name, language, **form), code, status)
    event = in_the_log(clerk.platform, problem)
    assert event["actor"]["id"] == "demo-clerk"
    assert list(client(clerk.platform, "demo-clerk").documents.list("sent")) == []


def test_a_document_of_50_megabytes(clerk: Desk) -> None:
    problem = both(
        lambda language: clerk.draft(b"x" * (50 << 20), "a.txt", language), "document.draft_too_large", 413
    )
    in_the_log(clerk.platform, problem)


def test_a_form_that_does_not_fit_says_where(clerk: Desk) -> None:
    response = clerk.draft(SAMPLE.read_bytes(), level="cosmic", reference="")
    problem = refused(response, "request.invalid", 422)
    assert {each["pointer"] for each in problem["errors"]} >= {"/level"}
    in_the_log(clerk.platform, problem)
    garbage = clerk.send("POST", f"{DOCUMENTS}/x/submission", content=b"{")
    assert garbage.status_code in (400, 404, 415)


# --- signing in ------------------------------------------------------------------------------------------------


def sign_in(platform: Platform, who: Identity) -> str:
    return Client(
        INSIDE, identity=who, transport=in_process(platform.app), clock=platform.clock, sleep=lambda _s: None
    ).sign_in()


def stranger(clock: ManualClock) -> Identity:
    """Somebody with a certificate of her own making, in a name that is not hers."""
    key = PrivateKey.generate(INTL)
    name = Name.of({"commonName": "demo-leader"})
    now = clock.now().replace(microsecond=0)
    template = CertificateTemplate(
        name, now - timedelta(hours=1), now + timedelta(days=1), key_usage=frozenset({"digitalSignature"})
    )
    tbs = to_be_signed(
        template,
        spki=key.public_key.spki,
        issuer_name=name,
        issuer_key_id=key.public_key.key_id,
        serial=7,
        algorithm=INTL.signature,
    )
    return Identity(key, Certificate.load(assemble(tbs, INTL.signature, key.sign(tbs))), ())


def expect(platform: Platform, act: Callable[[], object], code: str, status: int) -> YinxinError:
    """An error of this code, in both languages, on the record."""
    with pytest.raises(YinxinError) as caught:
        act()
    error = caught.value
    assert (error.code, error.status) == (code, status), error
    assert error.text("zh") != error.text("en")
    platform.audit.sequence()
    assert error.entry is not None
    assert platform.audit.entry(error.entry).fields()["error"] == code
    return error


def test_a_strangers_certificate(platform: Platform, clock: ManualClock) -> None:
    error = expect(platform, lambda: sign_in(platform, stranger(clock)), "authz.unknown_certificate", 401)
    assert error.entry is not None
    assert platform.audit.entry(error.entry).fields()["actor"]["kind"] == "stranger"


def test_an_expired_certificate(platform: Platform, clock: ManualClock) -> None:
    clock.advance(timedelta(days=366 * 4))
    who = identity(platform.data.root, "demo-clerk")
    expect(platform, lambda: sign_in(platform, who), "authz.certificate_expired", 401)


def test_a_revoked_certificate(platform: Platform) -> None:
    from ops.acting import acting_person

    who = identity(platform.data.root, "demo-clerk")
    token = sign_in(platform, who)
    platform.ca.revoke(acting_person(platform, None, None), f"{who.certificate.serial:x}", "keyCompromise")
    expect(platform, lambda: sign_in(platform, who), "authz.certificate_revoked", 401)
    held = Client(INSIDE, token=token, transport=in_process(platform.app))
    expect(platform, held.authz.whoami, "authz.certificate_revoked", 401)


def test_a_challenge_answered_twice_and_for_another_site(platform: Platform) -> None:
    who = identity(platform.data.root, "demo-clerk")
    nobody = Client(INSIDE, transport=in_process(platform.app), sleep=lambda _s: None)

    def answered(origin: str) -> tuple[str, bytes]:
        challenge = nobody.authz.challenge()
        return challenge, cms.sign_detached(
            who, sign_in_statement(challenge, origin), signed_at=platform.clock.now()
        )

    challenge, signature = answered(INSIDE)
    nobody.authz.open_session(challenge, signature)
    expect(platform, lambda: nobody.authz.open_session(challenge, signature), "authz.challenge_used", 401)
    elsewhere = answered("https://localhost.example")
    expect(platform, lambda: nobody.authz.open_session(*elsewhere), "authz.wrong_signature", 401)
    expect(platform, lambda: nobody.authz.open_session("x", signature), "authz.challenge_unknown", 401)


def test_a_challenge_answered_too_late(platform: Platform, clock: ManualClock) -> None:
    who = identity(platform.data.root, "demo-clerk")
    nobody = Client(INSIDE, transport=in_process(platform.app), sleep=lambda _s: None)
    challenge = nobody.authz.challenge()
    statement = sign_in_statement(challenge, INSIDE)
    clock.advance(timedelta(minutes=3))
    signature = cms.sign_detached(who, statement, signed_at=clock.now())
    expect(platform, lambda: nobody.authz.open_session(challenge, signature), "authz.challenge_expired", 401)


# --- acts ------------------------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(platform: Platform) -> str:
    """A document that awaits its sign-off."""
    document = client(platform, "demo-clerk").documents.draft(SAMPLE, reference="r", recipients=["city-jia"])
    client(platform, "demo-clerk").documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    return document


def signed_off(platform: Platform, document: str, signer: str = "demo-leader") -> dict[str, str]:
    """The body of a sign-off: the statement that is due for the leader, signed by `signer`."""
    statement = client(platform, "demo-leader").documents.statement(document, "document.sign-off")
    signature = cms.sign_detached(
        identity(platform.data.root, signer), statement, signed_at=platform.clock.now()
    )
    return {
        "statement": base64.b64encode(statement).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def state(platform: Platform, document: str) -> str:
    return client(platform, "demo-registrar").documents.show(document).document.state


def test_a_sign_off_by_anothers_key(platform: Platform, reviewed: str) -> None:
    leader = Desk(platform, "demo-leader")
    body = signed_off(platform, reviewed, "demo-reviewer")
    path = f"{DOCUMENTS}/{reviewed}/sign-off"
    problem = both(
        lambda language: leader.send("POST", path, language=language, json=body), "flow.wrong_signer", 422
    )
    in_the_log(platform, problem)
    assert state(platform, reviewed) == "reviewed"


def test_a_sign_off_whose_signature_does_not_hold(
    platform: Platform, clock: ManualClock, reviewed: str
) -> None:
    leader = Desk(platform, "demo-leader")
    one = signed_off(platform, reviewed)
    clock.advance(timedelta(seconds=1))
    other = signed_off(platform, reviewed)
    body = {"statement": one["statement"], "signature": other["signature"]}
    response = leader.send("POST", f"{DOCUMENTS}/{reviewed}/sign-off", json=body)
    assert response.status_code == 422
    in_the_log(platform, response.json())
    assert state(platform, reviewed) == "reviewed"


def test_a_sign_off_sent_again_and_one_that_is_too_old(
    platform: Platform, clock: ManualClock, reviewed: str
) -> None:
    leader = Desk(platform, "demo-leader")
    path = f"{DOCUMENTS}/{reviewed}/sign-off"
    old = signed_off(platform, reviewed)
    clock.advance(timedelta(minutes=16))
    problem = both(
        lambda language: leader.send("POST", path, language=language, json=old),
        "flow.stale_statement",
        409,
    )
    in_the_log(platform, problem)
    body = signed_off(platform, reviewed)
    assert leader.send("POST", path, json=body).status_code == 204
    again = refused(leader.send("POST", path, json=body), "flow.wrong_state", 409)
    in_the_log(platform, again)
    assert state(platform, reviewed) == "signed_off"


def test_a_statement_of_another_document(platform: Platform, reviewed: str) -> None:
    other = client(platform, "demo-clerk").documents.draft(SAMPLE, reference="o", recipients=["city-jia"])
    client(platform, "demo-clerk").documents.submit(other)
    client(platform, "demo-reviewer").documents.approve(other)
    leader = Desk(platform, "demo-leader")
    response = leader.send("POST", f"{DOCUMENTS}/{other}/sign-off", json=signed_off(platform, reviewed))
    problem = refused(response, "flow.stale_statement", 409)
    assert "subject" in problem["detail"]
    in_the_log(platform, problem)


def test_another_organs_document_is_not_there_at_all(platform: Platform, reviewed: str) -> None:
    """404 and the same words for what is hidden and for what does not exist; the refusal is on the record."""
    outsider = Desk(platform, "city-jia-registrar")
    hidden = both(
        lambda language: outsider.send("GET", f"{DOCUMENTS}/{reviewed}", language=language),
        "flow.not_found",
        404,
    )
    missing = refused(outsider.send("GET", f"{DOCUMENTS}/nothing"), "flow.not_found", 404)
    assert hidden["detail"].replace(reviewed, "nothing") == missing["detail"]  # type: ignore[attr-defined]
    in_the_log(platform, hidden, "authz.denied")
    for method, path in (("POST", "submission"), ("POST", "seal"), ("GET", "files/sealed.pdf")):
        body = {"json": {}} if method == "POST" else {}
        response = outsider.send(method, f"{DOCUMENTS}/{reviewed}/{path}", **body)
        assert response.status_code == 404, (path, response.text)


def test_an_idempotency_key_with_other_content(clerk: Desk) -> None:
    first = clerk.draft(SAMPLE.read_bytes(), reference="one", key="the-key")
    assert first.status_code == 201
    again = clerk.draft(SAMPLE.read_bytes(), reference="one", key="the-key")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    problem = both(
        lambda language: clerk.draft(SAMPLE.read_bytes(), reference="two", key="the-key", language=language),
        "request.idempotency_key_reused",
        422,
    )
    in_the_log(clerk.platform, problem)


def test_acts_in_the_wrong_order_and_by_the_wrong_people(platform: Platform, reviewed: str) -> None:
    keeper = Desk(platform, "demo-seal")
    response = keeper.send("POST", f"{DOCUMENTS}/{reviewed}/seal", json={})
    in_the_log(platform, refused(response, "flow.wrong_state", 409))
    registrar = Desk(platform, "demo-registrar")
    response = registrar.send("POST", f"{DOCUMENTS}/{reviewed}/seal", json={})
    in_the_log(platform, refused(response, "authz.denied", 403))
    response = registrar.send("POST", f"{DOCUMENTS}/{reviewed}/dispatch", json={})
    in_the_log(platform, refused(response, "flow.wrong_state", 409))
    response = registrar.send("POST", f"{DOCUMENTS}/{reviewed}/evidence", json={})
    assert response.status_code in (404, 409)
    body = json.dumps({"label": "x", "purpose": "seal", "suite": "intl"})
    response = registrar.send("POST", "/api/kms/v1/keys", content=body)
    assert response.status_code in (403, 405, 404, 415)
