"""The key libraries: generations of the wrapping key, pools, encryption keys, and the register of recoveries."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, render_template
from pydantic import Field

from authz.proposal.words import STATES
from kms.escrow.grounds import GROUNDS
from kms.escrow.models import Standing
from kms.escrow.register import Entry
from kms.escrow.service import Look
from ops.console.export import csv_file
from ops.console.proposals import COLOURS
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of

if TYPE_CHECKING:
    from ops.platform import Platform

#: who looks after the libraries; the register is besides for whoever takes part in recoveries, and each holder's own
ROLES = frozenset({"security-officer", "auditor"})
TAKING_PART = ROLES | {"registration-officer", "leader"}
PAGE = 50

GENERATIONS: Mapping[str, tuple[Text, str]] = {
    "current": (Text("现行", "current"), "done"),
    "rewrapping": (Text("正在重新加密", "being rewrapped"), "waiting"),
    "retired": (Text("已停用", "retired"), "neutral"),
    "destroyed": (Text("已销毁", "destroyed"), "neutral"),
}
POOLS: Mapping[str, tuple[Text, str]] = {
    "full": (Text("充足", "full"), "done"),
    "filling": (Text("正在补充", "being filled"), "waiting"),
    "low": (Text("不足", "low"), "refused"),
    "off": (Text("不预生成", "none kept"), "neutral"),
}
STANDINGS: Mapping[str, tuple[Text, str]] = {
    Standing.STANDBY: (Text("备用库", "standby"), "neutral"),
    Standing.IN_USE: (Text("在用库", "in use"), "done"),
    Standing.HISTORY: (Text("历史库", "history"), "neutral"),
}
WHYS: Mapping[str, Text] = {
    "replaced": Text("已换发", "replaced"),
    "revoked": Text("已撤销", "revoked"),
    "expired": Text("已到期", "expired"),
}
KEY_COLUMNS = (
    *("id", "standing", "algorithm", "holder", "organ", "certificate", "key"),
    *("created", "given", "expires", "ended", "why", "keep_until"),
)
RECOVERY_COLUMNS = (
    *("proposal", "ground", "state", "key", "holder", "organ", "recipient", "reason", "basis"),
    *("facts", "proposer", "created", "approvals", "given_at", "given_by"),
)


class LookKeys(Paged):
    """Which encryption keys; a field left empty is any."""

    standing: Literal["", "standby", "in-use", "history"] = ""
    algorithm: str = Field(default="", max_length=16)
    holder: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=80)
    certificate: str = Field(default="", max_length=40)

    @property
    def wanted(self) -> Look:
        """The same as the escrow is asked."""
        return Look(self.standing, self.algorithm, self.holder, self.organ, self.certificate)


class LookRecoveries(Paged):
    """Whose recoveries: of the own organ and below, or of one's own keys."""

    own: Literal["", "yes"] = ""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/console/keys")
    def keys(caller: Caller) -> str:
        seen = bool(caller.roles & ROLES)
        return render_template(
            "console/keys.html",
            seen=seen,
            takes_part=bool(caller.roles & TAKING_PART),
            generations=platform.kms.generations.list_for(caller.actor) if seen else [],
            pools=platform.kms.escrow.pools_for(caller.actor) if seen else [],
            counts=platform.kms.escrow.counts_for(caller.actor) if seen else {},
            own=platform.kms.escrow.own_register(caller.actor, limit=PAGE),
            generation_states=GENERATIONS,
            pool_states=POOLS,
            standings=STANDINGS,
            grounds=GROUNDS,
            states=STATES,
            colours=COLOURS,
        )

    @pages.get("/console/keys/library")
    def key_library(query: LookKeys, caller: Caller) -> str:
        found = platform.kms.escrow.library_for(
            caller.actor, query.wanted, after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/key_library.html",
            rows=found[:PAGE],
            following=page.next,
            standings=STANDINGS,
            whys=WHYS,
            algorithms=[each.algorithm for each in platform.kms.escrow.pools()],
        )

    @pages.get("/console/keys/library.csv")
    def key_library_export(query: LookKeys, caller: Caller) -> Response:
        first = platform.kms.escrow.library_for(caller.actor, query.wanted, limit=200)

        def every() -> Iterator[dict[str, Any]]:
            found = first
            while found:
                yield from (each.fields() for each in found)
                found = platform.kms.escrow.library_for(
                    caller.actor, query.wanted, after=found[-1].id, limit=200
                )

        return csv_file("encryption-keys.csv", every(), KEY_COLUMNS)

    @pages.get("/console/keys/recoveries")
    def recoveries(query: LookRecoveries, caller: Caller) -> str:
        listing = platform.kms.escrow.own_register if query.own else platform.kms.escrow.register_for
        found = listing(caller.actor, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.proposal, show=lambda each: each.proposal)
        return render_template(
            "console/recoveries.html",
            rows=found[:PAGE],
            following=page.next,
            grounds=GROUNDS,
            states=STATES,
            colours=COLOURS,
        )

    @pages.get("/console/keys/recoveries.csv")
    def recoveries_export(query: LookRecoveries, caller: Caller) -> Response:
        listing = platform.kms.escrow.own_register if query.own else platform.kms.escrow.register_for
        first = listing(caller.actor, limit=200)

        def every() -> Iterator[dict[str, Any]]:
            found = first
            while found:
                yield from map(_line, found)
                found = listing(caller.actor, after=found[-1].proposal, limit=200)

        return csv_file("recoveries.csv", every(), RECOVERY_COLUMNS)


def _line(entry: Entry) -> dict[str, Any]:
    fields = entry.fields()
    approvals = "; ".join(f"{each['person']} ({each['post']})" for each in fields["approvals"])
    facts = "; ".join(f"{name}={value}" for name, value in entry.facts.items())
    return fields | {"approvals": approvals, "facts": facts}
