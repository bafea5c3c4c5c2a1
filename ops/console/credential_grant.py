"""Granting an enrolment credential from a page: as the command does, the secret shown this once, with the lines that use it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from flask import make_response, render_template
from pydantic import Field, ValidationInfo, field_validator
from werkzeug.wrappers import Response as BaseResponse

from authz.errors import CannotBind, UnknownOrgan, UnknownPerson, UnknownPost
from ca.enrolment.credential import ANY_DOMAIN, Credential, Grant, spelled
from ca.enrolment.errors import BadGrant
from ca.enrolment.models import Protocol
from ca.enrolment.service import LONGEST, MOST_USES
from ca.errors import UnknownHolder, UnknownProfile
from ops.console.credential_use import LINES, SETUP, Use
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.errors import YinxinError
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Caller, Pages, current_caller, own_origin
from yinxin.web.errors import Fault, InvalidRequest
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PROTOCOLS: Mapping[Protocol, Text] = {
    Protocol.ACME: Text("ACME：网站和应用服务器", "ACME: web and application servers"),
    Protocol.EST: Text("EST：设备和服务，经 HTTPS", "EST: devices and services, over HTTPS"),
    Protocol.CMP: Text("CMP：网关、设备和其他签发机构", "CMP: gateways, devices and other authorities"),
    Protocol.SCEP: Text("SCEP：只会这一种的设备", "SCEP: devices that know nothing else"),
}
#: what each protocol calls the identifier and the secret
CALLED: Mapping[Protocol, tuple[Text, Text]] = {
    Protocol.ACME: (
        Text("外部账户绑定的标识（kid）", "Identifier of the external account binding (kid)"),
        Text("外部账户绑定的密钥（HMAC）", "Key of the external account binding (HMAC)"),
    ),
    Protocol.EST: (Text("用户名", "User name"), Text("口令", "Password")),
    Protocol.CMP: (
        Text("引用标识（reference）", "Reference"),
        Text("共享密钥（secret）", "Shared secret"),
    ),
    Protocol.SCEP: (
        Text("凭据标识", "Identifier of the credential"),
        Text("质询口令（challenge password）", "Challenge password"),
    ),
}
KINDS: Mapping[str, Text] = {
    "service": Text("系统或设备", "a service or a device"),
    "person": Text("人员", "a person"),
    "organ": Text("机关", "an organ"),
}
HOSTS: Mapping[str, Text] = {
    "listed": Text("只限下列各域及其下的主机", "only the domains below, and hosts under them"),
    "any": Text(
        "不限：本站点可签发的任何主机名（明示，记录在案）",
        "any host that this site certifies (said so, and recorded)",
    ),
    "proved": Text(
        "不另限：证书不含主机名，或由 ACME 逐个证明",
        "no bound here: no hosts are named, or ACME has each one proved",
    ),
}
LOST = Text(
    "密钥只显示一次；如未记下，请撤回这一凭据，另行发放。",
    "The secret is shown once; if it was not kept, withdraw this credential and grant another.",
)
#: at which field of the form a refusal is put right; a grant that makes no sense says its own
_AT: Mapping[type[YinxinError], str] = {
    UnknownProfile: "profile",
    UnknownOrgan: "organ",
    UnknownPerson: "holder",
    UnknownPost: "post",
    UnknownHolder: "post",
    CannotBind: "post",
}
_REFUSED: tuple[type[YinxinError], ...] = (BadGrant, *_AT)
#: the form's field for a field of the grant
_FIELDS: Mapping[str, str] = {
    "expires": "days",
    "profiles": "also",
    "domains": "domains",
    "protocol": "protocol",
    "organ": "organ",
    "uses": "uses",
}


class NewCredential(Model):
    """The form; a domain a line, and what is empty is left out."""

    protocol: Protocol = Protocol.ACME
    kind: Literal["service", "person", "organ"] = "service"
    holder: str = Field(default="", max_length=80, validate_default=True)
    post: str = Field(default="", max_length=64, validate_default=True)
    organ: str = Field(default="", max_length=64)
    profile: str = Field(min_length=1, max_length=60)
    also: tuple[str, ...] = ()
    hosts: Literal["listed", "any", "proved"] = "listed"
    domains: str = Field(default="", max_length=8000, validate_default=True)
    days: int = Field(default=90, ge=1, le=LONGEST.days)
    uses: int | None = Field(default=None, ge=1, le=MOST_USES)

    @field_validator("holder")
    @classmethod
    def _whose(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("kind") in ("person", "organ"):
            raise BadValue("人员或机关须写明标识", "Say whose: a person and an organ are named by identifier")
        return value

    @field_validator("post")
    @classmethod
    def _as_what(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind == "person" and not value:
            raise BadValue("人员须写明岗位标识", "A person needs the identifier of a post")
        if kind in ("service", "organ") and value:
            raise BadValue("只有人员才有岗位，请留空", "Only a person has a post; leave it empty")
        return value

    @field_validator("domains")
    @classmethod
    def _where(cls, value: str, info: ValidationInfo) -> str:
        hosts = info.data.get("hosts")
        if hosts == "listed" and not value.split():
            raise BadValue(
                "请列出至少一个域，或在上面另选一项", "List a domain at least, or choose otherwise above"
            )
        if hosts in ("any", "proved") and value.split():
            raise BadValue(
                "上面选的不是“只限下列各域”：请改选，或清空这里",
                "Above it is not these domains that were chosen: choose them, or empty this",
            )
        return value

    def wanted(self, actor: Actor, now: datetime) -> Grant:
        """What is granted, as the service takes it."""
        listed = tuple(dict.fromkeys(self.domains.lower().split()))
        return Grant(
            protocol=self.protocol,
            organ=self.organ or actor.organ or PLATFORM,
            profiles=(self.profile, *(each for each in self.also if each != self.profile)),
            expires=now + timedelta(days=self.days),
            holder_kind=self.kind,
            holder=self.holder or None,
            post=self.post or None,
            domains=ANY_DOMAIN if self.hosts == "any" else listed,
            uses=self.uses,
        )


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the page."""

    def context() -> Mapping[str, Any]:
        actor = current_caller().actor
        platform.ca.enrolment.require(actor)
        profiles = platform.ca.ctx.profiles
        return {
            "own": actor.organ or PLATFORM,
            "protocols": PROTOCOLS,
            "kinds": KINDS,
            "hosts": HOSTS,
            "longest": LONGEST.days,
            # the second half of a pair is nobody's to ask for
            "profiles": [each for each in profiles.values() if not each.ceremony_only and not each.escrow],
        }

    @pages.form("/console/credentials/new", "console/credential_new.html", context=context, secret=LOST)
    def credential_new(body: NewCredential, caller: Caller) -> BaseResponse:
        try:
            wanted = body.wanted(caller.actor, platform.clock.now())
            made, secret = platform.ca.enrolment.grant(caller.actor, wanted)
        except _REFUSED as error:
            raise _at_its_field(error) from error
        return make_response(
            render_template("console/credential_granted.html", **_told(platform, made, spelled(secret)))
        )


