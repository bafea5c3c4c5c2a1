"""Scopes, the claims behind them, and the words in which a person is asked for them."""

from collections.abc import Mapping
from typing import Any

from authz.directory import Standing
from yinxin.text import Text

#: scope → what a person reads when she is asked for it
SCOPES: Mapping[str, Text] = {
    "openid": Text("您的登录标识", "your identifier here"),
    "profile": Text("您的姓名", "your name"),
    "organ": Text("您所在的机关及其上级", "your organ and those above it"),
    "post": Text("您的岗位和岗位职责", "your post and its roles"),
    "clearance": Text("您的涉密等级", "your clearance"),
    "offline_access": Text("在本次登录期间保持登录", "stay signed in for as long as this session"),
}
#: what a system may be given in its own name (client_credentials) → its role for the policies
SERVICE_SCOPES: Mapping[str, str] = {
    "scim.read": "directory-reader",
    "scim.write": "directory-feeder",
    "scim.clearance": "clearance-reader",
    "kms.use": "key-user",
    "exchange.use": "message-user",
}
#: what such a token is for (RFC 9068 2.2, `aud`): the service behind the first part of its scopes; below the issuer's address
AUDIENCES: Mapping[str, str] = {
    "scim": "/scim/v2",
    "kms": "/api/kms/v1",
    "exchange": "/api/exchange/v1",
}
_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": ("name",),
    "organ": ("organ", "organ_name", "organ_path"),
    "post": ("post", "post_name", "roles"),
    "clearance": ("clearance",),
}
#: every claim that may be told, for discovery
CLAIMS = ("sub", *(name for names in _CLAIMS.values() for name in names))

#: how she proved who she is → authentication context and methods (OIDC Core 2, RFC 8176)
#: `swk`: whether a certificate's key lies in hardware is not known to the verifier, so no more is claimed
ACR: Mapping[str, str] = {
    "signature": "urn:yinxin:acr:certificate",
    "tls": "urn:yinxin:acr:certificate",
    "passkey": "urn:yinxin:acr:passkey",
}
AMR: Mapping[str, tuple[str, ...]] = {
    "signature": ("swk",),
    "tls": ("swk",),
    "passkey": ("swk", "user"),
}


def audience_of(scope: str) -> str:
    """The service that a scope of a system is for, one of `AUDIENCES`."""
    return scope.partition(".")[0]


def claims(scope: str, holder: Standing) -> dict[str, Any]:
    """What `scope` lets a client know of her, besides `sub`."""
    known: dict[str, Any] = {
        "name": holder.person.name,
        "organ": holder.organ.id,
        "organ_name": _words(holder.organ.name),
        "organ_path": list(holder.organ.path),
        "post": holder.post.id,
        "post_name": _words(holder.post.name),
        "roles": sorted(holder.post.roles),
        "clearance": holder.person.clearance,
    }
    told = {name for each in scope.split() for name in _CLAIMS.get(each, ())}
    return {name: value for name, value in known.items() if name in told}


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
