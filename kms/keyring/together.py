"""Uses of service keys that meet in one process, done together: what each rests on is kept, and one transaction records them all.

A use that was permitted once is not judged anew while nothing of what the permission rests on has changed: session or token,
certificate, appointments, grants, policies, and the key itself (`yinxin.premise`). That is asked before the key is used, and
once more in the transaction that writes the use down. Whatever has changed, fails or is out of the ordinary is left to
`Keyring.use`, which judges from the ground, says what is wrong and records it; so nothing here refuses anybody.

A key is opened once for those who meet, for the moment of their use. What was done under one permission – one caller, one key,
one way of using it – is one record, which lists the requests; what was done under another is another record.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from kms.keyring.find import KeyUnchanged
from kms.keyring.key import ServiceKey, Version
from kms.keyring.secret import Hand, Keys
from kms.keyring.use import USES, Item, Result, Use, count, facts_of, permit, still
from yinxin.act import Recurring
from yinxin.authz import Decider
from yinxin.errors import YinxinError
from yinxin.gather import Window
from yinxin.premise import Asked, Judging, Outdated, Premise
from yinxin.store import Store
from yinxin.store import Together as Several
from yinxin.web.caller import Known

_log = logging.getLogger("yinxin.kms")

#: uses that share a transaction
MOST = 64
#: permissions kept of one caller
_KEEP = 256


@dataclass(frozen=True, slots=True)
class Permitted:
    """One caller's way of using one key, what its records have in common, and what it rests on that she may."""

    key: ServiceKey
    use: Use
    common: Recurring
    premises: tuple[Premise, ...]
    #: the key's versions, as they were read while it was what it is: public halves and ciphertexts, no secret. One that was
    #: rewrapped since opens as long as its wrapping key is there, and afterwards fails, and is read anew on the ordinary way
    versions: dict[int, Version] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What a use gave, and its record."""

    result: Result
    entry: str


@dataclass(slots=True)
class Wish:
    """One use that somebody was permitted, as of which request, and what it gave."""

    permitted: Permitted
    item: Item
    request: str
    result: Result | None = field(default=None, repr=False)


class Together:
    """The uses of one process, shared by its threads. Those that wait for the disk go apart from those that do not."""

    def __init__(self, store: Store, decider: Decider, keys: Keys, most_sealed: int) -> None:
        self._store = store
        self._decider = decider
        self._keys = keys
        self._most_sealed = most_sealed
        self.windows: Mapping[bool, Window[Wish, Done]] = {
            lasting: Window(MOST, partial(self._serve, lasting=lasting)) for lasting in (True, False)
        }

    def use(self, known: Known, name: str, operation: str, item: Item, request: str) -> Done | None:
        """The use, recorded as of `request`; None where it has to go the ordinary way."""
        if (permitted := self._permitted(known, name, operation)) is None:
            return None
        done = self.windows[permitted.use.lasting].join(Wish(permitted, item, request))
        if done is None:
            known.kept.pop((name, operation), None)
        return done

    def wish(self, known: Known, name: str, operation: str, item: Item, request: str) -> Wish | None:
        """The use, to be brought to its window; None where the caller's permission is not known, or not any more.

        Nothing is asked of the database.
        """
        permitted: Permitted | None = known.kept.get((name, operation))
        return None if permitted is None else Wish(permitted, item, request)

    def _permitted(self, known: Known, name: str, operation: str) -> Permitted | None:
        kept: Permitted | None = known.kept.get((name, operation))
        if kept is None and isinstance(self._decider, Judging):
            try:
                kept = self._judged(self._decider, known, name, USES[operation])
            except (YinxinError, Outdated):
                return None
            if len(known.kept) >= _KEEP:
                known.kept.clear()
            known.kept[name, operation] = kept
        return kept

    def _judged(self, decider: Judging, known: Known, name: str, use: Use) -> Permitted:
        """Raise what is wrong, unrecorded: the ordinary way comes to the same, and records it."""
        unchanged = KeyUnchanged.now(self._store, name)
        key, actor = unchanged.key, known.caller.actor
        decision, premises = decider.judged(actor, use.verb, key.resource)
        if not decision.allowed:
            raise Outdated
        permit(key, use)
        common = Recurring(actor, use.verb, f"service-key:{key.name}", decision.record())
        return Permitted(key, use, common, (*known.premises, *premises, unchanged))

    def _serve(self, group: Sequence[Wish], *, lasting: bool) -> Sequence[Done | None]:
        """Each one's answer; None for all when the whole fails, so that each finds its own reason."""
        try:
            self._run(group)
            return list(self._recorded(group, lasting=lasting))
        except YinxinError:
            return [None] * len(group)
        except Exception:  # noqa: BLE001 - whatever it was, each finds its own reason
            _log.exception("%d uses of keys failed together and go alone", len(group))
            return [None] * len(group)

    def _run(self, group: Sequence[Wish]) -> None:
        """Use the keys for everybody who may at this moment."""
        with self._store.look() as look:
            holding = _holding(group, Asked(look, self._store.clock.now()))
        with ExitStack() as stack:
            hands: dict[str, Hand] = {}
            for wish in holding:
                key = wish.permitted.key
                if key.id not in hands:
                    hands[key.id] = Hand(self._store, self._keys, key, wish.permitted.versions)
                    stack.callback(hands[key.id].close)
                try:
                    wish.result = wish.permitted.use.run(hands[key.id], wish.item)
                except YinxinError:
                    wish.result = None

    def _recorded(self, group: Sequence[Wish], *, lasting: bool) -> Iterator[Done | None]:
        """Write down what was made by those who still may, and only then give it out."""
        made = [each for each in group if each.result is not None]
        told: dict[int, Done] = {}
        if made:
            with self._store.together(lasting=lasting) as several:
                # rows are locked in one order everywhere: groups of two processes never wait for each other
                used = {each.permitted.key.id: each.permitted.key for each in made}
                for key_id in sorted(used):
                    still(several.connection, used[key_id])
                holding = _holding(made, Asked(several.connection, self._store.clock.now()))
                sealed: Counter[tuple[str, int]] = Counter()
                keys: dict[str, ServiceKey] = {}
                alike: dict[int, list[tuple[Wish, Result]]] = {}
                for wish in holding:
                    result, permitted = wish.result, wish.permitted
                    if result is None:
                        continue
                    alike.setdefault(id(permitted), []).append((wish, result))
                    sealed[permitted.key.id, result.version] += result.sealed
                    keys[permitted.key.id] = permitted.key
                for share in alike.values():
                    entry = self._store.identifier()
                    _record(several, entry, share)
                    told |= {id(wish): Done(result, entry) for wish, result in share}
                for (key_id, version), number in sorted(sealed.items()):
                    count(several.connection, keys[key_id], version, number, self._most_sealed)
        for wish in group:
            yield told.get(id(wish))


def _record(several: Several, entry: str, share: Sequence[tuple[Wish, Result]]) -> None:
    """One record of what was done under one permission: as of its request, or, of several, with what was done for each."""
    common, results = share[0][0].permitted.common, [result for _, result in share]
    if len(share) == 1:
        several.add(common, entry, share[0][0].request, **facts_of(results))
    else:
        several.add(common, entry, None, **facts_of(results, [wish.request for wish, _ in share]))


def _holding(group: Sequence[Wish], asked: Asked) -> list[Wish]:
    """Those whose permission still rests on what it rested on; each permission is asked once."""
    held: dict[int, bool] = {}
    for wish in group:
        permitted = wish.permitted
        if id(permitted) not in held:
            held[id(permitted)] = _holds(asked, permitted)
    return [each for each in group if held[id(each.permitted)]]


def _holds(asked: Asked, permitted: Permitted) -> bool:
    try:
        asked.hold(permitted.premises)
    except Outdated:
        return False
    return True
