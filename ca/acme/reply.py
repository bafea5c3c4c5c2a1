"""Answers in full, on the ordinary way and on the quick one: fields, bodies, and problem documents that are ACME's own in every case."""

import json
import logging

from ca.acme.errors import KeyTaken, NotAllowed
from ca.acme.models import AccountRow
from ca.acme.parts import Answer, Parts, Urls, actor_of
from ca.acme.problems import MEDIA_TYPE, problem, retry_after, status_of
from yinxin.act import STRANGER
from yinxin.errors import InternalError, Unavailable, YinxinError
from yinxin.web import Reply

_log = logging.getLogger("yinxin.ca")

_Fields = list[tuple[str, str]]


def replied(parts: Parts, urls: Urls, answer: Answer, *, nonce: bool) -> Reply:
    """An answer that is no refusal."""
    body, fields = answer.body, _Fields()
    if body is not None:
        fields.append(("Content-Type", answer.media_type))
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
    if answer.location is not None:
        fields.append(("Location", answer.location))
    if answer.retry_after is not None:
        fields.append(("Retry-After", str(answer.retry_after)))
    fields += [("Link", f'<{address}>;rel="{relation}"') for relation, address in answer.links]
    return _finished(parts, urls, Reply(answer.status, tuple(fields), body or b""), nonce=nonce)


def refused(
    parts: Parts, urls: Urls, error: YinxinError, *, verb: str, account: AccountRow | None, nonce: bool
) -> Reply:
    """A problem document; the refusal is on the record, within what strangers may write there."""
    if not isinstance(error, Unavailable | InternalError):
        subject = f"acme-account:{account.id}" if account is not None else "acme:stranger"
        actor = actor_of(account) if account is not None else STRANGER
        parts.ctx.rejections.record(actor, verb, subject, error)
    fields: _Fields = [("Content-Type", MEDIA_TYPE)]
    if (seconds := retry_after(error)) is not None:
        fields.append(("Retry-After", str(seconds)))
    if isinstance(error, NotAllowed):
        fields.append(("Allow", "POST"))
    if isinstance(error, KeyTaken) and error.facts.get("holder"):
        fields.append(("Location", urls.of("account", error.facts["holder"])))
    body = json.dumps(problem(error), ensure_ascii=False).encode()
    reply = Reply(status_of(error), tuple(fields), body)
    try:
        return _finished(parts, urls, reply, nonce=nonce)
    except YinxinError:  # without the key centre there are no nonces, but there is still an answer
        return _finished(parts, urls, reply, nonce=False)


def fault(error: Exception, request: str, method: str, path: str) -> InternalError:
    """A fault of ours: to the operator's log, and no word of it outside."""
    _log.exception("request %s: %s %s", request, method, path, exc_info=error)
    return InternalError(request=request)


def _finished(parts: Parts, urls: Urls, reply: Reply, *, nonce: bool) -> Reply:
    """What every answer has: the way to the directory, and after a POST a nonce (RFC 8555 6.5, 7.1)."""
    fields: _Fields = [("Cache-Control", "no-store"), ("Link", f'<{urls.of("directory")}>;rel="index"')]
    if nonce:
        fields.append(("Replay-Nonce", parts.nonces.make()))
    return Reply(reply.status, (*reply.fields, *fields), reply.body)
