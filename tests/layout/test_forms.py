"""Orders, minutes, joint issue: what GB/T 9704-2012 says of them, measured in the OFD that is drawn from the same marks as the PDF."""

from dataclasses import replace
from itertools import pairwise

import pytest

from apps.document.layout import Form, Kind, Paragraph, render
from apps.document.layout.errors import DoesNotFit, ElementMissing

ADVANCE = 15.785 * 25.4 / 72
PITCH = 29.609 * 25.4 / 72
RIGHT = 184.0


def run(measure, ofd, text, page=0):
    return next(each for each in measure.placed(ofd)[page] if text in each.text)


def end(placed):
    """Where the em square of the last character ends; digits are narrower."""
    return placed.places[-1] + placed.size


def order(notice, **given):
    usual = {
        "kind": Kind.ORDER,
        "title": "河源省人民政府令",
        "organ_mark": "河源省人民政府令",
        "signers": ("欧阳修远",),
        "signer_titles": ("省长",),
        "sealed": False,
        "main_recipients": (),
    }
    return replace(notice, **(usual | given))


def test_an_order_shows_mark_number_text_signature_and_date(measure, notice):
    layout = render(order(notice))
    assert layout.seals == ()
    mark, number, text = (run(measure, layout.ofd, each) for each in ("人民政府令", "第12号", "现将有关"))
    rows = [(each.baseline - 0.88 * each.size - 37) / PITCH for each in (number, text)]
    assert rows == pytest.approx([round(row) for row in rows], abs=0.01)
    assert rows[1] - rows[0] == pytest.approx(3, abs=0.01)  # two blank lines
    assert mark.size <= 15
    name, title, date = (run(measure, layout.ofd, each) for each in ("欧阳修远", "省长", "2026年"))
    assert end(name) == pytest.approx(RIGHT - 4 * ADVANCE, abs=0.02)
    assert name.places[0] - end(title) == pytest.approx(2 * ADVANCE, abs=0.1)
    assert (name.baseline - text.baseline) / PITCH == pytest.approx(3, abs=0.2)  # two blank lines
    assert (date.baseline - title.baseline) / PITCH == pytest.approx(2, abs=0.01)
    everything = "".join(each.text for each in measure.placed(layout.ofd)[0])
    assert "河政〔2026〕" not in everything
    assert measure.bars(layout.ofd) == []


def test_an_orders_mark_begins_20_mm_below_the_type_area(measure, notice):
    layout = render(order(notice))
    top, bottom = measure.bands(measure.drawn(layout.ofd), "red", 3)[0]
    assert top == pytest.approx(57, abs=0.4)
    assert bottom - top <= 22


def test_an_order_names_its_signer(notice):
    with pytest.raises(ElementMissing):
        render(order(notice, signers=()))


def test_minutes_list_people_below_labels_in_bold(measure, notice):
    names = "、".join(f"参会人员{number}" for number in range(10))
    body = (Paragraph("会议议定事项如下。"), Paragraph(f"出席：{names}"), Paragraph("列席：列席人员"))
    made = replace(
        notice,
        kind=Kind.MINUTES,
        title="常务会议纪要",
        organ_mark="河源省人民政府会议纪要",
        sealed=False,
        body=body,
        main_recipients=(),
    )
    layout = render(made)
    placed = measure.placed(layout.ofd)[0]
    at = next(number for number, each in enumerate(placed) if each.text == "出席：")
    label, first, second = placed[at : at + 3]
    assert label.places[0] == pytest.approx(28 + 2 * ADVANCE, abs=0.001)
    assert first.places[0] == pytest.approx(28 + 5 * ADVANCE, abs=0.1)  # the line is filled
    hanging = next(each for each in placed if each.baseline > label.baseline + 1)
    assert hanging.places[0] == pytest.approx(28 + 5 * ADVANCE, abs=0.01)
    assert second.text != first.text
    text = next(each for each in placed if each.text.startswith("会议议定"))
    assert (label.baseline - text.baseline) / PITCH == pytest.approx(2, abs=0.01)  # a blank line
    assert layout.seals == ()


