"""ACME on the quick way (`yinxin.web.signed`): signed requests of known accounts, read by the server's own thread, are served in groups.

What a request has to show before it is believed is judged as on the ordinary way (`ca.acme.jws`), of a whole group by one look at
the database. One that is not believed goes the ordinary way, with its nonce unspent. The nonces of those who are believed are
spent together, before anything is done; from there on each is answered here, whatever comes of it, by the verbs and in the words of
the ordinary way. What they change is one transaction; what they finalize is issued together.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ca.acme import finalize
from ca.acme.change import Change, made
from ca.acme.errors import BadNonce
from ca.acme.jws import account_id, account_of, by_key, opened
from ca.acme.models import AccountRow
from ca.acme.parts import Answer, Asked, Parts, Urls
from ca.acme.visit import Handler, Visit, Way, Wish, believed
from ca.issue import Asked as Wanted
from ca.issue_many import issue_each
from yinxin.errors import YinxinError
from yinxin.gather import Window
from yinxin.web import Brought, Held, Reply, SignedRequest

#: requests that are served together: who comes meanwhile waits for them, the security module included
MOST = 32
#: octets of a body; a larger one is an order of very many names
_LARGEST = 1 << 16
#: and of one whose answer may be kept back, with all that it brought
_SHORT = 1 << 12
#: names of ours that are remembered; when there are more it begins anew
_NAMES = 100
_PARAMETER = re.compile(r"<([a-z_]+)>")
_PART = r"([A-Za-z0-9_-]{1,64})"


class QuickAcme:
    """The quick way (`yinxin.web.signed.SignedFace`) of ACME; one per application."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ways: list[Way] = []
        self._met: dict[str, Urls] = {}
        self._window: Window[Wish, Reply | Held] = Window(MOST, self._serve)

    def add(self, path: str, verb: str, handler: Handler) -> None:
        """Answer at this address, too."""
        parts = _PARAMETER.split(path)
        form = "".join(
            f"(?P<{each}>{_PART})" if number % 2 else re.escape(each) for number, each in enumerate(parts)
        )
        self._ways.append(Way(re.compile(form, re.ASCII), verb, handler))

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
        wish = Wish(request, urls, way, arguments, jws, nonce, account)
        return Brought(self._window, wish)

    def _way(self, target: str) -> tuple[Way, Mapping[str, str]]:
        return next(
            (way, found.groupdict())
            for way in self._ways
            if (found := way.form.fullmatch(target)) is not None
        )

    # --- a group -----------------------------------------------------------------------------------------------

    def _believed(self, group: Sequence[Wish]) -> list[Asked | None]:
        """Each request that is believed, its nonce spent; None for one that goes the ordinary way, its nonce unspent."""
        nonces = self._parts.nonces
        with self._parts.ctx.store.look() as look:
            seen = nonces.spent(look, [each.nonce for each in group])
            accounts = {each.account: self._account(look, each.account) for each in group}
        found: list[Asked | None] = []
        fresh: list[str] = []
        for each in group:
            asked = None if each.nonce in seen else believed(each, accounts[each.account])
            found.append(asked)
            if asked is not None:
                seen.add(each.nonce)
                fresh.append(each.nonce)
        try:
            if fresh:
                nonces.spend_all(fresh)
        except BadNonce:  # one of them reached another process in this moment: each finds out alone
            return [None] * len(group)
        return found

    @staticmethod
    def _account(look: Any, id_: str) -> AccountRow | None:
        try:
            return account_of(look, id_)
        except YinxinError:
            return None

    def _serve(self, group: Sequence[Wish]) -> Sequence[Reply | Held | None]:
        visits, parts = self._visits(group), self._parts
        # what is asked is looked up and found good; what only reads is answered by that
        for visit in visits:
            visit.take(visit.wish.way.handler, parts, visit.asked, **visit.wish.arguments)
        # what changes something is changed together, the claims of finalizations with it
        fitting = {visit: visit.given for visit in visits if isinstance(visit.given, finalize.Fitting)}
        changes = {visit: visit.given for visit in visits if isinstance(visit.given, Change)}
        self._make(changes | {visit: each.claim for visit, each in fitting.items()})
        for visit, each in fitting.items():
            if visit.given is None:
                visit.take(each.claimed, parts)
        # what was claimed is issued together
        wanted = {visit: visit.given for visit in visits if isinstance(visit.given, Wanted)}
        made = issue_each(parts.ctx, list(wanted.values())) if wanted else []
        for visit, issued in zip(wanted, made, strict=True):
            visit.take(finalize.ended, parts, visit.asked, issued, **visit.wish.arguments)
        told = {visit.wish.request.id: self._told(visit) for visit in visits}
        return [told.get(wish.request.id) for wish in group]

    def _told(self, visit: Visit) -> Reply | Held:
        """The answer; where it says that a challenge is being tried, kept back for a moment until it was."""
        parts, given = self._parts, visit.given
        if isinstance(given, Answer) and given.awaits and len(visit.wish.request.body) <= _SHORT:
            held = parts.trials.hold(given.awaits, partial(visit.reply_anew, parts))
            if held is not None:
                return held
        return visit.reply(parts)

    def _visits(self, group: Sequence[Wish]) -> list[Visit]:
        """Those who are believed."""
        pairs = zip(group, self._believed(group), strict=True)
        return [Visit(wish, asked) for wish, asked in pairs if asked is not None]

    def _make(self, changes: Mapping[Visit, Change]) -> None:
        """Make the changes; what each gave, or was refused with, is what its request has come to."""
        for visit, given in zip(changes, made(self._parts.ctx.store, list(changes.values())), strict=True):
            visit.given = given
