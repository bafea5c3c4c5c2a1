"""The HTTP face of what stands beside a document: its copies, its secrecy, the opinions on it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import cast

from pydantic import Field

from apps.document import dispatch, find, grading, opinion, regrade
from apps.document.decisions import DECLASSIFY, EXTEND, NAMED
from apps.document.desk import Desk
from apps.document.errors import GradedElsewhere
from apps.document.records import DOCUMENTS
from apps.document.sites.choose import not_cleared, offered
from yinxin.authz import Level
from yinxin.comment import NoSuchComment, NotYours, Opinion
from yinxin.distribution import (
    AlreadyAnswered,
    Copy,
    NobodyNew,
    NotBelow,
    NothingOpen,
    NotReceived,
    ToBeGivenBack,
    UrgedEnough,
    below,
)
from yinxin.documents import (
    CopyOut,
    DocumentRef,
    GradeOut,
    OrgansIn,
    OrgansOut,
    OrgansReasonIn,
    RedispatchIn,
    SecrecyDecisionIn,
    SignedIn,
    StatementOut,
)
from yinxin.documents_beside import BarredOut, OpinionIn, OpinionOut, OpinionsOut, RecipientOut
from yinxin.errors import NotPermitted, YinxinError
from yinxin.exchange import Reached
from yinxin.flow import REFUSALS, NoSuchRecord, StaleStatement
from yinxin.grade import GradeRow, GradeTooLong, NotClassified, NotLonger, read
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Words, base64_text

Desks = Callable[[Caller], Desk]


def declare(api: Api, desk: Desks) -> None:
    """Add it to the API of documents."""
    for each in (_elsewhere, _copies, _secrecy, _opinions):
        each(api, desk)


class RecipientQuery(Paged):
    """Which organs of other sites: those cleared for a level, with these words in their name or that of their site."""

    level: Level = "internal"
    text: str = Field(default="", max_length=80)
    uncleared: bool = False
    """Those that are cleared below the level as well, each with the reason why it cannot get it."""


def _elsewhere(api: Api, desk: Desks) -> None:
    @api.get("/recipients", summary=Text("其他站点的收文机关", "Organs of other sites to address"))
    def recipients_elsewhere(query: RecipientQuery, caller: Caller) -> Page[RecipientOut]:
        after = query.begin(str) or ""
        found = [
            each
            for each in offered(desk(caller), query.level, query.text, uncleared=query.uncleared)
            if f"{each.site} {each.organ}" > after
        ]
        return page_of(
            found,
            query.limit,
            key=lambda each: f"{each.site} {each.organ}",
            show=partial(recipient_out, query.level),
        )


def barred_out(organ: str, why: YinxinError) -> BarredOut:
    """A recipient that a document cannot go to, as the API shows it."""
    return BarredOut(organ=organ, reason=Words(zh=why.text("zh"), en=why.text("en")))


def recipient_out(level: Level, found: Reached) -> RecipientOut:
    """An organ of another site as the API shows it, asked for a document of this level."""
    cleared = found.cleared(level)
    why = None if cleared else not_cleared(found, level)
    return RecipientOut(
        cleared=cleared,
        reason=Words(zh=why.text("zh"), en=why.text("en")) if why else None,
        organ=found.organ,
        name=Words.of(found.name),
        site=found.site,
        site_name=Words.of(found.site_name),
        relation=found.relation,
        clearance=found.clearance,
    )


def _copies(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/urging",
        problems=(*REFUSALS, NothingOpen, UrgedEnough),
        summary=Text("催收", "Urge recipients to sign"),
    )
    def urge(document: str, body: OrgansIn, caller: Caller) -> OrgansOut:
        return OrgansOut(organs=dispatch.urge(desk(caller), document, body.organs))

    @api.post(
        "/documents/<document>/withdrawal",
        problems=(*REFUSALS, NothingOpen, AlreadyAnswered),
        summary=Text("撤回", "Withdraw copies that nobody has signed for"),
    )
    def withdraw(document: str, body: OrgansReasonIn, caller: Caller) -> OrgansOut:
        return OrgansOut(organs=dispatch.withdraw(desk(caller), document, body.reason, body.organs))

    @api.post(
        "/documents/<document>/recall",
        problems=(*REFUSALS, NothingOpen),
        summary=Text("清退", "Recall copies that were signed for"),
    )
    def recall(document: str, body: OrgansReasonIn, caller: Caller) -> OrgansOut:
        return OrgansOut(organs=dispatch.recall(desk(caller), document, body.reason, body.organs))

    @api.post(
        "/documents/<document>/redispatch",
        problems=(*REFUSALS, NotReceived, ToBeGivenBack, NotBelow, NobodyNew),
        summary=Text("转发下级", "Pass a received document down"),
    )
    def redispatch(document: str, body: RedispatchIn, caller: Caller) -> OrgansOut:
        at_desk = desk(caller)
        chosen = list(body.organs)
        if body.below:
            under = below(at_desk.core.organs().values(), body.below, body.level)
            chosen += [organ for organ in under if organ not in chosen]
        return OrgansOut(organs=dispatch.redispatch(at_desk, document, chosen))


def _secrecy(api: Api, desk: Desks) -> None:
    refused = (*REFUSALS, GradeTooLong, NotClassified, NotLonger, GradedElsewhere)

    @api.post(
        "/documents/<document>/secrecy/statement",
        problems=refused,
        repeatable=True,
        summary=Text("取得待签的密级变更决定", "The decision on secrecy to sign"),
    )
    def secrecy_statement(document: str, body: SecrecyDecisionIn, caller: Caller) -> StatementOut:
        at_desk = desk(caller)
        verb = NAMED[body.what]
        level = cast("Level", DOCUMENTS.read(at_desk, document).level) if verb == EXTEND else body.level
        grade = None if verb == DECLASSIFY else grading.given(level, body)
        data = regrade.statement(at_desk, document, regrade.Wish(verb, grade, body.reason))
        return StatementOut(statement=base64_text(data))

    @api.post(
        "/documents/<document>/secrecy",
        status=204,
        problems=(*refused, StaleStatement),
        summary=Text(
            "变更密级、延长保密期限或解密，经签名",
            "Regrade, extend the period of secrecy, or declassify, signed",
        ),
    )
    def decide_secrecy(document: str, body: SignedIn, caller: Caller) -> None:
        regrade.decide(desk(caller), document, signed=body.statement, signature=body.signature)


def _opinions(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/opinions",
        status=201,
        problems=(NotPermitted, NoSuchRecord, NoSuchComment, NotYours),
        summary=Text("发表意见", "Give an opinion"),
    )
    def give(document: str, body: OpinionIn, caller: Caller) -> DocumentRef:
        at_desk = desk(caller)
        made = opinion.give(at_desk, document, body.text, parent=body.parent, corrects=body.corrects)
        return DocumentRef(id=made)

    @api.get(
        "/documents/<document>/opinions",
        problems=(NoSuchRecord,),
        summary=Text("本机关的意见", "The opinions of the reader's organ"),
    )
    def opinions(document: str, caller: Caller) -> OpinionsOut:
        found = find.dossier(desk(caller), document)
        return OpinionsOut(items=[opinion_out(each) for each in found.opinions])


def copy_out(copy: Copy, now: datetime) -> CopyOut:
    """A recipient's copy as the API shows it at `now`."""
    own = {name: getattr(copy, name) for name in CopyOut.model_fields if name != "overdue"}
    return CopyOut.model_validate({**own, "overdue": copy.overdue(now)})


def grade_out(row: GradeRow) -> GradeOut:
    """A decision on a document's secrecy as the API shows it."""
    return GradeOut(
        level=cast("Level | None", row.level),
        mark=read(row).mark if row.level else None,
        basis=row.basis,
        ends=row.ends,
        person=row.person,
        at=row.at,
    )


def opinion_out(found: Opinion) -> OpinionOut:
    """An opinion as the API shows it."""
    row = found.row
    return OpinionOut(
        id=row.id,
        depth=found.depth,
        person=row.person,
        post=row.post,
        text=row.text,
        at=row.at,
        before=[each.text for each in found.before],
        entry=row.entry,
    )
