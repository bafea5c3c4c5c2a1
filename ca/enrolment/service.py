"""Enrolment as one service: officers grant, the protocols prove and have certificates issued."""

import re
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.directory.tree import reached
from ca.context import Context
from ca.enrolment import credential as credentials
from ca.enrolment.credential import ANY_DOMAIN, Credential, Grant
from ca.enrolment.errors import BadGrant, CredentialRefused, CredentialSpent, NotGranted
from ca.enrolment.models import CredentialRow, Protocol
from ca.issue import VERB as ISSUE
from ca.issue import Also, Asked, Issued, Wanted, issue_wanted
from ca.keycheck import unburdened
from ca.naming import within
from ca.permit import wanted_for
from ca.profile.texts import host_fault
from ca.profile.wildcards import any_wildcard
from ca.request import Application, Holder, IssueRequest, application_of, examine
from kms.service import KeyCentre
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.general_names import GeneralName
from yinxin.errors import YinxinError
from yinxin.text import Text

#: the longest life of a credential
LONGEST = timedelta(days=1096)
#: certificates that are counted on a credential; more are any number of them
MOST_USES = 1_000_000
#: a domain as host names are compared with it: lower case, at most 253 characters (RFC 1035 2.3.4)
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)


class Enrolment:
    """Grants and uses enrolment credentials; one per process, shared by its threads."""

    def __init__(self, ctx: Context, keys: KeyCentre, decider: Decider) -> None:
        self.ctx = ctx
        self._keys = keys
        self._decider = decider

    # --- officers ----------------------------------------------------------------------------------------------

    def require(self, actor: Actor) -> Decision:
        """The permission to grant credentials of the actor's organ at all; each grant is asked for besides. Raises Denied."""
        attributes = {"profile": "*", "of_power": False}
        resource = Resource("Certificate", "credential", organ=actor.organ or PLATFORM, attributes=attributes)
        return self._decider.require(actor, ISSUE, resource)

    def grant(self, actor: Actor, wanted: Grant) -> tuple[Credential, bytes]:
        """A credential and its secret, shown this once. Who may issue such certificates herself may grant them.

        Raises BadGrant, UnknownProfile, ApplicationNeeded, Denied, and what the directory raises for organ, person and post.
        """
        try:
            self._check(wanted)
            holder = _granted_to(wanted)
            asked = [wanted_for("credential", holder, each, self.ctx.register) for each in wanted.profiles]
            decisions = [self._decider.require(actor, ISSUE, each) for each in asked]
        except YinxinError as error:
            self.ctx.store.refuse(actor, credentials.GRANT, f"credential:{wanted.protocol}", error)
            raise
        return credentials.grant(self.ctx.store, self._keys, actor, wanted, decisions[0].record())

    def withdraw(self, actor: Actor, id_: str) -> None:
        """End a credential now; raises UnknownCredential, CredentialWithdrawn, Denied."""
        try:
            known = credentials.find(self.ctx.store, id_)
            decision = self._permitted(actor, known.grant.organ, known.grant.profiles[0])
        except YinxinError as error:
            self.ctx.store.refuse(actor, credentials.WITHDRAW, f"credential:{id_[:26]}", error)
            raise
        credentials.withdraw(self.ctx.store, actor, known, decision.record())

    def search(self, actor: Actor, organ: str, *, after: str = "", limit: int = 100) -> list[Credential]:
        """Credentials of an organ and those below it; raises Denied."""
        self._decider.require(
            actor, "ca.read", Resource("Certificate", "*", organ=organ, attributes={"profile": "*"})
        )
        below = reached(organ)
        organs = sa.or_(CredentialRow.organ == organ, CredentialRow.organ.in_(below))
        return credentials.search(self.ctx.store, organs, after=after, limit=limit)

    # --- protocols ---------------------------------------------------------------------------------------------

    def usable(self, id_: str, protocol: Protocol) -> Credential:
        """The credential, if it may be used now by this protocol; raises CredentialRefused."""
        try:
            return credentials.usable(self.ctx.store, id_, protocol)
        except CredentialRefused:
            credentials.pretend(self.ctx.store, self._keys)
            raise

    def proved(self, id_: str, secret: str, protocol: Protocol) -> Credential:
        """The credential of a client that showed its secret; raises CredentialRefused."""
        known = self.usable(id_, protocol)
        credentials.proved(self._keys, known, secret)
        return known

    def secret(self, known: Credential) -> bytes:
        """The 32 octets that a MAC is computed with; raises what the security module raises."""
        return credentials.secret_of(self._keys, known)

    def issue(
        self,
        known: Credential,
        reference: str,
        asked: bytes | Application,
        *,
        profile: str = "",
        days: int | None = None,
        also: Also | None = None,
    ) -> Issued:
        """The certificate asked for, exactly one for each `reference`, as `wanted` says; raises what that does, and what `ca.issue` raises."""
        asked_for = self.wanted(known, reference, asked, profile=profile, days=days, also=also)
        return issue_wanted(self.ctx, asked_for.actor, asked_for.wanted)

    def wanted(
        self,
        known: Credential,
        reference: str,
        asked: bytes | Application,
        *,
        profile: str = "",
        days: int | None = None,
        also: Also | None = None,
    ) -> Asked:
        """What the credential lets its holder have issued.

        Without a profile it is the first granted one that certifies names such as are asked for. `also` joins the
        transaction that stores the certificate.

        Raises NotGranted, CredentialSpent, ApplicationNeeded. Refusals are recorded.
        """
        try:
            application = application_of(asked, self.ctx.settings)
            chosen = profile or self._fitting(known, application)
            _covers(known, chosen, application)
            # who was granted a credential may have come to power since
            holder = _holder(known, application)
            wanted_for(reference, holder, chosen, self.ctx.register.ahead([holder]))
        except YinxinError as error:
            self.ctx.rejections.record(known.actor, ISSUE, f"reference:{reference}", error)
            raise
        request = IssueRequest(reference, chosen, application, holder, days)
        return Asked(known.actor, Wanted(request, known.decision, _spend(self.ctx, known, also)))

    def examine(self, known: Credential, asked: Application, *, profile: str) -> None:
        """Raise what `issue` would raise of the request itself; nothing is recorded, nothing changed."""
        _covers(known, profile, asked)
        request = IssueRequest("-", profile, asked, _holder(known, asked))
        register = self.ctx.register.ahead([request.holder])
        order = examine(request, self.ctx.profiles[profile], register, self.ctx.settings)
        with self.ctx.store.look() as look:
            unburdened(look, order)

    def _permitted(self, actor: Actor, organ: str, profile: str) -> Decision:
        resource = Resource("Certificate", "credential", organ=organ, attributes={"profile": profile})
        return self._decider.require(actor, ISSUE, resource)

    def _fitting(self, known: Credential, asked: Application) -> str:
        """The first granted profile for the kinds of alternative name asked for, or else the first of all."""
        for name in known.grant.profiles:
            profile = self.ctx.profiles[name]
            if profile.may_name(asked.san) and bool(asked.san) == bool(profile.san):
                return name
        return known.grant.profiles[0]

    def _check(self, wanted: Grant) -> None:
        """The grant makes sense; raises BadGrant, UnknownProfile, and what the register raises."""
        left = wanted.expires - self.ctx.store.clock.now()
        if not timedelta(0) < left <= LONGEST:
            raise BadGrant(
                field="expires",
                reason=Text(
                    f"应在今后 {LONGEST.days} 天以内", f"it must lie within the next {LONGEST.days} days"
                ),
            )
        if not wanted.profiles or len(set(wanted.profiles)) != len(wanted.profiles):
            raise BadGrant(field="profiles", reason=Text("至少一个且不重复", "at least one, none twice"))
        if wanted.uses is not None and not 1 <= wanted.uses <= MOST_USES:
            reason = Text(f"1 至 {MOST_USES} 次，省略即不限", f"1 to {MOST_USES}; left out, it is any number")
            raise BadGrant(field="uses", reason=reason)
        for name in wanted.profiles:
            profile = self.ctx.profiles[name]
            if profile.ceremony_only or wanted.holder_kind not in profile.holders:
                raise BadGrant(
                    field=f"profile {name}",
                    reason=Text("不能发给这类持有者", f"it is not for holders of kind {wanted.holder_kind}"),
                )
        self._bounded(wanted)
        registered, _ = self.ctx.register.facts(_granted_to(wanted))
        if registered.organ != wanted.organ:
            raise BadGrant(
                field="organ", reason=Text("不是该持有者所在的机关", "it is not the holder's organ")
            )

    def _bounded(self, wanted: Grant) -> None:
        """Which hosts it is for is said, except by ACME, where control of each is proved; for wildcards by ACME, too.

        Only ACME has wildcards, for only there the DNS proves them. Raises BadGrant.
        """
        if ANY_DOMAIN[0] in wanted.domains and wanted.domains != ANY_DOMAIN:
            raise BadGrant(field="domains", reason=Text("“*”只能单独使用", "“*” stands alone"))
        for each in wanted.bounds:
            _sound(each)
        wild = [each for each in wanted.profiles if self.ctx.profiles[each].wildcards]
        if wild and wanted.protocol is not Protocol.ACME:
            reason = Text(
                f"模板 {wild[0]} 允许通配符，只能由 ACME 在 DNS 中证明",
                f"certificates of {wild[0]} may have wildcards, which ACME alone has proved, in the DNS",
            )
            raise BadGrant(field="protocol", reason=reason)
        if wild and wanted.domains in ((), ANY_DOMAIN):
            reason = Text(
                f"模板 {wild[0]} 允许通配符：须指明域（--domain）",
                f"certificates of {wild[0]} may have wildcards: say below which domains (--domain)",
            )
            raise BadGrant(field="domains", reason=reason)
        hosts = [each for each in wanted.profiles if {"dns", "ip"} & set(self.ctx.profiles[each].san)]
        if hosts and not wanted.domains and wanted.protocol is not Protocol.ACME:
            reason = Text(
                f"模板 {hosts[0]} 含主机名：请指明域（--domain），或明示不限（--any-domain）",
                f"certificates of {hosts[0]} name hosts: say below which domains (--domain), or that any will do (--any-domain)",
            )
            raise BadGrant(field="domains", reason=reason)


