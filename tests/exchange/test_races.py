"""Many threads at the same messages at once, on both engines: numbers, chains, receipts and deliveries come out as if one had come after the other."""

import io
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from authz.directory import DirectoryFile
from exchange.check import check
from exchange.confirm import confirm
from exchange.courier import behind_magic, read_receipt, receipt_frames
from exchange.errors import WrongPlace
from exchange.frames import MAGIC
from exchange.header import Header, chained
from exchange.models import AwaitedRow, MessageRow, ReceiptRow
from exchange.receive import Early, Lacking, Receipted
from exchange.runs import Reader, next_run
from exchange.service import Exchange
from ops.bench.sites import found_bare
from ops.data import DataDirectory
from ops.demo.found import directory_file
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.exchange import Enclosed

from .looks import asked
from .sites import ORGANS, Net, Taking, admit, join, letter, settings

pytestmark = pytest.mark.engines("both")
THREADS, NUMBER = 6, 24


@dataclass
class Pair:
    jia: Exchange
    yi: Exchange
    taking: Taking


@pytest.fixture
def pair(database_engine, tmp_path, request):
    """Two sites with one token, each with a database of its own on the engine."""
    folders = [tmp_path / site for site in ("jia.example", "yi.example")]
    urls = ["", ""]
    with ExitStack() as stack:
        if database_engine == "postgresql":
            server = request.getfixturevalue("postgres")
            names = [server.create_database()]
            urls = [server.url(names[0])]
            found_bare(folders[0], "model.example", "city-jia", database=urls[0])
            names.append(server.create_database(names[0]))
            urls.append(server.url(names[1]))
            for name in names:
                stack.callback(server.drop_database, name)
        else:
            found_bare(folders[0], "model.example", "city-jia")
        shutil.copytree(*folders)
        net, made = Net(), []
        for folder, url in zip(folders, urls, strict=True):
            more = {"exchange.inline": "100000"} | ({"database.url": f'"{url}"'} if url else {})
            given = settings(folder.name, **more, **{"exchange.organs": f'["{ORGANS[folder.name]}"]'})
            platform = stack.enter_context(Platform.open(DataDirectory(folder), given))
            organs = [each for each in directory_file().organs if each.id == "city-yi"]
            organs = tuple(each.model_copy(update={"parent": None}) for each in organs)
            platform.authz.directory.load(SYSTEM, DirectoryFile(organs=organs))
            made.append(join(net, platform))
        jia, yi = made
        admit(jia, yi)
        admit(yi, jia)
        taking = Taking()
        jia.applications["test"] = yi.applications["test"] = taking
        yield Pair(jia, yi, taking)


def at_once(task, *given):
    """What `task` gave in so many threads at the same time."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [each.result() for each in [pool.submit(task, *given) for _ in range(THREADS)]]


def test_races(pair, tmp_path):
    """Sent, brought, receipted and delivered by many at once.

    Seen to fail while a part that another had just completed was looked for where it no longer was.
    """
    jia, yi = pair.jia, pair.yi
    there, here = jia.peers.get("yi.example"), yi.peers.get("jia.example")

    # sent by many at once, each reference by two of them
    with ThreadPoolExecutor(THREADS) as pool:
        sent = list(pool.map(lambda each: jia.sending.send(SYSTEM, letter(each // 2)), range(2 * NUMBER)))
    assert sent[::2] == sent[1::2]
    with jia.store.read() as session:
        rows = session.scalars(
            sa.select(MessageRow).where(MessageRow.direction == "out").order_by(MessageRow.seq)
        ).all()
        headers = [Header.decode(row.header) for row in rows]
    assert [each.seq for each in headers] == list(range(1, NUMBER + 1))
    chained(headers)

    # two runs, each brought by many at once, the second beside the first
    file = tmp_path / "large"
    file.write_bytes(bytes(200_000))
    first = next_run(jia.store, jia.signing, there.site)
    jia.sending.send(SYSTEM, letter(NUMBER, files=[Enclosed("附件", "application/octet-stream", file)]))
    second = next_run(jia.store, jia.signing, there.site, first.upto)
    octets = {run: b"".join(behind_magic(run.pieces(jia.folder, 100_000))) for run in (first, second)}

    def brought(run):
        while True:
            with suppress(WrongPlace):  # another is at the same part: come again
                return yi.receiving.receive(here, Reader(io.BytesIO(octets[run])))

    assert all(isinstance(each, Lacking) for each in at_once(brought, second))
    with yi.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AwaitedRow)) == 1
    octets[second] = b"".join(behind_magic(second.pieces(jia.folder, 1 << 40)))
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(brought, [second, first] * THREADS))
    assert {type(each) for each in answers} <= {Early, Receipted}
    receipts = [set(at_once(brought, run)) for run in (first, second)]
    assert [len(each) for each in receipts] == [1, 1]
    assert {each for each in answers if isinstance(each, Receipted)} <= receipts[0] | receipts[1]
    assert yi.reconciling.reach("jia.example")[1].seq == NUMBER + 1

    # the receipt brought by many at once is heard once
    for (receipt,) in receipts:
        given = read_receipt(Reader(io.BytesIO(MAGIC + receipt_frames(receipt))))
        settled = at_once(confirm, jia.ctx, there, given)
        assert sorted(settled, reverse=True)[1:] == [0] * (THREADS - 1)
    assert sorted(pair.taking.answers) == sorted((f"r{n}", None) for n in range(NUMBER + 1))
    with jia.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ReceiptRow)) == 2

    # delivered by many at once, each once and in its order
    assert sum(at_once(yi.delivering.run)) == NUMBER + 1
    order = [Header.decode(row.header).object for row in rows]
    assert [f"document:{n}" for n in pair.taking.taken] == [*order, f"document:{NUMBER}"]

    for each in (jia, yi):
        ca = each.ca
        roots = {chain[-1] for name in ca.authorities() for chain in ca.chains(name)}
        assert check(each.ctx, tuple(roots), SYSTEM).faults == ()
    asked(jia, yi)
