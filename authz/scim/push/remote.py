"""The SCIM service of a receiver, spoken to as a client: what is ours there is found by our own name for it."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
from scim2_models import ScimFilter

from authz.scim.message import MEDIA_TYPE
from authz.scim.push.errors import ReceiverRefused, ReceiverUnreachable
from authz.scim.push.receivers import Receiver
from authz.scim.push.secret import Secrets
from yinxin.text import Text

_ACCEPTED = f"{MEDIA_TYPE}, application/json"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#: octets of an answer
_LONGEST = 1 << 20
#: how long before its end a token is not used any more
_BEFORE = timedelta(seconds=30)
_LONGEST_ID = 200


class Tokens:
    """The tokens that receivers gave, for as long as they are good; in this process's memory alone."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._known: dict[str, tuple[str, datetime]] = {}

    def get(self, receiver: Receiver, http: httpx.Client, now: datetime) -> str:
        """A token for the receiver; raises BadSecretFile, ReceiverUnreachable."""
        secret = self._secrets.read(receiver.secret)
        if receiver.authentication == "token":
            return secret
        token, until = self._known.get(receiver.id, ("", now))
        if now < until - _BEFORE:
            return token
        form = {"grant_type": "client_credentials"} | ({"scope": receiver.scope} if receiver.scope else {})
        pair = f"{quote_plus(receiver.client_id)}:{quote_plus(secret)}"  # RFC 6749 2.3.1
        basic = base64.b64encode(pair.encode()).decode()
        status, body, after = ask(
            receiver, http, "POST", receiver.token_url, {"Authorization": f"Basic {basic}"}, form=form
        )
        given, seconds = body.get("access_token"), body.get("expires_in", 60)
        if status != 200 or not isinstance(given, str) or not given.isascii() or not isinstance(seconds, int):
            error = _unreachable(receiver, Text(f"未取得令牌（{status}）", f"it gave no token ({status})"))
            error.after = after
            raise error
        self._known[receiver.id] = given, now + timedelta(seconds=min(seconds, 3600))
        return given

    def forget(self, receiver: str) -> None:
        """The token was not taken: ask for another the next time."""
        self._known.pop(receiver, None)


class Remote:
    """One receiver in one turn. Raises ReceiverUnreachable for what stops the turn, ReceiverRefused for one thing."""

    def __init__(self, receiver: Receiver, http: httpx.Client, tokens: Tokens, now: datetime) -> None:
        self._receiver = receiver
        self._http = http
        self._tokens = tokens
        self._token = tokens.get(receiver, http, now)
        self._base = receiver.url.rstrip("/")

    def find(self, endpoint: str, external: str) -> str | None:
        """The identifier there of what bears our name; ReceiverRefused when several do."""
        text = quote(f"externalId eq {ScimFilter.quote(external)}")
        status, body = self._ask("GET", f"/{endpoint}?filter={text}&attributes=id,externalId&count=2")
        found = body.get("Resources") or []
        if status != 200 or not isinstance(found, list):
            raise self._wrong(status, body)
        mine = [each for each in found if isinstance(each, dict) and each.get("externalId") == external]
        if len(mine) > 1:
            several = Text(
                f"有多个 externalId 为“{external}”的对象", f"several bear the externalId “{external}”"
            )
            raise ReceiverRefused(receiver=self._receiver.id, reason=several)
        return self._id(mine[0]) if mine else None

    def create(self, endpoint: str, body: Mapping[str, Any]) -> str:
        """Make it there; its identifier there."""
        status, answer = self._ask("POST", f"/{endpoint}", body)
        if status != 201:
            raise self._wrong(status, answer)
        return self._id(answer)

    def replace(self, endpoint: str, id_: str, body: Mapping[str, Any]) -> bool:
        """Make it so there; False when it is not there any more."""
        return self._done(*self._ask("PUT", f"/{endpoint}/{quote(id_, safe='')}", body))

    def deactivate(self, endpoint: str, id_: str) -> bool:
        """The person is in service no more; False when she is not there any more."""
        operation = {"op": "replace", "path": "active", "value": False}
        body = {"schemas": [_PATCH], "Operations": [operation]}
        return self._done(*self._ask("PATCH", f"/{endpoint}/{quote(id_, safe='')}", body))

    def delete(self, endpoint: str, id_: str) -> bool:
        """Take it away there; False when it was not there any more."""
        return self._done(*self._ask("DELETE", f"/{endpoint}/{quote(id_, safe='')}"))

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": _ACCEPTED}
        status, answer, after = ask(self._receiver, self._http, method, self._base + path, headers, body=body)
        if status == 401:
            self._tokens.forget(self._receiver.id)
        if status in (401, 403, 408, 425, 429) or status >= 500 or 300 <= status < 400:
            error = _unreachable(self._receiver, Text(f"状态 {status}", f"status {status}"))
            error.after = after
            raise error
        return status, answer

    def _done(self, status: int, body: dict[str, Any]) -> bool:
        if status == 404:
            return False
        if status not in (200, 204):
            raise self._wrong(status, body)
        return True

    def _id(self, body: Mapping[str, Any]) -> str:
        found = body.get("id")
        if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
            raise _unreachable(self._receiver, Text("应答中没有 id", "its answer has no id"))
        return found

    def _wrong(self, status: int, body: Mapping[str, Any]) -> ReceiverRefused:
        said = f"{body.get('scimType') or ''} {body.get('detail') or ''}".strip()[:200]
        return ReceiverRefused(
            receiver=self._receiver.id, reason=Text(f"状态 {status} {said}", f"status {status} {said}")
        )


def ask(
    receiver: Receiver,
    http: httpx.Client,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    body: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any], int | None]:
    """Status, body as an object, and Retry-After; raises ReceiverUnreachable."""
    sent = dict(headers)
    content = None
    if body is not None:
        sent["Content-Type"], content = MEDIA_TYPE, json.dumps(body, ensure_ascii=False).encode()
    data = dict(form) if form is not None else None
    try:
        with http.stream(method, url, headers=sent, content=content, data=data) as response:
            read = b""
            for part in response.iter_bytes():
                read += part
                if len(read) > _LONGEST:
                    raise _unreachable(receiver, Text("应答过长", "its answer is too long"))
            status, after = response.status_code, response.headers.get("Retry-After", "")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(receiver, type(error).__name__) from error
    return status, _object(receiver, status, read), int(after) if after.isdigit() else None


def _object(receiver: Receiver, status: int, content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    if 200 <= status < 300:
        raise _unreachable(receiver, Text("应答不是 SCIM 消息", "its answer is no SCIM message"))
    return {}


def _unreachable(receiver: Receiver, reason: Text | str) -> ReceiverUnreachable:
    return ReceiverUnreachable(receiver=receiver.id, reason=reason)
