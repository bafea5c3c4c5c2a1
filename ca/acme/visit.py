"""A signed request on the quick way: what it asks, whether it is believed, and what it has come to."""

import re
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace

from ca.acme.change import Change
from ca.acme.finalize import Fitting
from ca.acme.jws import key_of_account, payload_of, signed_by
from ca.acme.models import AccountRow, AccountState
from ca.acme.parts import Answer, Asked, Parts, Urls
from ca.acme.reply import fault, refused, replied
from yinxin.crypto.jose import Jws
from yinxin.errors import YinxinError
from yinxin.store import request_scope
from yinxin.web import Reply, SignedRequest

#: reads and answers, or gives the change that gives the answer, or what fits an order
Handler = Callable[..., Answer | Change | Fitting]


@dataclass(frozen=True, slots=True)
class Way:
    """An address that is answered here: its form, its verb, and what does it."""

    form: re.Pattern[str]
    verb: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Wish:
    """A request whose form is good, and whose nonce is one of ours; not believed yet."""

    request: SignedRequest
    urls: Urls
    way: Way
    arguments: Mapping[str, str]
    jws: Jws
    nonce: str
    account: str

    @property
    def url(self) -> str:
        """The address that was asked."""
        return self.urls.origin + self.request.target


def believed(wish: Wish, account: AccountRow | None) -> Asked | None:
    """The request, if it is the account's own and the account stands; None: it is to be refused in the ordinary way's words."""
    if account is None or account.state != AccountState.VALID:
        return None
    try:
        key = key_of_account(account)
        signed_by(wish.jws, key)
        payload = payload_of(wish.jws)
    except YinxinError:
        return None
    # where it came from counts for new accounts alone, which are made on the ordinary way
    return Asked(wish.urls, wish.url, key, account, payload, source="-")


class Visit:
    """A request that is believed, in surroundings of its own."""

    def __init__(self, wish: Wish, asked: Asked) -> None:
        self.wish = wish
        self.asked = asked
        #: what was done last gave this, or ended in this exception
        self.given: object = None
        with request_scope(wish.request.id) as self._entries:
            self._surroundings = copy_context()

    def take(self, do: Callable[..., object], *arguments: object, **named: object) -> None:
        """Take the next step: a verb, or a part of one."""
        try:
            self.given = self._surroundings.run(do, *arguments, **named)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this request's answer
            self.given = error

    def reply(self, parts: Parts) -> Reply:
        """The answer, or the refusal; what is neither is a fault of ours."""
        if isinstance(self.given, Answer):
            self.take(replied, parts, self.wish.urls, self.given, nonce=True)
        if isinstance(self.given, Reply):
            return replace(self.given, entries=tuple(self._entries))
        error = self.given if isinstance(self.given, Exception) else TypeError("a step that gave no answer")
        reply = self._surroundings.run(self._refused, parts, error)
        return replace(reply, entries=tuple(self._entries))

    def reply_anew(self, parts: Parts) -> Reply:
        """The answer as it is now, to a request that was answered and changes nothing when it is met again."""
        self.take(self.wish.way.handler, parts, self.asked, **self.wish.arguments)
        return self.reply(parts)

    def _refused(self, parts: Parts, error: Exception) -> Reply:
        request, verb = self.wish.request, self.wish.way.verb
        told = error if isinstance(error, YinxinError) else fault(error, request.id, "POST", request.target)
        return refused(parts, self.wish.urls, told, verb=verb, account=self.asked.account, nonce=True)
