"""The store in the long run: kills at every step, what nothing refers to, and what decayed.

Seen to fail when: a content is entered before its file has its place; `_unused` does not look at uploads; `sweep` takes
files by age alone.
"""

import multiprocessing
import os
import signal
from datetime import timedelta
from io import BytesIO

import pytest

from tests.attachment.conftest import CLERK, PDF, World, wanted
from yinxin.attachment.errors import ContentMissing, NoSuchUpload
from yinxin.steps import listen

pytestmark = pytest.mark.engines("any")
PROCESSES = multiprocessing.get_context("fork")
#: later than every upload's end
LATER = timedelta(hours=25)


def killed(world: World, step: str, act) -> None:
    """Do it in a process that dies by its own hand at `step`."""
    world.store.engine.dispose()

    def child() -> None:
        listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
        again = World(world.url, world.root)
        again.clock.advance(world.clock.now() - again.clock.now())
        act(again)
        os._exit(3)

    process = PROCESSES.Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"{step} was not reached"


def aged(world: World) -> None:
    """Every file as old as its upload would be by then."""
    for each in world.files():
        os.utime(world.root / each, (0, 0))


def test_whenever_it_is_killed_the_same_call_ends_it(world: World) -> None:
    """`attachment.upload.1-checked`, `2-placed`, `3-kept`: nothing referred to is missing, and nothing is kept twice."""
    begun = world.receiving.begin(CLERK, wanted())
    world.receiving.write(CLERK, begun.id, 0, BytesIO(PDF))
    for step, entered in (("1-checked", 0), ("2-placed", 0), ("3-kept", 1)):
        killed(world, f"attachment.upload.{step}", lambda there: there.receiving.complete(CLERK, begun.id))
        assert len(world.records()) == entered
        assert len(world.files()) == 1
    assert world.receiving.complete(CLERK, begun.id).complete
    assert len(world.records()) == 1
    made = world.attach(begun.id)
    assert world.path(made).read_bytes() == PDF


def test_killed_in_the_middle_of_a_part_it_goes_on(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted())

    class Dies(BytesIO):
        def read(self, size=-1):
            return super().read(20) if self.tell() < 40 else os.kill(os.getpid(), signal.SIGKILL)

    world.store.engine.dispose()
    process = PROCESSES.Process(
        target=lambda: World(world.url, world.root).receiving.write(CLERK, begun.id, 0, Dies(PDF))
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    received = world.receiving.show(CLERK, begun.id).received
    assert received < len(PDF)
    assert world.records() == []
    world.receiving.write(CLERK, begun.id, received, BytesIO(PDF[received:]))
    assert world.receiving.complete(CLERK, begun.id).complete


@pytest.mark.engines("both")
def test_what_nothing_refers_to_is_swept_and_nothing_else(world: World) -> None:
    kept = world.attach(world.send().id)
    loose = world.attach(world.send(PDF + b"2", "two.pdf").id)
    waiting = world.send(PDF + b"3", "three.pdf")
    begun = world.receiving.begin(CLERK, wanted(PDF + b"4", "four.pdf"))
    world.receiving.write(CLERK, begun.id, 0, BytesIO(PDF))
    aged(world)
    assert world.attachments.sweep() == 0
    world.detach(loose.id)
    assert world.attachments.sweep() == 1
    world.clock.advance(LATER)
    assert world.attachments.sweep() == 3  # both uploads, and the content that one of them had
    assert world.of() == [kept]
    assert world.path(kept).read_bytes() == PDF
    assert len(world.files()) == 1
    with pytest.raises(NoSuchUpload):
        world.attach(waiting.id)
    assert [each["verb"] for each in world.records()].count("attachment.discard") == 2


def test_killed_while_sweeping_the_next_round_ends_it(world: World) -> None:
    world.detach(world.attach(world.send().id).id)
    killed(world, "attachment.discard.1-recorded", lambda there: there.attachments.sweep())
    assert len(world.files()) == 1
    assert world.attachments.sweep() == 0  # too young: it might be on its way
    world.clock.advance(LATER)
    aged(world)
    assert world.attachments.sweep() == 1
    assert world.files() == []


def test_a_lapsed_upload_is_no_more(world: World) -> None:
    sent = world.send()
    world.clock.advance(LATER)
    with pytest.raises(NoSuchUpload):
        world.attach(sent.id)
    assert world.receiving.begin(CLERK, wanted()).id != sent.id


def test_decay_is_found_and_named(world: World) -> None:
    made = [world.attach(world.send(PDF + bytes([n]), f"{n}.pdf").id) for n in range(4)]
    assert world.attachments.check(CLERK).faults == ()
    paths = [world.path(each) for each in made]
    data = bytearray(paths[0].read_bytes())
    data[50] ^= 1
    paths[0].write_bytes(data)
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    paths[2].unlink()
    found = {(each.what, each.sha256) for each in world.attachments.check(CLERK).faults}
    assert found == {("digest", made[0].sha256), ("size", made[1].sha256), ("missing", made[2].sha256)}
    assert world.records()[-1]["facts"]["faults"]
    for each in made[1:3]:
        with pytest.raises(ContentMissing):
            world.path(each)
