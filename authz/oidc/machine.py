"""A registered system as decisions see it: it stands in its organ like a person in a post, with roles no post carries.

So the same policies, forbids and proofs speak of it, and it is held to its part of the tree and to its clearance. Its
name begins with `client:`, which no person's does.
"""

from sqlalchemy.orm import Session

from authz.directory import Person, Post, Standing
from authz.directory.look import organ
from authz.oidc.errors import UnknownClient
from authz.oidc.models import ClientRow
from authz.oidc.scopes import SERVICE_SCOPES
from yinxin.act import Actor, Kind
from yinxin.text import Text

PREFIX = "client:"


def actor_of(client: str, organ: str, via: str | None = None) -> Actor:
    """The client as it acts in its own name, for its organ."""
    return Actor(Kind.SERVICE, f"{PREFIX}{client}", organ=organ, via=via)


def system(session: Session, client: str) -> ClientRow:
    """A system in use that acts in its own name; raises UnknownClient."""
    row = session.get(ClientRow, client)
    if row is None or row.ended is not None or "client_credentials" not in row.details["grants"]:
        raise UnknownClient(client=client[:64])
    return row


def standing_of(session: Session, actor: Actor) -> Standing | None:
    """What a decision rests on about a client; None for whatever is none, has ended, or acts for another organ."""
    if actor.kind is not Kind.SERVICE or not actor.id.startswith(PREFIX):
        return None
    try:
        row = system(session, actor.id.removeprefix(PREFIX))
    except UnknownClient:
        return None
    if actor.organ != row.organ:
        return None
    name = Text(row.details["name"]["zh"], row.details["name"]["en"])
    roles = frozenset(role for scope, role in SERVICE_SCOPES.items() if scope in row.details["scopes"])
    return Standing(
        person=Person(actor.id, name.zh, row.details.get("clearance", "internal")),
        post=Post(actor.id, row.organ, name, roles),
        organ=organ(session, row.organ),
        powers=frozenset(),
        appointed=True,
    )
