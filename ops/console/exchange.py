"""Exchange between sites: the peers and the state of their lines, the message log, reconciling, files carried by hand."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from exchange import ask
from exchange.api import Conditions
from exchange.card import LARGEST as LARGEST_CARD
from exchange.export import export_for
from exchange.frames import MEDIA_TYPE
from exchange.life import WORDS, Moment
from exchange.models import Carrier, Direction, State
from exchange.proposals import ADMIT, CARRIERS, RELATIONS, STOP
from exchange.reconcile import DIFFERENCES
from exchange.words import STATES, standing
from ops.console.export import csv_file
from yinxin.authz import LEVEL_TEXT, LEVELS, Level
from yinxin.clock import UTC_PLUS_8
from yinxin.evidence import MEDIA_TYPE as EVIDENCE
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, Upload, current_caller, cursor, page_of, position
from yinxin.wire import Day, Model, base64_text

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
#: who looks after it
POWERS = frozenset({"security-officer", "administrator", "auditor"})
#: and who sees the messages of her own organ
ROLES = POWERS | {"registrar"}
#: octets of a file that is handed in by the browser; a larger one by command
LARGEST = 1 << 30
COLOURS: Mapping[State, str] = {
    State.WAITING: "waiting",
    State.RECEIVED: "done",
    State.REFUSED: "refused",
    State.EARLY: "waiting",
    State.DELIVERED: "done",
    State.UNDELIVERABLE: "refused",
}
DIRECTIONS = {Direction.OUT: Text("发出", "sent"), Direction.IN: Text("收到", "received")}


class Look(Conditions, Paged):
    """Which messages; a field left empty is anything. Dates are of Beijing, both included."""

    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""

    def wanted(self) -> ask.Filter:
        """The conditions."""
        named = {name: getattr(self, name).strip() for name in ("peer", "organ", "kind", "object")}
        until = _begin(self.until)
        return ask.Filter(
            direction=self.direction,
            state=self.state,
            since=_begin(self.since),
            until=until and until + timedelta(days=1),
            **named,
        )


class LookReports(Paged):
    """Whose word."""

    peer: str = Field(default="", max_length=64)


class Admission(Model):
    """The form of admitting a site."""

    relation: Literal["parent", "child", "neighbour"]
    carrier: Literal["push", "pull", "nats", "medium"]
    clearance: Level
    reason: str = Field(min_length=1, max_length=2000)


class Ending(Model):
    """Why exchange with a site is to stop."""

    reason: str = Field(min_length=1, max_length=2000)


class Nothing(Model):
    """A form that asks for nothing."""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_peers(pages, platform)
    _add_deciding(pages, platform)
    _add_messages(pages, platform)
    _add_reconciling(pages, platform)
    _add_media(pages, platform)


def _add_peers(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/exchange")
    def exchange_list(query: Paged, caller: Caller) -> str | BaseResponse:
        if not caller.roles & POWERS:
            return redirect(url_for("console.exchange_messages"), 303)
        found = ask.peers_for(platform.exchange, caller.actor, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.peer.site, show=lambda each: each)
        return render_template(
            "console/exchange.html",
            rows=page.items,
            following=page.next,
            health=platform.exchange.health(),
            own=platform.exchange.settings,
            **_words(),
        )

    @pages.get("/console/exchange.csv")
    def exchange_export(caller: Caller) -> Response:
        """Every peer."""
        found = ask.peers_for(platform.exchange, caller.actor)
        rows = [{**each.fields(), "name": each.peer.name.zh} for each in found]
        return csv_file("peers.csv", rows, ("site", "name", *_PEER_COLUMNS))

    @pages.get("/console/exchange/peers/<site>")
    def exchange_peer(site: str, caller: Caller) -> str:
        return render_template("console/exchange_peer.html", **_peer(platform, caller, site))

    @pages.get("/console/exchange/peers/<site>/card")
    def exchange_peer_card(site: str, caller: Caller) -> Response:
        """The card on record, to be admitted again with."""
        data, _ = ask.peer_card_for(platform.exchange, caller.actor, site)
        return _file(data, MEDIA_TYPE, f"{site}.card")

    @pages.act("/console/exchange/card")
    def exchange_card(caller: Caller) -> Response:
        """This site's card, for another to admit."""
        data, _ = ask.card_for(platform.exchange, caller.actor)
        return _file(data, MEDIA_TYPE, f"{platform.exchange.own.site}.card")


