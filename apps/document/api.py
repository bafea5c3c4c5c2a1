"""The HTTP face of official documents: /api/document/v1."""

from collections.abc import Callable, Iterable
from typing import cast, get_args

from flask import Blueprint

from apps.document import (
    api_beside,
    api_numbered,
    attach,
    dispatch,
    draft,
    export,
    find,
    name_seal,
    number,
    receive,
    review,
    seal,
    sign_off,
)
from apps.document.desk import Desk, file, media_type
from apps.document.errors import (
    NoNameSeal,
    NotAnOrder,
    NumberTaken,
    ProvedElsewhere,
    UnknownKind,
    UnknownStatement,
)
from apps.document.intake import api as intake_api
from apps.document.joint import countersign
from apps.document.joint.errors import (
    JointTwice,
    NotAsked,
    NotEquals,
    NotJointly,
    NotOfThisSite,
    UrgedEnoughToSign,
)
from apps.document.joint.name import name
from apps.document.joint.standing import Standing
from apps.document.joint.urge import urge
from apps.document.layout.errors import DraftTooLarge, RuleBroken
from apps.document.manuscript import api as manuscript_api
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.service import Documents
from apps.document.template import api as template_api
from yinxin.attachment.errors import ContentMissing, NameTaken, NoSuchAttachment, NoSuchUpload, TooMany
from yinxin.documents import (
    Answer,
    CommentIn,
    DocumentOut,
    DocumentRef,
    DossierOut,
    DraftIn,
    FileOut,
    ListQuery,
    NumberOut,
    OrgansOut,
    PieceOut,
    ReasonIn,
    Signable,
    SignedIn,
    StatementOut,
    StatementQuery,
    StepOut,
)
from yinxin.documents_beside import CountersignerOut, CountersignersIn, Countersigning
from yinxin.errors import NotPermitted
from yinxin.evidence import MEDIA_TYPE
from yinxin.flow import REFUSALS, NoSuchRecord, StaleStatement
from yinxin.quota import QuotaExceeded
from yinxin.text import Text
from yinxin.uploads import AttachIn, AttachmentOut, AttachmentsOut
from yinxin.web import Api, Caller, Page, Raw, Stored, Upload, cursor, position, session_token
from yinxin.wire import base64_text


def routes(service: Documents) -> tuple[Blueprint, ...]:
    """The blueprint of the API."""
    api = Api("document", "/api/document/v1", Text("公文", "Official documents"))

    def desk(caller: Caller) -> Desk:
        return service.desk(caller, session_token())

    for declare in (_drafting, _countersigning, _attaching, _deciding, _signing, _sending, _reading):
        declare(api, desk)
    api_beside.declare(api, desk)
    api_numbered.declare(api, desk)
    intake_api.declare(api, desk)
    manuscript_api.declare(api, desk, service.nearby)
    template_api.declare(api, desk)
    return (api.blueprint,)


Desks = Callable[[Caller], Desk]


def _drafting(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents",
        status=201,
        problems=(NotPermitted, DraftTooLarge, RuleBroken, UnknownKind, QuotaExceeded),
        summary=Text("起草", "Draft a document"),
    )
    def create(body: DraftIn, content: Upload, caller: Caller) -> DocumentRef:
        return DocumentRef(id=draft.draft(desk(caller), _new(body, content)))

    @api.post(
        "/documents/<document>/content",
        status=204,
        problems=REFUSALS,
        summary=Text("修改", "Replace the text of a draft"),
    )
    def revise(document: str, body: DraftIn, content: Upload, caller: Caller) -> None:
        draft.revise(desk(caller), document, _new(body, content))

    @api.post(
        "/documents/<document>/submission",
        status=204,
        problems=REFUSALS,
        summary=Text("送审", "Submit for review"),
    )
    def submit(document: str, caller: Caller) -> None:
        review.submit(desk(caller), document)


def _countersigning(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/countersigners",
        status=204,
        problems=(*REFUSALS, NotOfThisSite, JointTwice, NotJointly, NotEquals),
        summary=Text("指定联署和会签机关", "Name joint organs and countersigners"),
    )
    def name_countersigners(document: str, body: CountersignersIn, caller: Caller) -> None:
        name(desk(caller), document, body.joint, body.consulted)

    @api.post(
        "/documents/<document>/countersign-refusal",
        status=204,
        problems=(*REFUSALS, NotAsked),
        summary=Text("不同意会签", "Refuse to countersign"),
    )
    def refuse_to_sign(document: str, body: ReasonIn, caller: Caller) -> None:
        countersign.refuse(desk(caller), document, body.reason)

    @api.post(
        "/documents/<document>/countersign-urging",
        problems=(*REFUSALS, UrgedEnoughToSign),
        summary=Text("催办会签", "Urge those who have not countersigned"),
    )
    def urge_to_sign(document: str, caller: Caller) -> OrgansOut:
        return OrgansOut(organs=urge(desk(caller), document))


