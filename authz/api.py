"""Identity and authorization over HTTP: sign in, who am I, may I, who is who."""

import json
from typing import Annotated, Any

from flask import Blueprint, request
from pydantic import Field, model_validator

from authz import errors
from authz.change.api import add_changes
from authz.delegation.api import add_delegations
from authz.directory import Organ
from authz.directory.errors import NotThere
from authz.posts_api import add_posts
from authz.service import Authz
from authz.session.api import add_sessions
from authz.visible import NotExpressible
from yinxin.authz import Decision, Denied, Level, Resource, Sharing
from yinxin.clock import rfc3339
from yinxin.crypto.errors import MalformedCertificate
from yinxin.faults import BadValue
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, kit, page_of, peer_certificate
from yinxin.wire import Instant, Model, Octets, Words

_ADMISSION = (
    errors.UnknownCertificate,
    errors.CertificateExpired,
    errors.CertificateRevoked,
    errors.NoAppointment,
    errors.TooManyAttempts,
)
_ANSWER = (
    errors.ChallengeUnknown,
    errors.ChallengeUsed,
    errors.ChallengeExpired,
    errors.WrongSignature,
    *_ADMISSION,
)
#: octets of JSON that the attributes of a resource, or a context, have at most
_LONGEST = 16 << 10
_QUESTION = (errors.UnknownAction, errors.BadQuestion, errors.UnknownOrgan, errors.DecisionFailed)


class Nothing(Model):
    """An empty body."""


class ChallengeOut(Model):
    """What to sign, as `yinxin.authz.sign_in_statement` builds it, and until when."""

    challenge: str
    expires: str


class SessionIn(Model):
    """The challenge, and the detached CMS signature (DER in base64) over its statement."""

    challenge: str = Field(min_length=1, max_length=100)
    signature: Annotated[Octets, Field(max_length=65536)]


class WhoOut(Model):
    """The signed-in caller."""

    person: str
    name: str
    post: str
    post_name: Words
    organ: str
    organ_name: Words
    roles: list[str]
    session: str


class SessionOut(Model):
    """A new session: its token, shown once, and whom it stands for."""

    token: str
    caller: WhoOut


class ResourceIn(Model):
    """What the act would be about."""

    type: str = Field(min_length=1, max_length=80)
    id: str = Field(min_length=1, max_length=200)
    organ: str = Field(min_length=1, max_length=64)
    level: Level = "public"
    attributes: dict[str, Any] = Field(default_factory=dict)
    region: str | None = Field(default=None, min_length=1, max_length=12)
    """The division the data is meant for (GB/T 2260)."""
    sharing: Sharing | None = None
    shared_with: list[str] = Field(default_factory=list, max_length=1000)
    """The organs that data shared on condition is shared with."""

    def resource(self) -> Resource:
        """The resource as policies see it."""
        return Resource.of(self.model_dump())


class CheckIn(Model):
    """One question."""

    action: str = Field(min_length=1, max_length=100)
    resource: ResourceIn
    context: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _short(self) -> "CheckIn":
        """Every question is kept with its answer, so that none is longer than a question needs to be."""
        for field, given in (("resource.attributes", self.resource.attributes), ("context", self.context)):
            if len(json.dumps(given, ensure_ascii=False).encode()) > _LONGEST:
                raise BadValue(
                    f"{field} 合计不得超过 {_LONGEST} 字节", f"{field}: at most {_LONGEST} octets together"
                )
        return self


class ChecksIn(Model):
    """The caller's questions."""

    checks: list[CheckIn] = Field(max_length=100)


class DecisionOut(Model):
    """An answer, why, and by which policies."""

    allowed: bool
    reason: Words
    policies: list[str]


class DecisionsOut(Model):
    """The answers, in the order of the questions."""

    decisions: list[DecisionOut]


class VisibleQuery(Model):
    """A list: of which type of resource, and what is to be done to its rows."""

    action: str = Field(min_length=1, max_length=100)
    type: str = Field(min_length=1, max_length=80)


class VisibleOut(Model):
    """The rows that the caller may do it to, as data (`yinxin.condition`)."""

    condition: Any


