"""ACME on the quick way (`yinxin.web.signed`): signed requests of known accounts, read by the server's own thread, are served in groups.

What a request has to show before it is believed is judged as on the ordinary way (`ca.acme.jws`), of a whole group by one look at
the database. One that is not believed goes the ordinary way, with its nonce unspent. The nonces of those who are believed are
spent together, before anything is done; from there on each is answered here, whatever comes of it, by the verbs and in the words of
the ordinary way. Finalizations have a window of their own: their certificates are issued together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ca.acme import finalize
from ca.acme.errors import BadNonce
from ca.acme.jws import account_id, account_of, by_key, key_of_account, opened, payload_of, signed_by
from ca.acme.models import AccountRow, AccountState
from ca.acme.parts import Answer, Asked, Parts, Urls
from ca.acme.reply import fault, refused, replied
from ca.issue import Asked as Wanted
from ca.issue import Issued
from ca.issue_many import issue_each
from yinxin.crypto.jose import Jws
from yinxin.errors import YinxinError
from yinxin.gather import Window
from yinxin.store import request_scope
from yinxin.web import Brought, Reply, SignedRequest

#: requests that are served together: who comes meanwhile waits for them
MOST = 64
#: octets of a body; a larger one is an order of very many names
_LARGEST = 1 << 16
#: names of ours that are remembered; when there are more it begins anew
_NAMES = 100
_PARAMETER = re.compile(r"<([a-z_]+)>")
_PART = r"([A-Za-z0-9_-]{1,64})"


@dataclass(frozen=True, slots=True)
class _Way:
    """An address that is answered here: its form, its verb, and what does it."""

    form: re.Pattern[str]
    verb: str
    handler: Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request whose form is good, and whose nonce is one of ours; not believed yet."""

    request: SignedRequest
    urls: Urls
    way: _Way
    arguments: Mapping[str, str]
    jws: Jws
    nonce: str
    account: str

    @property
    def url(self) -> str:
        """The address that was asked."""
        return self.urls.origin + self.request.target


