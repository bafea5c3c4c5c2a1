"""Carrying an act out under its idempotency key, for the API and for forms alike."""

from collections.abc import Callable

from flask import Response

from yinxin.store import current_entries
from yinxin.text import Text
from yinxin.web._kit import kit, request_id
from yinxin.web.caller import Caller
from yinxin.web.errors import IdempotencyKeyNeeded
from yinxin.web.idempotency import Claim, Hold, Kept, caller_of, fit, holding


def once(
    caller: Caller,
    key: str,
    digest: str,
    carry_out: Callable[[], Response],
    *,
    by_act: bool = False,
    secret: Text | None = None,
) -> Response:
    """What `carry_out` answers, or what it answered before to the same caller, key and content.

    With `by_act` its first recorded act claims the key, else that is done before it begins. With `secret` the answer
    is given once and kept nowhere; the text says what to do when it is lost. Raises IdempotencyKeyNeeded for a key that
    is none, and what `Answers.claim` raises. A refusal gives the key back, unless something was done before it.
    """
    if not fit(key):
        raise IdempotencyKeyNeeded
    claim = Claim(caller_of(caller.actor), key, digest, request_id(), secret)
    answers = kit().answers
    held = answers.look(claim) if by_act else answers.claim(claim) or claim
    if isinstance(held, Kept):
        return Response(held.body, held.status, {**held.headers, "Idempotency-Replayed": "true"})
    try:
        with holding(held):
            response = carry_out()
    except Exception:
        if isinstance(held, Claim) or held.tried:
            answers.release(claim)
        raise
    if isinstance(held, Hold) and held.kept is not None:
        return response
    headers = dict(response.headers)
    if entries := current_entries():
        headers["Audit-Entry"] = ", ".join(
            entries
        )  # the replayed answer names what was recorded the first time
    answers.keep(claim, Kept(response.status_code, headers, response.get_data()))
    return response
