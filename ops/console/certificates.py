"""The inventory of certificates: found, shown with chain and history, exported; suspended, resumed, revoked; one's own."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field, field_validator
from werkzeug.wrappers import Response as BaseResponse

from ca.inventory import COLUMNS, HEXADECIMAL, Filter, Sort, Standing, describe, position, standing
from ca.models import CertificateRow
from ca.profile.versions import made_by
from ca.revoke import VERB as REVOKE
from ca.suspend import RESUME, SUSPEND
from ca.timeline import timeline
from ca.words import REASONS, SUITES
from ops.console.export import csv_file
from ops.console.show import ACTORS
from yinxin.clock import UTC_PLUS_8
from yinxin.errors import YinxinError
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, page_of
from yinxin.wire import Day, Model

if TYPE_CHECKING:
    from ops.platform import Platform

#: who has certificates to look after
ROLES = frozenset({"registration-officer", "security-officer", "auditor"})
PAGE = 50

STATES: dict[str, tuple[Text, str]] = {
    "issued": (Text("有效", "in force"), "done"),
    "suspended": (Text("已暂停", "suspended"), "waiting"),
    "revoked": (Text("已撤销", "revoked"), "refused"),
    "expired": (Text("已到期", "expired"), "neutral"),
    "intent": (Text("签发中", "being issued"), "waiting"),
    "abandoned": (Text("已放弃", "given up"), "neutral"),
}
#: what each state means for whoever meets the certificate
MEANINGS: dict[str, Text] = {
    "issued": Text("证书有效，可以按用途使用。", "It is in force and can be used for what it is for."),
    "suspended": Text(
        "暂时不能使用；恢复之前登录和签名一律被拒绝，暂停期间的签名以后也不被承认。",
        "It cannot be used for now: sign-in and signatures are refused until it is resumed, and what is signed meanwhile never counts.",
    ),
    "revoked": Text(
        "已永久失效，不能恢复；撤销之前的签名，有时间戳为证的仍然有效。",
        "It is void for good and cannot be restored; what a timestamp proves to be signed before still holds.",
    ),
    "expired": Text(
        "有效期已过；到期之前的签名，有时间戳为证的仍然有效。",
        "Its time is over; what a timestamp proves to be signed before its end still holds.",
    ),
    "intent": Text(
        "已登记签发意向，证书尚未交付。", "Its issuance was begun; the certificate was not handed out yet."
    ),
    "abandoned": Text(
        "签发没有完成，序列号已作废，没有交付证书。",
        "Its issuance was not finished; the serial number is void and no certificate was handed out.",
    ),
}
SORTS: dict[str, Text] = {
    "serial": Text("序列号", "serial number"),
    "not_after": Text("先到期的在前", "first to end"),
    "-not_after": Text("后到期的在前", "last to end"),
    "created": Text("先签发的在前", "oldest first"),
    "-created": Text("后签发的在前", "newest first"),
}
WITHIN: dict[str, Text] = {days: Text(f"{days} 天内", f"within {days} days") for days in ("7", "30", "90")}
#: reasons that an officer chooses from; the first says nothing, so that nobody revokes for a reason she did not choose
CHOICES = (
    ("", Text("请选择", "please choose")),
    *(
        (name, text)
        for name, text in REASONS.items()
        if name not in ("unspecified", "cACompromise", "certificateHold")
    ),
    ("unspecified", REASONS["unspecified"]),
)


class Look(Paged):
    """What to look for; a field left empty is anything."""

    name: str = Field(default="", max_length=100)
    holder: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=64)
    profile: str = Field(default="", max_length=60)
    authority: str = Field(default="", max_length=60)
    serial: str = Field(default="", max_length=80)
    key: str = Field(default="", max_length=64)
    state: Standing | Literal[""] = ""
    within: Literal["", "7", "30", "90"] = ""
    #: first and last day of the end of validity, in local time
    ends_from: Day | Literal[""] = ""
    ends_to: Day | Literal[""] = ""
    sort: Sort | Literal[""] = ""

    @field_validator("serial")
    @classmethod
    def _is_a_number(cls, given: str) -> str:
        if (number := given.strip()) and not re.fullmatch(HEXADECIMAL, number):
            raise BadValue(
                "序列号是十六进制数字（0-9、a-f），可带 0x 和冒号，请核对",
                "A serial number is hexadecimal (0-9, a-f), with 0x and colons where they are; see whether it is right",
            )
        return number


class LookEnds(Model):
    """Whose; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)


