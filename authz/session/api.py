"""Sessions over HTTP: one's own listed and ended, and other people's by security officers; auditors see them."""

from authz import errors
from authz.models import SessionRow
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model


class OpenSessionOut(Model):
    """An open session: how and when it was opened, last used (to the minute), and when it is over."""

    id: str
    post: str
    way: str
    created: str
    used: str
    expires: str
    current: bool
    """Whether it is the one that asks."""


class EndedOut(Model):
    """How many sessions were ended."""

    ended: int


def add_sessions(api: Api, authz: Authz) -> None:
    """Declare the operations."""
    _add_own(api, authz)
    _add_others(api, authz)


def _add_own(api: Api, authz: Authz) -> None:
    @api.get("/sessions", summary=Text("我的登录", "The caller's open sessions"))
    def sessions(query: Paged, caller: Caller) -> Page[OpenSessionOut]:
        found = authz.sessions.open_of(caller.actor.id, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda row: row.id, show=lambda row: _told(row, caller))

    @api.delete(
        "/sessions/<id>",
        problems=(errors.UnknownSession,),
        summary=Text("终止我的一个登录", "End one of the caller's sessions"),
    )
    def end_one(id: str, caller: Caller) -> None:  # noqa: A002 - the field's name
        authz.sessions.end_one(caller.actor, id)


def _add_others(api: Api, authz: Authz) -> None:
    @api.get(
        "/people/<id>/sessions",
        problems=(Denied, errors.UnknownPerson),
        summary=Text("某人打开的登录", "The open sessions of a person"),
    )
    def sessions_of(id: str, query: Paged, caller: Caller) -> Page[OpenSessionOut]:  # noqa: A002 - the field's name
        found = authz.sessions_of(caller.actor, id, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda row: row.id, show=lambda row: _told(row, caller))

    @api.delete(
        "/people/<id>/sessions",
        status=200,
        problems=(Denied, errors.UnknownPerson),
        summary=Text("终止某人的全部登录", "End every session of a person"),
    )
    def end_all(id: str, caller: Caller) -> EndedOut:  # noqa: A002 - the field's name
        return EndedOut(ended=authz.end_sessions(caller.actor, id))

    @api.delete(
        "/people/<id>/sessions/<session>",
        problems=(Denied, errors.UnknownPerson, errors.UnknownSession),
        summary=Text("终止某人的一个登录", "End one session of a person"),
    )
    def end_one_of(id: str, session: str, caller: Caller) -> None:  # noqa: A002 - the field's name
        authz.end_session_of(caller.actor, id, session)


def _told(row: SessionRow, caller: Caller) -> OpenSessionOut:
    return OpenSessionOut(
        id=row.id,
        post=row.post,
        way=row.way,
        created=rfc3339(row.created),
        used=rfc3339(row.used),
        expires=rfc3339(row.expires),
        current=row.id == caller.session,
    )
