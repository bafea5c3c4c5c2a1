"""`yinxin demo` and `yinxin verify`, as somebody uses them who has just cloned the repository."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import docx
import pytest

from tests.journey.conftest import Demo, yinxin

TABLES = (
    "document",
    "distribution_copy",
    "document_file",
    "flow_signature",
    "ca_certificate",
    "kms_key",
)
TEXT = """关于开展机关食堂食品安全检查的通知
各有关单位:
为保障干部职工饮食安全,现就有关事项通知如下。
一、检查内容
重点检查食材采购、留样和餐具消毒情况。
二、工作要求
各单位要认真自查,发现问题立即整改。
"""


def rows(data: Path) -> dict[str, list[str]]:
    """Every row of the tables that a second run must not touch."""
    with sqlite3.connect(data / "yinxin.db") as connection:
        query = "SELECT * FROM {}"
        return {table: sorted(map(repr, connection.execute(query.format(table)))) for table in TABLES}


def states(data: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(data / "yinxin.db") as connection:
        return list(connection.execute("SELECT number, state FROM document ORDER BY number_serial"))


def test_it_does_the_main_job_from_nothing(demo: Demo) -> None:
    assert demo.said.status == 0, demo.said
    assert re.search(r"示政办〔\d{4}〕1号", demo.said.out)
    for zh, en in (
        ("签收", "signed for it"),
        ("退回", "returned it"),
        ("离线核验", "verified the evidence offline"),
    ):
        assert zh in demo.said.out
        assert en in demo.said.out
    assert set(demo.artifacts) == {"sealed", "sealed_sm", "sealed_ofd", "evidence", "changed"}
    assert all(file.stat().st_size > 1000 for file in demo.artifacts.values())
    ((_, state),) = states(demo.data)
    assert state == "dispatched"


def test_again_on_the_same_data_adds_nothing(copied: Path) -> None:
    before = rows(copied)
    again = yinxin("demo", "--data", copied)
    assert again.status == 0, again
    after = rows(copied)
    assert {table for table in TABLES if after[table] != before[table]} <= {"document"}
    assert len(after["document"]) == 1  # its evidence was exported once more, which raises its version


def a_docx(file: Path) -> None:
    document = docx.Document()
    title, *paragraphs = TEXT.strip().split("\n")
    document.add_heading(title, 0)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.save(str(file))


def a_markdown(file: Path) -> None:
    title, *paragraphs = TEXT.replace("食堂", "公车").strip().split("\n")
    file.write_text("\n\n".join([f"# {title}", *paragraphs]), "utf-8")


def a_text(file: Path) -> None:
    file.write_text(TEXT.replace("食堂", "档案"), "gb18030")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("mine.docx", a_docx),
        pytest.param("mine.md", a_markdown, marks=pytest.mark.slow),
        pytest.param("mine.txt", a_text, marks=pytest.mark.slow),
    ],
)
def test_with_my_own_file(copied: Path, tmp_path: Path, name: str, write: object) -> None:
    file = tmp_path / name
    write(file)  # type: ignore[operator]
    before = states(copied)
    done = yinxin("demo", "--data", copied, "--document", file)
    assert done.status == 0, done
    after = states(copied)
    assert len(after) == len(before) + 1
    assert after[-1][1] == "dispatched"
    assert after[-1][0].endswith(f"〕{len(after)}号")
    verified = yinxin("verify", copied / "artifacts" / f"{after[-1][0]}.asice", "--trust", copied / "trust")
    assert verified.status == 0, verified


def test_a_file_that_is_no_document(copied: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.docx"
    file.write_bytes(b"PK\x03\x04")
    before = states(copied)
    done = yinxin("demo", "--data", copied, "--document", file)
    assert done.status == 65, done
    assert "document.draft_unreadable" in done.err
    assert "broken.docx" in done.err
    assert states(copied) == before


# --- verify ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["evidence", "sealed"])
def test_what_it_made_verifies(demo: Demo, kind: str) -> None:
    for words in (("--lang", "zh"), ("--lang", "en")):
        done = yinxin("verify", demo.artifacts[kind], "--trust", demo.data / "trust", *words)
        assert done.status == 0, done
        assert ("全部成立" in done.out) == (words[1] == "zh")
    answer = json.loads(yinxin("verify", demo.artifacts[kind], "--trust", demo.data / "trust", "--json").out)
    assert answer["holds"] is True
    assert len(answer["held"]) >= (2 if kind == "sealed" else 9)


@pytest.mark.parametrize("kind", ["evidence", "sealed"])
def test_a_changed_copy_does_not(demo: Demo, kind: str, tmp_path: Path) -> None:
    data = bytearray(demo.artifacts[kind].read_bytes())
    data[len(data) // 3] ^= 1
    changed = tmp_path / demo.artifacts[kind].name
    changed.write_bytes(bytes(data))
    done = yinxin("verify", changed, "--trust", demo.data / "trust", "--json")
    assert done.status == 65, done
    answer = json.loads(done.out)
    assert answer["holds"] is False
    assert answer["zh"] != answer["en"]


def test_the_demos_own_changed_copy_and_other_files(demo: Demo, tmp_path: Path) -> None:
    trust = demo.data / "trust"
    assert yinxin("verify", demo.artifacts["changed"], "--trust", trust).status == 65
    assert yinxin("verify", tmp_path / "nothing.asice", "--trust", trust).status == 66
    (tmp_path / "a.txt").write_text("a", "ascii")
    other = yinxin("verify", tmp_path / "a.txt", "--trust", trust)
    assert other.status == 65
    assert "evidence.unknown_file" in other.err
    (tmp_path / "empty").mkdir()
    nobody = yinxin("verify", demo.artifacts["evidence"], "--trust", tmp_path / "empty")
    assert nobody.status == 78
    assert "--trust" in nobody.err


def test_evidence_travels_without_the_data_directory(demo: Demo, tmp_path: Path) -> None:
    shutil.copy(demo.artifacts["evidence"], tmp_path / "it.asice")
    shutil.copytree(demo.data / "trust", tmp_path / "trust")
    assert yinxin("verify", tmp_path / "it.asice", "--trust", tmp_path / "trust").status == 0


# --- status ----------------------------------------------------------------------------------------------------


def test_status_tells_where_everything_is(demo: Demo) -> None:
    done = yinxin("status", "--json", "--data", demo.data)
    assert done.status == 69, done  # nothing serves it
    answer = json.loads(done.out)
    assert set(answer) >= {"ready", "urls", "trust", "accounts", "credentials"}
    assert answer["ready"] is False
    wanted = {"tls", "intl.root", "intl.issuing", "sm.root", "sm.issuing", "log.vkey"}
    assert wanted <= set(answer["trust"])
    assert all(Path(answer["trust"][name]).is_file() for name in wanted)
    assert answer["trust"]["log.origin"] == "yinxin.local/log"
    assert len(answer["accounts"]) == 43
    for each in answer["accounts"]:
        assert each["name"]
        assert each["post"]
        assert each["roles"]
        assert Path(each["pkcs12"]).is_file()
        assert Path(each["password_file"]).is_file()
    assert all(state["ok"] for state in answer["health"].values()), answer["health"]