class Ending(Model):
    """Why it is revoked."""

    reason: Literal[
        "unspecified",
        "keyCompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "privilegeWithdrawn",
    ]


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_ends(pages, platform)
    _add_acting(pages, platform)
    _add_own(pages, platform)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/certificates")
    def certificates(query: Look, caller: Caller) -> str:
        wanted = _wanted(platform, query)
        rows = platform.ca.search(caller.actor, wanted, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(rows, PAGE, key=lambda row: position(row, wanted.sort), show=lambda row: row.serial)
        return render_template(
            "console/certificates.html",
            rows=[_line(platform, row) for row in rows[:PAGE]],
            following=page.next,
            states=STATES,
            sorts=SORTS,
            within=WITHIN,
            profiles=platform.ca.ctx.profiles,
            authorities=platform.ca.authorities(),
        )

    @pages.get("/console/certificates.csv")
    def certificates_export(query: Look, caller: Caller) -> Response:
        """Every certificate that matches, a line each as they are read."""
        rows = platform.ca.every(caller.actor, _wanted(platform, query))
        first = next(rows, None)  # what is refused is refused before the answer begins
        now = platform.clock.now()

        def told() -> Iterator[dict[str, str | None]]:
            if first is not None:
                yield describe(first, now)
                yield from (describe(row, now) for row in rows)

        return csv_file("certificates.csv", told(), COLUMNS)

    @pages.get("/console/certificates/<serial>")
    def certificate(serial: str, caller: Caller) -> str:
        row = platform.ca.show(caller.actor, serial)
        return render_template("console/certificate.html", **_shown(platform, caller, row))

    @pages.get("/console/certificates/<serial>/certificate.pem")
    def certificate_file(serial: str, caller: Caller) -> Response:
        """The certificate and those above it."""
        return _file(platform, platform.ca.show(caller.actor, serial))


def _add_ends(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/certificate-ends")
    def certificate_ends(query: LookEnds, caller: Caller) -> str:
        months = platform.ca.ends(caller.actor, query.organ or None)
        return render_template(
            "console/certificate_ends.html",
            months=months,
            most=max(each.certificates for each in months[:-1]),
            notice=platform.ca.ctx.settings.registration.notice_days,
        )

    @pages.get("/console/certificate-ends.csv")
    def certificate_ends_export(query: LookEnds, caller: Caller) -> Response:
        """A line for each month, and one for what ends later."""
        months = platform.ca.ends(caller.actor, query.organ or None)
        columns = ("first", "last", "certificates")
        return csv_file(
            "certificate-ends.csv",
            ({each: str(getattr(month, each) or "") for each in columns} for month in months),
            columns,
        )


def _add_acting(pages: Pages, platform: "Platform") -> None:
    def one(serial: str) -> Mapping[str, Any]:
        caller = current_caller()
        row = platform.ca.show(caller.actor, serial)
        return _shown(platform, caller, row) | {"reasons": CHOICES}

    @pages.form("/console/certificates/<serial>/end", "console/certificate_revoke.html", context=one)
    def certificate_revoke(serial: str, body: Ending, caller: Caller) -> BaseResponse:
        return _back(platform.ca.revoke(caller.actor, serial, body.reason).serial)

    @pages.act("/console/certificates/<serial>/suspension")
    def certificate_suspend(serial: str, caller: Caller) -> BaseResponse:
        return _back(platform.ca.suspend(caller.actor, serial).serial)

    @pages.act("/console/certificates/<serial>/resumption")
    def certificate_resume(serial: str, caller: Caller) -> BaseResponse:
        return _back(platform.ca.resume(caller.actor, serial).serial)


def _add_own(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/my-certificates")
    def own_certificates(caller: Caller) -> str:
        now, early = platform.clock.now(), timedelta(days=platform.ca.ctx.settings.registration.renew_days)
        rows = platform.ca.held(caller.actor)
        return render_template(
            "console/own_certificates.html",
            rows=[
                (*_line(platform, row), MEANINGS[standing(row, now)], row.not_after - early <= now)
                for row in rows
            ],
            days=early.days,
            suites={
                name: SUITES[platform.ca.ctx.issuers.get(name).suite.name]
                for name in {row.authority for row in rows}
            },
        )

    @pages.get("/console/my-certificates/<serial>.pem")
    def own_certificate_file(serial: str, caller: Caller) -> Response:
        """One of one's own, and those above it."""
        own = {row.serial: row for row in platform.ca.held(caller.actor)}
        return _file(platform, own[serial] if serial in own else platform.ca.show(caller.actor, serial))


def _line(platform: "Platform", row: CertificateRow) -> tuple[CertificateRow, Text, str, Text]:
    """A certificate, its state and the colour of that, and what its profile is called."""
    return row, *STATES[standing(row, platform.clock.now())], made_by(platform.ca.ctx, row).text


def _shown(platform: "Platform", caller: Caller, row: CertificateRow) -> dict[str, Any]:
    _, state, colour, profile = _line(platform, row)
    stands = standing(row, platform.clock.now())
    may = {
        "suspend": stands == "issued" and platform.ca.may(caller.actor, SUSPEND, row),
        "resume": stands == "suspended" and platform.ca.may(caller.actor, RESUME, row),
        "revoke": stands in ("issued", "suspended") and platform.ca.may(caller.actor, REVOKE, row),
    }
    if made_by(platform.ca.ctx, row).ca:  # a ceremony's affair
        may = {}
    return {
        "row": row,
        "state": state,
        "colour": colour,
        "meaning": MEANINGS[stands],
        "profile": profile,
        "reason": REASONS.get(row.reason or ""),
        "chain": _above(platform, row),
        "moments": timeline(platform.ca.ctx, row),
        "actors": ACTORS,
        "may": may,
    }


def _above(platform: "Platform", row: CertificateRow) -> list[tuple[str, datetime]]:
    """The authorities above it, the root first: what each is called and when it ends."""
    try:
        ways = platform.ca.chains(row.authority)
    except (
        YinxinError
    ):  # an authority that is over has no way up any more; the certificate is shown without it
        return []
    way = ways[0] if ways else ()
    return [(each.subject.common_name or each.subject.text, each.not_after) for each in reversed(way)]


def _file(platform: "Platform", row: CertificateRow) -> Response:
    pem = platform.ca.bundle(row)
    headers = {"Content-Disposition": f'attachment; filename="{row.serial}.pem"'}
    return Response(pem, mimetype="application/x-pem-file", headers=headers)


def _back(serial: str) -> BaseResponse:
    return redirect(url_for("console.certificate", serial=serial), 303)


def _wanted(platform: "Platform", query: Look) -> Filter:
    ends = platform.clock.now() + timedelta(days=int(query.within)) if query.within else None
    begin = _midnight(query.ends_from) if query.ends_from else None
    if query.ends_to:
        last = _midnight(query.ends_to) + timedelta(days=1, microseconds=-1)
        ends = min(ends, last) if ends else last
    state: Standing | None = query.state or ("issued" if query.within else None)
    return Filter(
        holder=query.holder or None,
        organ=query.organ or None,
        profile=query.profile or None,
        authority=query.authority or None,
        state=state,
        name=query.name or None,
        serial=query.serial or None,
        key=query.key.strip().lower().replace(":", "") or None,
        ends_from=begin,
        ends_to=ends,
        sort=query.sort or "-created",
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC_PLUS_8).astimezone(UTC)
