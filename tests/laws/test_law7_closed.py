"""Law 7: fail closed. What an act needs and does not get means no act, with an error that says which and what to do.

Each failure is made for real where it can be: the token's folder taken away, its PIN changed, the log's guard or table
refusing, the database at its last page, the clock behind itself, a certificate that is on no record.

Seen to fail when: `gate` returns at once; `_forwards` does not compare; the checker takes a missing row for good; a full
database is no error of its own; the key centre makes a new token where one was lost.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ops.acting import acting_person
from ops.data import DataDirectory
from ops.demo.story import SAMPLE
from ops.platform import Platform, Seams
from tests.crash.books import balance
from tests.laws.asking import Desk, refused
from tests.laws.province import client, identity
from tests.laws.test_bad_input import DOCUMENTS, signed_off
from tests.laws.test_law1_record import contents, numbered
from tests.laws.test_law5_serial import request
from yinxin.act import SYSTEM
from yinxin.clock import ManualClock, SystemClock
from yinxin.crypto import timestamps
from yinxin.crypto.errors import TimestampRejected
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.randomness import SystemRandomness

#: PKCS#11 says on standard error what it could not end
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@contextmanager
def on(folder: Path, clock: ManualClock) -> Iterator[Platform]:
    with Platform.open(DataDirectory(folder), (), Seams(clock, SystemRandomness())) as platform:
        yield platform


@pytest.fixture
def platform(folder: Path, clock: ManualClock) -> Iterator[Platform]:
    with on(folder, clock) as platform:
        yield platform


def nothing_done(platform: Platform, act: Callable[[], Any], *codes: str) -> YinxinError:
    """The act is refused by one of these codes, in words, and has changed nothing."""
    before = contents(platform)
    with pytest.raises(YinxinError) as caught:
        act()
    error = caught.value
    assert error.code in codes, error
    assert error.status >= 500 or error.status in (409, 422)
    for language in ("zh", "en"):
        assert len(error.text(language)) > 15  # type: ignore[arg-type]
    after = contents(platform)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    numbered(platform)
    return error


def sealable(platform: Platform) -> str:
    """A document that is numbered, and so waits for its seal."""
    document = client(platform, "demo-clerk").documents.draft(SAMPLE, reference="c", recipients=["city-jia"])
    client(platform, "demo-clerk").documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    client(platform, "demo-leader").documents.sign_off(document)
    client(platform, "demo-registrar").documents.number(document)
    return document


# --- the security module ---------------------------------------------------------------------------------------


def test_the_module_goes_away_and_comes_back(platform: Platform, folder: Path) -> None:
    document = sealable(platform)
    keeper, tokens = Desk(platform, "demo-seal"), folder / "token" / "tokens"
    shutil.move(tokens, folder / "away")
    path = f"{DOCUMENTS}/{document}/seal"
    problem = refused(keeper.send("POST", path, json={}), "flow.no_timestamp", 503)
    english = refused(keeper.send("POST", path, json={}, language="en"), "flow.no_timestamp", 503, "en")
    assert problem["detail"] != english["detail"]
    shown = client(platform, "demo-registrar").documents.show(document)
    assert shown.document.state == "sealing"
    assert not [file for file in shown.files if "sealed" in file.name]
    assert not platform.kms.health().ok
    shutil.move(folder / "away", tokens)
    assert keeper.send("POST", path, json={}).status_code == 204
    balance(platform)
    assert platform.audit.health().ok


def test_no_certificate_without_the_module(platform: Platform, folder: Path) -> None:
    officer = acting_person(platform, None, None)
    platform.kms.signer("intl-issuing").sign(b"warm")
    shutil.move(folder / "token" / "tokens", folder / "away")
    with pytest.raises(YinxinError) as caught:
        platform.ca.issue(officer, request("closed"))
    assert caught.value.code == "kms.hsm_gone"
    with platform.store.read() as session:
        rows = session.execute(
            sa.text("SELECT state, der, revoked_at FROM ca_certificate WHERE reference = 'closed'")
        ).all()
    assert [(row.state, row.der) for row in rows] == [("abandoned", None)]
    assert rows[0].revoked_at is not None
    shutil.move(folder / "away", folder / "token" / "tokens")
    platform.ca.issue(officer, request("closed"))
    balance(platform)


def test_a_lost_token_is_not_replaced_by_an_empty_one(folder: Path, clock: ManualClock) -> None:
    tokens = folder / "token" / "tokens"
    shutil.move(tokens, folder / "away")
    with pytest.raises(YinxinError) as caught, on(folder, clock):
        pass
    assert caught.value.code == "kms.hsm_missing"
    assert not tokens.exists()
    shutil.move(folder / "away", tokens)
    with on(folder, clock) as platform:
        balance(platform)


def test_the_wrong_pin_is_said_and_not_tried_again(folder: Path, clock: ManualClock) -> None:
    file = folder / "secrets" / "hsm-pin"
    right = file.read_text("utf-8")
    file.write_text("0000000000", "utf-8")
    for _ in range(12):  # more often than a module bears before it locks
        with pytest.raises(YinxinError) as caught, on(folder, clock):
            pass
        assert caught.value.code == "kms.wrong_pin"
        assert caught.value.status == 503
        assert str(file) in caught.value.text("zh")
        assert str(file) in caught.value.text("en")
    file.write_text(right, "utf-8")
    with on(folder, clock) as platform:
        platform.ca.issue(acting_person(platform, None, None), request("right"))
        balance(platform)


# --- the log ---------------------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_signed_stops_every_act(
    platform: Platform, folder: Path, clock: ManualClock
) -> None:
    """The guard's folder is gone: acts go on for as long as their records may wait, and then stop."""
    clerk = client(platform, "demo-clerk")
    clerk.documents.draft(SAMPLE, reference="before", recipients=["city-jia"])
    platform.audit.sequence()
    platform.audit.checkpoint()
    shutil.move(folder / "checkpoint", folder / "away")
    clerk.documents.draft(SAMPLE, reference="while", recipients=["city-jia"])
    clock.advance(timedelta(seconds=31))

    def act() -> None:
        clerk.documents.draft(SAMPLE, reference="after", recipients=["city-jia"])

    nothing_done(platform, act, "audit.stopped")
    nothing_done(platform, lambda: acting_person(platform, None, None), "audit.stopped")
    assert not platform.audit.health().ok
    desk_status(platform, clerk._connection.token or "")
    shutil.move(folder / "away", folder / "checkpoint")
    clock.advance(timedelta(seconds=2))
    act()
    balance(platform)


