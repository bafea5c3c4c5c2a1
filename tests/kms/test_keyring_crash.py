"""Processes killed with SIGKILL while a service key is made, rotated, brought in or destroyed: all of it, or nothing.

Seen to fail when: the version is committed apart from its key.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable

import pytest

from kms import KeyCentre
from kms.keyring import Item, ServiceKeyRequest
from kms.keyring.find import find_key
from kms.models import Place
from yinxin.steps import listen

from .conftest import KEEPER, OFFICER, World

pytestmark = pytest.mark.engines("any")
#: the parent has let its token and its connections go before
PROCESSES = multiprocessing.get_context("fork")
NAME = "hrss.records"


def killed(world: World, step: str, act: Callable[[World], object]) -> None:
    """Run `act` in a process that dies by its own hand at `step`; then look with a centre of our own again."""
    url = str(world.store.engine.url)
    world.centre.close()
    world.store.engine.dispose()

    def child() -> None:
        listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        act(World(url, world.root))
        os._exit(3)

    process = PROCESSES.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{step} was not reached"
    world.restarted()


def create(world: World, place: Place = Place.WRAPPED, algorithm: str = "aes-256-gcm") -> None:
    wanted = ServiceKeyRequest(NAME, "o-office", "records", algorithm, place=place)
    world.centre.keyring.create(OFFICER, wanted)


def sealed(centre: KeyCentre) -> str:
    return centre.keyring.use(KEEPER, NAME, "encrypt", Item(data=b"x")).ciphertext


def opens(centre: KeyCentre, *texts: str) -> None:
    for text in texts:
        assert centre.keyring.use(KEEPER, NAME, "decrypt", Item(ciphertext=text)).octets == b"x"


@pytest.mark.parametrize("place", Place)
def test_a_key_is_made_and_rotated_whole_or_not_at_all(world: World, place: Place) -> None:
    killed(world, "kms.create-service-key.1-made", lambda there: create(there, place))
    assert find_key(world.store, NAME) is None
    killed(world, "kms.create-service-key.2-done", lambda there: create(there, place))
    create(world, place)
    assert len(world.events("kms.create-service-key")) == 1
    first = sealed(world.centre)
    killed(world, "kms.rotate-service-key.1-made", lambda there: there.centre.keyring.rotate(OFFICER, NAME))
    assert world.centre.keyring.show(OFFICER, NAME).latest == 1
    opens(world.centre, first, sealed(world.centre))
    killed(world, "kms.rotate-service-key.2-done", lambda there: there.centre.keyring.rotate(OFFICER, NAME))
    assert world.centre.keyring.show(OFFICER, NAME).latest == 2
    assert len(world.events("kms.rotate-service-key")) == 1
    second = sealed(world.centre)
    assert second.startswith(f"yx:v1:{NAME}:2:")
    opens(world.centre, first, second)
