"""Attachments over the API, in a founded province: sent by the clerk, signed for by the leader, held against the evidence by a stranger."""

import re
from pathlib import Path

import httpx
import pytest

from apps.document.pages.acts import PAGES
from ops.demo.story import SAMPLE
from ops.platform import INSIDE, Platform
from tests.laws.asking import Desk, refused
from tests.laws.province import RECIPIENTS, client, folder, platform, template
from yinxin import evidence
from yinxin.client import NotTheFile, in_process
from yinxin.statement import Statement
from yinxin.web._kit import SESSION_COOKIE

__all__ = ["folder", "platform", "template"]
pytestmark = pytest.mark.engines("any")
DOCUMENTS = "/api/document/v1/documents"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "规划图.pdf"
    file.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 500)
    return file


def test_signed_with_the_document_and_held_against_the_evidence(
    platform: Platform, plan: Path, tmp_path: Path
) -> None:
    clerk = client(platform, "demo-clerk")
    document = clerk.documents.draft(SAMPLE, reference="attached", recipients=RECIPIENTS)
    attached = clerk.documents.attach(document, plan)
    other = clerk.documents.attach(document, SAMPLE, name="样稿.md")
    clerk.documents.detach(document, other.id)
    assert clerk.documents.attachments(document) == [attached]
    _ranges(platform, document, attached.id, plan.read_bytes())
    clerk.documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    leader = client(platform, "demo-leader")
    statement = Statement.decode(leader.documents.statement(document, "document.sign-off"))
    named = {"name": plan.name, "sha256": attached.sha256, "sm3": attached.sm3}
    assert statement.content["attachments"] == [named]
    leader.documents.sign_off(document)
    registrar = client(platform, "demo-registrar")
    registrar.documents.number(document)
    client(platform, "demo-seal").documents.seal(document)
    registrar.documents.dispatch(document)

    fetched = tmp_path / "fetched.pdf"
    receiving = client(platform, "city-jia-registrar")
    receiving.documents.fetch(document, attached, fetched)
    assert fetched.read_bytes() == plan.read_bytes()
    with pytest.raises(NotTheFile):
        receiving.documents.fetch(document, attached.model_copy(update={"sm3": "0" * 64}), fetched)
    wrong = Desk(platform, "demo-clerk").send("DELETE", f"{DOCUMENTS}/{document}/attachments/{attached.id}")
    refused(wrong, "flow.wrong_state", 409, "zh")

    _held(platform, registrar.documents.evidence(document), plan, attached.sha256)


def _ranges(platform: Platform, document: str, attachment: str, whole: bytes) -> None:
    """RFC 9110 14: a part, the end, none such; and 13: only if it has changed."""
    token = client(platform, "demo-clerk").sign_in()
    path = f"{DOCUMENTS}/{document}/attachments/{attachment}"
    with httpx.Client(
        base_url=INSIDE, transport=in_process(platform.app), headers={"Authorization": f"Bearer {token}"}
    ) as http:
        answer = http.get(path)
        assert (answer.status_code, answer.content) == (200, whole)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        part = http.get(path, headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, whole[5:10])
        assert part.headers["Content-Range"] == f"bytes 5-9/{len(whole)}"
        assert http.get(path, headers={"Range": "bytes=-4"}).content == whole[-4:]
        assert http.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
        assert http.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        changed = http.get(path, headers={"Range": "bytes=5-9", "If-Range": '"other"'})
        assert (changed.status_code, changed.content) == (200, whole)


def _held(platform: Platform, bundle: bytes, plan: Path, sha256: str) -> None:
    trust = evidence.Trust.load(platform.data.path("trust"))
    held: list[object] = []
    now = platform.clock.now()
    given = evidence.Beside(attached=(evidence.Attached.of(plan),))
    evidence.verify(bundle, trust, at=now, held=held, beside=given)  # type: ignore[arg-type]
    assert [each.zh for each in held if f"“{plan.name}”" in each.zh and "一致" in each.zh]  # type: ignore[attr-defined]
    held.clear()
    evidence.verify(bundle, trust, at=now, held=held)  # type: ignore[arg-type]
    assert [each for each in held if isinstance(each, evidence.NotJudged) and sha256 in each.zh]
    plan.write_bytes(plan.read_bytes()[:-1] + b"!")
    given = evidence.Beside(attached=(evidence.Attached.of(plan),))
    with pytest.raises(evidence.EvidenceMismatch, match=plan.name):
        evidence.verify(bundle, trust, at=now, held=held, beside=given)  # type: ignore[arg-type]


def test_pages_lead_to_the_files(platform: Platform, plan: Path) -> None:
    """Every act that has a page of its own leads to one that there is."""
    assert set(PAGES.values()) <= platform.app.view_functions.keys()
    clerk = client(platform, "demo-clerk")
    document = clerk.documents.draft(SAMPLE, reference="paged", recipients=RECIPIENTS)
    cookie = {"Cookie": f"{SESSION_COOKIE}={clerk.sign_in()}", "Accept": "text/html"}
    page = f"/documents/{document}"
    with httpx.Client(base_url=INSIDE, transport=in_process(platform.app), headers=cookie) as http:
        assert f'href="{page}/attach"' in http.get(page).text
        key = re.search(r'name="_key" value="([^"]+)"', http.get(f"{page}/attach").text)
        assert key is not None
        sent = http.post(
            f"{page}/attach",
            data={"_key": key[1]},
            files={"content": (plan.name, plan.read_bytes(), "application/pdf")},
            headers={"Origin": INSIDE},
        )
        assert sent.status_code == 303
        (attached,) = clerk.documents.attachments(document)
        shown = http.get(page).text
        assert f"{page}/attachments/{attached.id}/removal" in shown
        assert http.get(f"{page}/attachments/{attached.id}").content == plan.read_bytes()


def test_who_may_not(platform: Platform, plan: Path) -> None:
    clerk = client(platform, "demo-clerk")
    document = clerk.documents.draft(SAMPLE, reference="not-hers", recipients=RECIPIENTS)
    attached = clerk.documents.attach(document, plan)
    path = f"{DOCUMENTS}/{document}/attachments"
    begun = {"name": plan.name, "size": 3, "sha256": "0" * 64}
    officer = Desk(platform, "demo-officer")
    refused(
        officer.send("POST", "/api/attachment/v1/uploads", language="zh", json=begun),
        "authz.denied",
        403,
        "zh",
    )
    stranger = Desk(platform, "city-jia-registrar")
    for method, where in (
        ("GET", path),
        ("GET", f"{path}/{attached.id}"),
        ("DELETE", f"{path}/{attached.id}"),
    ):
        refused(stranger.send(method, where, language="en"), "flow.not_found", 404, "en")
    upload = client(platform, "demo-reviewer").attachments.upload(plan)
    reviewer = Desk(platform, "demo-reviewer")
    refused(reviewer.send("POST", path, json={"upload": upload}), "authz.denied", 403, "zh")
    mine = Desk(platform, "demo-clerk")
    refused(mine.send("POST", path, json={"upload": upload}), "attachment.no_such_upload", 404, "zh")
