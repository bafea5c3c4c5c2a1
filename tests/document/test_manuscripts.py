"""Manuscripts where it can hurt: a save cut short, a draft gone further, texts that nobody touches, what goes on record."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.document.manuscript.begin import sweep
from apps.document.manuscript.errors import TextMovedOn
from apps.document.manuscript.models import Manuscript
from apps.document.models import Content
from ops.platform import Platform
from tests.laws.province import client, finished, opened, template
from yinxin.documents import DraftIn
from yinxin.flow import WrongState
from yinxin.manuscripts import BlockIn, TextIn

__all__ = ["finished", "template"]
pytestmark = pytest.mark.engines("any")


def text(title: str = "关于检查的通知", *more: str) -> TextIn:
    return TextIn(title=title, blocks=tuple(BlockIn(text=each) for each in ("现通知如下。", *more)))


@pytest.fixture
def platform(finished: Path, tmp_path: Path):
    with opened(Path(shutil.copytree(finished, tmp_path / "data"))) as platform:
        yield platform


@pytest.fixture
def document(platform: Platform, tmp_path: Path) -> str:
    file = tmp_path / "text.json"
    file.write_text(text().model_dump_json(), "utf-8")
    return client(platform, "demo-clerk").documents.draft(file, reference="m", recipients=["city-jia"])


def sources(platform: Platform, document: str) -> list[str]:
    with platform.store.read() as session:
        query = sa.select(Content.source).where(Content.document == document).order_by(Content.revision)
        return [TextIn.model_validate_json(each).title for each in session.scalars(query)]


def manuscripts(platform: Platform) -> int:
    with platform.store.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Manuscript)) or 0


def revise(platform: Platform, document: str, new: TextIn) -> None:
    """Hand in another file, as another program would."""
    row = client(platform, "demo-clerk").documents.show(document).document
    body = DraftIn(reference="m", kind=row.kind, recipients=tuple(row.recipients)).model_dump_json()
    file = {"content": ("text.json", new.model_dump_json().encode(), "application/json")}
    path = f"/api/document/v1/documents/{document}/content"
    client(platform, "demo-clerk")._connection.send("POST", path, data={"body": body}, files=file)


def test_a_newer_text_is_never_overwritten_and_the_refusal_is_on_record(platform, document):
    clerk = client(platform, "demo-clerk").documents
    mine = clerk.manuscript(document)
    turn = clerk.keep(mine.id, mine.turn, text("关于甲检查的通知"))
    revise(platform, document, text("关于乙检查的通知"))
    with pytest.raises(TextMovedOn) as refused:
        clerk.save(mine.id, turn, text("关于甲检查的通知"))
    assert refused.value.entry is not None
    assert sources(platform, document) == ["关于检查的通知", "关于乙检查的通知"]
    assert clerk.manuscript(document).text.title == "关于甲检查的通知"


def test_a_file_attached_meanwhile_is_no_other_text(platform, document, tmp_path):
    clerk = client(platform, "demo-clerk").documents
    mine = clerk.manuscript(document)
    file = tmp_path / "list.csv"
    file.write_text("甲,乙\n", "utf-8")
    clerk.attach(document, file)
    clerk.save(mine.id, mine.turn, text("关于甲检查的通知"))
    assert [each.verb for each in clerk.versions(document)] == [
        "document.draft",
        "document.attach",
        "document.revise",
    ]
    files = [line for line in clerk.compare(document, 1, 3).lines if line.what == "file"]
    assert [line.change for line in files] == ["added"]


def test_a_text_as_it_was_makes_no_version(platform, document):
    clerk = client(platform, "demo-clerk").documents
    mine = clerk.manuscript(document)
    clerk.save(mine.id, mine.turn, mine.text)
    assert len(sources(platform, document)) == 1
    assert manuscripts(platform) == 0


def test_a_save_that_was_cut_short_loses_nothing_written_since(platform, tmp_path):
    """Killed between the draft and the end of the manuscript: saved again it is the same document, with what was written since."""
    clerk = client(platform, "demo-clerk").documents
    file = tmp_path / "text.json"
    file.write_text(text().model_dump_json(), "utf-8")
    document = clerk.draft(file, reference="cut", recipients=["city-jia"])
    row = clerk.manuscript(document)
    # what a process that died there leaves: the document under the manuscript's reference, and the manuscript of none yet
    facts = DraftIn(reference="cut", kind="NOTICE", recipients=("city-jia",)).model_dump(mode="json")
    with platform.store.housekeep() as session:
        session.execute(sa.update(Manuscript).values(document=None, base=0, facts=facts))
    again = clerk.save(row.id, row.turn, text("关于检查的通知", "写在后面的一段。"))
    assert again == document
    assert [len(clerk.compare(document, 1, n).lines) for n in (1, 2)] == [3, 4]
    assert manuscripts(platform) == 0


def test_what_is_submitted_is_edited_no_more_and_nothing_of_it_is_lost(platform, document):
    clerk = client(platform, "demo-clerk").documents
    mine = clerk.manuscript(document)
    turn = clerk.keep(mine.id, mine.turn, text("关于甲检查的通知"))
    clerk.submit(document)
    with pytest.raises(WrongState):
        clerk.save(mine.id, turn, text("关于甲检查的通知"))
    with pytest.raises(WrongState):
        clerk.manuscript(document)
    client(platform, "demo-reviewer").documents.send_back(document, "请改")
    assert clerk.manuscript(document).text.title == "关于甲检查的通知"


def test_what_nobody_touches_is_given_up(platform, document):
    client(platform, "demo-clerk").documents.manuscript(document)
    assert sweep(platform.store, 7) == 0
    with platform.store.housekeep() as session:
        long_ago = platform.store.clock.now() - timedelta(days=8)
        session.execute(sa.update(Manuscript).values(updated_at=long_ago))
    assert sweep(platform.store, 7) == 1
    assert manuscripts(platform) == 0
