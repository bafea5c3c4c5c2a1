"""The 22 × 28 grid of 5.2.3, measured in the PDF by poppler."""

from dataclasses import replace
from itertools import pairwise

import pytest

from apps.document.layout import Heading, Paragraph, render


@pytest.fixture
def full_page(measure, notice):
    """The lines of the second page, all of them body text of one paragraph that began on the first."""
    layout = render(replace(notice, body=(Paragraph(measure.plain(28 * 60)),)))
    return [line for line in measure.pages(layout.pdf)[1] if not line.text.startswith("—")]


def test_a_full_page_has_22_lines_of_28_characters(full_page):
    assert [len(line.text) for line in full_page] == [28] * 22


def test_the_first_line_of_a_paragraph_holds_26_characters_after_two_cells(measure, notice):
    layout = render(replace(notice, body=(Paragraph(measure.plain(100)),)))
    body = [
        line
        for line in measure.pages(layout.pdf)[0]
        if line.text in measure.plain(100) and len(line.text) > 4
    ]
    assert [len(line.text) for line in body] == [26, 28, 28, 18]
    assert body[0].x - body[1].x == pytest.approx(31.57, abs=0.02)


def test_lines_are_29_609_points_apart(full_page):
    for upper, lower in pairwise(full_page):
        assert lower.y - upper.y == pytest.approx(29.609, abs=0.002)


def test_type_area_is_filled_from_edge_to_edge(full_page, measure):
    assert full_page[0].y / measure.mm == pytest.approx(37, abs=0.01)
    assert full_page[-1].bottom / measure.mm == pytest.approx(262, abs=0.01)
    for line in full_page:
        assert line.x / measure.mm == pytest.approx(28, abs=0.01)
        assert line.right / measure.mm == pytest.approx(
            184, abs=0.1
        )  # the engine writes spacing in thousandths of an em


def test_baselines_are_at_41_97_and_261_32_mm(full_page, measure):
    assert (full_page[0].bottom - 0.12 * 16) / measure.mm == pytest.approx(41.97, abs=0.01)
    assert (full_page[-1].bottom - 0.12 * 16) / measure.mm == pytest.approx(261.32, abs=0.01)


def test_ink_stands_where_the_boxes_say(measure, notice):
    """The raster of a row of 田, whose strokes fill its cell, is within the row that the numbers give."""
    layout = render(replace(notice, body=(Paragraph("田" * 28 * 40),)))
    bands = measure.bands(measure.raster(layout.pdf, 2), "dark", 5)
    assert 37 <= bands[0][0] <= 38.5
    last = [band for band in bands if band[1] < 263][-1]
    assert 260 <= last[1] <= 262


def test_other_faces_and_rare_characters_stand_on_the_same_baselines(measure, notice):
    """Ascents of the faces as their files say: Noto Sans CJK 1.16 em, Noto Serif CJK 1.151 em, Fandol 0.88 em."""
    body = (
        Heading(1, "一、标题"),
        Paragraph("镕喆堃昇䶮𬱖" + measure.plain(28 * 2)),
        Heading(2, "（一）标题"),
        Paragraph("末段。"),
    )
    pages = measure.pages(render(replace(notice, body=body, sealed=False)).pdf)
    lines = {line.text[:3]: line for line in pages[0]}
    bold, kai = lines["一、标"].y + 1.16 * 16, lines["（一）"].y + 0.88 * 16
    song = lines["镕喆堃"].y + 1.151 * 16
    assert song - bold == pytest.approx(29.609, abs=0.01)
    assert kai - song == pytest.approx(29.609 * 3, abs=0.01)


def test_a_line_with_figures_still_reaches_the_right_edge(measure, notice):
    text = "全省共有1234个系统，其中2026年新建56个，按照“谁主管谁负责”的原则（含托管系统）逐一检查，" * 12
    layout = render(replace(notice, body=(Paragraph(text),)))
    lines = [line for line in measure.pages(layout.pdf)[1] if line.text in text][:-1]
    assert len(lines) >= 5
    for line in lines:
        edge = line.right - (8 if line.text[-1] in "，。”）" else 0)
        assert edge / measure.mm <= 184.16
        assert line.right / measure.mm >= 183.7
