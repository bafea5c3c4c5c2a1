"""Account key rollover (RFC 8555 7.3.5): the old key signs outside, the new one inside."""

import sqlalchemy as sa

from ca.acme.errors import KeyTaken, Malformed
from ca.acme.jws import addressed, key_of, object_of, read, signed_by
from ca.acme.models import AccountRow
from ca.acme.parts import Answer, Asked, Parts, actor_of
from ca.acme.payload import needed
from yinxin.text import Text

CHANGE = "ca.acme-change-key"


def change(parts: Parts, asked: Asked) -> Answer:
    """KeyChange. Raises Malformed, BadKey, BadAlgorithm, NotSigned, KeyTaken."""
    account = asked.owner
    inner = read(dict(needed(asked.payload)))
    if "jwk" not in inner.header or "kid" in inner.header or "nonce" in inner.header:
        reason = Text(
            "内层须有 jwk，且无 kid 和 nonce", "inside there must be jwk, and neither kid nor nonce"
        )
        raise Malformed(field="protected", reason=reason)
    addressed(inner, asked.url)
    key = key_of(inner.header["jwk"])
    signed_by(inner, key)
    said = object_of(inner.payload, "payload")
    if said.get("account") != asked.urls.of("account", account.id):
        raise Malformed(field="account", reason=Text("不是签名的账户", "not the account that signed"))
    if key_of(said.get("oldKey")).members != asked.key.members:
        raise Malformed(field="oldKey", reason=Text("不是账户现有密钥", "not the account's present key"))
    subject = f"acme-account:{account.id}"
    same = sa.update(AccountRow).where(
        AccountRow.id == account.id, AccountRow.thumbprint == asked.key.thumbprint
    )

    def held() -> KeyTaken:
        return KeyTaken(holder=_holder(parts, key.thumbprint))

    with parts.ctx.store.act(actor_of(account), CHANGE, subject, taken=held, key=key.thumbprint) as act:
        act.facts["old_key"] = asked.key.thumbprint
        values = {"jwk": dict(key.members), "thumbprint": key.thumbprint}
        if act.session.execute(same.values(values)).rowcount != 1:  # type: ignore[attr-defined]
            raise Malformed(field="oldKey", reason=Text("密钥已更换", "the key was changed meanwhile"))
    body = {"status": account.state, "contact": list(account.contact)}
    body["orders"] = asked.urls.of("account", account.id, "orders")
    return Answer(body, location=asked.urls.of("account", account.id))


def _holder(parts: Parts, thumbprint: str) -> str | None:
    """The account that has the key."""
    with parts.ctx.store.read() as session:
        return session.scalar(sa.select(AccountRow.id).where(AccountRow.thumbprint == thumbprint))
