"""The file: PDF/A by its structure, the same bytes every time, hostile text harmless."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pyhanko.pdf_utils.generic import IndirectObject
from pyhanko.pdf_utils.reader import PdfFileReader

from apps.document import layout as room
from apps.document.layout import Attachment, Face, Heading, Paragraph, Table, Typefaces, read_draft, render
from apps.document.layout import errors as e
from apps.document.layout.paint import _Fetcher

SAMPLE = Path(room.__file__).parent / "samples" / "notice.md"

RENDER = """
import datetime as dt, hashlib, sys
from pathlib import Path
from apps.document.layout import DocumentNumber, Elements, Kind, read_draft, render
draft = read_draft(Path(sys.argv[1]).read_bytes(), "notice.md")
made = render(Elements(
    kind=Kind.NOTICE, organ_mark="河源省人民政府文件", number=DocumentNumber("河政", 2026, 12), title=draft.title,
    body=draft.blocks, signing_organ="河源省人民政府", date=dt.date(2026, 11, 22),
    main_recipients=draft.main_recipients, attachments=draft.attachments, notes=draft.notes))
print(*(hashlib.sha256(each).hexdigest() for each in (made.pdf, made.ofd)), made.pages, made.seal)
"""


def test_two_processes_make_the_same_bytes():
    made = [
        subprocess.run(
            [sys.executable, "-c", RENDER, str(SAMPLE)],
            capture_output=True, check=True, text=True, env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": "/usr/bin:/bin"},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    ]  # fmt: skip
    assert made[0] == made[1]
    assert len(made[0]) > 128


def test_one_process_makes_the_same_bytes_whatever_it_made_before(notice):
    first = render(notice).pdf
    render(replace(notice, body=(Paragraph("另外的字：龘靐"), Heading(2, "（一）楷体"))))
    assert render(notice).pdf == first


def test_the_hour_is_not_in_the_file_where_fonts_are_cut_without_harfbuzz(notice, monkeypatch):
    fang = Typefaces().body  # cutting the large Noto files without HarfBuzz takes many seconds
    faces = Typefaces(mark=fang, bold=fang, kai=fang, song=fang, fallback=())
    monkeypatch.setattr("weasyprint.pdf.fonts.harfbuzz_subset", None)
    first = render(notice, faces=faces).pdf
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    assert render(notice, faces=faces).pdf == first


@pytest.mark.parametrize(
    "change",
    [
        {"title": "关于另一件事的通知"},
        {"body": (Paragraph("现将有关事项通知如下！"),)},
        {"notes": "此件公开发布"},
    ],
)
def test_another_document_is_another_file(notice, change):
    assert render(replace(notice, **change)).pdf != render(notice).pdf


def reader_of(measure, pdf):
    return PdfFileReader(measure.file(pdf).open("rb"))


def test_the_structure_of_pdf_a_3b(measure, notice):
    """OutputIntent, XMP, identifier, embedded fonts, no active content: structure only, no validator is at hand."""
    with measure.file(render(notice).pdf).open("rb") as file:
        reader = PdfFileReader(file)
        catalog = reader.root
        (intent,) = catalog["/OutputIntents"]
        assert intent["/S"] == "/GTS_PDFA1"
        assert intent["/DestOutputProfile"].data[36:40] == b"acsp"
        xmp = catalog["/Metadata"].data
        assert b'part="3"' in xmp
        assert b'conformance="B"' in xmp
        assert b"2026-11-22" in xmp
        assert len(reader.trailer["/ID"]) == 2
        assert not {"/OpenAction", "/AA", "/AcroForm", "/Names"} & set(catalog)
        assert not any(isinstance(value, IndirectObject) and value is None for value in catalog.values())
        for number in range(reader.total_page_count if hasattr(reader, "total_page_count") else 1):
            page = reader.find_page_for_modification(number)[0].get_object()
            assert "/AA" not in page
            assert "/Annots" not in page


def test_every_font_is_embedded_as_a_subset(measure, notice):
    path = measure.file(render(notice).pdf)
    rows = subprocess.run(
        ["pdffonts", str(path)], capture_output=True, check=True, text=True
    ).stdout.splitlines()[2:]
    assert len(rows) >= 3
    for row in rows:
        assert row.split()[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, to Unicode


def test_rare_characters_can_be_read_back(measure, notice):
    rare = "镕喆堃昇䶮𬱖"
    layout = render(
        replace(
            notice,
            body=(Heading(1, f"一、{rare}"), Heading(2, f"（一）{rare}。", rare)),
            title=f"关于{rare}的通知",
        )
    )
    assert measure.text(layout.pdf).count(rare) == 4


def test_a_character_that_no_face_has_is_named(notice):
    with pytest.raises(e.UnprintableCharacter) as refused:
        render(replace(notice, body=(Paragraph("正文\U0003347a与\U0001f600。"),)))
    assert "U+1F600" in refused.value.text("zh")
    assert "U+3347A" in refused.value.text("zh")


@pytest.mark.parametrize("field", ["title", "notes", "signing_organ", "organ_mark", "printing_organ"])
def test_control_characters_are_refused_with_their_element(notice, field):
    made = replace(notice, printing_organ="办公厅", printing_date=notice.date)
    change = {field: ("关于\x1b某事的通知" if field == "title" else "某\u202e府")}
    with pytest.raises(e.ControlCharacter) as refused:
        render(replace(made, **change))
    assert field in refused.value.text("en")


HOSTILE = """</div></section><script>alert(1)</script><img src="file:///etc/passwd"><style>*{display:none}</style>"""


def test_hostile_text_is_printed_as_text_everywhere(measure, notice):
    layout = render(
        replace(
            notice,
            body=(
                Paragraph(HOSTILE),
                Heading(1, "<h1 onclick=x>"),
                Table((("<td>", "&amp;"), ("{{7*7}}", "\\"))),
            ),
            title="<link rel=attachment href=file:///etc/passwd>的通知",
            signing_organ='"><base href=x>',
            organ_mark="<b>府</b>文件",
            main_recipients=("<i>各市</i>",),
            copies_to=("<meta http-equiv=refresh>",),
            notes="<embed>",
            attachments=(Attachment("<object>", (Paragraph("<iframe src=http://127.0.0.1/>"),)),),
        )
    )
    text = measure.text(layout.pdf).replace("\n", "").replace(" ", "")
    for piece in (
        HOSTILE,
        "<h1onclick=x>",
        "{{7*7}}",
        "<i>各市</i>",
        "<embed>",
        "<iframesrc=",
        '"><basehref=x>',
        "<b>府</b>",
    ):
        assert piece.replace(" ", "") in text
    assert b"/EmbeddedFile" not in layout.pdf
    assert "root:" not in text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/", "data:text/css,*", "face:other"])
def test_the_engine_can_fetch_nothing_but_the_faces(url):
    with pytest.raises(KeyError):
        _Fetcher({"face:one": Path("/etc/hostname")}).fetch(url)


def test_a_missing_face_is_an_error_that_names_it(notice, tmp_path):
    with pytest.raises(e.TypefaceMissing) as refused:
        render(notice, faces=Typefaces(mark=Face("FZXiaoBiaoSong-B05S", 400)))
    assert "FZXiaoBiaoSong-B05S" in refused.value.text("zh")
    with pytest.raises(e.TypefaceMissing):
        render(notice, faces=Typefaces(body=Face("Other", file=tmp_path / "none.otf")))


def test_an_organs_own_face_is_used(measure, notice):
    """Another font file in the place of 楷体 is read, measured and embedded."""
    faces = Typefaces(kai=Typefaces().body)
    layout = render(replace(notice, body=(Heading(2, "（一）标题。", "正文"),)), faces=faces)
    assert "（一）标题。正文" in measure.text(layout.pdf)


def test_the_shipped_sample_is_a_page_and_a_half_with_an_attachment(measure, notice):
    draft = read_draft(SAMPLE.read_bytes(), SAMPLE.name)
    assert draft.title == "关于开展2026年度政务信息系统安全检查的通知"
    assert {block.level for block in draft.blocks if isinstance(block, Heading)} == {1, 2, 3}
    assert [attachment.title for attachment in draft.attachments] == ["政务信息系统安全自查表"]
    made = replace(
        notice, title=draft.title, body=draft.blocks, attachments=draft.attachments, notes=draft.notes
    )
    layout = render(made)
    assert 3 <= layout.pages <= 4
    assert "演示" in measure.text(layout.pdf)


def test_forty_pages_are_laid_out_in_reasonable_time(measure, notice):
    paragraphs = tuple(Paragraph(measure.plain(200, start)) for start in range(0, 600, 5))
    start = time.process_time()
    layout = render(replace(notice, body=paragraphs))
    assert layout.pages >= 40
    assert time.process_time() - start < 30
