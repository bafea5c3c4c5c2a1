"""The console: how the installation is, what was recorded last, which certificates end soon."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import render_template

from ca.models import CertificateRow
from ca.models import State as Issuance
from ops.console.errors import NotYourConsole
from ops.console.state import states
from ops.modules import MODULES
from yinxin.act import Actor, Kind, Outcome
from yinxin.authz import PLATFORM
from yinxin.clock import parse_rfc3339
from yinxin.store import Columns
from yinxin.text import Text
from yinxin.web import Caller, Pages, core

if TYPE_CHECKING:
    from ops.platform import Platform

AUDITOR = "auditor"
#: whose console it is: the three powers
ROLES = frozenset({"security-officer", "administrator", AUDITOR})
#: entries shown; the rest is for the log's own API and commands
ENTRIES = 12
#: how long before its end a certificate is shown, and how many at most
SOON = timedelta(days=30)
MOST = 50

VERBS: Mapping[str, Text] = {verb.name: verb.text for module in MODULES for verb in module.verbs}
OUTCOMES: Mapping[str, tuple[Text, str]] = {
    Outcome.INTENT: (Text("开始", "begun"), "waiting"),
    Outcome.DONE: (Text("完成", "done"), "done"),
    Outcome.REFUSED: (Text("被拒绝", "refused"), "refused"),
    Outcome.FAILED: (Text("失败", "failed"), "refused"),
}
#: who is no person of the directory
ACTORS: Mapping[str, Text] = {
    Kind.SYSTEM: Text("平台自身", "the platform itself"),
    Kind.STRANGER: Text("未登录者", "somebody not signed in"),
}


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/console")
    def show(caller: Caller) -> str:
        _admit(caller)
        return render_template(
            "console/show.html",
            states=states(platform),
            now=platform.clock.now(),
            entries=_entries() if AUDITOR in caller.roles else None,
            ending=_ending(platform, caller.actor) if caller.roles & (ROLES - {"administrator"}) else None,
            days=SOON.days,
            verbs=VERBS,
            outcomes=OUTCOMES,
            actors=ACTORS,
        )

    @pages.get("/console/health")
    def health(caller: Caller) -> str:
        """The part of the console that renews itself; the log is not asked, for each question is an entry in it."""
        _admit(caller)
        return render_template("console/health.html", states=states(platform), now=platform.clock.now())


def _admit(caller: Caller) -> None:
    if caller.tenant is not None or not caller.roles & ROLES:
        raise NotYourConsole


def _entries() -> list[Mapping[str, Any]]:
    """The newest entries, asked for in the auditor's name, by policy and on the record."""
    with core() as client:
        found = islice(client.audit.entries(limit=str(ENTRIES)), ENTRIES)
        return [{**entry, "time": parse_rfc3339(entry["time"])} for entry in found]


#: where the table keeps what policies ask of a certificate; as `ca.service.resource_of` tells it
_CERTIFICATES = Columns(
    sa.func.coalesce(CertificateRow.organ, PLATFORM),
    sa.literal("public"),
    {"profile": CertificateRow.profile},
)


def _ending(platform: "Platform", actor: Actor) -> Sequence[CertificateRow]:
    """Certificates in force that end soon, those that this person may see."""
    now = platform.clock.now()
    query = (
        sa.select(CertificateRow)
        .where(
            CertificateRow.state == Issuance.ISSUED,
            CertificateRow.revoked_at.is_(None),
            CertificateRow.not_after.between(now, now + SOON),
        )
        .where(_CERTIFICATES.where(platform.authz.decisions.visible(actor, "ca.read", "Certificate")))
        .order_by(CertificateRow.not_after)
        .limit(MOST)
    )
    with platform.store.read() as session:
        rows = session.scalars(query).all()
        session.expunge_all()
    return rows