def _attaching(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/attachments",
        status=201,
        problems=(*REFUSALS, NoSuchUpload, NameTaken, TooMany, QuotaExceeded),
        summary=Text("添加附件", "Attach a file"),
    )
    def attach_file(document: str, body: AttachIn, caller: Caller) -> AttachmentOut:
        return attach.attach(desk(caller), document, body.upload)

    @api.delete(
        "/documents/<document>/attachments/<attachment>",
        problems=(*REFUSALS, NoSuchAttachment),
        summary=Text("移除附件", "Take a file off"),
    )
    def detach_file(document: str, attachment: str, caller: Caller) -> None:
        attach.detach(desk(caller), document, attachment)

    @api.get(
        "/documents/<document>/attachments",
        problems=(NoSuchRecord,),
        summary=Text("附件列表", "The attached files"),
    )
    def attachments(document: str, caller: Caller) -> AttachmentsOut:
        return AttachmentsOut(items=list(attach.attached(desk(caller), document)))

    @api.get(
        "/documents/<document>/attachments/<attachment>",
        problems=(NoSuchRecord, NoSuchAttachment, ContentMissing),
        summary=Text("下载附件", "An attached file"),
    )
    def attachment_file(document: str, attachment: str, caller: Caller) -> Stored:
        return attach.handed_out(desk(caller), document, attachment)


def _deciding(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/approval", status=204, problems=REFUSALS, summary=Text("核稿通过", "Approve")
    )
    def approve(document: str, body: CommentIn, caller: Caller) -> None:
        review.approve(desk(caller), document, body.comment)

    @api.post(
        "/documents/<document>/return-to-drafter",
        status=204,
        problems=REFUSALS,
        summary=Text("退回修改", "Send back"),
    )
    def send_back(document: str, body: ReasonIn, caller: Caller) -> None:
        review.send_back(desk(caller), document, body.reason)


def _signing(api: Api, desk: Desks) -> None:
    @api.get(
        "/documents/<document>/statements/<verb>",
        problems=REFUSALS,
        summary=Text("取得待签内容", "The statement to sign"),
    )
    def statement(document: str, verb: str, query: StatementQuery, caller: Caller) -> StatementOut:
        at_desk = desk(caller)
        if verb == sign_off.SIGN_OFF:
            data = sign_off.statement(at_desk, document)
        elif verb in get_args(Countersigning):
            data = countersign.statement(at_desk, document, cast("Countersigning", verb))
        elif verb in get_args(Answer):
            data = receive.statement(at_desk, document, cast("Answer", verb), query.reason)
        else:
            raise UnknownStatement(verb=verb, known=", ".join(get_args(Signable)))
        return StatementOut(statement=base64_text(data))

    @api.post(
        "/documents/<document>/sign-off",
        status=204,
        problems=(*REFUSALS, StaleStatement),
        summary=Text("签发", "Sign off"),
    )
    def sign(document: str, body: SignedIn, caller: Caller) -> None:
        sign_off.sign_off(desk(caller), document, body.statement, body.signature)

    @api.post(
        "/documents/<document>/countersignatures/<verb>",
        status=204,
        problems=(*REFUSALS, StaleStatement, NotAsked),
        summary=Text("会签", "Countersign"),
    )
    def sign_along(document: str, verb: str, body: SignedIn, caller: Caller) -> None:
        if verb not in get_args(Countersigning):
            raise UnknownStatement(verb=verb, known=", ".join(get_args(Countersigning)))
        named = cast("Countersigning", verb)
        countersign.countersign(desk(caller), document, named, body.statement, body.signature)

    @api.post(
        "/documents/<document>/answers/<verb>",
        status=204,
        problems=(*REFUSALS, StaleStatement),
        summary=Text("签收、退文或交回", "Sign for it, return it or give it back"),
    )
    def answer(document: str, verb: str, body: SignedIn, caller: Caller) -> None:
        if verb not in get_args(Answer):
            raise UnknownStatement(verb=verb, known=", ".join(get_args(Answer)))
        receive.answer(
            desk(caller),
            document,
            cast("Answer", verb),
            signed=body.statement,
            signature=body.signature,
            reason=body.reason,
        )


