"""The HTTP face of incoming documents, within the API of documents."""

from collections.abc import Callable

from apps.document.desk import Desk
from apps.document.intake import circulate, decide, find, handle, register
from apps.document.intake.errors import (
    HandlerTwice,
    HurriedEnough,
    NotAnAnswer,
    NotCirculated,
    RegisteredAlready,
    UnknownPost,
)
from apps.document.intake.handle import Handlers
from yinxin.deadline import DeadlinePassed, Term, Unit
from yinxin.distribution import NotReceived
from yinxin.documents import (
    AnswerIn,
    AssignIn,
    DocumentRef,
    ExtendIn,
    IntakeDossierOut,
    IntakeOut,
    IntakeQuery,
    OpinionTextIn,
    PostsIn,
    PostsOut,
    ReaderOut,
    SignedIn,
    StatementOut,
    StepOut,
    TextIn,
)
from yinxin.flow import REFUSALS, NoSuchRecord, StaleStatement
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, cursor, position
from yinxin.wire import base64_text

Desks = Callable[[Caller], Desk]


def declare(api: Api, desk: Desks) -> None:
    """Add it to the API of documents."""
    for each in (_looking, _deciding, _handling, _circulating):
        each(api, desk)


def _looking(api: Api, desk: Desks) -> None:
    @api.get("/intakes", summary=Text("收文列表", "List incoming documents"))
    def intakes(query: IntakeQuery, caller: Caller) -> Page[IntakeOut]:
        after = position(query.after, str)[0] if query.after else None
        lines, last = find.listing(desk(caller), find.Filter(query.box, query.text, query.state, after))
        return Page(items=[intake_out(line) for line in lines], next=cursor(last) if last else None)

    @api.get("/intakes/<intake>", problems=(NoSuchRecord,), summary=Text("收文详情", "An incoming document"))
    def intake(intake: str, caller: Caller) -> IntakeDossierOut:
        return dossier_out(find.dossier(desk(caller), intake))

    @api.post(
        "/documents/<document>/registration",
        status=201,
        problems=(*REFUSALS, NotReceived, RegisteredAlready),
        summary=Text("收文登记", "Register what the organ has signed for"),
    )
    def registration(document: str, caller: Caller) -> DocumentRef:
        return DocumentRef(id=register.register(desk(caller), document))


def _deciding(api: Api, desk: Desks) -> None:
    @api.post(
        "/intakes/<intake>/proposal",
        status=204,
        problems=REFUSALS,
        summary=Text("拟办", "Propose what to do"),
    )
    def propose(intake: str, body: TextIn, caller: Caller) -> None:
        decide.propose(desk(caller), intake, body.text)

    @api.post(
        "/intakes/<intake>/instruction/statement",
        problems=REFUSALS,
        repeatable=True,
        summary=Text("取得待签的批示", "The instruction to sign"),
    )
    def instruction_statement(intake: str, body: TextIn, caller: Caller) -> StatementOut:
        return StatementOut(statement=base64_text(decide.statement(desk(caller), intake, body.text)))

    @api.post(
        "/intakes/<intake>/instruction",
        status=204,
        problems=(*REFUSALS, StaleStatement),
        summary=Text("批示", "Instruct, signed"),
    )
    def instruct(intake: str, body: SignedIn, caller: Caller) -> None:
        decide.instruct(
            desk(caller), intake, body.reason or "", signed=body.statement, signature=body.signature
        )

    @api.post(
        "/intakes/<intake>/closing", status=204, problems=REFUSALS, summary=Text("阅结", "Close it as read")
    )
    def close(intake: str, body: TextIn, caller: Caller) -> None:
        decide.close(desk(caller), intake, body.text)


def _handling(api: Api, desk: Desks) -> None:
    @api.post(
        "/intakes/<intake>/assignment",
        status=204,
        problems=(*REFUSALS, UnknownPost, HandlerTwice),
        summary=Text("交办", "Give it to its handlers"),
    )
    def assign(intake: str, body: AssignIn, caller: Caller) -> None:
        term = Term(body.amount, Unit(body.unit))
        handle.assign(desk(caller), intake, Handlers(body.main, body.joint), term, body.text)

    @api.post(
        "/intakes/<intake>/contributions",
        status=204,
        problems=REFUSALS,
        summary=Text("会办意见", "Contribute as a joint handler"),
    )
    def contribute(intake: str, body: TextIn, caller: Caller) -> None:
        handle.contribute(desk(caller), intake, body.text)

    @api.post(
        "/intakes/<intake>/hurrying",
        status=204,
        problems=(*REFUSALS, HurriedEnough),
        summary=Text("催办", "Hurry the handler"),
    )
    def hurry(intake: str, body: OpinionTextIn, caller: Caller) -> None:
        handle.hurry(desk(caller), intake, body.text)

    @api.post(
        "/intakes/<intake>/extension",
        status=204,
        problems=(*REFUSALS, DeadlinePassed),
        summary=Text("延期", "Extend the time"),
    )
    def extend_handling(intake: str, body: ExtendIn, caller: Caller) -> None:
        handle.extend(desk(caller), intake, body.more, body.text)

    @api.post(
        "/intakes/<intake>/result",
        status=204,
        problems=REFUSALS,
        summary=Text("办结", "Finish, with a result"),
    )
    def finish(intake: str, body: TextIn, caller: Caller) -> None:
        handle.finish(desk(caller), intake, body.text)

    @api.post(
        "/intakes/<intake>/answer",
        status=204,
        problems=(*REFUSALS, NotAnAnswer),
        summary=Text("答复", "Name the document that answers the sender"),
    )
    def answer_sender(intake: str, body: AnswerIn, caller: Caller) -> None:
        handle.answer(desk(caller), intake, body.document)


def _circulating(api: Api, desk: Desks) -> None:
    @api.post(
        "/intakes/<intake>/readers",
        problems=(*REFUSALS, UnknownPost),
        summary=Text("传阅", "Circulate it to posts"),
    )
    def circulation(intake: str, body: PostsIn, caller: Caller) -> PostsOut:
        return PostsOut(posts=circulate.circulate(desk(caller), intake, body.posts))

    @api.post(
        "/intakes/<intake>/reading",
        status=204,
        problems=(*REFUSALS, NotCirculated),
        summary=Text("已阅", "Mark as read"),
    )
    def mark_read(intake: str, caller: Caller) -> None:
        circulate.mark_read(desk(caller), intake)


def intake_out(line: find.Line) -> IntakeOut:
    """An incoming document as the API shows it, with the clock that runs for it."""
    own = {name: getattr(line.row, name) for name in IntakeOut.model_fields if name not in _CLOCK}
    running = line.clock if line.clock and not line.clock.ended_at else None
    due = running.due if running else None
    clock = {
        "due": due.at if due else None,
        "provisional": bool(due and due.provisional),
        "left": running.left if running else None,
    }
    return IntakeOut.model_validate({**own, **clock})


_CLOCK = frozenset({"due", "provisional", "left"})


def dossier_out(found: find.Dossier) -> IntakeDossierOut:
    """Everything about one, as the API shows it."""
    return IntakeDossierOut(
        intake=intake_out(find.Line(found.row, found.clock)),
        steps=[
            StepOut.model_validate({name: getattr(step, name) for name in StepOut.model_fields})
            for step in found.steps
        ],
        readers=[
            ReaderOut(post=each.post, asked_at=each.asked_at, read_at=each.read_at, person=each.person)
            for each in found.readers
        ],
    )
