"""Two sites in a process that dies by its own hand at each step of the exchange, and goes on where it was."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.exchange.sites import Net, admit, join, letter, opened, settings
from yinxin.act import SYSTEM
from yinxin.steps import listen

#: messages that are sent
NUMBER = 4


class Kept:
    """An application that writes each message it takes into a file of its number, within the act, as an application's rows are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, message):
        return None

    def take(self, act, message, prepared):
        act.facts["taken"] = message.body["n"]

    def answered(self, act, answer):
        act.facts["answered"] = answer.reference


def work(folder: Path, seen: Path, *, dies: bool) -> None:
    """Send, push, ask back, deliver and reconcile; with `dies`, die at the first step no earlier run died at."""
    died = set(seen.read_text("utf-8").split()) if seen.exists() else set()

    def reached(name: str) -> None:
        if not name.startswith("exchange.") or name in died:
            return
        with seen.open("a", encoding="utf-8") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

    net = Net()
    with ExitStack() as stack:
        jia, yi = (
            join(net, stack.enter_context(opened(folder / site, *settings(site, **more))))
            for site, more in (("jia.example", {}), ("yi.example", {"exchange.url": '""'}))
        )
        jia.applications["test"] = yi.applications["test"] = Kept(folder)
        if not jia.peers.all():
            admit(jia, yi, relation="child", carrier="pull")
        if not yi.peers.all():
            admit(yi, jia, relation="parent")
        listen(reached if dies else None)
        try:
            for number in range(NUMBER):
                jia.sending.send(SYSTEM, letter(number))
                yi.sending.send(SYSTEM, letter(number, sender="city-yi", recipient="city-jia"))
            jia.publishing.run()
            yi.courier.call(yi.peers.get("jia.example"), at_once=True)
            for site in (jia, yi):
                site.delivering.run()
            yi.reconciling.ask(yi.peers.get("jia.example"))
        finally:
            listen(None)


def dying(folder: Path, seen: Path) -> None:
    work(folder, seen, dies=True)