_PEER_COLUMNS = (
    *(
        "relation",
        "carrier",
        "clearance",
        "sent",
        "sent_head",
        "received",
        "received_head",
        "waiting",
        "oldest",
    ),
    *("refused", "early", "undelivered", "undeliverable", "rejected", "failures", "error", "called", "heard"),
    *("reconciled", "difference"),
)


def _peer(platform: "Platform", caller: Caller, site: str) -> dict[str, Any]:
    found = ask.peer_for(platform.exchange, caller.actor, site)
    return {
        "row": found,
        "peer": found.peer,
        "reports": ask.reports_for(platform.exchange, caller.actor, site, limit=5),
        "may_call": ask.may(platform.exchange, caller.actor, ask.CALL),
        "may_carry": ask.may(platform.exchange, caller.actor, ask.CARRY_OUT),
        "may_propose": bool(caller.roles & ADMIT.proposers),
        **_words(),
    }


def _add_deciding(pages: Pages, platform: "Platform") -> None:
    def choices() -> Mapping[str, Any]:
        return {
            "relations_": [(each.value, text) for each, text in RELATIONS.items()],
            "carriers_": [(each.value, text) for each, text in CARRIERS.items()],
            "levels_": [(each, LEVEL_TEXT[each]) for each in LEVELS],
        }

    @pages.form(
        "/console/exchange/admit", "console/exchange_admit.html", context=choices, limit=LARGEST_CARD * 6
    )
    def exchange_admit(body: Admission, card: Upload, caller: Caller) -> BaseResponse:
        octets = base64_text(card.stream.read(LARGEST_CARD * 5))
        plan = {**body.model_dump(exclude={"reason"}), "card": octets}
        return _propose(platform, caller, ADMIT.name, plan, body.reason)

    def one(site: str) -> Mapping[str, Any]:
        return _peer(platform, current_caller(), site)

    @pages.form("/console/exchange/peers/<site>/stop", "console/exchange_stop.html", context=one)
    def exchange_stop(site: str, body: Ending, caller: Caller) -> BaseResponse:
        return _propose(platform, caller, STOP.name, {"site": site}, body.reason)

    @pages.form(
        "/console/exchange/peers/<site>/admit",
        "console/exchange_again.html",
        context=lambda site: {**one(site), **choices()},
    )
    def exchange_again(site: str, body: Admission, caller: Caller) -> BaseResponse:
        data, _ = ask.peer_card_for(platform.exchange, caller.actor, site)
        plan = {**body.model_dump(exclude={"reason"}), "card": base64_text(data)}
        return _propose(platform, caller, ADMIT.name, plan, body.reason)


def _propose(
    platform: "Platform", caller: Caller, kind: str, content: Mapping[str, Any], reason: str
) -> BaseResponse:
    shown = platform.authz.proposals.propose(caller.actor, kind, dict(content), reason=reason)
    return redirect(url_for("console.proposal", proposal=shown.row.id), 303)


