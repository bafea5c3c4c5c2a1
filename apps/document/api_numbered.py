"""The HTTP face of numbered copies: printing one, taking it back, destroying it before two people."""

from collections.abc import Callable

from apps.document.desk import Desk
from apps.document.numbered import end
from apps.document.numbered.errors import CopyOver, NoSuchCopy, NotNumbered, OnScreenOnly, WitnessIsActor
from apps.document.numbered.models import NumberedCopy
from apps.document.numbered.print import print_copy
from yinxin.documents import ReasonIn
from yinxin.documents_beside import NumberedOut, PrintIn
from yinxin.errors import NotPermitted
from yinxin.flow import NoSuchRecord, WrongState
from yinxin.text import Text
from yinxin.web import Api, Caller, Raw

Desks = Callable[[Caller], Desk]
_CHANGE = (NotPermitted, NoSuchRecord, WrongState, NoSuchCopy, OnScreenOnly, CopyOver)


def declare(api: Api, desk: Desks) -> None:
    """Add it to the API of documents."""

    @api.post(
        "/documents/<document>/prints",
        problems=(NotPermitted, NoSuchRecord, WrongState, NotNumbered),
        summary=Text("打印编号件", "Print a numbered copy"),
    )
    def print_one(document: str, body: PrintIn, caller: Caller) -> Raw:
        made = print_copy(desk(caller), document, body.reader)
        headers = {"Content-Disposition": f'attachment; filename="{made.number}.pdf"'}
        return Raw(made.pdf, "application/pdf", headers)

    @api.post(
        "/documents/<document>/numbered/<int:number>/taking-back",
        status=204,
        problems=_CHANGE,
        summary=Text("收回纸质件", "Take a paper copy back"),
    )
    def take_back(document: str, number: int, caller: Caller) -> None:
        end.take_back(desk(caller), document, number)

    @api.post(
        "/documents/<document>/numbered/<int:number>/destruction",
        status=204,
        problems=_CHANGE,
        summary=Text("销毁纸质件", "Destroy a paper copy"),
    )
    def destroy(document: str, number: int, body: ReasonIn, caller: Caller) -> None:
        end.destroy(desk(caller), document, number, body.reason)

    @api.post(
        "/documents/<document>/numbered/<int:number>/witness",
        status=204,
        problems=(*_CHANGE, WitnessIsActor),
        summary=Text("监销确认", "Witness the destruction of a copy"),
    )
    def witness(document: str, number: int, caller: Caller) -> None:
        end.witness(desk(caller), document, number)


def numbered_out(row: NumberedCopy) -> NumberedOut:
    """A numbered copy as the API shows it."""
    said = {name: getattr(row, name) for name in NumberedOut.model_fields if name != "mark"}
    return NumberedOut.model_validate({**said, "mark": row.shown})
