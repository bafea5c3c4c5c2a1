"""Line breaking: nothing lost, nothing forbidden at an edge, every line within its measure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.document.layout.faces import Typefaces
from apps.document.layout.lines import Measure, Span, break_lines, width_of
from apps.document.layout.title import title_lines

FACES = Typefaces()

sentence = st.text(
    alphabet=st.sampled_from(
        [*"政务信息系统安全检查工作一二三的了，。、；：“”（）《》〔〕0123456789ABab%./ "]
    ),
    max_size=300,
)


@settings(max_examples=150, deadline=None)
@given(sentence)
def test_no_character_is_lost_or_added(text):
    lines = break_lines(FACES, (Span(text),), Measure(first=31.57))
    assert "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")


@settings(max_examples=150, deadline=None)
@given(sentence)
def test_no_line_leaves_its_measure(text):
    measure = Measure(first=31.57)
    for line in break_lines(FACES, (Span(text),), measure):
        width = width_of(FACES, line.spans, spacing=line.spacing)
        hang = 8 if line.text[-1] in "，。、；：？！）》”〕" else 0
        assert line.left + width <= measure.width + hang + 0.05


def test_closing_marks_never_begin_a_line_and_opening_ones_never_end_it():
    for shift in range(30):
        text = "字" * shift + "按照“谁主管、谁负责”的原则（一并检查），做到《办法》要求。" * 6
        lines = break_lines(FACES, (Span(text),), Measure(first=31.57))
        assert not any(line.text[0] in "，。、；：？！）》」』】〕〉”’" for line in lines)
        assert not any(line.text[-1] in "（《「『【〔〈“‘" for line in lines)


@pytest.mark.parametrize("whole", ["2026年", "12345.67", "政〔2026〕12号", "——", "……", "SHA-256"])
def test_numbers_years_and_dashes_are_not_split(whole):
    for shift in range(29):
        lines = break_lines(FACES, (Span("字" * shift + whole + "字" * 30),), Measure())
        assert sum(whole in line.text for line in lines) == 1


def test_a_word_wider_than_the_line_is_split_after_all():
    lines = break_lines(FACES, (Span("a" * 400),), Measure())
    assert len(lines) > 2
    assert "".join(line.text for line in lines) == "a" * 400


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("关于印发管理办法的通知", ["关于印发管理办法的通知"]),
        (
            "河源省人民政府办公厅关于开展2026年度政务信息系统安全检查的通知",
            ["河源省人民政府办公厅关于开展", "2026年度政务信息系统安全检查的通知"],
        ),
        ("河源省人民政府\n关于某事的\n通知", ["河源省人民政府", "关于某事的", "通知"]),
    ],
)
def test_titles_break_between_words(title, lines):
    assert [line.text for line in title_lines(FACES, title)] == lines


def test_a_long_title_has_no_waist_and_fits():
    title = "河源省人民政府办公厅转发省发展改革委省财政厅关于进一步加强和规范政府投资信息化项目建设管理工作实施意见的通知"
    lines = title_lines(FACES, title)
    lengths = [len(line.text) for line in lines]
    assert "".join(line.text for line in lines) == title
    assert len(lengths) == 3
    assert not (lengths[1] < lengths[0] and lengths[1] < lengths[2])
