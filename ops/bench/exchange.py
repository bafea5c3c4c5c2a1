"""The exchange between sites: messages of 100 kB, and many sites after an outage, beside durable NATS in the same run."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx

from exchange.courier import behind_magic
from exchange.frames import MEDIA_TYPE
from exchange.line import PATH
from exchange.runs import MOST, next_run, waiting
from ops.bench import sites
from ops.bench.measure import Result
from ops.bench.nats import FLIGHT, Nats, nats
from ops.bench.served import Rate, cpu_seconds, free_port
from ops.data import DataDirectory
from ops.platform import Platform
from yinxin.act import SYSTEM
from yinxin.exchange import Enclosed, Outgoing

#: octets of a message, messages of a round, and rounds
SIZE, COUNT, ROUNDS = 100_000, 400, 5
#: who writes at the same time, as many as NATS has publishes in flight
WRITERS = FLIGHT
#: sites that come back, another number by the environment; messages of each, and sites at the same time
SITES, EACH, _AT_ONCE = int(os.environ.get("YINXIN_BENCH_SITES", "150")), 10, 32
NEAR, FAR = ("near.example", "city-jia"), ("far.example", "city-yi")


def exchange_messages() -> Iterator[Result]:
    """From the first octet given to the outbox until the other site's signed receipt is here for the last message."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-bench-")))
        theirs = stack.enter_context(nats(folder))
        port = free_port()
        here = sites.found(folder / "near", *NEAR, "")
        there = sites.found(folder / "far", *FAR, f"https://127.0.0.1:{port}")
        with Platform.open(DataDirectory(folder / "far")) as far:
            sites.admit(far, here, "pull")
        # one token at a time in a process
        near = stack.enter_context(Platform.open(DataDirectory(folder / "near")))
        sites.admit(near, there)
        other = stack.enter_context(sites.served(folder / "far", port))
        sites.until_admitted(near, FAR[0])
        letter = folder / "letter"
        found: dict[str, list[Rate]] = {"ours": [], "NATS": []}
        for round_ in range(ROUNDS + 1):
            letter.write_bytes(os.urandom(SIZE))
            measured = {
                "ours": _ours(near, other, letter, round_),
                "NATS": _theirs(theirs, letter.read_bytes()),
            }
            for name, rate in measured.items() if round_ else ():  # the first one warms
                found[name].append(rate)
    rates = {
        name: Rate(median(each.cpu for each in rounds), median(each.wall for each in rounds))
        for name, rounds in found.items()
    }
    includes = (
        f"{COUNT} messages of {SIZE // 1000} kB a round, {WRITERS} writers. Ours: encrypted to the receiving organ, numbered, chained and on record "
        "at the sender, signed and timestamped in runs, by mutual TLS, verified, stored and on record there, the signed receipt verified "
        f"and on record here; SQLite, synchronous=FULL. NATS: mutual TLS, {FLIGHT} publishes in flight, JetStream with sync_interval always, "
        "taken by a pull consumer that acknowledges each; neither signed nor encrypted for anybody, one server"
    )
    yield Result(
        "exchange-messages",
        rates["ours"].wall,
        "messages per second",
        {"NATS JetStream": rates["NATS"].wall},
        includes,
    )
    yield Result(
        "exchange-messages-cpu",
        rates["ours"].cpu,
        "messages per CPU-second of both ends",
        {"NATS JetStream": rates["NATS"].cpu},
        includes,
    )


def _ours(near: Platform, other: int, letter: Path, round_: int) -> Rate:
    cpu, wall = time.process_time() + cpu_seconds(other), time.monotonic()
    exchange = near.exchange
    peer = exchange.peers.get(FAR[0])

    def write(number: int) -> None:
        file = (Enclosed("letter", "application/octet-stream", letter),)
        reference, about = f"{round_}-{number}", f"document:{number}"
        exchange.sending.send(
            SYSTEM, Outgoing(reference, NEAR[1], FAR[1], "bench", about, "internal", {}, file)
        )

    with ThreadPoolExecutor(WRITERS) as pool:
        written = [pool.submit(write, number) for number in range(COUNT)]
        receipted = 0
        while receipted < COUNT:
            # as the courier does that comes each second under such a load: what has gathered goes as full runs
            with exchange.store.read() as session:
                gathered = waiting(session, peer.site)
            if gathered < MOST and not all(each.done() for each in written):
                time.sleep(0.005)
                continue
            receipted += exchange.courier.push(peer)
        for each in written:
            each.result()
    cpu, wall = time.process_time() + cpu_seconds(other) - cpu, time.monotonic() - wall
    return Rate(COUNT / cpu, COUNT / wall)