def _add_messages(pages: Pages, platform: "Platform") -> None:
    one = "/console/exchange/messages/<direction>/<peer>/<id_>"

    @pages.get("/console/exchange/messages")
    def exchange_messages(query: Look, caller: Caller) -> str:
        before = ask.Place(*position(query.after, str, str, str, int)) if query.after else None
        found = ask.messages_for(
            platform.exchange, caller.actor, query.wanted(), before=before, limit=PAGE + 1
        )
        rows, more = found[:PAGE], len(found) > PAGE
        return render_template(
            "console/exchange_messages.html",
            rows=rows,
            following=cursor(*ask.place(rows[-1])) if more else None,
            state_choices=[(each.value, text) for each, text in STATES.items()],
            direction_choices=[(each.value, text) for each, text in DIRECTIONS.items()],
            **_words(),
        )

    @pages.get("/console/exchange/messages.csv")
    def exchange_messages_export(query: Look, caller: Caller) -> Response:
        """Every message that matches."""
        rows = map(ask.shown, ask.every_for(platform.exchange, caller.actor, query.wanted()))
        return csv_file("messages.csv", rows, ask.COLUMNS)

    def shown(direction: str, peer: str, id_: str) -> Mapping[str, Any]:
        caller = current_caller()
        life = ask.life_for(platform.exchange, caller.actor, ask.Known(id_, peer, direction))
        return {
            "life": life,
            "row": life.row,
            "steps": [
                (each.at, WORDS[each.moment], each.site, each.stamped, each.error) for each in life.steps
            ],
            "receipted": any(each.moment in (Moment.RECEIPTED, Moment.REFUSED) for each in life.steps),
            "level": LEVEL_TEXT,
            **_words(),
        }

    @pages.get(one)
    def exchange_message(direction: str, peer: str, id_: str, caller: Caller) -> str:  # noqa: ARG001 - whoever is signed in is asked for by `shown`
        return render_template("console/exchange_message.html", **shown(direction, peer, id_))

    @pages.form(f"{one}/evidence", "console/exchange_message.html", context=shown, unkept=True)
    def exchange_evidence(direction: str, peer: str, id_: str, body: Nothing, caller: Caller) -> Response:  # noqa: ARG001
        """What `yinxin verify` checks."""
        data = export_for(platform.exchange, caller.actor, ask.Known(id_, peer, direction))
        return _file(data, EVIDENCE, f"{id_}.asice")


def _add_reconciling(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/exchange/reconciliations")
    def exchange_reports(query: LookReports, caller: Caller) -> str:
        found = ask.reports_for(
            platform.exchange, caller.actor, query.peer.strip(), before=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each)
        return render_template(
            "console/exchange_reports.html", rows=page.items, following=page.next, **_words()
        )

    @pages.act("/console/exchange/peers/<site>/reconciliation")
    def exchange_reconcile(site: str, caller: Caller) -> BaseResponse:
        """Call it now."""
        ask.reconcile_for(platform.exchange, caller.actor, site)
        return redirect(url_for("console.exchange_reports", peer=site), 303)


def _add_media(pages: Pages, platform: "Platform") -> None:
    def queues() -> Mapping[str, Any]:
        caller = current_caller()
        rows = [each for each in ask.peers_for(platform.exchange, caller.actor) if each.peer.stopped is None]
        # those that nothing but a medium reaches, first
        rows.sort(key=lambda each: each.peer.carrier is not Carrier.MEDIUM)
        return {
            "rows": rows,
            "may_out": ask.may(platform.exchange, caller.actor, ask.CARRY_OUT),
            "may_in": ask.may(platform.exchange, caller.actor, ask.CARRY_IN),
            **_words(),
        }

    @pages.form(
        "/console/exchange/media", "console/exchange_media.html", context=queues, limit=LARGEST, unkept=True
    )
    def exchange_media(body: Nothing, file: Upload, caller: Caller) -> str:  # noqa: ARG001 - nothing is asked for but the file
        carried = ask.carry_in_for(platform.exchange, caller.actor, file.stream)
        return render_template("console/exchange_carried.html", carried=carried, **_words())

    @pages.form(
        "/console/exchange/peers/<site>/medium",
        "console/exchange_medium.html",
        context=lambda site: _peer(platform, current_caller(), site),
        unkept=True,
    )
    def exchange_medium(site: str, body: Nothing, caller: Caller) -> Response:  # noqa: ARG001
        pieces, _ = ask.carried_out_for(platform.exchange, caller.actor, site)
        return _file(pieces, MEDIA_TYPE, f"{platform.exchange.own.site}-{site}.exchange")


def _words() -> dict[str, Any]:
    return {
        "relations": {each.value: text for each, text in RELATIONS.items()},
        "carriers": {each.value: text for each, text in CARRIERS.items()},
        "levels": LEVEL_TEXT,
        "standing": standing,
        "colours": COLOURS,
        "directions": DIRECTIONS,
        "differences": DIFFERENCES,
        "powers": POWERS,
    }


def _file(data: Any, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, mimetype=media_type, headers=headers)


def _begin(day: date | Literal[""]) -> datetime | None:
    return datetime.combine(day, time(), UTC_PLUS_8) if isinstance(day, date) else None
