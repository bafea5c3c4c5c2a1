"""The quick way to a service key: the same answers as the ordinary one, and no right outlives what it rests on.

Whatever changes is changed by another process: on a connection of its own, past every object of this one.
"""

import json
import threading
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from authz.grant.models import GrantRow
from authz.models import AppointmentRow, CertificateBinding, SessionRow
from authz.oidc.models import ClientRow, ServiceTokenRow
from authz.step_up import Freshness
from kms.errors import HsmGone
from kms.keyring import together
from kms.keyring.models import SealedRow, ServiceKeyRow
from kms.keyring.secret import Hand
from kms.keyring.together import Together
from tests.authz.conftest import NOW
from tests.support.elsewhere import changed, committed
from yinxin.crypto.keys import PublicKey
from yinxin.store import OutboxRow, Store, StoreUnavailable

from .provinces import OFFICER, Province, opened

PLAIN = "身份证号 110101199003070000".encode()
TEXT = b64encode(PLAIN).decode()


@dataclass
class Hall:
    """A province with keys, somebody who may sign with one of them, and what went the quick way."""

    province: Province
    url: str
    quick: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        province = self.province
        self.signing, self.sealing, self.stamping = (
            province.key(algorithm) for algorithm in ("ecdsa-p256", "aes-256-gcm", "hmac-sha256")
        )
        self.identity = province.enrol("zhang", "clerk-a")
        for template in ("signing", "encrypting", "decrypting"):
            province.grant(f"kms.grant-{template}", "person:zhang", None)
        self.token = province.sign_in(self.identity)

    def ask(
        self, use: str = "signatures", body: Any = None, *, key: str = "", token: str = "", **more: Any
    ) -> httpx.Response:
        """One use of a key over HTTP, by whoever holds the token."""
        path = f"/api/kms/v1/service-keys/{key or self.signing}/{use}"
        body = {"data_base64": TEXT} if body is None else body
        return self.province.ask("POST", path, token or self.token, body, **more)

    def warm(self, **more: Any) -> None:
        """Ask until it goes the quick way."""
        before = len(self.quick)
        for _ in range(2):
            assert self.ask(**more).status_code == 200
        assert len(self.quick) == before + 1

    def elsewhere(self, *changes: Any) -> None:
        """What another process commits."""
        committed(self.url, *changes)

    def changed(self, *changes: Any) -> AbstractContextManager[None]:
        """What another process commits, and takes back."""
        return changed(self.url, *changes)

    def events(self) -> list[dict[str, Any]]:
        with self.province.store.read() as session:
            rows = session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number))
            return [json.loads(each) for each in rows]