class PermissionOut(Model):
    """A permission, as the act's own audit entry keeps it."""

    record: dict[str, Any]


class OrganQuery(Paged):
    """Which organs, and which page."""

    under: str | None = Field(default=None, max_length=64)
    """Only this organ and those below it."""
    level: str | None = Field(default=None, max_length=16)
    """Only of this level."""
    line: str | None = Field(default=None, max_length=40)
    """Only of this line of business."""
    status: str | None = Field(default=None, max_length=12)
    """Only those that are active, merged, split or dissolved."""
    name: str | None = Field(default=None, max_length=80)
    """A part of the identifier or of a name."""


class AtQuery(Model):
    """At which time."""

    at: Instant | None = None
    """As it was then; now if left out."""


class OrganOut(Model):
    """An organ; `path` names it and those above it."""

    id: str
    parent: str | None
    name: Words
    short_name: str
    level: str
    division: str
    uscc: str | None
    path: list[str]
    line: str | None
    status: str


class PersonOut(Model):
    """A person and the posts held now."""

    id: str
    name: str
    posts: list[str]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations of `authz`."""
    api = Api("authz", "/api/authz/v1", Text("身份与授权", "Identity and authorization"))
    _add_sign_in(api, authz)
    _add_proof(api, authz)
    _add_session(api, authz)
    _add_questions(api, authz)
    _add_directory(api, authz)
    add_posts(api, authz)
    add_changes(api, authz)
    add_delegations(api, authz)
    add_sessions(api, authz)
    return (api.blueprint,)


def _add_sign_in(api: Api, authz: Authz) -> None:
    @api.post("/challenges", status=201, public=True, summary=Text("取得登录质询", "Get a sign-in challenge"))
    def challenge(body: Nothing) -> ChallengeOut:  # noqa: ARG001 - the contract: an empty object
        given = authz.sign_in.challenge()
        return ChallengeOut(challenge=given.nonce, expires=rfc3339(given.expires))

    @api.post(
        "/sessions",
        status=201,
        public=True,
        problems=_ANSWER,
        summary=Text("以签名登录", "Sign in by signature"),
    )
    def sign_in(body: SessionIn) -> SessionOut:
        token, caller = authz.sign_in.by_signature(body.signature, body.challenge)
        return SessionOut(token=token, caller=_who(caller))

    @api.post(
        "/sessions/tls",
        status=201,
        public=True,
        problems=(errors.NoCertificateShown, MalformedCertificate, *_ADMISSION),
        summary=Text("以连接证书登录", "Sign in by the connection's certificate"),
    )
    def sign_in_tls(body: Nothing) -> SessionOut:  # noqa: ARG001 - the contract: an empty object
        shown = peer_certificate(request.environ)
        if shown is None:
            raise errors.NoCertificateShown
        token, caller = authz.sign_in.by_tls(shown)
        return SessionOut(token=token, caller=_who(caller))


def _add_proof(api: Api, authz: Authz) -> None:
    @api.post(
        "/sessions/current/proof",
        repeatable=True,
        problems=(errors.SessionOfAnother, *_ANSWER),
        summary=Text("再次证明身份", "Prove the certificate again, by signature"),
    )
    def prove(body: SessionIn, caller: Caller) -> None:
        authz.sign_in.prove(caller, body.signature, body.challenge)

    @api.post(
        "/sessions/current/proof/tls",
        repeatable=True,
        problems=(
            errors.NoCertificateShown,
            errors.SessionOfAnother,
            MalformedCertificate,
            *_ADMISSION,
        ),
        summary=Text("以连接证书再次证明身份", "Prove the certificate again, by the connection"),
    )
    def prove_by_tls(body: Nothing, caller: Caller) -> None:  # noqa: ARG001 - the contract: an empty object
        shown = peer_certificate(request.environ)
        if shown is None:
            raise errors.NoCertificateShown
        authz.sign_in.prove_by_tls(caller, shown)


def _add_session(api: Api, authz: Authz) -> None:
    @api.get("/sessions/current", summary=Text("当前登录", "The present session"))
    def current(caller: Caller) -> WhoOut:
        return _who(caller)

    @api.delete("/sessions/current", summary=Text("退出登录", "Sign out"))
    def sign_out(caller: Caller) -> None:
        authz.sessions.sign_out(caller)


def _add_questions(api: Api, authz: Authz) -> None:
    @api.post(
        "/checks", repeatable=True, problems=_QUESTION, summary=Text("询问权限", "Ask what is permitted")
    )
    def checks(body: ChecksIn, caller: Caller) -> DecisionsOut:
        questions = [(each.action, each.resource.resource(), each.context) for each in body.checks]
        decisions = authz.answers.ask(caller.actor, questions)
        return DecisionsOut(decisions=[_decision(each) for each in decisions])

    @api.get(
        "/visible",
        problems=(errors.UnknownAction, errors.BadQuestion, NotExpressible),
        summary=Text("询问列表范围", "Ask which rows of a list are permitted"),
    )
    def visible(query: VisibleQuery, caller: Caller) -> VisibleOut:
        return VisibleOut(condition=authz.answers.ask_list(caller.actor, query.action, query.type).tree)

    @api.post(
        "/decisions",
        repeatable=True,
        problems=(Denied, *_QUESTION),
        summary=Text("请求许可", "Ask for a decision to act on; a refusal is recorded"),
    )
    def require(body: CheckIn, caller: Caller) -> PermissionOut:
        asked = body.resource.resource()
        decision = authz.decisions.require(caller.actor, body.action, asked, body.context or None)
        if "read" in authz.decisions.policies.groups(body.action):
            # no act follows whose entry would tell of it
            authz.answers.record(caller.actor, [decision])
        return PermissionOut(record=decision.record())


def _add_directory(api: Api, authz: Authz) -> None:
    @api.get("/organs", problems=(Denied, errors.UnknownOrgan), summary=Text("机关名录", "The organs"))
    def organs(query: OrganQuery, caller: Caller) -> Page[OrganOut]:
        after = query.begin(str) or ""
        found = authz.directory_for(caller.actor).organs(
            under=query.under,
            after=after,
            limit=query.limit + 1,
            level=query.level,
            line=query.line,
            status=query.status,
            name=query.name,
        )
        return page_of(found, query.limit, key=lambda each: each.id, show=_organ)

    @api.get(
        "/organs/<id>",
        problems=(Denied, errors.UnknownOrgan, NotThere),
        summary=Text("机关，现在或某一时刻", "An organ, now or at a time"),
    )
    def organ(id: str, query: AtQuery, caller: Caller) -> OrganOut:  # noqa: A002 - the field's name
        directory = authz.directory_for(caller.actor)
        return _organ(directory.organ(id) if query.at is None else directory.organ_at(id, query.at))

    @api.get("/people/<id>", problems=(Denied, errors.UnknownPerson), summary=Text("人员", "A person"))
    def person(id: str, caller: Caller) -> PersonOut:  # noqa: A002 - the field's name
        directory = authz.directory_for(caller.actor)
        found = directory.person(id)
        held = directory.appointments_of(id, at=kit().clock.now())
        return PersonOut(id=found.id, name=found.name, posts=[each.post for each in held])


def _who(caller: Caller) -> WhoOut:
    return WhoOut(
        person=caller.actor.id,
        name=caller.name,
        post=caller.actor.post or "",
        post_name=Words.of(caller.post_name),
        organ=caller.actor.organ or "",
        organ_name=Words.of(caller.organ_name),
        roles=sorted(caller.roles),
        session=caller.session,
    )


def _decision(decision: Decision) -> DecisionOut:
    return DecisionOut(
        allowed=decision.allowed, reason=Words.of(decision.reason), policies=list(decision.policies)
    )


def _organ(organ: Organ) -> OrganOut:
    return OrganOut(
        id=organ.id,
        parent=organ.parent,
        name=Words.of(organ.name),
        short_name=organ.short_name,
        level=organ.level,
        division=organ.division,
        uscc=organ.uscc,
        path=list(organ.path),
        line=organ.line,
        status=organ.status,
    )
