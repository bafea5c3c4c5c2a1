"""Carrying an act out under its idempotency key, for the API and for forms alike."""

from collections.abc import Callable

from flask import Response

from yinxin.store import current_entries
from yinxin.web._kit import kit, request_id
from yinxin.web.caller import Caller
from yinxin.web.errors import IdempotencyKeyNeeded
from yinxin.web.idempotency import Claim, Kept, holding

LONGEST_KEY = 128


def once(caller: Caller, key: str, digest: str, carry_out: Callable[[], Response]) -> Response:
    """What `carry_out` answers, or what it answered before to the same caller, key and content.

    Raises IdempotencyKeyNeeded for a key that is none, and what `Answers.claim` raises. A refusal gives the key back.
    """
    if not (1 <= len(key) <= LONGEST_KEY and all("!" <= character <= "~" for character in key)):
        raise IdempotencyKeyNeeded
    actor = caller.actor
    claim = Claim(f"{actor.kind}:{actor.id}:{actor.post or ''}", key, digest, request_id())
    answers = kit().answers
    kept = answers.claim(claim)
    if kept is not None:
        return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})
    try:
        with holding(claim):
            response = carry_out()
    except Exception:
        answers.release(claim)
        raise
    headers = dict(response.headers)
    if entries := current_entries():
        headers["Audit-Entry"] = ", ".join(
            entries
        )  # the replayed answer names what was recorded the first time
    answers.keep(claim, Kept(response.status_code, headers, response.get_data()))
    return response