def _theirs(server: Nats, data: bytes) -> Rate:
    cpu, wall = time.process_time() + cpu_seconds(server.process), time.monotonic()

    def take() -> None:
        with server.connect() as connection:
            connection.take(COUNT)

    taking = threading.Thread(target=take)
    taking.start()
    with server.connect() as connection:
        connection.publish(COUNT, data)
    taking.join()
    cpu, wall = time.process_time() + cpu_seconds(server.process) - cpu, time.monotonic() - wall
    return Rate(COUNT / cpu, COUNT / wall)


def exchange_reconnect() -> Iterator[Result]:
    """A centre that was down comes back, and every site has a run of messages for it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-bench-")))
        theirs = stack.enter_context(nats(folder))
        port = free_port()
        there = sites.found(folder / "far", *FAR, f"https://127.0.0.1:{port}")
        sites.found_bare(folder / "model", "model.example", NEAR[1])
        waiting = [_waiting(folder, number, there) for number in range(SITES)]
        with Platform.open(DataDirectory(folder / "far")) as far:
            for card, _, _ in waiting:
                sites.admit(far, card, "pull")
            far.exchange.believe()
        url, began = f"https://127.0.0.1:{port}{PATH}/runs", time.monotonic()
        other = stack.enter_context(sites.served(folder / "far", port))
        up = time.monotonic() - began
        cpu, began = cpu_seconds(other), time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda each: _brought(each[1], url, each[2]), waiting))
        wall, cpu = time.monotonic() - began, cpu_seconds(other) - cpu
        began = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda _: _published(theirs), range(SITES)))
        their_wall = time.monotonic() - began
    yield Result(
        "exchange-reconnect",
        SITES / wall,
        f"sites per second: all {SITES} with {EACH} messages each receipted {wall:.1f} s after the centre answers",
        {"NATS JetStream": SITES / their_wall},
        f"{_AT_ONCE} at a time, each by a mutual TLS connection of its own and another certificate. Ours: each site's run verified, stored, "
        f"recorded and receipted by a timestamped signature, one by one; {cpu / SITES * 1000:.0f} ms of the centre's CPU for a site; it was up after "
        f"{up:.1f} s. NATS: as many connections, {EACH} publishes each with sync_interval always, nothing signed",
    )


def _waiting(folder: Path, number: int, there: bytes) -> tuple[bytes, httpx.Client, bytes]:
    """A site with messages for the centre: its card, how it calls the centre, and its run as it travels."""
    site = f"site{number}.example"
    place = folder / site
    sites.like(place, folder / "model", site, NEAR[1])
    with Platform.open(DataDirectory(place)) as platform:
        sites.admit(platform, there)
        exchange = platform.exchange
        for each in range(EACH):
            exchange.sending.send(
                SYSTEM,
                Outgoing(f"{each}", NEAR[1], FAR[1], "bench", f"document:{each}", "internal", {"n": each}),
            )
        run = next_run(exchange.store, exchange.signing, FAR[0])
        if run is None:
            raise AssertionError
        octets = b"".join(behind_magic(run.pieces(exchange.folder, SIZE)))
        found = exchange.publishing.card(), exchange.ctx.http(exchange.peers.get(FAR[0])), octets
    shutil.rmtree(place)
    return found


def _brought(client: httpx.Client, url: str, octets: bytes) -> None:
    answer = client.post(url, content=octets, headers={"Content-Type": "application/octet-stream"})
    if answer.headers.get("Content-Type") != MEDIA_TYPE:
        raise RuntimeError(f"{answer.status_code} {answer.text[:500]}")
    client.close()


def _published(server: Nats) -> None:
    with server.connect() as connection:
        connection.publish(EACH, b"x" * 1000)