def _at_its_field(error: YinxinError) -> InvalidRequest:
    """The refusal, recorded already, where the form is put right."""
    name, text = _AT.get(type(error), ""), Text(error.text("zh"), error.text("en"))
    if isinstance(error, BadGrant):
        of, _, profile = str(error.facts["field"]).partition(" ")
        name, reason = _FIELDS.get(of, "profile"), error.facts["reason"]
        text = Text(f"{profile}：{reason.zh}", f"{profile}: {reason.en}") if profile else reason
    refused = InvalidRequest(faults=(Fault("form", f"/{name}", error.code, text),))
    refused.entry = error.entry
    return refused


def _told(platform: "Platform", made: Credential, secret: str) -> dict[str, Any]:
    """What the answer shows: the credential, its secret as the protocol wants it, and the lines that use it."""
    grant, known = made.grant, platform.ca.ctx.profiles
    protocol = grant.protocol
    addresses = {
        Protocol.ACME: f"{own_origin()}/acme/directory",
        Protocol.EST: f"{own_origin()}/.well-known/est",
        Protocol.CMP: f"{platform.ca.ctx.settings.public_url}/cmp",
        Protocol.SCEP: f"{platform.ca.ctx.settings.public_url}/scep",
    }
    name = grant.bounds[0] if grant.bounds else "app.example.gov.cn"
    wild = any(known[each].wildcards for each in grant.profiles)
    lines: list[Use] = [each for each in LINES[protocol] if wild or not each.wildcard]
    identifier, called = CALLED[protocol]
    return {
        "made": made,
        "protocol": protocol.value.upper(),
        "identifier": identifier,
        "called": called,
        "secret": f"{made.id}:{secret}" if protocol is Protocol.SCEP else secret,
        "setup": SETUP[protocol].format(address=addresses[protocol], id=made.id, name=name),
        "lines": lines,
        "titles": {each: known[each].text for each in grant.profiles},
        "any_domain": ANY_DOMAIN,
    }