def desk_status(platform: Platform, token: str) -> None:
    """Over HTTP: 503, both languages; for an operator to mend, and not worth another try."""
    desk = Desk.__new__(Desk)
    desk.platform, desk.token = platform, token
    english = refused(desk.draft(SAMPLE.read_bytes(), language="en"), "audit.stopped", 503, "en")
    assert english["detail"] != refused(desk.draft(SAMPLE.read_bytes()), "audit.stopped", 503)["detail"]


def test_a_log_table_that_takes_nothing_stops_every_act(platform: Platform, clock: ManualClock) -> None:
    clerk = client(platform, "demo-clerk")
    clerk.sign_in()
    platform.audit.sequence()
    platform.audit.checkpoint()
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER law_7 BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    clerk.documents.draft(SAMPLE, reference="while", recipients=["city-jia"])
    clock.advance(timedelta(seconds=31))

    def act() -> None:
        clerk.documents.draft(SAMPLE, reference="after", recipients=["city-jia"])

    nothing_done(platform, act, "audit.unavailable")
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER law_7")
    clock.advance(timedelta(seconds=2))
    act()
    balance(platform)


# --- the database ----------------------------------------------------------------------------------------------


def test_a_full_disk(platform: Platform) -> None:
    """The file may not grow by another page: the act is refused whole, with the status made for it."""
    clerk = Desk(platform, "demo-clerk")
    platform.audit.sequence()
    engine = platform.store.engine

    @sa.event.listens_for(engine, "checkout")
    def full(connection: Any, _record: object, _proxy: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    before = contents(platform)
    data = SAMPLE.read_bytes() + "\n\n填充文字。".encode() * 30_000
    problem = refused(clerk.draft(data, reference="full"), "store.full", 507)
    english = refused(clerk.draft(data, language="en", reference="full"), "store.full", 507, "en")
    assert problem["detail"] != english["detail"]
    assert contents(platform) == before
    sa.event.remove(engine, "checkout", full)

    @sa.event.listens_for(engine, "checkout")
    def free(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count=1073741823")

    assert clerk.draft(SAMPLE.read_bytes(), reference="full").status_code == 201
    balance(platform)


# --- time ------------------------------------------------------------------------------------------------------


def test_a_clock_that_went_back_gives_no_timestamp_and_so_no_signature(
    platform: Platform, clock: ManualClock
) -> None:
    document = client(platform, "demo-clerk").documents.draft(SAMPLE, reference="t", recipients=["city-jia"])
    client(platform, "demo-clerk").documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    leader = Desk(platform, "demo-leader")
    question = timestamps.request(INTL.hash, INTL.hash.digest(b"x"))
    platform.ca.timestamp("intl", question)
    clock.advance(timedelta(seconds=-20))
    body = signed_off(platform, document)
    response = leader.send("POST", f"{DOCUMENTS}/{document}/sign-off", json=body)
    assert "timeNotAvailable" in refused(response, "flow.no_timestamp", 503)["detail"]
    with pytest.raises(TimestampRejected):
        timestamps.Token.from_response(platform.ca.timestamp("intl", question), question)
    shown = client(platform, "demo-registrar").documents.show(document)
    assert shown.document.state == "reviewed"
    clock.advance(timedelta(seconds=21))
    platform.audit.sequence()
    refusals = platform.audit.entries()
    assert "ca.clock_went_back" in [each.fields().get("error") for each in refusals]
    body = signed_off(platform, document)
    assert leader.send("POST", f"{DOCUMENTS}/{document}/sign-off", json=body).status_code == 204


# --- revocation ------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_on_no_record_signs_nobody_in(platform: Platform) -> None:
    """It is signed by us, its path holds, and whether it was revoked cannot be told: that is no for an answer."""
    who = identity(platform.data.root, "demo-clerk")
    clerk = client(platform, "demo-clerk")
    clerk.sign_in()
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ca_certificate SET fingerprint = ? WHERE fingerprint = ?",
            ("0" * 64, who.certificate.fingerprint),
        )
    with pytest.raises(YinxinError) as caught:
        client(platform, "demo-clerk").sign_in()
    assert caught.value.code == "crypto.revocation_unknown"
    assert caught.value.entry is not None
    with pytest.raises(YinxinError):
        clerk.documents.draft(SAMPLE, reference="x", recipients=["city-jia"])


def test_no_answer_about_revocation_is_no(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from ca.errors import StatusUnavailable

    clerk = Desk(platform, "demo-clerk")

    def silent(_fingerprint: str, _session: object = None) -> bool:
        raise StatusUnavailable(authority="intl-issuing", reason="test")

    monkeypatch.setattr(platform.ca.checker, "revoked", silent)
    before = contents(platform)
    refused(clerk.draft(SAMPLE.read_bytes()), "ca.status_unavailable", 503)
    assert contents(platform) == before


def test_no_decision_is_no(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    import cedarpy

    clerk = Desk(platform, "demo-clerk")

    def broken(*_arguments: object, **_options: object) -> object:
        raise RuntimeError("no answer")

    for way in ("is_authorized", "is_authorized_batch"):
        monkeypatch.setattr(cedarpy, way, broken)
    before = contents(platform)
    response = clerk.draft(SAMPLE.read_bytes())
    assert response.status_code >= 500
    assert response.json()["code"] in ("authz.decision_failed", "internal")
    assert contents(platform) == before


def test_the_platform_does_nothing_by_itself_without_a_log(
    platform: Platform, folder: Path, clock: ManualClock
) -> None:
    """Not a key, not a list: what no person asks for stops as well."""
    platform.kms.create(SYSTEM, label="made", purpose="seal", algorithm="ecdsa-p256")
    platform.audit.sequence()
    shutil.move(folder / "checkpoint", folder / "away")
    clock.advance(timedelta(seconds=31))
    nothing_done(
        platform,
        lambda: platform.kms.create(SYSTEM, label="not-made", purpose="seal", algorithm="ecdsa-p256"),
        "audit.stopped",  # where a checkpoint was signed before; else it could only not be written
        "audit.unavailable",
    )
    shutil.move(folder / "away", folder / "checkpoint")
