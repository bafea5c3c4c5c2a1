"""Processes of a site that are killed with SIGKILL at a named step."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace

from authz.service import Authz
from authz.settings import AuthzSettings
from tests.authz.conftest import FIXTURES, ORIGIN, Site
from tests.support.sign_on import SoftwareKeys, nobody_to_tell
from yinxin.randomness import SystemRandomness
from yinxin.steps import listen
from yinxin.store import Store, open_engine

#: everything a child needs is in memory already, and nothing here holds a token
PROCESSES = multiprocessing.get_context("fork")


def another(site: Site, url: str) -> Site:
    """The same site as another process sees it: its own connections."""
    store = Store(open_engine(url), clock=site.clock, randomness=SystemRandomness())
    authz = Authz(
        store,
        AuthzSettings(),
        site.ca,
        {"test": FIXTURES},
        origins=(ORIGIN,),
        keys=SoftwareKeys(),
        http=nobody_to_tell,
    )
    return replace(site, authz=authz, store=store)


def killed(site: Site, url: str, step: str, act: Callable[[Site], object]) -> None:
    """Run `act` in a process that dies by its own hand at `step`; this one's connections are let go before."""
    site.store.engine.dispose()

    def child() -> None:
        listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        act(another(site, url))
        os._exit(3)

    process = PROCESSES.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{step} was not reached"