@pytest.fixture
def hall(
    database_url: str, tmp_path: Path, soft_token: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    with opened(database_url, tmp_path, soft_token) as province:
        made = Hall(province, database_url)
        use = Together.use

        def seen(self: Together, known: Any, name: str, operation: str, *more: Any) -> Any:
            if (done := use(self, known, name, operation, *more)) is not None:
                made.quick.append(operation)
            return done

        monkeypatch.setattr(Together, "use", seen)
        yield made


# --- alike ------------------------------------------------------------------------------------------------------------


class Ordinary:
    """An authenticator that says nothing of what its answers rest on: its application has no quick way."""

    def __init__(self, real: Any) -> None:
        self.authenticate = real.authenticate


def _questions(hall: Hall) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    sealed = hall.ask("ciphertexts", {"plaintext_base64": TEXT}, key=hall.sealing).json()["ciphertext"]
    signature = hall.ask().json()["signature_base64"]
    mac = hall.ask("macs", key=hall.stamping).json()["mac_base64"]
    digest = b64encode(bytes(32)).decode()
    yield "signatures", {"data_base64": TEXT}, {}
    yield "signatures", {"data_base64": digest, "digest": True, "version": 1}, {}
    yield "signatures", {"data_base64": TEXT, "digest": True}, {}
    yield "signatures", {"data_base64": TEXT, "version": 9}, {}
    yield "signatures", {"data_base64": "no base64!"}, {}
    yield "signatures", {"data_base64": TEXT, "more": 1}, {}
    yield "signatures", {}, {}
    yield "signatures", {"data_base64": "A" * 100_000}, {}
    yield "signatures", {"data_base64": "A" * 3_000_000}, {}
    yield "signatures", {"data_base64": TEXT}, {"key": "none"}
    yield "signatures", {"data_base64": TEXT}, {"key": "a%20b"}
    yield "signatures", {"data_base64": TEXT}, {"key": hall.sealing}
    yield "signatures", {"data_base64": TEXT}, {"token": "x" * 43}
    yield "signatures", {"data_base64": TEXT}, {"Accept-Language": "en"}
    yield "signatures", {"data_base64": TEXT}, {"Cookie": "yinxin-language=en"}
    yield "signatures", {"data_base64": TEXT}, {"Content-Type": "text/plain"}
    yield "signatures", {"data_base64": TEXT}, {"Sec-Fetch-Site": "cross-site"}
    yield "signatures", {"data_base64": TEXT}, {"peer": hall.identity.certificate.der}
    yield "signatures", {"data_base64": TEXT}, {"peer": b"another"}
    yield "signatures?lang=en", {"data_base64": TEXT, "version": 7}, {}
    yield "verified-signatures", {"data_base64": TEXT, "signature_base64": signature}, {}
    yield "verified-signatures", {"data_base64": digest, "signature_base64": signature}, {}
    yield "ciphertexts", {"plaintext_base64": TEXT, "context_base64": TEXT}, {"key": hall.sealing}
    yield "plaintexts", {"ciphertext": sealed}, {"key": hall.sealing}
    yield "plaintexts", {"ciphertext": sealed, "context_base64": TEXT}, {"key": hall.sealing}
    yield "plaintexts", {"ciphertext": "x"}, {"key": hall.sealing}
    yield "macs", {"data_base64": TEXT}, {"key": hall.stamping}
    yield "verified-macs", {"data_base64": TEXT, "mac_base64": mac}, {"key": hall.stamping}
    yield "verified-macs", {"data_base64": TEXT, "mac_base64": TEXT}, {"key": hall.stamping}


#: what is another with every request, however it went
_OWN = {"signature_base64", "ciphertext", "request", "entry"}


def _told(hall: Hall, answer: httpx.Response, before: int) -> Any:
    """What there is to compare: status, headers, body, records."""
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("request-id", "audit-entry")
    }
    body = {name: None if name in _OWN else value for name, value in answer.json().items()}
    if "signature_base64" in body or "ciphertext" in body:
        headers.pop("content-length")
    records = [
        each
        | {"id": each["id"] in answer.headers.get("audit-entry", ""), "number": None, "time": None}
        | {"request": each["request"] == answer.headers["request-id"]}
        | {"facts": {n: v for n, v in each.get("facts", {}).items() if n != "digest"}}
        for each in hall.events()[before:]
    ]
    return answer.status_code, headers, body, records


@pytest.mark.engines("any")
def test_both_ways_answer_alike(hall: Hall) -> None:
    """Status, headers, body and record. Seen to fail without the header of transport security."""
    quick, ordinary = hall.province.app, hall.province.served(Ordinary(hall.province.authz.oidc.callers))
    with_known = 0
    for use, body, more in _questions(hall):
        told = []
        for app in (ordinary, quick):
            hall.province.app = app
            if app is quick:  # so that it is known, if it ever is
                hall.ask(use, body, **more)
            before, went = len(hall.events()), len(hall.quick)
            told.append(_told(hall, hall.ask(use, body, **more), before))
            with_known += len(hall.quick) - went
        assert told[0] == told[1], (use, str(body)[:80], more)
    assert with_known == 10


