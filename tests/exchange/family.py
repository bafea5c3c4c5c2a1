"""A family of governments: each an installation of its own, with its own authorities, serving in a process of its own.

What stands here runs in forks of tests.support.forked's parent: sites are founded, admitted, served, sent from and looked over there.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

import ops.web  # noqa: F401 - imported before the fork, so that a run costs no start-up
from authz.directory import DirectoryFile
from authz.tenant.admit import Decided
from authz.tenant.admit import admit as admit_tenant
from ca.ceremony import CeremonyPlan, conduct
from exchange.ask import Filter, every_for
from exchange.check import Checked, check
from exchange.errors import UnknownRecipient
from exchange.export import message_parts
from exchange.models import MessageRow
from exchange.service import Exchange
from ops.cli.main import main as yinxin
from ops.data import DataDirectory
from ops.demo.found import directory_file
from ops.init import prepare
from ops.modules import MODULES
from ops.platform import Platform
from ops.schema import upgrade
from ops.server import Server
from tests.exchange.sites import admit_card
from yinxin import files
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.errors import YinxinError
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify
from yinxin.exchange import Enclosed, Outgoing
from yinxin.module import imported
from yinxin.store import open_engine

for _module in MODULES:  # before the fork, too
    for _routes in _module.routes:
        imported(_routes)

KIND = "letter"
#: organs that the miniature province has not
STATE = {
    "id": "state-council",
    "name_zh": "国务院（演示）",
    "name_en": "State Council (stub)",
    "short_name": "国演",
    "level": "province",
    "division": "990000",
    "uscc": "11990000000009005X",
}


@dataclass(frozen=True)
class Government:
    """A site: the organs it receives for, the site above it, and how its parent and it get messages to each other."""

    site: str
    organs: tuple[str, ...]
    parent: str = ""
    carrier: str = "push"
    suite: str = "intl"
    #: of its organs, one that is its tenant
    tenant: str = ""

    @property
    def reached(self) -> bool:
        """Whether others can call it."""
        return self.carrier != "pull"


@dataclass(frozen=True)
class Letter:
    """A message that is to be sent: `n` rises with every letter of its sender."""

    n: int
    sender: str
    recipient: str
    size: int

    @property
    def reference(self) -> str:
        return f"letter-{self.sender}-{self.n}"

    @property
    def content(self) -> bytes:
        """What its file says, which nothing else says."""
        return random.Random(self.reference).randbytes(self.size)


def schema(file: Path) -> None:
    """An empty database with every table, for sites to begin with."""
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()


def found(folder: Path, government: Government, url: str, database: Path) -> None:
    """Found a site: its directory, its own roots of the suites it uses, and its settings; `database` is what `schema` made."""
    organs = {each.id: each.model_dump() for each in directory_file().organs} | {STATE["id"]: STATE}
    rows = [organs[each] | {"parent": None} for each in government.organs[:1]]
    rows += [organs[each] | {"parent": government.organs[0]} for each in government.organs[1:]]
    data = DataDirectory(folder)
    prepare(data, [], 0)
    settings = {
        "site": government.site,
        "organs": list(government.organs),
        "url": url if government.reached else "",
        "suite": government.suite,
        "networks": ["127.0.0.0/8"],
        "every": 1,
        "ask_every": 1,
        "inline": 60_000,
    }
    with data.config.open("a", encoding="utf-8") as file:
        file.write("\n[exchange]\n")
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    shutil.copyfile(database, folder / "yinxin.db")
    with Platform.open(data) as platform:
        platform.authz.directory.load(SYSTEM, DirectoryFile.parse({"organs": rows, **_people(government)}))
        if government.tenant:
            with platform.store.act(SYSTEM, "test.admit", f"organ:{government.tenant}") as act:
                admit_tenant(
                    act.session, government.tenant, "jade", Decided("p1", "system", platform.clock.now())
                )
        plan = CeremonyPlan.model_validate(_ceremony(government))
        conduct(platform.ca.ctx, platform.kms, SYSTEM, plan, data.root)
        keys = "".join(f"{verifier.encode()}\n" for verifier in platform.audit.verifiers.values())
        files.replace(data.path("trust", "log.vkey"), keys.encode())
        files.replace(data.root / "card", platform.exchange.publishing.card())


#: those without whom an organ is no tenant, and who looks at messages: by the end of the post's name, its role
_TOWNSFOLK = {
    "officer": "security-officer",
    "deputy": "security-officer",
    "auditor": "auditor",
    "registrar": "registrar",
}


def _people(government: Government) -> dict[str, list[dict[str, object]]]:
    """An officer of the site, and a tenant's own people; each is called as her post."""
    held = {f"{government.organs[0]}-officer": (government.organs[0], "security-officer")}
    if government.tenant:
        held |= {
            f"{government.tenant}-{name}": (government.tenant, role) for name, role in _TOWNSFOLK.items()
        }
    return {
        "posts": [
            {"id": post, "organ": organ, "name_zh": post, "name_en": post, "roles": [role]}
            for post, (organ, role) in held.items()
        ],
        "people": [{"id": post, "name": post, "clearance": "internal"} for post in held],
        "appointments": [
            {"person": post, "post": post, "valid_from": "2020-01-01T00:00:00+08:00"} for post in held
        ],
    }


