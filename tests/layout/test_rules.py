"""The fifteen kinds and the rules of writing."""

import datetime as dt
from dataclasses import replace

import pytest

from apps.document.layout import (
    KINDS,
    Attachment,
    Direction,
    DocumentNumber,
    Heading,
    Kind,
    Paragraph,
    Secrecy,
    Table,
    check,
)
from apps.document.layout import errors as e


def report(notice, *paragraphs, title="关于2026年度安全检查情况的报告"):
    body = tuple(Paragraph(text) for text in paragraphs) or (Paragraph("现将有关情况报告如下。"),)
    return replace(
        notice,
        kind=Kind.REPORT,
        title=title,
        main_recipients=("河源省人民政府",),
        signers=("王建国",),
        body=body,
    )


def request(notice, **change):
    made = replace(
        notice,
        kind=Kind.REQUEST,
        title="关于建设灾备中心的请示",
        main_recipients=("河源省人民政府",),
        signers=("王建国",),
        body=(Paragraph("妥否，请批示。"),),
    )
    return replace(made, **change)


def test_there_are_fifteen_kinds_with_their_directions():
    assert set(KINDS) == set(Kind)
    assert len(Kind) == 15
    assert [kind for kind, facts in KINDS.items() if facts.direction is Direction.UP] == [
        Kind.REPORT,
        Kind.REQUEST,
    ]
    assert len({facts.zh for facts in KINDS.values()}) == 15


@pytest.mark.parametrize(
    "text",
    [
        "以上报告，请批示。",
        "妥否，请批示。",
        "当否，请审批。",
        "请予批准为盼。",
        "恳请省政府尽快予以批复。",
        "请求上级拨付专项经费200万元。",
        "请予审批立项。",
        "现将有关事项请示如下：",
    ],
)
def test_a_report_that_carries_a_request_is_refused_with_the_words(notice, text):
    with pytest.raises(e.RequestInsideReport) as refused:
        check(report(notice, "一年来工作情况良好。", text))
    assert refused.value.facts["paragraph"] == 2
    assert refused.value.facts["phrase"] in text
    assert "第十五条" in refused.value.text("zh")


@pytest.mark.parametrize(
    "text",
    [
        "特此报告，请审阅。",
        "根据《关于建设灾备中心的请示》的批复意见，项目已经批准。",
        "按照“凡请示必批复”的要求完善了制度。",
        "《关于请予批准建设灾备中心的请示》已经办结。",
        "对群众“请批复”的来信逐件答复。",
        "申请材料经审查合格的，已全部受理。",
        "省政府批准的项目全部开工。",
    ],
)
def test_a_report_that_only_speaks_of_requests_passes(notice, text):
    check(report(notice, text))


def test_requests_hidden_in_headings_and_tables_are_found(notice):
    for block in (Heading(2, "（一）请予批准。", ""), Table((("事项", "请批复"),))):
        with pytest.raises(e.RequestInsideReport):
            check(replace(report(notice), body=(block,)))


def test_a_request_may_ask(notice):
    check(request(notice))


def test_request_report_is_no_kind(notice):
    with pytest.raises(e.RequestInsideTitle):
        check(report(notice, title="关于建设灾备中心的请示报告"))


@pytest.mark.parametrize("to", [(), ("省政府", "省委"), ("省政府、省委",), ("省政府，省委",)])
def test_a_request_has_one_main_recipient(notice, to):
    with pytest.raises(e.OneRecipient):
        check(request(notice, main_recipients=to))


@pytest.mark.parametrize("kind", [Kind.REQUEST, Kind.REPORT])
def test_upward_documents_name_their_signer(notice, kind):
    made = request(notice) if kind is Kind.REQUEST else report(notice)
    with pytest.raises(e.SignerMissing):
        check(replace(made, signers=()))


def test_addressed_kinds_need_a_recipient_and_public_ones_do_not(notice):
    with pytest.raises(e.RecipientMissing):
        check(replace(notice, main_recipients=()))
    check(replace(notice, kind=Kind.PUBLIC_NOTICE, title="关于实施交通管制的通告", main_recipients=()))


@pytest.mark.parametrize(
    ("kind", "title"),
    [(Kind.NOTICE, "关于安全检查的决定"), (Kind.LETTER, "关于安全检查"), (Kind.ORDER, "关于安全检查的通知")],
)
def test_a_title_ends_with_its_kind(notice, kind, title):
    with pytest.raises(e.TitleWithoutKind):
        check(replace(notice, kind=kind, title=title))


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (Kind.OPINION, "关于加强安全管理的意见（试行）"),
        (Kind.ORDER, "河源省人民政府令"),
        (Kind.LETTER, "复函"),
    ],
)
def test_suffixes_and_short_names_of_kinds_pass(notice, kind, title):
    check(replace(notice, kind=kind, title=title, signers=("王建国",)))


def test_classified_documents_have_a_copy_number(notice):
    with pytest.raises(e.CopyNumberMissing):
        check(replace(notice, secrecy=Secrecy.SECRET))
    check(replace(notice, secrecy=Secrecy.SECRET, copy_number=1))


def test_printing_is_not_before_the_date(notice):
    with pytest.raises(e.SignatureDateOrder):
        check(replace(notice, printing_organ="办公厅", printing_date=dt.date(2026, 11, 21)))


def test_elements_that_every_document_has(notice):
    for name in ("organ_mark", "title", "signing_organ"):
        with pytest.raises(e.ElementMissing) as refused:
            replace(notice, **{name: " "})
        assert name in refused.value.text("zh")
    with pytest.raises(e.ElementMissing):
        replace(notice, body=())
    with pytest.raises(e.PrintingIncomplete):
        replace(notice, printing_organ="办公厅")
    with pytest.raises(e.CopyNumberInvalid):
        replace(notice, copy_number=0)


@pytest.mark.parametrize(("organ", "year", "serial"), [("", 2026, 1), ("豫政", 26, 1), ("豫政", 2026, 0)])
def test_numbers_have_organ_year_and_serial(organ, year, serial):
    with pytest.raises(e.NumberInvalid):
        DocumentNumber(organ, year, serial)


def test_numbers_are_written_with_six_cornered_brackets():
    assert str(DocumentNumber("豫政办", 2026, 7)) == "豫政办〔2026〕7号"


def test_every_refusal_speaks_both_languages():
    for name in dir(e):
        leaf = getattr(e, name)
        if isinstance(leaf, type) and "code" in vars(leaf) and leaf.__module__ == e.__name__:
            assert leaf.code.startswith("document.")
            assert leaf.zh
            assert leaf.en


def test_attachments_may_be_named_only():
    assert Attachment("自查表").blocks == ()