@pytest.mark.engines("any")
def test_a_quick_signature_verifies_and_its_record_is_replayed(hall: Hall) -> None:
    hall.warm()
    answer = hall.ask()
    (version,) = hall.province.centre.keyring.versions(OFFICER, hall.signing)
    signature = b64decode(answer.json()["signature_base64"])
    PublicKey.load(version[0].spki or b"").verify(signature, PLAIN)
    event = hall.events()[-1]
    assert (event["id"], event["actor"]["certificate"]) == (
        answer.headers["Audit-Entry"],
        hall.identity.certificate.fingerprint,
    )
    actor = hall.province.authz.sessions.authenticate(hall.token).actor
    assert hall.province.authz.decisions.replay(actor, event["decision"]).allowed


# --- attacked -----------------------------------------------------------------------------------------------------------


def _row(table: Any, **values: Any) -> Any:
    return lambda _hall: [sa.update(table).values(**values)]


def _of_key(**values: Any) -> Any:
    return lambda hall: [sa.update(ServiceKeyRow).where(ServiceKeyRow.name == hall.signing).values(**values)]


#: what another process changes, and the refusal that the very next request hears
CHANGES: dict[str, tuple[Callable[[Hall], list[Any]], str]] = {
    "signed out": (_row(SessionRow, ended=NOW), "authz.session_ended"),
    "session cut short": (_row(SessionRow, expires=NOW), "authz.session_expired"),
    "session unused for long": (_row(SessionRow, used=NOW - timedelta(hours=2)), "authz.session_idle"),
    "session gone": (lambda _: [sa.delete(SessionRow)], "authz.not_signed_in"),
    "certificate taken from her": (_row(CertificateBinding, ended_at=NOW), "authz.certificate_revoked"),
    "appointment over": (_row(AppointmentRow, valid_to=NOW), "authz.no_appointment"),
    "appointment gone": (lambda _: [sa.delete(AppointmentRow)], "authz.no_appointment"),
    "grant taken back": (_row(GrantRow, revoked_at=NOW), "authz.denied"),
    "grant over": (_row(GrantRow, valid_to=NOW), "authz.denied"),
    "grant over another organ": (_row(GrantRow, organ="county-b"), "authz.denied"),
    "key of another organ": (_of_key(owner="county-b"), "authz.denied"),
    "key about to be destroyed": (_of_key(condition="ending", destroy_at=NOW), "kms.service_key_ending"),
    "key destroyed": (_of_key(condition="destroyed"), "kms.service_key_destroyed"),
    "key that signs no more": (_of_key(operations="verify"), "kms.operation_not_allowed"),
}


@pytest.mark.engines("both")
def test_no_right_outlives_what_it_rests_on(hall: Hall) -> None:
    """Seen to fail, each in its turn, with an `Asked.hold` that asks nothing (all of them), without the session's row, the
    state's number or the key's row among the premises."""
    for what, (change, code) in CHANGES.items():
        hall.warm()
        went, before = len(hall.quick), hall.events()
        with hall.changed(*change(hall)):
            for _ in range(2):
                answer = hall.ask()
                assert (answer.json().get("code"), len(hall.quick)) == (code, went), what
        refused = hall.events()[len(before) :]
        assert {each["outcome"] for each in refused} == {"refused"}
        assert answer.json()["entry"] == refused[-1]["id"]


