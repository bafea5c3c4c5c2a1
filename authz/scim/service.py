"""The SCIM service of one site: who asks, and what is seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from scim2_models import SearchRequest
from sqlalchemy.orm import Session

from authz.decide import Decisions
from authz.oidc.service_tokens import ServiceTokens
from authz.refusals import Refusals
from authz.scim.client import READ, ScimClient
from authz.scim.errors import NoResource, TokenNeeded
from authz.scim.schemas import provider
from authz.scim.seek import Kind, one, seek
from authz.scim.settings import ScimSettings
from authz.scim.show import Show
from authz.scim.sight import READ_VERB, Sight
from yinxin.act import STRANGER
from yinxin.store import Store

#: identifiers that are looked up in one statement
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of resources, out of `total`, from the `start`-th."""

    resources: list[Any]
    total: int
    start: int


class Scim:
    """Reads the directory for registered systems, each in its part of the tree; `origin` is this site's address."""

    def __init__(
        self,
        store: Store,
        decisions: Decisions,
        tokens: ServiceTokens,
        refusals: Refusals,
        settings: ScimSettings,
        *,
        origin: str,
    ) -> None:
        self._store = store
        self._decisions = decisions
        self._tokens = tokens
        self.refusals = refusals
        self._settings = settings
        self.provider = provider(settings.page, settings.page_most, f"{origin}/api")
        self._show = Show(decisions, origin)

    def authenticate(self, token: str | None, peer: bytes | None = None) -> ScimClient:
        """The client whose token it is, on a connection of the certificate `peer`; raises TokenNeeded, recorded."""
        found = self._tokens.shown(token, "scim", peer) if token else None
        if found is None:
            error = TokenNeeded()
            self.refusals.record(STRANGER, READ_VERB, "client:unknown", error)
            raise error
        return ScimClient.of(found.client, found.scope)

    def get(self, client: ScimClient, kind: Kind, id_: str) -> Any:
        """One resource; raises NoResource, recorded, also for what is out of sight, and ScopeNeeded."""
        client.need(READ)
        with self._store.read() as session:
            found = self.look(session, client, kind, id_)
        if found is None:
            raise self.unseen(client, kind, id_)
        return found

    def find(self, client: ScimClient, kind: Kind, wanted: SearchRequest[Any]) -> Listed:
        """A page of resources; raises BadFilter, BadPath, ScopeNeeded."""
        client.need(READ)
        sight = self.sight(client)
        if wanted.count is None:
            wanted = wanted.model_copy(update={"count": self._settings.page})
        with self._store.read() as session:
            found = seek(session, kind, sight, wanted, self._settings.page_most)
            resources = self._show.resources(session, kind, sight, found.ids)
        return Listed(resources, found.total, found.start)

    def sight(self, client: ScimClient) -> Sight:
        """What the client may see now."""
        return Sight.of(self._decisions, client, self._store.clock.now())

    def sight_at(self, client: ScimClient, at: datetime) -> Sight:
        """What the client may see at `at`."""
        return Sight.of(self._decisions, client, at)

    def look_at(self, session: Session, kind: Kind, sight: Sight, ids: Sequence[str]) -> dict[str, Any]:
        """Those of the resources that are in sight, by identifier."""
        query = sa.select(kind.id).where(kind.id.in_(ids), kind.in_sight(sight))
        seen = list(session.scalars(query)) if ids else []
        return dict(zip(seen, self._show.resources(session, kind, sight, seen), strict=True))

    def look(
        self, session: Session, client: ScimClient, kind: Kind, id_: str, sight: Sight | None = None
    ) -> Any | None:
        """The resource within the caller's transaction, or None when it is not there or out of sight."""
        sight = sight or self.sight(client)
        if not one(session, kind, sight, id_):
            return None
        return self._show.resources(session, kind, sight, [id_])[0]

    def seen_of(self, session: Session, client: ScimClient, kind: Kind, ids: Sequence[str]) -> set[str]:
        """Those of the identifiers that are in sight."""
        found: set[str] = set()
        sight = self.sight(client)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found |= set(session.scalars(sa.select(kind.id).where(kind.id.in_(some), kind.in_sight(sight))))
        return found

    def unseen(self, client: ScimClient, kind: Kind, id_: str) -> NoResource:
        """The refusal, recorded: who looks for what she may not see is seen herself."""
        error = NoResource(kind=kind.name, id=id_[:64])
        self.refusals.record(client.actor, READ_VERB, f"{kind.word}:{id_[:64]}", error)
        return error
