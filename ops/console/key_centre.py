"""The key centre's page: its tokens, what each can do by itself and what is done beside it."""

from typing import TYPE_CHECKING

from flask import render_template

from kms.capability import KINDS, way_of
from ops.console.errors import NotYourConsole
from ops.console.facts import facts_of
from ops.console.show import ROLES
from yinxin.text import Text
from yinxin.web import Caller, Pages

if TYPE_CHECKING:
    from ops.platform import Platform

#: how a kind of key is had, and the colour of its mark
WAYS = {
    "native": (Text("令牌内", "in the token"), "done"),
    "beside": (Text("令牌外加密保存", "wrapped, beside it"), "waiting"),
    "unavailable": (Text("不支持", "not available"), "neutral"),
}
#: of what the centre says of itself, what is not in the table of tokens
FACTS = ("missing", "altered", "loose", "unfinished", "generation", "rewrapping", "unopened", "pool")


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the page."""

    @pages.get("/console/key-centre")
    def key_centre(caller: Caller) -> str:
        if not caller.roles & ROLES:
            raise NotYourConsole
        health = platform.kms.health()
        return render_template(
            "console/key_centre.html",
            health=health,
            facts=list(facts_of({name: health.facts[name] for name in FACTS if name in health.facts})),
            tokens=health.facts.get("tokens", []),
            kinds=KINDS,
            way_of=way_of,
            ways=WAYS,
            address=health.facts.get("address"),
        )
