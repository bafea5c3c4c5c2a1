"""Answers kept ready: signed before they are asked for, gone in the revocation's own transaction, never “good” for long."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ca.status import presign
from ca.status.face import Front
from ca.status.kept import Kept, Shelf
from ca.status.models import AnswerRow
from tests.support.forked import PROCESSES
from yinxin.crypto.status import CertId, Good, OcspRequest, OcspResponse, Reason, Revoked, Status
from yinxin.crypto.suite import SHA256

from .conftest import REGISTRAR, Site

pytestmark = pytest.mark.engines("any")


def question(site: Site, serial: int, authority: str = "intl-issuing", **parts: object) -> bytes:
    return OcspRequest.build([CertId.of(serial, site.ca.certificate(authority), **parts)])  # type: ignore[arg-type]


def told(site: Site, kept: Kept | None, authority: str = "intl-issuing") -> Status | None:
    """What a reader believes of it; None when there was no answer."""
    if kept is None:
        return None
    response = OcspResponse(kept.body)
    response.verify(site.ca.certificate(authority), site.clock.now())
    return response.answers[0].status


def rows(site: Site) -> list[AnswerRow]:
    with site.store.read() as session:
        return list(session.scalars(sa.select(AnswerRow).order_by(AnswerRow.serial)))


def test_every_certificate_has_its_answer_before_anybody_asks(site: Site) -> None:
    shelf = Shelf(site.ctx)
    made = {
        suite: site.ca.issue(REGISTRAR, site.person(f"p-{suite}", suite=suite)) for suite in ("intl", "sm")
    }
    site.ca.presign()
    for suite, issued in made.items():
        shelf.look()
        asked = question(site, issued.certificate.serial, f"{suite}-issuing")
        assert told(site, shelf.answer(asked), f"{suite}-issuing") == Good()
        assert site.ca.ocsp(asked)


def test_they_are_signed_anew_before_they_end(site: Site) -> None:
    """Seen to fail with `due` at the end of the answer instead of before."""
    issued = site.ca.issue(REGISTRAR, site.request())
    asked = question(site, issued.certificate.serial)
    for _ in range(8):
        site.ca.presign()
        site.clock.advance(timedelta(hours=7))
        shelf = Shelf(site.ctx)
        shelf.look()
        assert told(site, shelf.answer(asked)) == Good()
    assert presign.refresh(site.ctx) > 0
    assert presign.refresh(site.ctx) == 0
    # what has expired is not kept
    site.clock.advance(timedelta(days=90 * 366))
    shelf = Shelf(site.ctx)
    shelf.look()
    assert shelf.answer(asked) is None


def test_a_revocation_takes_the_answer_away_in_its_own_transaction(site: Site) -> None:
    """Seen to fail without the trigger's UPDATE of `ca_answer`, and with `look` left out."""
    issued, other = (site.ca.issue(REGISTRAR, site.request(name)) for name in "ab")
    site.ca.presign()
    shelf = Shelf(site.ctx)
    shelf.look()
    asked = [question(site, each.certificate.serial) for each in (issued, other)]
    assert [told(site, shelf.answer(each)) for each in asked] == [Good(), Good()]
    at = site.clock.now().replace(microsecond=0)
    site.ca.revoke(REGISTRAR, issued.serial, "keyCompromise")
    shelf.look()
    assert shelf.answer(asked[0]) is None
    assert told(site, shelf.answer(asked[1])) == Good()
    site.ca.presign()
    assert told(site, shelf.answer(asked[0])) == Revoked(at, Reason.KEY_COMPROMISE)
    site.ca.suspend(REGISTRAR, other.serial)
    shelf.look()
    assert shelf.answer(asked[1]) is None


