"""Versions compared: what was changed is marked and nothing else, whichever way one reads it."""

import random
from itertools import pairwise

import pytest

from apps.document.comparison import Part, aligned, compare, stretches
from apps.document.content import encode
from apps.document.layout import Draft, Heading, Kind, Paragraph, Table

SAME = "请于12月15日前将自查情况报送省电子政务中心。"


@pytest.mark.parametrize(
    ("before", "after", "removed", "added"),
    [
        ("决定开展检查。" + SAME, "决定开展检查。" + SAME, "", ""),
        ("请于12月15日前报送。", "请于12月20日前报送。", "15", "20"),
        ("第一句。第二句。", "第一句。", "第二句。", ""),
        ("甲乙丙丁", "甲乙新丙丁", "", "新"),
    ],
)
def test_only_what_changed_is_marked(before, after, removed, added):
    found = stretches(before, after)
    assert "".join(text for text, change in found if change == "removed") == removed
    assert "".join(text for text, change in found if change == "added") == added


def test_a_sentence_that_stays_is_not_taken_to_pieces():
    before, after = f"第一句话说甲。{SAME}", f"全然不同的另外一句。{SAME}"
    text, change = stretches(before, after)[-1]
    assert (text.removeprefix("。"), change) == (SAME, "same")


@pytest.mark.parametrize("seed", range(30))
def test_both_texts_can_be_read_off_the_marks(seed):
    chance = random.Random(seed)
    before = "".join(chance.choice("甲乙丙，。；“”1") for _ in range(chance.randrange(60)))
    after = "".join(c for c in before if chance.random() > 0.2) + chance.choice(["", "新的一句。"])
    found = stretches(before, after)
    assert "".join(text for text, change in found if change != "added") == before
    assert "".join(text for text, change in found if change != "removed") == after
    assert all(a[1] != b[1] for a, b in pairwise(found))


def content(*blocks, title="关于检查的通知", recipients=("甲市人民政府",)):
    return encode(
        Draft(title, (), blocks),
        kind=Kind.NOTICE,
        organ={"id": "p", "name": "省政府", "code": "河政"},
        recipients=("city",),
        names=recipients,
        urgency=None,
    )


def test_paragraphs_are_set_beside_what_they_became():
    before = content(Heading(1, "一、范围"), Paragraph(SAME), Table((("甲", "乙"), ("1", "2"))))
    after = content(
        Paragraph("新增的一段。"),
        Heading(1, "一、检查范围"),
        Paragraph(SAME.replace("15", "20")),
        Table((("甲", "乙"), ("1", "3"))),
        recipients=("甲市人民政府", "乙市人民政府"),
    )
    lines = [(line.what, line.change) for line in compare(before, after)]
    assert lines == [
        ("title", "same"),
        ("recipients", "changed"),
        ("p", "added"),
        ("h1", "changed"),
        ("p", "changed"),
        ("row", "same"),
        ("row", "changed"),
    ]


def test_a_large_rewriting_is_taken_in_its_order():
    old = [Part("p", f"旧第{n}段") for n in range(300)]
    new = [Part("p", f"全新内容{n}") for n in range(300)]
    lines = aligned(old, new)
    assert [line.before for line in lines if line.before] == old
    assert [line.after for line in lines if line.after] == new
