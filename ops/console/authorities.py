"""The hierarchy of authorities as a picture; one authority with its certificates, its lists and where they are had."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import render_template

from ca.words import STANDINGS, SUITES
from ops.console.facts import Fact, facts_of
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.web import Caller, Pages

if TYPE_CHECKING:
    from ops.platform import Platform

COLOURS: Mapping[str, str] = {
    "waiting": "waiting",
    "coming": "waiting",
    "issuing": "done",
    "superseded": "neutral",
    "retired": "neutral",
    "revoked": "refused",
    "ended": "neutral",
}
PLACES: Mapping[str, Text] = {
    "hsm": Text("密码机内", "inside the security module"),
    "wrapped": Text("由密码机的密钥加密保存", "kept encrypted under the security module's key"),
}
USES: Mapping[str, Text] = {
    "root": Text("根证书", "root"),
    "issuing": Text("签发机构证书", "issuing authority"),
    "subordinate": Text("下级签发机构证书", "subordinate authority"),
    "link": Text("换代链接证书", "link to another generation"),
    "cross": Text("交叉证书", "cross-certificate"),
    "taken-own": Text("外部机构签发的证书", "issued by an outside authority"),
    "taken-above": Text("外部上级证书", "outside, above"),
    "taken-anchor": Text("外部信任锚", "outside anchor"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """An authority in the picture, and those below it."""

    facts: Mapping[str, Any]
    called: str
    ends: datetime | None
    below: list["Node"] = field(default_factory=list)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/console/authorities")
    def authorities(caller: Caller) -> str:
        roots = _grown(platform, platform.ca.hierarchy(caller.actor))
        return render_template("console/authorities.html", roots=roots, **_words())

    @pages.get("/console/authorities/<name>")
    def authority(name: str, caller: Caller) -> str:
        facts = platform.ca.authority(caller.actor, name)
        return render_template(
            "console/authority.html",
            facts=facts,
            called=_called(platform, facts),
            ends=_instant(facts["not_after"]),
            begins=_instant(facts["not_before"]),
            active_from=_instant(facts["active_from"]),
            retired_at=_instant(facts["retired_at"]),
            certificates=[
                each | {"ends": _instant(each["not_after"]), "revoked": _instant(each["revoked_at"])}
                for each in facts["certificates"]
            ],
            status=list(_status(platform, name)),
            base=platform.ca.ctx.settings.public_url,
            places=PLACES,
            uses=USES,
            **_words(),
        )


def _words() -> dict[str, Any]:
    return {"standings": STANDINGS, "colours": COLOURS, "suites": SUITES}


def _called(platform: "Platform", facts: Mapping[str, Any]) -> str:
    """Its common name; the whole name of one that is not made yet."""
    try:
        return platform.ca.certificate(facts["name"]).subject.common_name or str(facts["subject"])
    except YinxinError:
        return str(facts["subject"])


def _grown(platform: "Platform", rows: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The table, which has each authority after the one above it, as trees."""
    nodes: dict[str, Node] = {}
    roots: list[Node] = []
    for facts in rows:
        node = nodes[facts["name"]] = Node(facts, _called(platform, facts), _instant(facts["not_after"]))
        above = nodes.get(facts["parent"] or "")
        (above.below if above else roots).append(node)
    return roots


def _status(platform: "Platform", name: str) -> Iterator[Fact]:
    """Until when its list and its helpers are good."""
    facts = platform.ca.health().facts
    yield from facts_of({each: value for each, value in facts.items() if each.startswith(f"{name}.")})


def _instant(text: str | None) -> datetime | None:
    return parse_rfc3339(text) if text else None
