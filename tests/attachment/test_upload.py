"""Files sent in parts: what arrives is what was declared, or nothing stays; nobody reaches what somebody else sent.

Seen to fail when: `_hold` compares no digest; `_mine` does not compare the person; `append` does not look at the offset;
`complete` does not close the file to what still arrives.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import pytest

from tests.attachment.conftest import CLERK, OTHER, PART, PDF, World, wanted
from yinxin.attachment.errors import (
    DigestDiffers,
    FileLarger,
    Incomplete,
    KindNotTaken,
    NameNotTaken,
    NameTaken,
    NoSuchUpload,
    NotWhatItSays,
    PartLarger,
    TooMany,
    TooMuchWaiting,
    UploadBusy,
    WrongOffset,
)
from yinxin.attachment.receive import Receiving
from yinxin.crypto.suite import SM
from yinxin.uploads import UploadIn

pytestmark = pytest.mark.engines("any")
LONG = b"%PDF-1.7\n" + bytes(range(256)) * 700


def zipped(*names: str) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.engines("both")
def test_sent_in_parts_attached_and_there(world: World) -> None:
    sent = world.send(LONG)
    made = world.attach(sent.id)
    assert (made.sha256, made.sm3) == (sha256(LONG).hexdigest(), SM.hash.digest(LONG).hex())
    assert world.path(made).read_bytes() == LONG
    assert world.of() == [made]
    assert [each["verb"] for each in world.records()] == ["attachment.upload", "note.attach"]
    assert world.records()[1]["facts"]["attachment"]["sha256"] == made.sha256


@pytest.mark.engines("both")
def test_the_same_content_is_stored_once_for_two_people(world: World) -> None:
    first, second = world.send(), world.send(actor=OTHER)
    made = [world.attach(first.id), world.attach(second.id, "note:2", OTHER)]
    assert world.path(made[0]) == world.path(made[1])
    assert len(world.files()) == 1


def test_what_broke_off_goes_on_where_it_stopped(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted(LONG))
    world.receiving.write(CLERK, begun.id, 0, BytesIO(LONG[:PART]))
    again = world.receiving.begin(CLERK, wanted(LONG))
    assert (again.id, again.received) == (begun.id, PART)
    with pytest.raises(WrongOffset) as refused:
        world.receiving.write(CLERK, begun.id, 0, BytesIO(LONG[:PART]))
    assert refused.value.facts["received"] == PART
    with pytest.raises(Incomplete):
        world.receiving.complete(CLERK, begun.id)
    assert world.send(LONG).complete


def test_a_part_that_is_too_long_leaves_nothing_behind(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted(LONG))
    with pytest.raises(PartLarger):
        world.receiving.write(CLERK, begun.id, 0, BytesIO(LONG[: PART + 1]))
    assert world.receiving.show(CLERK, begun.id).received == 0
    short = world.receiving.begin(CLERK, wanted(PDF))
    with pytest.raises(PartLarger):
        world.receiving.write(CLERK, short.id, 0, BytesIO(PDF + b"x"))


def test_of_two_parts_at_once_one_waits(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted(LONG))
    outer = world.receiving

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with pytest.raises(UploadBusy):
                outer.write(CLERK, begun.id, 0, BytesIO(LONG[:10]))
            return super().read(size)

    outer.write(CLERK, begun.id, 0, Slow(LONG[:PART]))
    assert outer.show(CLERK, begun.id).received == PART


def test_another_content_than_declared_is_thrown_away_on_record(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted())
    world.receiving.write(CLERK, begun.id, 0, BytesIO(PDF[:-1] + b"!"))
    with pytest.raises(DigestDiffers):
        world.receiving.complete(CLERK, begun.id)
    assert world.files() == []
    assert [(each["outcome"], each["error"]) for each in world.records()] == [
        ("refused", "attachment.digest_differs")
    ]
    with pytest.raises(NoSuchUpload):
        world.receiving.show(CLERK, begun.id)


def test_sm3_is_compared_where_it_was_declared(world: World) -> None:
    declared = wanted().model_copy(update={"sm3": "0" * 64})
    begun = world.receiving.begin(CLERK, declared)
    world.receiving.write(CLERK, begun.id, 0, BytesIO(PDF))
    with pytest.raises(DigestDiffers, match="SM3"):
        world.receiving.complete(CLERK, begun.id)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plan.pdf", b"MZ\x90\x00 a program"),
        ("plan.docx", zipped("xl/workbook.xml")),
        ("plan.ofd", zipped("word/document.xml")),
        ("plan.txt", b"text\0and more"),
        ("plan.txt", b"\xff\xfe\xff"),
        ("plan.png", b"GIF89a"),
        ("plan.mp4", b"ftypisom"),
    ],
)
def test_a_content_of_another_kind_is_refused(world: World, name: str, data: bytes) -> None:
    with pytest.raises(NotWhatItSays):
        world.send(data, name)
    assert world.files() == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plan.docx", zipped("[Content_Types].xml", "word/document.xml")),
        ("plan.OFD", zipped("OFD.xml", "Doc_0/Document.xml")),
        ("说明.txt", "规划说明".encode("gb18030")),
        ("说明.csv", "﻿名称,数量\n".encode()),
        ("plan.mp4", b"\0\0\0\x18ftypisom"),
    ],
)
def test_a_content_of_its_kind_is_taken(world: World, name: str, data: bytes) -> None:
    assert world.send(data, name).complete


@pytest.mark.parametrize("name", ["run.exe", "page.html", "none", ".pdf", "picture.svg"])
def test_other_endings_are_refused_before_anything_is_sent(world: World, name: str) -> None:
    with pytest.raises(KindNotTaken):
        world.receiving.begin(CLERK, wanted(PDF, name))


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.txt", "a\\b.txt", "a\0.txt", "a\nb.txt", "b\u202efdp.txt", "\u2066a.txt", "a" * 200 + ".txt"]
)  # fmt: skip
def test_a_name_that_is_no_plain_name_is_refused(world: World, name: str) -> None:
    """Named so it would be signed as another, saved elsewhere, or stop the database."""
    with pytest.raises(NameNotTaken):
        world.receiving.take(CLERK, name, 4, BytesIO(b"text"))
    assert world.receiving.take(CLERK, "2026年 预算 (稿)—一.txt", 4, BytesIO(b"text")).complete


def test_an_upload_is_its_senders_alone(world: World) -> None:
    """Knowing the digest of a file is no way to it."""
    sent = world.send()
    for reach in (world.receiving.show, world.receiving.complete):
        with pytest.raises(NoSuchUpload):
            reach(OTHER, sent.id)
    with pytest.raises(NoSuchUpload):
        world.attach(sent.id, actor=OTHER)
    begun = world.receiving.begin(OTHER, wanted())
    assert (begun.received, begun.complete) == (0, False)


def test_limits(world: World, tmp_path) -> None:
    small = World(world.url, tmp_path / "attachments", largest=1024, waiting=1024, most=1)
    with pytest.raises(FileLarger):
        small.receiving.begin(CLERK, wanted(b"%PDF-" + b"x" * 1024))
    first = small.send(PDF, "a.pdf")
    with pytest.raises(TooMuchWaiting):
        small.receiving.begin(CLERK, wanted(b"%PDF-" + b"x" * 1000))
    small.attach(first.id)
    with pytest.raises(TooMany):
        small.attach(small.send(PDF, "b.pdf").id)
    small.store.engine.dispose()


@pytest.mark.engines("both")
def test_what_is_begun_at_once_counts_each_other(
    world: World, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail on PostgreSQL without the lock: each saw the room that the other took."""
    small = World(world.url, tmp_path / "small", waiting=1024)
    both = threading.Barrier(2)
    room = Receiving._room

    def slow(*arguments: object) -> None:
        room(*arguments)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)

    monkeypatch.setattr(Receiving, "_room", slow)

    def begin(name: str) -> bool:
        try:
            small.receiving.begin(CLERK, UploadIn(name=name, size=700, sha256="0" * 64))
        except TooMuchWaiting:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(begin, ("a.txt", "b.txt"))) == [False, True]
    small.store.engine.dispose()


