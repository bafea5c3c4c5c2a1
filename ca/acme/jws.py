"""From an HTTP body to a request that is believed (RFC 8555 6.2 to 6.5): form, address, key, signature, nonce."""

from functools import lru_cache

from ca.acme import look
from ca.acme.errors import (
    AccountEnded,
    BadAlgorithm,
    BadKey,
    Malformed,
    NoAccount,
    NotSigned,
    WrongMediaType,
)
from ca.acme.models import AccountRow, AccountState
from ca.acme.parts import Asked, Parts, Urls
from yinxin.crypto.errors import BadSignature, MalformedJose, MalformedKey, UnsupportedAlgorithm
from yinxin.crypto.jose import ALGORITHMS, Jwk, Jws, read_object
from yinxin.store import Within
from yinxin.text import Text

MEDIA_TYPE = "application/jose+json"


def believed(
    parts: Parts, urls: Urls, url: str, body: bytes, *, media_type: str, source: str, keys: str
) -> Asked:
    """The request in `body`, which was sent to `url`. `keys` says who may sign: `account`, `key` or `either`.

    Raises WrongMediaType, Malformed, BadAlgorithm, BadNonce, BadKey, NoAccount, AccountEnded, NotSigned. The nonce is
    spent last, so that only who holds a key can make us write it down.
    """
    if media_type != MEDIA_TYPE:
        raise WrongMediaType(given=media_type[:60] or "-")
    jws, name = opened(parts, url, body)
    account = None
    if by_key(jws, keys):
        key = key_of(jws.header["jwk"])
    else:
        id_ = account_id(urls, jws.header["kid"])
        with parts.ctx.store.look() as within:
            account = account_of(within, id_)
        key = key_of_account(account)
    signed_by(jws, key)
    parts.nonces.spend(name)
    if account is not None and account.state != AccountState.VALID:
        raise AccountEnded
    return Asked(urls, url, key, account, payload_of(jws), source)


def opened(parts: Parts, url: str, body: bytes) -> tuple[Jws, str]:
    """What was sent to `url`, and its nonce, which is one of ours; nothing in it is believed yet.

    Raises Malformed, BadAlgorithm, BadNonce.
    """
    jws = read(body)
    addressed(jws, url)
    return jws, parts.nonces.check(jws.header.get("nonce"))


def payload_of(jws: Jws) -> dict[str, object] | None:
    """The payload, None where it is empty (RFC 8555 6.3); raises Malformed."""
    return None if jws.payload == b"" else object_of(jws.payload, "payload")


def read(body: bytes | dict[str, object]) -> Jws:
    """The JWS; raises Malformed or BadAlgorithm."""
    try:
        jws = Jws.read(body)
        name = jws.algorithm
    except MalformedJose as error:
        raise Malformed(**error.facts) from error
    if name not in ALGORITHMS:
        raise BadAlgorithm(algorithm=name[:20], known=", ".join(ALGORITHMS))
    return jws


def object_of(data: bytes, field: str) -> dict[str, object]:
    """A JSON object; raises Malformed."""
    try:
        return read_object(data, field)
    except MalformedJose as error:
        raise Malformed(**error.facts) from error


def addressed(jws: Jws, url: str) -> None:
    """Raise Malformed unless the header names the address that was asked (RFC 8555 6.4)."""
    if jws.header.get("url") != url:
        raise Malformed(field="url", reason=Text("不是所请求的地址", "not the address that was asked"))


def by_key(jws: Jws, keys: str) -> bool:
    """Whether the key itself is in the header, and not an account's address; raises Malformed."""
    given = {"jwk", "kid"} & jws.header.keys()
    allowed = {"account": {"kid"}, "key": {"jwk"}}.get(keys, {"jwk", "kid"})
    if len(given) != 1 or not given <= allowed:
        wanted = " / ".join(sorted(allowed))
        raise Malformed(
            field="protected", reason=Text(f"须有且只有 {wanted}", f"it must have {wanted}, and one alone")
        )
    return given == {"jwk"}


def key_of(value: object) -> Jwk:
    """The key in a JSON value; raises BadKey."""
    try:
        return Jwk.read(value)
    except (MalformedJose, MalformedKey, UnsupportedAlgorithm) as error:
        raise BadKey(reason=error) from error


@lru_cache(maxsize=1024)
def _known(members: tuple[tuple[str, object], ...]) -> Jwk:
    """The key of an account, which asks often: from its members it is always the same; raises BadKey."""
    return key_of(dict(members))


def key_of_account(account: AccountRow) -> Jwk:
    """The key that an account's requests are signed with; raises BadKey."""
    return _known(tuple(account.jwk.items()))


def account_id(urls: Urls, kid: object) -> str:
    """The account that an address is of; raises Malformed for an address that is not ours."""
    id_ = urls.id_in(kid, "account") if isinstance(kid, str) else None
    if id_ is None or not id_.isalnum() or not id_.isascii():
        raise Malformed(field="kid", reason=Text("不是本服务的账户地址", "no account address of this server"))
    return id_


def account_of(within: Within, id_: str) -> AccountRow:
    """The account of this identifier; raises NoAccount."""
    row = look.account(within, id_[:26])
    if row is None or row.id != id_:
        raise NoAccount
    return row


def signed_by(jws: Jws, key: Jwk) -> None:
    """Raise NotSigned unless the key made the signature, BadAlgorithm when it cannot have."""
    try:
        jws.verify(key.key)
    except UnsupportedAlgorithm as error:
        raise BadAlgorithm(algorithm=jws.algorithm[:20], known=", ".join(ALGORITHMS)) from error
    except BadSignature as error:
        raise NotSigned from error
