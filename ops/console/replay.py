"""An auditor asks whether a recorded decision comes out the same again, and reads why it came out so."""

from typing import TYPE_CHECKING

from flask import render_template
from pydantic import Field

from ops.console.errors import NotYourAuthorization
from ops.console.show import ACTORS, AUDITOR, VERBS
from yinxin.clock import parse_rfc3339
from yinxin.web import Caller, Pages
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform


class Look(Model):
    """Which entry of the log."""

    entry: str = Field(default="", max_length=64)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the page."""

    @pages.get("/console/replay")
    def replay(query: Look, caller: Caller) -> str:
        if not query.entry and AUDITOR not in caller.roles:
            raise NotYourAuthorization
        found = platform.authz.replays.replay(caller.actor, query.entry.strip()) if query.entry else None
        return render_template(
            "console/replay.html",
            entry=query.entry.strip(),
            found=found,
            at=parse_rfc3339(found.entry["time"]) if found else None,
            verbs=VERBS,
            actors=ACTORS,
        )
