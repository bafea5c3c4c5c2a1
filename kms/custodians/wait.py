"""A start that waits until enough custodians have entered their shares, and what is recorded of it afterwards."""

import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kms.custodians.door import Answer, Door, NotUnderstood, Request, visit
from kms.custodians.errors import AlreadyWaiting, NobodyWaits, Sealed
from kms.custodians.gather import Gathering
from kms.custodians.sealed import SealedSet
from kms.custodians.settings import CustodianSettings
from kms.custodians.source import CustodianSecrets
from yinxin.act import SYSTEM
from yinxin.clock import Clock, rfc3339
from yinxin.store import Store

ENTER, UNSEAL = "kms.enter-share", "kms.unseal"
#: seconds between looks whether the door is free, and whether another process has opened
_LOOK = 1.0
#: looks in vain after which nobody is taken to be there, and after which a process that waited for shares is taken to be gone
_FEW, _LONG = 3, 60


def gather(
    source: CustodianSecrets,
    folder: Path,
    settings: CustodianSettings,
    clock: Clock,
    told: Callable[[Gathering], None],
) -> None:
    """Wait at the door of the data directory `folder` until the secrets are open; `told` after every change.

    Raises NoCustodians, SealedFileAltered, AlreadyWaiting.
    """
    gathering = Gathering(SealedSet.load(source.file), clock, settings.patience)

    def serve(request: Request) -> Answer:
        if request["do"] == "enter":
            custodian = gathering.enter(str(request.get("words", "")))
            told(gathering)
            return {
                "state": "sealed",
                "number": custodian.number,
                "person": custodian.person,
                **gathering.state(),
            }
        if request["do"] == "status":
            return {"state": "sealed", **gathering.state()}
        if request["do"] == "key":
            raise Sealed(entered=len(gathering.state()["entered"]), threshold=gathering.sealed.threshold)
        raise NotUnderstood

    with Door(folder) as door:
        told(gathering)
        while gathering.missing:
            door.answer(serve)
        source.unseal(gathering.key(), gathering)


def attend(source: CustodianSecrets, folder: Path, rest: Callable[[float], object] | None = None) -> None:
    """Stand at the door of an open installation, for ever: its state, and its key for this user's commands.

    Of several processes of an installation one stands there; another takes its place when it is gone, and looks for that
    every second (`rest` waits).
    """
    rest = rest or threading.Event().wait

    def serve(request: Request) -> Answer:
        if request["do"] == "status":
            return {"state": "open", **SealedSet.load(source.file).fields()}
        if request["do"] == "key":
            return {"key": base64.b64encode(source.key()).decode()}
        if request["do"] == "renewed":
            source.unseal(_key(request))
            return {"state": "open"}
        raise NotUnderstood

    while True:
        with suppress(AlreadyWaiting), Door(folder) as door:
            while True:
                door.answer(serve)
        rest(_LOOK)


def opened_elsewhere(
    source: CustodianSecrets, folder: Path, rest: Callable[[float], object] | None = None
) -> bool:
    """Take the key from another process of this installation that has it; one that waits for shares is waited for.

    False when nobody is there, or was and went without opening.
    """
    rest = rest or threading.Event().wait
    absent = (
        _LONG - _FEW
    )  # one that stood at the door may have ended just now, and another is on its way there
    while True:
        try:
            source.unseal(_key(visit(folder, {"do": "key"})))
        except Sealed:
            absent = 0  # from its opening to its standing at the door it is away for a moment
        except NobodyWaits:
            absent += 1
            if absent >= _LONG:
                return False
        else:
            return True
        rest(_LOOK)


def _key(request: Request) -> bytes:
    try:
        return base64.b64decode(request.get("key", ""), validate=True)
    except (TypeError, ValueError) as error:  # binascii.Error is one; so are letters outside ASCII
        raise NotUnderstood from error


def record(store: Store, source: CustodianSecrets) -> None:
    """Enter into the record who opened the installation, once it can be: every share taken or refused, then the opening."""
    gathered, source.gathered = source.gathered, None
    if gathered is None:
        return
    subject = f"custodians:{gathered.sealed.set}"
    for each in gathered.tried:
        if each.refused is not None:
            store.refuse(SYSTEM, ENTER, subject, each.refused)
        elif each.custodian is not None:
            who = each.custodian
            with store.act(SYSTEM, ENTER, subject, share=who.number, person=who.person, at=rfc3339(each.at)):
                pass
    with store.act(SYSTEM, UNSEAL, subject, passed_over=gathered.passed_over):
        pass
