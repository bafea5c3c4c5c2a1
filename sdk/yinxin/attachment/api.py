"""The HTTP face of uploads: /api/attachment/v1. What becomes of an upload is said at the application's own addresses."""

from flask import Blueprint

from yinxin.attachment.errors import (
    DigestDiffers,
    FileLarger,
    Incomplete,
    KindNotTaken,
    NameNotTaken,
    NoSuchUpload,
    NotWhatItSays,
    PartLarger,
    TooMuchWaiting,
    UploadBusy,
    WrongOffset,
)
from yinxin.attachment.service import Attachments
from yinxin.errors import NotPermitted
from yinxin.text import Text
from yinxin.uploads import OffsetQuery, UploadIn, UploadOut
from yinxin.web import Api, Caller, Incoming


def routes(service: Attachments) -> tuple[Blueprint, ...]:
    """The blueprint of the API."""
    api = Api("attachment", "/api/attachment/v1", Text("附件", "Attachments"))

    @api.post(
        "/uploads",
        status=201,
        problems=(NotPermitted, FileLarger, NameNotTaken, KindNotTaken, TooMuchWaiting),
        summary=Text("开始上传文件", "Begin to send a file"),
    )
    def begin(body: UploadIn, caller: Caller) -> UploadOut:
        service.permit(caller.actor)
        return service.receiving.begin(caller.actor, body)

    @api.get("/uploads/<upload>", problems=(NoSuchUpload,), summary=Text("上传进度", "How far it has come"))
    def show(upload: str, caller: Caller) -> UploadOut:
        return service.receiving.show(caller.actor, upload)

    @api.put(
        "/uploads/<upload>/content",
        problems=(NoSuchUpload, WrongOffset, UploadBusy, PartLarger),
        # one more than a part: gunicorn tells no end of a body, and one at the limit would look as if more were to come
        limit=service.settings.part + 1,
        summary=Text("上传一部分", "Send a part"),
    )
    def write(upload: str, query: OffsetQuery, content: Incoming, caller: Caller) -> UploadOut:
        return service.receiving.write(caller.actor, upload, query.offset, content.stream)

    @api.post(
        "/uploads/<upload>/completion",
        problems=(NotPermitted, NoSuchUpload, Incomplete, UploadBusy, DigestDiffers, NotWhatItSays),
        summary=Text("确认上传完成", "The whole has arrived"),
    )
    def complete(upload: str, caller: Caller) -> UploadOut:
        decision = service.permit(caller.actor)
        return service.receiving.complete(caller.actor, upload, decision.record())

    return (api.blueprint,)