def _sending(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/number",
        problems=(*REFUSALS, NumberTaken),
        summary=Text("编号排版", "Number and lay out"),
    )
    def give_number(document: str, caller: Caller) -> NumberOut:
        return NumberOut(number=number.number(desk(caller), document))

    @api.post(
        "/documents/<document>/name-seal",
        status=204,
        problems=(*REFUSALS, NotAnOrder, NoNameSeal),
        summary=Text("加盖签名章", "Put one's name seal on an order"),
    )
    def put_name_seal(document: str, caller: Caller) -> None:
        name_seal.put(desk(caller), document)

    @api.post("/documents/<document>/seal", status=204, problems=REFUSALS, summary=Text("用印", "Seal"))
    def put_seal(document: str, caller: Caller) -> None:
        seal.seal(desk(caller), document)

    @api.post(
        "/documents/<document>/dispatch", status=204, problems=REFUSALS, summary=Text("发文", "Dispatch")
    )
    def send(document: str, caller: Caller) -> None:
        dispatch.dispatch(desk(caller), document)

    @api.post(
        "/documents/<document>/evidence",
        problems=(*REFUSALS, ProvedElsewhere),
        summary=Text("导出证据", "Export evidence"),
    )
    def evidence(document: str, caller: Caller) -> Raw:
        data = export.export(desk(caller), document)
        return Raw(data, MEDIA_TYPE, {"Content-Disposition": f'attachment; filename="{document}.asice"'})


def _reading(api: Api, desk: Desks) -> None:
    @api.get("/documents", summary=Text("公文列表", "List documents"))
    def listing(query: ListQuery, caller: Caller) -> Page[DocumentOut]:
        after = position(query.after, str)[0] if query.after else None
        wanted = find.Filter(query.box, query.text, query.state, query.kind, after)
        at_desk = desk(caller)
        rows, last = find.listing(at_desk, wanted)
        passages = find.shown(at_desk, rows, query.text) if query.text else {}
        items = [document_out(row, passages[row.id].passage if row.id in passages else ()) for row in rows]
        return Page(items=items, next=cursor(last) if last else None)

    @api.get(
        "/documents/<document>",
        problems=(NoSuchRecord,),
        summary=Text("公文详情", "A document with its timeline"),
    )
    def dossier(document: str, caller: Caller) -> DossierOut:
        return dossier_out(find.dossier(desk(caller), document))

    @api.get(
        "/documents/<document>/files/<name>",
        problems=(NoSuchRecord,),
        summary=Text("公文文件", "A file of a document"),
    )
    def download(document: str, name: str, caller: Caller) -> Raw:
        at_desk = desk(caller)
        DOCUMENTS.read(at_desk, document)
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        return Raw(data, media_type(name), {"Content-Disposition": f'inline; filename="{name}"'})


def _new(body: DraftIn, content: Upload) -> draft.NewDocument:
    if content.size > draft.LARGEST:
        raise DraftTooLarge(size=content.size, limit=draft.LARGEST)
    return draft.new_document(body, content.name, content.stream.read())


def document_out(row: Document, passage: Iterable[tuple[str, bool]] = ()) -> DocumentOut:
    """A document as the API shows it, with the passage that a question was found in."""
    own = {name: getattr(row, name) for name in DocumentOut.model_fields if name != "passage"}
    return DocumentOut(**own, passage=[PieceOut(text=text, hit=hit) for text, hit in passage])


def countersigner_out(found: Standing) -> CountersignerOut:
    """An organ that countersigns as the API shows it."""
    row = found.row
    return CountersignerOut(
        organ=row.organ,
        part=found.part.value,
        state=found.state,
        signer=row.signer,
        signed_at=row.signed_at,
        sealed_at=row.sealed_at,
        urged=row.urged,
        due=found.due,
    )


def dossier_out(found: find.Dossier) -> DossierOut:
    """A dossier as the API shows it."""
    return DossierOut(
        document=document_out(found.document),
        steps=[
            StepOut.model_validate({name: getattr(step, name) for name in StepOut.model_fields})
            for step in found.steps
        ],
        copies=[api_beside.copy_out(copy, found.at) for copy in found.copies],
        grades=[api_beside.grade_out(row) for row in found.grades],
        files=[FileOut(name=name, sha256=digest) for name, digest in found.files],
        attachments=list(found.attachments),
        countersigners=[countersigner_out(each) for each in found.countersigners],
        numbered=[api_numbered.numbered_out(each) for each in found.numbered],
        answers=[document_out(each) for each in found.answers],
        answering=[document_out(each) for each in found.answering],
        barred=[api_beside.barred_out(organ, why) for organ, why in found.barred.items()],
        issuers=list(found.issuers),
        copy_number=found.copy_number,
    )