def test_joint_issue_has_marks_of_one_width_and_a_seal_on_every_organ(measure, notice):
    joint = ("河源省军区", "河源省财政厅", "河源省人力资源和社会保障厅")
    layout = render(replace(notice, joint=joint))
    marks = [each for each in measure.placed(layout.ofd)[0] if each.size > 8]
    assert [each.text for each in marks[:4]] == ["河源省人民政府", *joint]
    assert {round(each.places[0], 2) for each in marks[:4]} == {round(marks[0].places[0], 2)}
    assert {round(end(each), 1) for each in marks[:4]} == {round(end(marks[0]), 1)}
    assert marks[4].text == "文件"
    middle = (marks[0].baseline + marks[3].baseline) / 2
    assert marks[4].baseline == pytest.approx(middle, abs=0.01)
    assert len(layout.seals) == 4
    for number, box in enumerate(layout.seals):
        assert box.x_mm >= 28
        assert box.x_mm + box.size_mm <= RIGHT
        name = next(
            each
            for each in measure.placed(layout.ofd)[box.page - 1]
            if each.text == (notice.signing_organ, *joint)[number] and each.size < 8
        )
        middle_x = (name.places[0] + end(name)) / 2
        assert middle_x == pytest.approx(box.x_mm + box.size_mm / 2, abs=0.2)
        assert box.y_mm + box.size_mm / 2 <= name.baseline <= box.y_mm + box.size_mm
        for other in layout.seals[:number]:
            apart = abs(other.x_mm - box.x_mm) > box.size_mm or abs(other.y_mm - box.y_mm) > box.size_mm
            assert apart, "two seals touch"
    date = run(measure, layout.ofd, "2026年11月22日", layout.seal.page - 1)
    last = layout.seals[-1]
    assert last.x_mm <= date.places[0] <= last.x_mm + last.size_mm
    assert last.y_mm <= date.baseline <= last.y_mm + last.size_mm


def test_an_order_of_several_organs_has_every_mark_and_a_row_for_each_signer(measure, notice):
    """7.2.4, 7.3.5.3, 10.2. Seen to fail when titles are set from the left of their own widths, and when one signer alone is shown."""
    joint = ("河源省财政厅", "河源省人力资源和社会保障厅")
    titles = ("省长", "河源省财政厅厅长", "河源省人力资源和社会保障厅厅长")
    signers = ("欧阳修远", "王建国", "赵大明")
    layout = render(order(notice, joint=joint, signers=signers, signer_titles=titles))
    placed = measure.placed(layout.ofd)
    found = [each.text for each in placed[0][:4]]
    assert sorted(found) == sorted(["河源省人民政府", *joint, "令"])
    tops = [run(measure, layout.ofd, each).baseline for each in ("河源省人民政府", *joint)]
    beside = next(each for each in placed[0] if each.text == "令")
    assert tops == sorted(tops)
    assert beside.baseline == pytest.approx((tops[0] + tops[-1]) / 2, abs=0.1)
    signed = next(page for page in placed if any(each.text == signers[0] for each in page))
    names = [next(each for each in signed if each.text == text) for text in signers]
    beside_names = [next(each for each in signed if each.text == text) for text in titles]
    assert {round(each.places[0], 1) for each in names} == {round(names[0].places[0], 1)}
    assert {round(each.places[0], 1) for each in beside_names} == {round(beside_names[0].places[0], 1)}
    for title in beside_names:
        assert names[0].places[0] - end(title) == pytest.approx(2 * ADVANCE, abs=0.1)
    rows = [(later.baseline - each.baseline) / PITCH for each, later in pairwise(names)]
    assert rows == pytest.approx([1, 1], abs=0.01)
    date = next(each for each in signed if each.text.startswith("2026年"))
    assert (date.baseline - beside_names[-1].baseline) / PITCH == pytest.approx(2, abs=0.01)
    # a title that finds no room beside takes two lines, the name in their middle; and organs may be too many
    long = "河源省人力资源和社会保障厅机关事务管理中心主任"
    layout = render(order(notice, joint=joint[:1], signers=signers[:2], signer_titles=("省长", long)))
    page = next(page for page in measure.placed(layout.ofd) if any(each.text == signers[1] for each in page))
    lines = [each for each in page if each.text in (long[:13], long[13:], signers[1]) or each.text in long]
    first, second = sorted((each for each in lines if each.text in long), key=lambda each: each.baseline)
    assert first.text + second.text == long
    (name,) = [each for each in lines if each.text == signers[1]]
    assert first.baseline < name.baseline < second.baseline + PITCH
    with pytest.raises(DoesNotFit):
        render(order(notice, joint=tuple(f"河源省第{number}厅" for number in range(20))))


def test_joint_issue_without_seals_and_with_too_many_organs(measure, notice):
    unsealed = render(replace(notice, joint=("河源省财政厅",), sealed=False))
    main, other = (run(measure, unsealed.ofd, each, unsealed.pages - 1) for each in ("人民政府", "财政厅"))
    assert unsealed.seals == ()
    lines = [
        each for each in measure.placed(unsealed.ofd)[-1] if each.text in ("河源省人民政府", "河源省财政厅")
    ]
    assert [each.text for each in lines if each.size < 8] == ["河源省人民政府", "河源省财政厅"]
    assert main.text != other.text
    with pytest.raises(DoesNotFit):
        render(replace(notice, joint=tuple(f"河源省第{number}人力资源和社会保障厅" for number in range(12))))


def test_letters_take_their_own_form_and_may_be_sent_in_the_standard_one(notice):
    letter = replace(notice, kind=Kind.LETTER, title="关于商请核验的函")
    assert render(letter).placed != render(letter, form=Form.STANDARD).placed