class QuickAcme:
    """The quick way (`yinxin.web.signed.SignedFace`) of ACME; one per application."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ways: list[_Way] = []
        self._met: dict[str, Urls] = {}
        self._window: Window[_Wish, Reply] = Window(MOST, self._serve)
        self._finalizing: Window[_Wish, Reply] = Window(MOST, self._finalize)

    def add(self, path: str, verb: str, handler: Callable[..., Answer]) -> None:
        """Answer at this address, too."""
        parts = _PARAMETER.split(path)
        form = "".join(
            f"(?P<{each}>{_PART})" if number % 2 else re.escape(each) for number, each in enumerate(parts)
        )
        self._ways.append(_Way(re.compile(form, re.ASCII), verb, handler))

    def met(self, host: str, urls: Urls) -> None:
        """Remember a name that somebody reached us by over TLS, and what our addresses are there."""
        if host not in self._met:
            if len(self._met) >= _NAMES:
                self._met.clear()
            self._met[host] = urls

    def concerns(self, target: str, length: int) -> bool:
        """See `SignedFace`."""
        return length <= _LARGEST and any(way.form.fullmatch(target) for way in self._ways)

    def wished(self, request: SignedRequest) -> Brought | None:
        """See `SignedFace`."""
        urls = self._met.get(request.host)
        if urls is None or not self._parts.nonces.known:
            return None
        way, arguments = self._way(request.target)
        try:
            jws, nonce = opened(self._parts, urls.origin + request.target, request.body)
            if by_key(jws, "account"):
                return None
            account = account_id(urls, jws.header["kid"])
        except YinxinError:
            return None
        wish = _Wish(request, urls, way, arguments, jws, nonce, account)
        return Brought(self._finalizing if way.verb == finalize.FINALIZE else self._window, wish)

    def _way(self, target: str) -> tuple[_Way, Mapping[str, str]]:
        return next(
            (way, found.groupdict())
            for way in self._ways
            if (found := way.form.fullmatch(target)) is not None
        )

    # --- a group -----------------------------------------------------------------------------------------------

    def _believed(self, group: Sequence[_Wish]) -> list[Asked | None]:
        """Each request that is believed, its nonce spent; None for one that goes the ordinary way, its nonce unspent."""
        nonces = self._parts.nonces
        with self._parts.ctx.store.look() as look:
            seen = nonces.spent(look, [each.nonce for each in group])
            accounts = {each.account: self._account(look, each.account) for each in group}
        believed: list[Asked | None] = []
        fresh: list[str] = []
        for each in group:
            asked = None if each.nonce in seen else _asked(each, accounts[each.account])
            believed.append(asked)
            if asked is not None:
                seen.add(each.nonce)
                fresh.append(each.nonce)
        try:
            if fresh:
                nonces.spend_all(fresh)
        except BadNonce:  # one of them reached another process in this moment: each finds out alone
            return [None] * len(group)
        return believed

    @staticmethod
    def _account(look: Any, id_: str) -> AccountRow | None:
        try:
            return account_of(look, id_)
        except YinxinError:
            return None

    def _serve(self, group: Sequence[_Wish]) -> Sequence[Reply | None]:
        return [
            None if asked is None else self._answered(wish, asked, wish.way.handler)
            for wish, asked in zip(group, self._believed(group), strict=True)
        ]

    def _answered(self, wish: _Wish, asked: Asked, handler: Callable[..., Answer]) -> Reply:
        """What `handler` answers, or the refusal."""
        with request_scope(wish.request.id) as entries:
            try:
                answer = handler(self._parts, asked, **wish.arguments)
                reply = replied(self._parts, wish.urls, answer, nonce=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this request's answer
                reply = self._refused(wish, asked, error)
            return replace(reply, entries=tuple(entries))

    def _refused(self, wish: _Wish, asked: Asked, error: Exception) -> Reply:
        request = wish.request
        told = error if isinstance(error, YinxinError) else fault(error, request.id, "POST", request.target)
        return refused(self._parts, wish.urls, told, verb=wish.way.verb, account=asked.account, nonce=True)

    # --- finalizations -----------------------------------------------------------------------------------------

    def _finalize(self, group: Sequence[_Wish]) -> Sequence[Reply | None]:
        """As `ca.acme.finalize`, but for the third step, which they take together."""
        replies: list[Reply | None] = [None] * len(group)
        wanted: dict[int, tuple[_Wish, Asked, Wanted, list[str]]] = {}
        for place, (wish, asked) in enumerate(zip(group, self._believed(group), strict=True)):
            if asked is None:
                continue
            with request_scope(wish.request.id) as entries:
                try:
                    claimed = finalize.claim(self._parts, asked, **wish.arguments)
                except Exception as error:  # noqa: BLE001 - as where it is answered
                    reply = self._refused(wish, asked, error)
                    replies[place] = replace(reply, entries=tuple(entries))
                else:
                    wanted[place] = wish, asked, claimed, entries
        made = issue_each(self._parts.ctx, [each[2] for each in wanted.values()]) if wanted else []
        for issued, (place, (wish, asked, _, entries)) in zip(made, wanted.items(), strict=True):
            reply = self._answered(wish, asked, partial(_ended, issued))
            replies[place] = replace(reply, entries=(*entries, *reply.entries))
        return replies


def _ended(issued: Issued | Exception, parts: Parts, asked: Asked, id_: str) -> Answer:
    """What is answered to a finalization that ended so."""
    if isinstance(issued, Exception):
        raise finalize.failed(parts, id_, issued) from issued
    return finalize.concluded(parts, asked, id_)


def _asked(wish: _Wish, account: AccountRow | None) -> Asked | None:
    """The request, if it is the account's own and the account stands."""
    if account is None or account.state != AccountState.VALID:
        return None
    try:
        key = key_of_account(account)
        signed_by(wish.jws, key)
        payload = payload_of(wish.jws)
    except YinxinError:
        return None
    return Asked(wish.urls, wish.url, key, account, payload, "-")