def listed_for(exchange: Exchange, post: str, organ: str) -> list[MessageRow]:
    """The messages of the log as somebody of the site sees them."""
    return list(every_for(exchange, Actor(Kind.PERSON, post, post, organ), Filter()))


def _ceremony(government: Government) -> dict[str, object]:
    name = government.site
    suites = ("intl", "sm") if government.suite == "sm" else ("intl",)
    server = {
        "label": "tls-server",
        "profile": "tls-server",
        "common_name": "yinxin.localhost",
        "dns": ["yinxin.localhost"],
        "ip": ["127.0.0.1"],
        "key": "file",
    }
    return {
        "organization": name,
        "hierarchy": [
            {
                "suite": suite,
                "root": {"common_name": f"{name} {suite} root"},
                "issuing": {"common_name": f"{name} {suite} issuing"},
                "service": [
                    {"label": f"{suite}-ocsp", "profile": "ocsp-responder", "common_name": f"{name} status"},
                    {"label": f"{suite}-tsa", "profile": "tsa", "common_name": f"{name} time"},
                    *([server] if suite == "intl" else []),
                ],
            }
            for suite in suites
        ],
    }


def admit(folder: Path, near: Government, far: Government, card: Path) -> None:
    """What several people decided at `near`: `far` is its parent or child."""
    with Platform.open(DataDirectory(folder)) as platform:
        relation = "parent" if near.parent == far.site else "child"
        below = near if relation == "parent" else far
        carrier = "medium" if below.carrier == "medium" else "push" if far.reached else "pull"
        admit_card(platform.exchange, card.read_bytes(), relation=relation, carrier=carrier)


# --- serving ---


class Kept:
    """An application that says in the record of the delivery what it took, so that once and in order can be read there."""

    def prepare(self, message):
        return [sha256(b"".join(message.read(number))).hexdigest() for number in range(len(message.files))]

    def take(self, act, message, prepared):
        act.facts |= {"n": message.body["n"], "from": message.sender, "digests": prepared}

    def answered(self, act, answer):
        act.facts["answered"] = answer.reference


def serve(folder: Path, letters: tuple[Letter, ...]) -> None:
    """`yinxin serve`, with an application for letters, and somebody who sends these."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    log = os.open(folder.with_suffix(".log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    made, began = Exchange.__init__, Server.began

    def with_letters(self, *given, **named):
        made(self, *given, **named)
        self.applications[KIND] = Kept()

    def and_sending(self):
        began(self)
        platform = self._platform
        threading.Thread(target=send, args=(platform.exchange, letters), daemon=True).start()

    Exchange.__init__, Server.began = with_letters, and_sending
    sys.argv = [
        "yinxin",
        "serve",
        "--data",
        str(folder),
        "--set",
        "server.port=0",
        "--set",
        "server.plain_port=0",
    ]
    yinxin()


def send(exchange: Exchange, letters: Iterable[Letter]) -> None:
    """Send them one after the other, each until it is in the outbox; what is there already is not sent again."""
    with TemporaryDirectory() as name:
        file = Path(name, "letter")
        for each in letters:
            file.write_bytes(each.content)
            while not _sent(exchange, each, file):
                time.sleep(0.2)


def _sent(exchange: Exchange, letter: Letter, file: Path) -> bool:
    try:
        exchange.peers.recipient(letter.recipient)
        exchange.sending.send(
            SYSTEM,
            Outgoing(
                letter.reference,
                letter.sender,
                letter.recipient,
                KIND,
                f"document:{letter.n}",
                "internal",
                {"n": letter.n},
                (Enclosed("公文.bin", "application/octet-stream", file),),
            ),
        )
    except UnknownRecipient:  # the directory has not come yet
        return False
    except YinxinError as error:
        print(f"{letter.reference}: {error!r}", flush=True)
        return False
    return True


# --- looking after a site, beside its server ---


def carry(near: Path, far: Path, file: Path, peer: str) -> None:
    """Somebody writes what waits at one site for another, takes it there, and takes it in."""
    with Platform.open(DataDirectory(near)) as platform:
        platform.exchange.carrying.out(platform.exchange.peers.get(peer), file)
    with Platform.open(DataDirectory(far)) as platform, file.open("rb") as stream:
        platform.exchange.carrying.take(stream)


def look_over(folder: Path, answer: Path) -> None:
    """The log and the exchange checked, every peer that can be called reconciled with."""
    with Platform.open(DataDirectory(folder)) as platform:
        exchange = platform.exchange
        platform.audit.sequence()
        platform.audit.checkpoint()
        platform.audit.check()
        differing = {}
        for peer in exchange.peers.standing():
            if peer.url and peer.carrier != "medium":
                differing[peer.site] = exchange.reconciling.ask(peer).difference
        listed = {}
        for tenant in sorted(platform.authz.directory.tenants()):
            own = listed_for(exchange, f"{tenant}-registrar", tenant)
            seen = listed_for(exchange, f"{exchange.own.first}-officer", exchange.own.first)
            listed[tenant] = [
                sum(each.kind == KIND for each in own),
                sum(tenant not in (each.sender, each.recipient) for each in own),
                sum(tenant in (each.sender, each.recipient) for each in seen),
            ]
        said = {
            "listed": listed,
            "faults": [asdict(each) for each in checked(platform).faults],
            "differing": differing,
        }
        answer.write_text(json.dumps(said), "utf-8")


def checked(platform: Platform) -> Checked:
    """What the check of the exchange finds, in nobody's name."""
    ca = platform.ca
    roots = {chain[-1] for name in ca.authorities() for chain in ca.chains(name)}
    return check(platform.exchange.ctx, tuple(roots), SYSTEM)