@pytest.mark.engines("both")
def test_nothing_is_given_of_what_was_made_before_it_changed(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed between the signature and its record. Seen to fail without the second `_holding`, in `_recorded`."""
    run, changing = Together._run, ExitStack()
    pending: list[Any] = []

    def overtaken(self: Together, group: Any) -> None:
        run(self, group)
        assert {each.result is not None for each in group} == {True}
        changing.enter_context(hall.changed(*pending))

    def signed() -> list[str]:
        return [
            each["id"] for each in hall.events() if (each["verb"], each["outcome"]) == ("kms.sign", "done")
        ]

    for what, (change, code) in CHANGES.items():
        hall.warm()
        went, before = len(hall.quick), signed()
        pending[:] = change(hall)
        with monkeypatch.context() as patch, changing:
            patch.setattr(Together, "_run", overtaken)
            assert (hall.ask().json().get("code"), len(hall.quick)) == (code, went), what
        assert signed() == before, what


@pytest.mark.engines("any")
def test_a_certificate_that_was_revoked_or_cannot_be_told_ends_it(hall: Hall) -> None:
    """Seen to fail when `_Unchanged.hold` does not ask the checker."""
    hall.warm()
    hall.province.authority.reachable = False
    assert hall.ask().json()["code"] == "test.unreachable"
    hall.province.authority.reachable = True
    hall.warm()
    hall.province.authority.revoke(hall.identity.certificate)
    assert (hall.ask().json()["code"], len(hall.quick)) == ("authz.certificate_revoked", 2)


@pytest.mark.engines("any")
def test_time_ends_it(hall: Hall) -> None:
    """An appointment, a grant, a proof of the key and a session that end by themselves: to the microsecond, and no row
    changes. Seen to fail without `Between`."""
    instant = timedelta(microseconds=1)
    province, soon = hall.province, timedelta(seconds=30)
    clock = province.clock
    hall.elsewhere(sa.update(GrantRow).values(valid_to=clock.now() + soon))
    hall.warm()
    clock.advance(soon - instant)
    assert hall.ask().status_code == 200
    assert len(hall.quick) == 2
    clock.advance(instant)
    assert hall.ask().json()["code"] == "authz.denied"
    hall.elsewhere(sa.update(GrantRow).values(valid_to=clock.now() + timedelta(days=9)))
    hall.elsewhere(sa.update(AppointmentRow).values(valid_to=clock.now() + soon))
    hall.warm()
    clock.advance(soon - instant)
    assert hall.ask().status_code == 200
    clock.advance(instant)
    assert hall.ask().json()["code"] == "authz.no_appointment"
    hall.elsewhere(sa.update(AppointmentRow).values(valid_to=None))
    province.authz.decisions._freshness = Freshness(frozenset({"kms.sign"}), soon)
    hall.token = province.sign_in(hall.identity)
    hall.warm()
    clock.advance(soon - instant)
    assert hall.ask().status_code == 200
    clock.advance(instant)
    assert hall.ask().json()["code"] == "authz.step_up_required"
    province.authz.decisions._freshness = Freshness()
    hall.elsewhere(sa.update(SessionRow).values(expires=clock.now() + timedelta(seconds=10)))
    hall.warm()
    clock.advance(timedelta(seconds=10))
    assert hall.ask().json()["code"] == "authz.session_expired"


@pytest.mark.engines("any")
def test_a_session_in_use_is_kept_as_used(hall: Hall) -> None:
    """Once a minute it goes the ordinary way, which writes the use down: who signs all day is not idle."""
    hall.warm()
    for _ in range(40):
        hall.province.clock.advance(timedelta(minutes=1))
        assert hall.ask().status_code == 200
        assert hall.ask().status_code == 200
    assert len(hall.quick) == 41
    hall.province.clock.advance(timedelta(hours=2))
    assert hall.ask().json()["code"] == "authz.session_idle"


@pytest.mark.engines("any")
def test_a_token_is_known_on_its_own_connection_only(hall: Hall) -> None:
    """Shown on a connection of another certificate, to another name of ours, or one letter longer. Seen to fail when the
    peer is not part of what a caller is known by."""
    mine, other = hall.identity.certificate.der, hall.province.enrol("wang", "seal-a").certificate.der
    hall.warm()
    hall.warm(peer=mine)
    assert hall.ask(peer=other).json()["code"] == "authz.session_of_another"
    assert hall.ask(peer=mine).status_code == 200
    assert hall.ask(token=hall.token + "A").json()["code"] == "authz.not_signed_in"
    assert hall.ask(**{"X-Client-Cert": "forged"}).status_code == 200
    hers = hall.province.sign_in(hall.province.enrol("wang", "seal-a"))
    for _ in range(3):
        assert hall.ask(token=hers).json()["code"] == "authz.denied"
    assert len(hall.quick) == 4


@pytest.mark.engines("any")
def test_versions_count_from_the_next_request(hall: Hall) -> None:
    """Rotated: the newest signs. Forbidden: the old one signs no more. Seen to fail without the key's row among the premises."""
    hall.warm()
    hall.province.centre.keyring.rotate(OFFICER, hall.signing)
    assert hall.ask().json()["version"] == 2
    assert hall.ask(body={"data_base64": TEXT, "version": 1}).json()["version"] == 1
    hall.province.centre.keyring.limit(OFFICER, hall.signing, 1, 2)
    answer = hall.ask(body={"data_base64": TEXT, "version": 1})
    assert answer.json()["code"] == "kms.version_too_old"
    assert hall.ask().json()["version"] == 2


@pytest.mark.engines("any")
def test_a_version_makes_no_more_encryptions_than_it_may(hall: Hall) -> None:
    """Seen to fail without `count` in `_recorded`."""
    body: dict[str, Any] = {"use": "ciphertexts", "key": hall.sealing, "body": {"plaintext_base64": TEXT}}
    hall.warm(**body)
    with hall.province.store.read() as session:
        assert session.scalar(sa.select(sa.func.max(SealedRow.number))) == 2
    hall.elsewhere(sa.update(SealedRow).values(number=hall.province.centre.settings.keyring_encryptions - 1))
    assert hall.ask(**body).status_code == 200
    assert hall.ask(**body).json()["code"] == "kms.version_used_up"


# --- systems --------------------------------------------------------------------------------------------------------------

#: the same of a system's token
OF_SYSTEMS: dict[str, tuple[Callable[[Hall], list[Any]], str]] = {
    "token taken back": (_row(ServiceTokenRow, revoked=NOW), "authz.oidc_invalid_token"),
    "token over": (_row(ServiceTokenRow, expires=NOW), "authz.oidc_invalid_token"),
    "token for another service": (_row(ServiceTokenRow, audience="directory"), "authz.oidc_invalid_token"),
    "token of another certificate": (_row(ServiceTokenRow, certificate="0" * 64), "authz.oidc_invalid_token"),
    "client ended": (_row(ClientRow, ended=NOW), "authz.oidc_invalid_token"),
    "grant taken back": (_row(GrantRow, revoked_at=NOW), "authz.denied"),
    "grant of another": (_row(GrantRow, holder="client:another"), "authz.denied"),
}


@pytest.mark.engines("any")
def test_no_right_of_a_system_outlives_what_it_rests_on(hall: Hall) -> None:
    """Seen to fail without the token's row, the client's, or the state's number among the premises."""
    province = hall.province
    system = province.system()
    province.grant("kms.grant-signing", f"client:{system.id}", hall.signing)
    token = province.token(system).json()["access_token"]
    for what, (change, code) in OF_SYSTEMS.items():
        hall.warm(token=token)
        went = len(hall.quick)
        with hall.changed(*change(hall)):
            for _ in range(2):
                answer = hall.ask(token=token)
                assert (answer.json().get("code"), len(hall.quick)) == (code, went), (what, answer.text)


@pytest.mark.engines("any")
def test_a_system_is_held_to_its_time_its_certificate_and_its_registration(hall: Hall) -> None:
    province, peer = hall.province, hall.province.authority.identity("array").certificate
    system = province.system(authentication="tls_client_auth", certificate=peer.fingerprint)
    given = province.grant("kms.grant-signing", f"client:{system.id}", hall.signing)
    with province.client(system, peer=peer.der) as client:
        token = client.sign_in()
    hall.warm(token=token, peer=peer.der)
    assert hall.ask(token=token).json()["code"] == "authz.oidc_invalid_token"
    assert hall.ask(token=token, peer=peer.der).status_code == 200
    soon = timedelta(seconds=20)
    hall.elsewhere(
        sa.update(GrantRow).where(GrantRow.id == given).values(valid_to=province.clock.now() + soon)
    )
    hall.warm(token=token, peer=peer.der)
    province.clock.advance(soon)
    assert hall.ask(token=token, peer=peer.der).json()["code"] == "authz.denied"
    hall.elsewhere(sa.update(GrantRow).values(valid_to=NOW + timedelta(days=300)))
    hall.warm(token=token, peer=peer.der)
    with province.store.read() as session:
        details = session.get_one(ClientRow, system.id).details
    narrowed = sa.update(ClientRow).where(ClientRow.id == system.id)
    hall.elsewhere(narrowed.values(details=details | {"scopes": ["scim.read"]}))
    assert hall.ask(token=token, peer=peer.der).json()["code"] == "authz.oidc_invalid_token"
    hall.elsewhere(narrowed.values(details=details))
    hall.warm(token=token, peer=peer.der)
    province.authority.revoke(peer)
    assert hall.ask(token=token, peer=peer.der).json()["code"] == "authz.oidc_invalid_token"


# --- together -------------------------------------------------------------------------------------------------------------


def _crowd(
    hall: Hall, number: int, asked: Callable[[int], dict[str, Any]], *, lasting: bool = True
) -> list[httpx.Response]:
    """So many at once, who are sure to meet: the first group is held up until all the others wait."""
    answers: list[httpx.Response | None] = [None] * number
    queue = hall.province.centre.keyring.together.windows[lasting].gatherer
    begun, go_on, run = threading.Event(), threading.Event(), Together._run

    def held(self: Together, group: Any) -> None:
        begun.set()
        assert go_on.wait(60)
        run(self, group)

    def one(at: int) -> None:
        answers[at] = hall.ask(**asked(at))

    threads = [threading.Thread(target=one, args=(at,)) for at in range(number)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Together, "_run", held)
        threads[0].start()
        assert begun.wait(60)
        for thread in threads[1:]:
            thread.start()
        while len(queue._waiting) < number - 1:
            threading.Event().wait(0.005)
        go_on.set()
        for thread in threads:
            thread.join(60)
    return [each for each in answers if each is not None]


@pytest.mark.engines("both")
def test_who_meets_shares_a_transaction_and_nothing_else(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people and two keys, each answer and request its own, one commit for all who met, one opening of each key, and one
    record for each permission, which says of each request what was made for it. Seen to fail with a `Hand` for each wish."""
    province = hall.province
    other = province.key("ed25519")
    province.grant("kms.grant-signing", "person:wang", None)
    hers = province.sign_in(province.enrol("wang", "seal-a"))
    asked = [{"token": token, "key": key} for token in (hall.token, hers) for key in (hall.signing, other)]
    for each in asked:
        for _ in range(2):
            assert hall.ask(**each).status_code == 200
    went, before = len(hall.quick), len(hall.events())
    opened_, commits = list[Hand](), Counter[bool]()
    made, together = Hand._pair, Store.together
    monkeypatch.setattr(Hand, "_pair", lambda self, version: (opened_.append(self), made(self, version))[1])

    def counted(self: Store, *, lasting: bool = True) -> Any:
        commits[lasting] += 1
        return together(self, lasting=lasting)

    monkeypatch.setattr(Store, "together", counted)
    answers = _crowd(hall, 9, lambda at: asked[at % 4])
    assert [each.status_code for each in answers] == [200] * 9
    assert (len(hall.quick) - went, commits) == (9, {True: 2})
    assert len({id(each) for each in opened_}) == 3  # kept here, so that no two have one identity
    events = hall.events()[before:]
    assert [each["number"] for each in events] == list(range(events[0]["number"], events[0]["number"] + 5))
    by_request: dict[str, tuple[dict[str, Any], str]] = {}
    for each in events:
        facts = each["facts"]
        alone = {"request": each.get("request"), "version": 1, "digest": None}
        listed = facts.get("requests", [alone])
        assert (facts["number"], facts["failed"], facts["versions"]) == (len(listed), 0, [1])
        assert ("request" in each) == (len(listed) == 1)
        if len(listed) > 1:
            joined = b"".join(bytes.fromhex(one["digest"]) for one in listed)
            assert facts["digest"] == sha256(joined).hexdigest()
        by_request |= {one["request"]: (each, one["digest"]) for one in listed}
    assert sorted(each["facts"]["number"] for each in events) == [1, 2, 2, 2, 2]
    for at, answer in enumerate(answers):
        record, digest = by_request[answer.headers["Request-Id"]]
        assert record["id"] == answer.headers["Audit-Entry"]
        assert record["actor"]["id"] == ("zhang", "wang")[at % 4 // 2]
        assert record["subject"] == f"service-key:{asked[at % 4]['key']}"
        made_ = sha256(b64decode(answer.json()["signature_base64"]))
        assert digest == made_.hexdigest() if digest else record["facts"]["number"] == 1
    assert len({each.headers["Request-Id"] for each in answers}) == 9


@pytest.mark.engines("any")
def test_groups_lock_rows_in_one_order(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes whose groups use the same keys would else wait for each other until the database ends one of them.

    Seen to fail with the keys in the order in which they were asked for.
    """
    keys = [hall.sealing, hall.province.key("aes-256-gcm"), hall.province.key("aes-256-gcm")]
    body = {"use": "ciphertexts", "body": {"plaintext_base64": TEXT}}
    for key in keys * 2:
        assert hall.ask(**body, key=key).status_code == 200
    locked, counted = list[list[str]](), list[list[str]]()
    run = Together._run

    def noted(of: list[list[str]], real: Any) -> Any:
        return lambda connection, key, *more: (of[-1].append(key.id), real(connection, key, *more))[1]

    def begun(self: Together, group: Any) -> None:
        locked.append([])
        counted.append([])
        run(self, group)

    monkeypatch.setattr(Together, "_run", begun)
    for name, of in (("still", locked), ("count", counted)):
        monkeypatch.setattr(together, name, noted(of, getattr(together, name)))
    for turn in (1, -1):
        answers = _crowd(hall, 7, lambda at, turn=turn: {**body, "key": keys[turn * at % 3]}, lasting=False)
        assert [each.status_code for each in answers] == [200] * 7
    assert sorted(map(len, locked)) == sorted(map(len, counted)) == [1, 1, 3, 3]
    assert [sorted(each) for each in (*locked, *counted)] == [*locked, *counted]


@pytest.mark.engines("any")
def test_one_whose_right_has_ended_takes_nobody_with_her(hall: Hall) -> None:
    province = hall.province
    province.grant("kms.grant-signing", "person:wang", None)
    hers = province.sign_in(province.enrol("wang", "seal-a"))
    for token in (hall.token, hers):
        for _ in range(2):
            assert hall.ask(token=token).status_code == 200
    hall.elsewhere(sa.update(SessionRow).where(SessionRow.person == "wang").values(ended=NOW))
    answers = _crowd(hall, 6, lambda at: {"token": (hall.token, hers)[at % 2]})
    assert [each.json().get("code") for each in answers] == [None, "authz.session_ended"] * 3


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    "trouble", [StoreUnavailable(), HsmGone(token="t", reason="r"), RuntimeError("a fault")]
)
def test_what_fails_together_is_asked_alone(
    hall: Hall, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the group was written or given; each is then served, or refused for its own reason."""
    hall.warm()

    def broken(*_: Any, **__: Any) -> Any:
        raise trouble

    monkeypatch.setattr(Together, "_run", broken)
    before = len(hall.events())
    answer = hall.ask()
    assert (answer.status_code, len(hall.quick)) == (200, 1)
    (event,) = hall.events()[before:]
    assert event["id"] == answer.headers["Audit-Entry"]


@pytest.mark.engines("any")
def test_no_record_no_signature(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 7: while the log cannot record, neither way gives anything."""
    hall.warm()

    def closed() -> None:
        raise StoreUnavailable

    hall.province.store.gates.append(closed)
    before = len(hall.events())
    answer = hall.ask()
    assert answer.json()["code"] == "store.unavailable"
    assert len(hall.quick) == 1
    assert {each["outcome"] for each in hall.events()[before:]} <= {"refused"}
