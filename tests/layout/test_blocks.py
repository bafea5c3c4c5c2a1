"""Blocks of an editor: headings are numbered, places are known, and a text goes to and fro without loss."""

import json

import pytest

from apps.document.layout import Attachment, Draft, Heading, Paragraph, Table, read_draft
from apps.document.layout import errors as e
from apps.document.layout.blocks import Piece, compose, pieces
from tests.layout.test_render import SAMPLE

SHIPPED = read_draft(SAMPLE.read_bytes(), "notice.md")


def headings(*given: tuple[str, str]) -> list[str]:
    made = compose("关于检查的通知", [Piece(kind, text) for kind, text in given])
    return [block.text for block in made.draft.blocks]


def test_headings_are_numbered_by_level():
    assert headings(("h1", "甲"), ("h2", "乙"), ("h2", "丙"), ("h3", "丁"), ("h4", "戊"), ("h1", "己"), ("h2", "庚")) == [
        "一、甲", "（一）乙", "（二）丙", "1.丁", "（1）戊", "二、己", "（一）庚",
    ]  # fmt: skip


def test_a_number_of_ones_own_stays_and_is_counted_on_from():
    made = compose("关于检查的通知", [Piece("h1", "甲"), Piece("h1", "三、乙"), Piece("h1", "丙")])
    assert [block.text for block in made.draft.blocks] == ["一、甲", "三、乙", "四、丙"]
    assert made.astray == {1: "二、"}
    assert made.labels == ("一、", "", "四、")


def test_ten_and_more():
    assert headings(*[("h2", "甲")] * 21)[9:12] == ["（十）甲", "（十一）甲", "（十二）甲"]


def test_what_follows_the_first_full_stop_is_body_text():
    made = compose("题", [Piece("h2", "责任落实。是否明确？")])
    assert made.draft.blocks == (Heading(2, "（一）责任落实。", "是否明确？"),)


def test_a_line_break_begins_a_paragraph_and_empty_blocks_are_left_out():
    made = compose("题", [Piece("h1", "甲\n乙"), Piece("p", " \n"), Piece("p", "丙\n\n丁"), Piece("table", rows=(("", ""),))])  # fmt: skip
    assert made.draft.blocks == (Heading(1, "一、甲"), Paragraph("乙"), Paragraph("丙"), Paragraph("丁"))


def test_places_lead_back_to_the_very_character():
    given = [
        Piece("h1", "检查范围"),
        Piece("p", "一段。\n　　二段。"),
        Piece("annex", "表"),
        Piece("p", "说明"),
    ]
    made = compose("题", given)
    for at, place in made.places.items():
        _, *path = at.split("/")
        if path[0] == "body":
            block = made.draft.blocks[int(path[1])]
        elif path[2] == "title":
            continue
        else:
            block = made.draft.attachments[int(path[1])].blocks[int(path[3])]
        index = block.text.index(block.text[-1])
        assert given[place.block].text[index + place.shift] == block.text[-1]


@pytest.mark.parametrize(
    "draft",
    [
        SHIPPED,
        Draft("题", (), (Heading(1, "一、甲"), Heading(1, "三、乙"), Heading(1, "四、丙"))),
        Draft(
            "题",
            (),
            (Heading(1, "一、一、甲"), Heading(3, "1.甲；"), Heading(3, "２．乙；"), Paragraph("3.丙")),
        ),
        Draft("题", (), (Heading(2, "（二）甲"), Table((("甲", ""), ("", "乙"))))),
        Draft("题", (), (Paragraph("文"),), (Attachment("甲", (Heading(1, "一、甲"),)), Attachment("乙"))),
    ],
)
def test_to_and_fro_without_loss(draft):
    made = compose(draft.title, pieces(draft), draft.notes or "").draft
    assert (made.blocks, made.attachments, made.notes) == (draft.blocks, draft.attachments, draft.notes)


def read(**text: object) -> Draft:
    return read_draft(json.dumps(text).encode(), "文稿.json")


def test_the_editors_file_is_read_as_it_stands():
    draft = read(
        title="关于检查的通知",
        blocks=[{"text": "各市："}, {"kind": "h1", "text": "范围"}],
        notes="（联系人）",
    )
    # nothing is guessed: a first paragraph that ends with a colon is no recipient here
    assert draft == Draft("关于检查的通知", (), (Paragraph("各市："), Heading(1, "一、范围")), notes="联系人")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ({"title": "题", "blocks": []}, e.ElementMissing),
        ({"title": " ", "blocks": [{"text": "文"}]}, e.ElementMissing),
        ({"title": "题", "blocks": [{"text": "文"}, {"kind": "annex"}, {"text": "附"}]}, e.ElementMissing),
        ({"title": "题", "blocks": [{"text": "文\u202e"}]}, e.ControlCharacter),
        ({"title": "题", "blocks": [{"kind": "table", "rows": [["\u0007"]]}]}, e.ControlCharacter),
        ({"title": "题", "blocks": [{"kind": "h9", "text": "文"}]}, e.DraftUnreadable),
        ({"title": "题", "body": "文"}, e.DraftUnreadable),
    ],
)
def test_what_is_wrong_with_it_is_refused(text, error):
    with pytest.raises(error):
        read(**text)