def _sound(domain: str) -> None:
    """A domain that host names can lie in: no name is ever found below another text. Raises BadGrant."""
    if _DOMAIN.fullmatch(domain) and host_fault(domain) is None:
        return
    reason = Text(
        f"“{domain[:80]}”不是域名：用小写，不带“*”、端口和末尾的点，国际化域名写作 xn-- 形式",
        f"“{domain[:80]}” is no domain: lower case, without “*”, port or a dot at its end, an international one as xn--",
    )
    raise BadGrant(field="domains", reason=reason)


def _covers(known: Credential, profile: str, asked: Application) -> None:
    grant = known.grant
    if profile not in grant.profiles:
        granted = ", ".join(grant.profiles)
        raise NotGranted(credential=known.id, field="profile", asked=profile[:60], granted=granted)
    for kind, text in _hosts(asked):
        wild = any_wildcard([(kind, text)])
        if not grant.bounds and not wild:
            continue
        proved = grant.protocol is Protocol.ACME or not wild
        if kind != "dns" or not within(text.lower(), grant.bounds) or not proved:
            granted = ", ".join(grant.bounds) or "-"
            raise NotGranted(credential=known.id, field=kind, asked=text, granted=granted)
    if grant.uses == 0:
        raise CredentialSpent(credential=known.id)


def _hosts(asked: Application) -> tuple[GeneralName, ...]:
    """The alternative names; where there are none, a common name with a dot counts as a host's."""
    common = asked.subject.common_name or ""
    return asked.san or ((("dns", common),) if "." in common else ())


def _granted_to(wanted: Grant) -> Holder:
    """Whom a credential is for; a service may be named when it asks."""
    return Holder(wanted.holder_kind, wanted.holder or "-", wanted.post, wanted.organ)


def _holder(known: Credential, asked: Application) -> Holder:
    """The credential's holder, or the service of the name that is asked for."""
    grant = known.grant
    named = asked.subject.common_name or next((text for _, text in asked.san), "")
    return Holder(grant.holder_kind, grant.holder or named.lower()[:80], grant.post, grant.organ)


def _spend(ctx: Context, known: Credential, also: Also | None) -> Also:
    """Ask once more for the credential, and count, in the transaction that stores the certificate.

    Nothing is handed out beyond what was granted, nor on what was withdrawn meanwhile.
    """

    def spend(session: Session, certificate: Certificate) -> None:
        if also is not None:
            also(session, certificate)
        credentials.spend(session, known, ctx.store.clock.now())

    return spend
