"""版头 in the three forms, measured in the raster and in the text."""

import datetime as dt
from dataclasses import replace

import pytest

from apps.document.layout import Form, Kind, Secrecy, Urgency, render
from apps.document.layout.errors import DoesNotFit, FormUnsupported, FormWrong


def find(measure, pdf, text, page=0):
    return next(line for line in measure.pages(pdf)[page] if text in line.text)


@pytest.mark.parametrize("mark", ["河源省人民政府文件", "河源省人力资源和社会保障厅办公室文件"])
def test_the_mark_is_red_centred_and_72_mm_from_the_sheets_edge(measure, notice, mark):
    layout = render(replace(notice, organ_mark=mark))
    top, bottom = measure.bands(measure.raster(layout.pdf), "red", 3)[0]
    assert top == pytest.approx(72, abs=0.4)
    assert bottom - top <= 22
    line = find(measure, layout.pdf, mark)
    assert (line.x + line.right) / 2 / measure.mm == pytest.approx(105, abs=0.3)
    assert (line.right - line.x) / measure.mm <= min(15 * len(mark), 156) + 0.1


def test_the_separator_is_red_156_mm_wide_and_4_mm_below_the_number(measure, notice):
    layout = render(notice)
    image = measure.raster(layout.pdf)
    rule = measure.bands(image, "red", 155)[0]
    number = find(measure, layout.pdf, "河政〔2026〕12号")
    assert rule[0] - number.bottom / measure.mm == pytest.approx(4, abs=0.1)
    assert measure.bands(image, "red", 156.3) == []
    assert (number.x + number.right) / 2 / measure.mm == pytest.approx(28 + 78, abs=0.2)


def test_two_blank_lines_around_the_separator(measure, notice):
    layout = render(notice)
    image = measure.raster(layout.pdf)
    mark, rule = measure.bands(image, "red", 3)[:2]
    number, title = find(measure, layout.pdf, "12号"), find(measure, layout.pdf, "安全检查")
    assert 18 <= number.y / measure.mm - mark[1] <= 25
    assert 18 <= (title.y + 7.8) / measure.mm - rule[1] <= 25


def test_copy_number_secrecy_and_urgency_stand_below_each_other(measure, notice):
    graded = replace(
        notice, copy_number=7, secrecy=Secrecy.SECRET, secrecy_term="10年", urgency=Urgency.EXTRA_URGENT
    )
    lines = measure.pages(render(graded).pdf)[0][:3]
    assert [line.text for line in lines] == ["000007", "机密★10年", "特急"]
    assert [round(line.x, 1) for line in lines] == [79.4] * 3


def upward(notice, *signers):
    return replace(
        notice,
        kind=Kind.REQUEST,
        title="关于建设灾备中心的请示",
        organ_mark="河源市人民政府",
        main_recipients=("河源省人民政府",),
        signers=signers,
    )


def test_upward_documents_show_number_left_and_signer_right(measure, notice):
    layout = render(upward(notice, "欧阳修远"))
    number, signer = find(measure, layout.pdf, "12号"), find(measure, layout.pdf, "签发人")
    assert number.y == pytest.approx(signer.y, abs=0.1)
    assert number.x / measure.mm == pytest.approx(28 + 15.785 / measure.mm, abs=0.1)
    name = find(measure, layout.pdf, "欧阳修远")
    assert name.right / measure.mm == pytest.approx(184 - 15.785 / measure.mm, abs=0.3)


def test_of_three_signers_the_last_stands_on_the_numbers_line(measure, notice):
    layout = render(upward(notice, "王建国", "李卫东", "欧阳远"))
    number = find(measure, layout.pdf, "12号")
    third = find(measure, layout.pdf, "欧阳远")
    assert number.y == pytest.approx(third.y, abs=0.1)
    assert find(measure, layout.pdf, "王建国").y == pytest.approx(number.y - 29.609, abs=0.1)


def letter(notice):
    return replace(
        notice,
        kind=Kind.LETTER,
        title="关于商请开展数据核验的函",
        organ_mark="河源省人民政府办公厅",
        copies_to=("省财政厅",),
        printing_organ="河源省人民政府办公厅",
        printing_date=dt.date(2026, 11, 23),
    )


def test_the_letter_form_has_two_double_rules_of_170_mm(measure, notice):
    layout = render(letter(notice), form=Form.LETTER)
    image = measure.raster(layout.pdf)
    assert measure.bands(image, "red", 3)[0][0] == pytest.approx(30, abs=0.4)
    thick, thin, foot_thin, foot_thick = measure.bands(image, "red", 169)
    assert thick[1] - thick[0] > thin[1] - thin[0]
    assert foot_thin[1] - foot_thin[0] < foot_thick[1] - foot_thick[0]
    assert foot_thin[0] == pytest.approx(277, abs=0.2)


def test_the_letter_form_hides_the_first_page_number_and_the_printing_organ(measure, notice):
    text = measure.text(render(letter(notice), form="letter").pdf)
    assert "抄送：省财政厅。" in text
    assert "印发" not in text
    assert "— 1 —" not in text


def test_the_letter_forms_number_is_at_the_right_edge(measure, notice):
    number = find(measure, render(letter(notice), form="letter").pdf, "12号")
    assert number.right / measure.mm == pytest.approx(184, abs=0.2)


@pytest.mark.parametrize(
    ("form", "refusal"), [("order", FormWrong), ("minutes", FormWrong), ("poster", FormUnsupported)]
)
def test_a_form_of_other_kinds_is_refused_by_name(notice, form, refusal):
    with pytest.raises(refusal) as refused:
        render(notice, form=form)
    assert form in refused.value.text("zh")


def test_a_request_does_not_take_the_downward_form(notice):
    with pytest.raises(FormWrong):
        render(upward(notice, "王建国"), form="standard")
    with pytest.raises(FormWrong):
        render(notice, form="upward")


def test_a_number_that_leaves_no_room_for_the_signers_is_refused(notice):
    long = replace(
        upward(notice, "欧阳修远", "司马相如"), number=replace(notice.number, organ="河源省人社规划函字办")
    )
    with pytest.raises(DoesNotFit):
        render(long)