def test_two_files_of_one_object_have_two_names(world: World) -> None:
    world.attach(world.send().id)
    with pytest.raises(NameTaken):
        world.attach(world.send(PDF + b"2").id)
    with pytest.raises(NoSuchUpload):
        world.attach(world.of()[0].id)


def test_a_form_sends_a_file_at_once(world: World) -> None:
    taken = world.receiving.take(CLERK, "plan.pdf", len(PDF), BytesIO(PDF))
    assert taken.complete
    assert world.receiving.take(CLERK, "plan.pdf", len(PDF), BytesIO(PDF)).id == taken.id
    assert len(world.files()) == 1
    with pytest.raises(NotWhatItSays):
        world.receiving.take(CLERK, "b.pdf", 3, BytesIO(b"abc"))
    assert len(world.files()) == 1


def test_whoever_still_holds_an_upload_open_cannot_touch_what_was_published(world: World) -> None:
    begun = world.receiving.begin(CLERK, wanted())
    tried: list[object] = []

    class Slow:
        """The whole file, and, when it is in the store, an octet too many: what came is taken back."""

        def __init__(self) -> None:
            self.pieces = [PDF, None, b"x"]

        def read(self, size: int | None = -1) -> bytes:
            piece = self.pieces.pop(0) if self.pieces else b""
            if piece is None:
                try:
                    tried.append(world.receiving.complete(CLERK, begun.id))
                except UploadBusy as error:
                    tried.append(error)
                piece = self.pieces.pop(0)
            return piece

    with pytest.raises(PartLarger):
        world.receiving.write(CLERK, begun.id, 0, Slow())
    assert isinstance(tried[0], UploadBusy)
    world.receiving.write(CLERK, begun.id, 0, BytesIO(PDF))
    done = world.receiving.complete(CLERK, begun.id)
    assert world.path(world.attach(done.id)).read_bytes() == PDF
