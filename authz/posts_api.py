"""The posts of an organ over HTTP: to whom work can be given there."""

from authz import errors
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, Words


class PostOut(Model):
    """A post of an organ, with its roles."""

    id: str
    organ: str
    name: Words
    roles: list[str]


class PostsOut(Model):
    """The posts of an organ."""

    items: list[PostOut]


def add_posts(api: Api, authz: Authz) -> None:
    """Add them to the API of authorization."""

    @api.get(
        "/organs/<id>/posts",
        problems=(Denied, errors.UnknownOrgan),
        summary=Text("机关的岗位", "An organ's posts"),
    )
    def posts(id: str, caller: Caller) -> PostsOut:  # noqa: A002 - the field's name
        directory = authz.directory_for(caller.actor)
        directory.organ(id)
        return PostsOut(
            items=[
                PostOut(id=each.id, organ=each.organ, name=Words.of(each.name), roles=sorted(each.roles))
                for each in directory.posts(id)
            ]
        )
