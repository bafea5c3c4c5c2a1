"""Accounts (RFC 8555 7.3): register, bind to a credential, look up, update, deactivate."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ca.acme.errors import (
    AccountEnded,
    BadContact,
    BindingRefused,
    BindingRequired,
    CredentialEnded,
    ForeignContact,
    Malformed,
    NoAccount,
    NoResource,
    TermsNotAgreed,
)
from ca.acme.models import AccountRow, AccountState, OrderRow, OrderState
from ca.acme.parts import Answer, Asked, Parts, Urls, actor_of
from ca.acme.payload import flag, many, needed, nothing, text
from ca.enrolment import Credential, Protocol
from ca.enrolment.errors import CredentialRefused
from yinxin.crypto.errors import BadSignature, MalformedJose, UnsupportedAlgorithm
from yinxin.crypto.jose import Jws, read_object
from yinxin.store import as_good
from yinxin.text import Text

REGISTER = "ca.acme-register"
UPDATE = "ca.acme-update-account"
DEACTIVATE = "ca.acme-deactivate-account"

_MOST_CONTACTS = 10
_PAGE = 100
_ATTEMPT = Text("注册账户", "new accounts")


def register(parts: Parts, asked: Asked) -> Answer:
    """newAccount: a new account, or the one that the key has (RFC 8555 7.3 and 7.3.1).

    Asked with a credential that the existing account is not bound to, it is bound anew: that is how an account goes on
    when its credential has ended. Raises NoAccount, AccountEnded, BindingRequired, BindingRefused, TermsNotAgreed,
    BadContact, ForeignContact, Malformed, TooMany.
    """
    payload = needed(asked.payload)
    known = _by_thumbprint(parts, asked.key.thumbprint)
    if known is not None and known.state != AccountState.VALID:
        raise AccountEnded
    if flag(payload, "onlyReturnExisting"):
        if known is None:
            raise NoAccount
        return _shown(asked.urls, known)
    bound = binding(parts, asked, payload)
    if known is not None:
        if bound is not None and bound.id != known.credential:
            known = _bind(parts, known, bound)
        return _shown(asked.urls, known)
    credential = bound or _open_credential(parts)
    contact = contacts(payload)
    if parts.settings.terms_url and not flag(payload, "termsOfServiceAgreed"):
        raise TermsNotAgreed(terms=parts.settings.terms_url)
    parts.limits.count(_ATTEMPT, asked.source, parts.settings.accounts_per_hour)
    return _new(parts, asked, credential, contact)


def _new(parts: Parts, asked: Asked, credential: Credential, contact: list[str]) -> Answer:
    store = parts.ctx.store
    row = AccountRow(
        id=store.identifier(),
        state=AccountState.VALID,
        thumbprint=asked.key.thumbprint,
        jwk=dict(asked.key.members),
        credential=credential.id,
        organ=credential.grant.organ,
        contact=contact,
        created=store.clock.now(),
    )
    shown = _shown(asked.urls, row, status=201)
    try:
        subject = f"acme-account:{row.id}"
        with store.act(actor_of(row), REGISTER, subject, taken=as_good, key=row.thumbprint) as act:
            act.facts["credential"] = credential.id
            act.decision = dict(credential.decision)
            act.session.add(row)
            act.session.flush()
    except IntegrityError:  # the same key registered in the same instant
        known = _by_thumbprint(parts, asked.key.thumbprint)
        if known is None:
            raise
        return _shown(asked.urls, known)
    return shown


def _bind(parts: Parts, known: AccountRow, credential: Credential) -> AccountRow:
    subject = f"acme-account:{known.id}"
    with parts.ctx.store.act(actor_of(known), REGISTER, subject, credential=credential.id) as act:
        act.decision = dict(credential.decision)
        row = act.session.get_one(AccountRow, known.id, with_for_update=True)
        row.credential, row.organ = credential.id, credential.grant.organ
        act.session.flush()
        act.session.expunge(row)
    return row


def binding(parts: Parts, asked: Asked, payload: Mapping[str, Any]) -> Credential | None:
    """The credential that the request proves (RFC 8555 7.3.4); None when it brings none.

    Raises Malformed, and BindingRefused, which does not say what is wrong with a credential or its MAC.
    """
    inner = payload.get("externalAccountBinding")
    if inner is None or parts.settings.eab == "off":
        return None
    try:
        jws = Jws.read(inner if isinstance(inner, dict) else {})
        named = read_object(jws.payload, "externalAccountBinding")
    except MalformedJose as error:
        raise Malformed(field="externalAccountBinding", reason=error) from error
    kid, header = jws.header.get("kid"), jws.header
    if (
        not (isinstance(kid, str) and kid.isalnum() and kid.isascii())
        or "nonce" in header
        or "jwk" in header
        or header.get("url") != asked.url
    ):
        reason = Text("首部须有 kid 和本请求的 url", "its header must have kid and the url of this request")
        raise Malformed(field="externalAccountBinding", reason=reason)
    if {name: named.get(name) for name in asked.key.members} != dict(asked.key.members):
        reason = Text("载荷不是本账户密钥", "its payload is not the account's key")
        raise Malformed(field="externalAccountBinding", reason=reason)
    try:
        known = parts.enrolment.usable(kid, Protocol.ACME)
        jws.verify_mac(parts.enrolment.secret(known))
    except (CredentialRefused, BadSignature) as error:
        raise BindingRefused from error
    except UnsupportedAlgorithm as error:
        raise Malformed(field="externalAccountBinding", reason=error) from error
    return known


def _open_credential(parts: Parts) -> Credential:
    """The credential behind an account that proved none; raises BindingRequired."""
    settings = parts.settings
    if settings.eab == "required" or not settings.open_credential:
        raise BindingRequired
    try:
        return parts.enrolment.usable(settings.open_credential, Protocol.ACME)
    except CredentialRefused as error:
        raise BindingRequired from error


def credential_of(parts: Parts, account: AccountRow) -> Credential:
    """The credential behind an account, if it may be used now; raises CredentialEnded."""
    try:
        return parts.enrolment.usable(account.credential, Protocol.ACME)
    except CredentialRefused as error:
        raise CredentialEnded from error


def update(parts: Parts, asked: Asked, id_: str) -> Answer:
    """The account, after a change if one is asked for (RFC 8555 7.3.2, 7.3.6)."""
    account = asked.owner
    if account.id != id_:
        raise NoResource
    if asked.payload is None:
        return _shown(asked.urls, account)
    status = text(asked.payload, "status")
    if status == AccountState.DEACTIVATED:
        return _deactivate(parts, asked)
    if status not in ("", account.state):
        reason = Text("只能改为 deactivated", "it can be changed to deactivated only")
        raise Malformed(field="status", reason=reason)
    if asked.payload.get("contact") is None:
        return _shown(asked.urls, account)
    contact = contacts(asked.payload)
    with parts.ctx.store.act(actor_of(account), UPDATE, f"acme-account:{id_}") as act:
        row = act.session.get_one(AccountRow, id_, with_for_update=True)
        row.contact = contact
        act.session.flush()
        act.session.expunge(row)
    return _shown(asked.urls, row)


def _deactivate(parts: Parts, asked: Asked) -> Answer:
    """End the account and what it has under way."""
    account = asked.owner
    with parts.ctx.store.act(actor_of(account), DEACTIVATE, f"acme-account:{account.id}") as act:
        row = act.session.get_one(AccountRow, account.id, with_for_update=True)
        row.state = AccountState.DEACTIVATED
        open_ = sa.update(OrderRow).where(OrderRow.account == row.id, OrderRow.state == OrderState.OPEN)
        act.session.execute(open_.values(state=OrderState.INVALID))
        act.session.flush()
        act.session.expunge(row)
    return _shown(asked.urls, row)


def orders(parts: Parts, asked: Asked, id_: str, after: str) -> Answer:
    """The orders of the account (RFC 8555 7.1.2.1), without those that came to nothing; a page and a link to the next."""
    nothing(asked.payload)
    if asked.owner.id != id_:
        raise NoResource
    query = sa.select(OrderRow.id).where(
        OrderRow.account == id_, OrderRow.id > after[:26], OrderRow.state != OrderState.INVALID
    )
    with parts.ctx.store.read() as session:
        found = list(session.scalars(query.order_by(OrderRow.id).limit(_PAGE + 1)))
    page, more = found[:_PAGE], len(found) > _PAGE
    links = (("next", f"{asked.urls.of('account', id_, 'orders')}?cursor={page[-1]}"),) if more else ()
    return Answer({"orders": [asked.urls.of("order", each) for each in page]}, links=links)


def contacts(payload: Mapping[str, Any]) -> list[str]:
    """The contacts in a payload (RFC 8555 7.3); raises Malformed, ForeignContact, BadContact."""
    given = many(payload, "contact", _MOST_CONTACTS)
    for each in given:
        if not isinstance(each, str):
            raise Malformed(field="contact", reason=Text("应为字符串的列表", "it must be a list of strings"))
        if not each.startswith("mailto:"):
            raise ForeignContact(contact=each[:80])
        name, at, domain = each.removeprefix("mailto:").partition("@")
        printable = each.isprintable() and len(each) <= 254 and not set(each) & set(" ,?<>")
        if not (name and at and domain and printable and "@" not in domain):
            raise BadContact(contact=each[:80])
    return given


def _by_thumbprint(parts: Parts, thumbprint: str) -> AccountRow | None:
    with parts.ctx.store.read() as session:
        return session.scalars(sa.select(AccountRow).where(AccountRow.thumbprint == thumbprint)).one_or_none()


def _shown(urls: Urls, row: AccountRow, *, status: int = 200) -> Answer:
    body = {
        "status": row.state,
        "contact": list(row.contact),
        "orders": urls.of("account", row.id, "orders"),
    }
    return Answer(body, status, location=urls.of("account", row.id))