def test_an_answer_signed_before_a_revocation_is_not_stored_after_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the comparison of `change` left out of what stores."""
    issued = site.ca.issue(REGISTRAR, site.request())
    true = presign._sign

    def late(*arguments: object) -> bytes:
        signed = true(*arguments)  # type: ignore[arg-type]
        if site.rows(serial=issued.serial)[0].revoked_at is None:
            site.ca.revoke(REGISTRAR, issued.serial, "superseded")
        return signed

    monkeypatch.setattr(presign, "_sign", late)
    monkeypatch.setattr(presign, "BATCH", 1000)
    presign._batch(
        site.ctx,
        site.ctx.issuers.get("intl-issuing"),
        presign.service(site.ctx, "ocsp-responder", site.ctx.issuers.get("intl-issuing")),
    )
    shelf = Shelf(site.ctx)
    shelf.look()
    assert shelf.answer(question(site, issued.certificate.serial)) is None
    site.ca.presign()
    assert isinstance(told(site, shelf.answer(question(site, issued.certificate.serial))), Revoked)


def test_nothing_is_kept_for_what_was_not_issued(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from ca import issue

    seen: list[str] = []
    monkeypatch.setattr(issue, "sign", lambda prepared, _issuer: seen.append(prepared.serial) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    shelf = Shelf(site.ctx)
    shelf.look()
    assert {row.serial for row in rows(site)}.isdisjoint(seen)
    for serial in (int(seen[0], 16), 5, 1 << 128):
        assert shelf.answer(question(site, serial)) is None


def test_a_question_that_differs_in_any_octet_gets_no_other_ones_answer(site: Site) -> None:
    """Whatever is not the plain question, octet for octet, is left to the slow half."""
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    shelf = Shelf(site.ctx)
    shelf.look()
    asked = bytearray(question(site, issued.certificate.serial))
    assert shelf.answer(bytes(asked)) is not None
    for part in range(len(asked)):
        for bit in range(8):
            asked[part] ^= 1 << bit
            assert shelf.answer(bytes(asked)) is None
            asked[part] ^= 1 << bit


def test_other_questions_are_left_to_the_slow_half(site: Site) -> None:
    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    shelf = Shelf(site.ctx)
    shelf.look()
    serial = issued.certificate.serial
    plain = question(site, serial)
    one = CertId.of(serial, site.ca.certificate("intl-issuing"))
    for asked in (
        question(site, serial, hash_=SHA256),
        OcspRequest.build([one], b"n" * 32),
        OcspRequest.build([one, one]),
        plain[:-1],
        plain + b"\0",
        b"",
    ):
        assert shelf.answer(asked) is None


def test_a_get_is_the_same_question(site: Site) -> None:
    from urllib.parse import quote

    from ca.status.face import encoded

    issued = site.ca.issue(REGISTRAR, site.request())
    site.ca.presign()
    shelf = Shelf(site.ctx)
    front = Front(site.ca, shelf)
    front.look()
    text = encoded(question(site, issued.certificate.serial))
    for target in (text, quote(text, safe="")):
        assert told(site, front.get(b"/ocsp/" + target.encode())) == Good()
    for wrong in ("", "%", "A" * 111, text[:-2], text + "?x=1"):
        assert front.get(b"/ocsp/" + wrong.encode()) is None


# --- two processes -----------------------------------------------------------------------------------------------


def _revoke(url: str, folder: Path, serial: str) -> None:
    site = Site(url, folder)
    site.ca.revoke(REGISTRAR, serial, "keyCompromise")
    site.close()


def test_what_another_process_revoked_is_not_served_any_more(founded: Callable[..., Site]) -> None:
    """The next look after the other process's commit sees it; seen to fail with `look` left out."""
    site = founded()
    issued = [site.ca.issue(REGISTRAR, site.request(f"r-{number}")) for number in range(3)]
    site.ca.presign()
    shelf = Shelf(site.ctx)
    asked = [question(site, each.certificate.serial) for each in issued]
    shelf.look()
    assert [told(site, shelf.answer(each)) for each in asked] == [Good()] * 3
    site.keys.close()
    for number, each in enumerate(issued):
        process = PROCESSES.Process(target=_revoke, args=(site.url, site.folder, each.serial))
        process.start()
        process.join()
        assert process.exitcode == 0
        shelf.look()
        left = [shelf.answer(one) is not None for one in asked]
        assert left == [False] * (number + 1) + [True] * (2 - number)
