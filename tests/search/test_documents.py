"""Documents found by their words: by whoever may read them, and by nobody else."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.document.index import catch_up
from ops.platform import Platform
from tests.laws.province import client, finished, opened, template
from yinxin.search.models import WORDS, Entry

__all__ = ["finished", "template"]
pytestmark = pytest.mark.engines("any")
DRAFT = "# 关于汛期值班安排的通知\n\n各单位：汛期值班由办公室统一安排。\n\n一、水库𬱖值守。夜间不少于两人。\n"


@pytest.fixture
def platform(finished: Path, tmp_path: Path):
    with opened(Path(shutil.copytree(finished, tmp_path / "data"))) as platform:
        yield platform


def found(platform: Platform, person: str, text: str) -> list[str]:
    return [each.title for each in client(platform, person).documents.list("all", text=text)]


def test_found_by_whoever_may_read_it(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "draft.md"
    file.write_text(DRAFT, "utf-8")
    clerk = client(platform, "demo-clerk")
    document = clerk.documents.draft(file, reference="flood", recipients=["city-jia"])
    title = "关于汛期值班安排的通知"
    for question in ("汛期", "夜间 值班", "𬱖", "水库"):
        assert found(platform, "demo-reviewer", question) == [title]
        assert found(platform, "city-jia-registrar", question) == []
    (hit,) = clerk.documents.list("all", text="夜间")
    assert [piece.text for piece in hit.passage if piece.hit] == ["夜间"]
    assert hit.id == document

    story = next(iter(client(platform, "city-jia-registrar").documents.list("received")))
    assert story.number is not None
    assert found(platform, "city-jia-registrar", story.number) == [story.title]

    with platform.store.housekeep() as session:
        session.execute(sa.delete(WORDS))
        session.execute(sa.delete(Entry))
    assert found(platform, "demo-clerk", "汛期") == []
    assert catch_up(platform.store) == 2
    assert catch_up(platform.store) == 0
    assert found(platform, "demo-clerk", "汛期") == [title]
