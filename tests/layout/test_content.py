"""From the content that the leader signs to what is laid out: mark, number, signer and seal by kind."""

import datetime as dt

import pytest

from apps.document import content
from apps.document.layout import Draft, Kind, Paragraph, render


def made(kind: Kind, title: str, serial: int | None = 3):
    data = content.encode(
        Draft(title, (), (Paragraph("正文。"),)),
        kind=kind,
        organ={"id": "province", "name": "河源省人民政府", "code": "河政"},
        recipients=("city",),
        names=("甲市人民政府",),
        urgency=None,
    )
    return content.elements(data, serial=serial, year=2026, date=dt.date(2026, 11, 22), signers=["王建国"])


@pytest.mark.parametrize(
    ("kind", "title", "mark", "number", "shown"),
    [
        (Kind.NOTICE, "关于检查的通知", "河源省人民政府文件", "河政〔2026〕3号", ("sealed",)),
        (Kind.LETTER, "关于检查的函", "河源省人民政府", "河政〔2026〕3号", ("sealed",)),
        (Kind.REQUEST, "关于检查的请示", "河源省人民政府文件", "河政〔2026〕3号", ("signed", "sealed")),
        (Kind.ORDER, "河源省人民政府令", "河源省人民政府令", "河政令第3号", ("signed",)),
        (Kind.MINUTES, "常务会议纪要", "河源省人民政府会议纪要", "河政〔2026〕3号", ()),
    ],
)
def test_mark_number_signer_and_seal_follow_the_kind(measure, kind, title, mark, number, shown):  # noqa: PLR0917 - a row of the table
    elements = made(kind, title)
    assert (elements.organ_mark, str(elements.number)) == (mark, number)
    assert elements.signers == (("王建国",) if "signed" in shown else ())
    assert elements.sealed is ("sealed" in shown)
    layout = render(elements)
    texts = [each.text for page in measure.placed(layout.ofd) for each in page]
    assert mark in texts
    assert ("第3号" if kind is Kind.ORDER else number) in texts
    assert bool(layout.seals) is elements.sealed


def test_a_draft_shows_room_for_the_number_that_it_has_not_got(measure):
    texts = [each.text for each in measure.placed(render(made(Kind.NOTICE, "关于检查的通知", None)).ofd)[0]]
    assert "河政〔2026〕　号" in texts