def proved_all(folder: Path, trusted: list[Path], number: int) -> None:
    """Export every letter that the site sent, and verify it with the roots of all sites."""
    roots = [each for place in trusted for each in Trust.load(place).roots]
    with Platform.open(DataDirectory(folder)) as platform:
        exchange = platform.exchange
        with exchange.store.read() as session:
            query = sa.select(MessageRow).where(MessageRow.direction == "out", MessageRow.kind == KIND)
            rows = session.scalars(query).all()
            session.expunge_all()
        assert len(rows) == number
        for row in rows:
            part = message_parts(exchange, row)
            bundle = part.pack(exchange.signing.sign(part.to_sign()).cms)
            verify(bundle, Trust(tuple(roots), ()), at=platform.clock.now(), held=[])


#: what is flipped together, and as what it is named. A header that cannot be read says nothing of its key and parts, and of a site
#: whose card was changed nothing more is looked at: so these are not flipped at once
_FLIPPED = (
    (
        ("exchange_message", "header", "header"),
        ("exchange_seal", "signature", "signature"),
        ("exchange_receipt", "receipt", "receipt"),
    ),
    (("exchange_message", "key", "key"), ("exchange_receipt", "signature", "receipt"), ("", "", "part")),
    (("exchange_peer", "card", "card"),),
)


def flipped(folder: Path, times: int) -> None:
    """Flip a bit in one of every kind of thing that is stored, and see it named with its site; then in others, so many times."""
    chance = random.Random(str(folder.name))
    with Platform.open(DataDirectory(folder)) as platform:
        assert checked(platform).faults == ()
        connection = sqlite3.connect(folder / "yinxin.db", isolation_level=None, timeout=30)
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'exchange_%'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for _ in range(times):
            for together in _FLIPPED:
                with ExitStack() as undone:
                    wanted = set()
                    for table, column, named in together:
                        if table:
                            wanted.add((named, _flip_row(chance, connection, table, column, undone)))
                        else:
                            _flip_file(chance, platform.exchange.folder.root, undone)
                    found = checked(platform).faults
                    assert wanted <= {(each.what, each.peer) for each in found}, (wanted, found)
                    assert {named for _, _, named in together} <= {each.what for each in found}
            assert checked(platform).faults == ()
        connection.close()


def _flip_row(
    chance: random.Random, connection: sqlite3.Connection, table: str, column: str, undone: ExitStack
) -> str:
    """Flip a bit of a column of any row; the site that the row is about."""
    site = "site" if table == "exchange_peer" else "peer"
    rows = connection.execute(f"SELECT rowid, {site}, {column} FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 - names of our own
    row, peer, octets = chance.choice(rows)
    put = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"  # noqa: S608 - names of our own
    undone.callback(connection.execute, put, (octets, row))
    connection.execute(put, (_bit(chance, octets), row))
    return str(peer)


def _flip_file(chance: random.Random, root: Path, undone: ExitStack) -> None:
    """Flip a bit of any part on disk."""
    path = chance.choice(sorted((*root.glob("parts/*/*"), *root.glob("packs/*/*"))))
    data = path.read_bytes()
    undone.callback(path.write_bytes, data)
    path.write_bytes(_bit(chance, data))


def _bit(chance: random.Random, data: bytes) -> bytes:
    octets = bytearray(data)
    octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return bytes(octets)
