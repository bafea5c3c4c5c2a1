"""Messages by a real NATS server that is neither site's: both ways, while it is killed, loses what it held, or holds what nobody sent.

Seen to fail when what lies in the inbox is removed before it is on record, and when a run is put there once and never again.
"""

import io
import shutil
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from authz.directory import DirectoryFile
from exchange.errors import CarrierMisconfigured, CarrierUnreachable
from exchange.models import CourierRow, Direction, MessageRow, ReconciliationRow
from exchange.nats.connection import Connection, Question
from exchange.nats.credentials import answer
from exchange.nats.post import TAKE
from exchange.nats.stream import Inbox
from exchange.service import Exchange
from exchange.settings import NatsSettings
from ops.bench.sites import found_bare
from ops.data import DataDirectory
from ops.demo.found import directory_file
from ops.platform import Platform
from tests.support.nats import NatsServer, nats_server
from tests.support.nats_accounts import Accounts, credentials, stranger
from yinxin.act import SYSTEM
from yinxin.crypto.nkeys import user
from yinxin.exchange import Enclosed
from yinxin.randomness import SystemRandomness
from yinxin.steps import listen

from .sites import ORGANS, Net, Taking, admit, join, letter, settings

pytestmark = pytest.mark.engines("any")


def connected(wanted: NatsSettings) -> Connection:
    return Connection(wanted, SystemRandomness())


class Died(Exception):
    """As if the process had."""


@dataclass
class Post:
    server: NatsServer
    jia: Exchange
    yi: Exchange
    taking: Taking
    heard: Taking

    def travel(self, times: int = 3) -> None:
        for _ in range(times):
            for each in (self.jia, self.yi):
                each.post.work()
                each.delivering.run()

    def rested(self) -> None:
        """What is waited for has been waited for long enough."""
        for each in (self.jia, self.yi):
            with each.store.housekeep() as session:
                session.execute(sa.update(CourierRow).values(due=each.store.clock.now()))

    def states(self, exchange: Exchange, direction: Direction) -> dict[str, int]:
        query = sa.select(MessageRow.state, sa.func.count()).where(MessageRow.direction == direction)
        with exchange.store.read() as session:
            return dict(map(tuple, session.execute(query.group_by(MessageRow.state)).all()))


@pytest.fixture(scope="module")
def post(tmp_path_factory):
    """Two sites that reach each other by the server alone."""
    folder = tmp_path_factory.mktemp("nats")
    with ExitStack() as stack:
        server = stack.enter_context(nats_server(folder / "server"))
        found_bare(folder / "jia.example", "model.example", "city-jia")
        shutil.copytree(folder / "jia.example", folder / "yi.example")
        net, made = Net(), []
        for site in ORGANS:
            more = {
                "exchange.organs": f'["{ORGANS[site]}"]',
                "exchange.url": '""',
                "exchange.nats.url": f'"{server.url}"',
                "exchange.nats.ca_file": f'"{server.certificate}"',
            }
            platform = stack.enter_context(
                Platform.open(DataDirectory(folder / site), settings(site, **more))
            )
            organs = [each for each in directory_file().organs if each.id == "city-yi"]
            organs = tuple(each.model_copy(update={"parent": None}) for each in organs)
            platform.authz.directory.load(SYSTEM, DirectoryFile(organs=organs))
            made.append(join(net, platform))
        jia, yi = made
        admit(jia, yi, carrier="nats")
        admit(yi, jia, carrier="nats")
        yi.applications["test"], jia.applications["test"] = taking, heard = Taking(), Taking()
        yield Post(server, jia, yi, taking, heard)
        for each in made:
            each.post.close()
        assert net.calls == []


def test_both_ways_and_what_is_long_in_pieces(post, tmp_path):
    file = tmp_path / "附件.bin"
    file.write_bytes(bytes(range(256)) * 6_000)  # three pieces
    for number in range(3):
        files = [Enclosed(file.name, "application/octet-stream", file)] if number == 1 else []
        post.jia.sending.send(SYSTEM, letter(number, files=files))
        post.yi.sending.send(SYSTEM, letter(number, sender="city-yi", recipient="city-jia"))
    post.travel()
    assert post.taking.taken == [0, 1, 2]
    assert post.taking.files[1] == [file.read_bytes()]
    assert post.heard.taken == [0, 1, 2]
    assert sorted(post.heard.answers) == [(f"r{number}", None) for number in range(3)]
    for each in (post.jia, post.yi):
        assert post.states(each, Direction.OUT) == {"received": 3}
        assert each.health().ok
        with each.store.read() as session:  # once a day both say how far they have come
            assert session.scalars(sa.select(ReconciliationRow.difference)).all() == [None]
    # nothing is left there
    inbox = post.jia.post._inbox()
    assert inbox.first("jia.example", 1) is inbox.first("yi.example", 1) is None


def test_what_the_other_site_lost_is_put_there_again(post):
    """As its statement said (`test_receiver_restored`); once. Seen to fail while only what waits was put there."""
    post.jia.reconciling.again.lost("yi.example", 0)
    assert post.jia.post.work() > 0
    assert post.jia.post.work() == 0
    post.travel()
    assert post.taking.taken == [0, 1, 2]
    assert post.states(post.jia, Direction.OUT) == {"received": 3}


def test_the_server_is_killed_and_what_it_held_is_lost(post):
    post.server.kill()
    for number in range(10, 13):
        post.jia.sending.send(SYSTEM, letter(number))
    post.travel()
    assert post.jia.courier.couriers.of("yi.example")[TAKE][:2] == (1, CarrierUnreachable.code)
    assert post.jia.health().facts["unreached"] == ["yi.example"]
    assert post.states(post.jia, Direction.OUT)["waiting"] == 3
    post.server.start()
    assert post.jia.post.work() == 0, "it is left alone for a while"
    post.rested()
    # they lie there, acknowledged by the server; then it dies, and its disk with it
    assert post.jia.post.work() == 1
    assert post.jia.post.work() == 0, "what is there is not put there again"
    post.server.kill()
    post.server.lose()
    post.server.start()
    post.travel(1)
    assert post.taking.taken[3:] == []
    post.rested()
    post.yi.post.work()  # has its inbox again
    post.rested()
    post.travel()
    assert post.taking.taken[3:] == [10, 11, 12]
    assert post.states(post.jia, Direction.OUT) == {"received": 6}
    assert post.jia.health().facts["unreached"] == []


def test_a_process_dies_with_what_it_took(post):
    """Nothing leaves the inbox before it is on record here and its receipt is there; what is taken again is the same."""
    taken = len(post.taking.taken)
    for step in ("exchange.receive.1-verified", "exchange.receive.3-kept", "exchange.nats.1-taken"):
        post.jia.sending.send(SYSTEM, letter(20 + taken))
        post.jia.post.work()

        def dies(name: str, at: str = step) -> None:
            if name == at:
                raise Died

        listen(dies)
        try:
            post.yi.post.work()
        finally:
            listen(None)
        assert post.yi.courier.couriers.of("jia.example")[TAKE][0] == 1
        assert post.yi.post._inbox().first("yi.example", 1) is not None
        post.rested()
        post.travel()
        taken += 1
        assert len(post.taking.taken) == taken
    assert post.states(post.jia, Direction.OUT) == {"received": 9}

    # dies with what it put there, and puts it there again
    def puts(name: str) -> None:
        if name == "exchange.nats.2-put":
            raise Died

    post.jia.sending.send(SYSTEM, letter(39))
    listen(puts)
    try:
        assert post.jia.post.work() == 0
    finally:
        listen(None)
    assert post.jia.post.work() == 1
    post.travel()
    assert post.taking.taken[-1] == 39
    taken += 1
    # a receipt that is lost is given again, for the run that is put there again
    post.jia.sending.send(SYSTEM, letter(40))
    post.jia.post.work()
    post.yi.post.work()
    inbox = post.jia.post._inbox()
    inbox.drop("jia.example", inbox.subject("jia.example", "yi.example"), 10**6)
    post.travel()
    assert post.states(post.jia, Direction.OUT)["waiting"] == 1
    post.rested()
    post.travel()
    assert post.states(post.jia, Direction.OUT) == {"received": 11}
    assert post.taking.taken[-1] == 40
    assert len(post.taking.taken) == taken + 1


def test_what_nobody_sent_or_broke_off_keeps_nothing_up(post):
    inbox = post.jia.post._inbox()
    subject = inbox.subject("yi.example", "jia.example")
    with connected(post.jia.settings.nats) as stranger:
        stranger.ask(Question(subject, b"nonsense"))
        stranger.ask(Question(subject, b"x", {"Yinxin-Of": "a", "Yinxin-Number": "2", "Yinxin-Last": "0"}))
        stranger.ask(Question(subject, b"x", {"Yinxin-Of": "b", "Yinxin-Number": "1", "Yinxin-Last": "1"}))
        stranger.ask(Question(subject, b"x", {"Yinxin-Of": "c", "Yinxin-Number": "1", "Yinxin-Last": "0"}))
        stranger.ask(Question(inbox.subject("yi.example", "bo.example"), b"of no peer"))
    post.jia.sending.send(SYSTEM, letter(50))
    post.travel()
    post.rested()
    post.travel()
    assert post.taking.taken[-1] == 50
    assert inbox.first("yi.example", 1, subject) is None


def test_who_may_connect(tmp_path):
    """By password, token and key; whoever may not is told so, and nothing goes over a line in the clear."""
    seed, public = user(SystemRandomness().token(32))
    file = tmp_path / "credentials"
    file.touch(0o600)
    given = {
        "authorization { user: jia, password: geheim }": "jia:geheim\n",
        'authorization { token: "abc123" }': "abc123",
        f"authorization {{ users: [ {{ nkey: {public} }} ] }}": seed,
    }
    for at, (accounts, text) in enumerate(given.items()):
        with nats_server(tmp_path / str(at), accounts) as server:
            named = {"url": server.url, "ca_file": str(server.certificate)}
            file.write_text(text, "ascii")
            with connected(NatsSettings(**named, credentials_file=str(file))) as connection:
                Inbox(NatsSettings(**named), connection).prepare("jia.example")
            file.chmod(0o640)
            with pytest.raises(CarrierMisconfigured, match="0640"):
                connected(NatsSettings(**named, credentials_file=str(file)))
            file.chmod(0o600)
            for other in ("", "jia:falsch", "falsch"):
                file.write_text(other, "ascii")
                with pytest.raises((CarrierUnreachable, CarrierMisconfigured)):
                    connected(NatsSettings(**named, credentials_file=str(file)))
            with pytest.raises(CarrierUnreachable):
                connected(NatsSettings(**named))
            with pytest.raises(CarrierUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
                connected(NatsSettings(url=server.url, credentials_file=str(file)))
    with pytest.raises(ValueError, match="url"):
        NatsSettings(url="nats://127.0.0.1:4222")


def test_a_file_of_nsc(tmp_path):
    """An operator's server that believes JWTs: a user of its account connects by JWT and seed, and may what the manual tells an operator to permit.

    Seen to fail when the nonce is not signed, when the JWT is left out, and when the seed's sort is not looked at.
    """
    accounts, file = Accounts(), tmp_path / "jia.creds"
    file.touch(0o600)
    own = ("STREAM.INFO", "STREAM.CREATE", "STREAM.PURGE", "DIRECT.GET")
    allowed = ["yinxin.*.jia_example", *(f"$JS.API.{each}.yinxin_jia_example" for each in own)]
    jwt, seed = accounts.user(allowed)
    with nats_server(tmp_path / "server", accounts.configuration()) as server:
        named = {"url": server.url, "ca_file": str(server.certificate)}
        wanted = NatsSettings(**named, credentials_file=str(file))

        def refused(text, error, match):
            file.write_text(text, "ascii")
            with pytest.raises(error, match=match):
                connected(wanted)

        # another site's inbox, made by one that may do everything there
        file.write_text(credentials(*accounts.user()), "ascii")
        with connected(wanted) as connection:
            Inbox(wanted, connection).prepare("yi.example")
        file.write_text(credentials(jwt, seed), "ascii")
        with connected(wanted) as connection:
            inbox = Inbox(wanted, connection)
            inbox.prepare("jia.example")
            inbox.put("yi.example", "jia.example", "m1", [b"octets"])
            inbox.put("jia.example", "jia.example", "m2", [b"octets"])
            subject = inbox.subject("jia.example", "jia.example")
            assert inbox.first("jia.example", 1).data == b"octets"
            inbox.drop("jia.example", subject, 1)
            assert inbox.first("jia.example", 1) is None
        for forbidden in (  # in another's name, out of another's inbox
            lambda inbox: inbox.put("yi.example", "bo.example", "m3", [b"octets"]),
            lambda inbox: inbox.first("yi.example", 1),
            lambda inbox: inbox.drop("yi.example", "yinxin.yi_example.jia_example", 1),
        ):
            with connected(wanted) as connection, pytest.raises(CarrierUnreachable, match=r"(?i)permission"):
                forbidden(Inbox(wanted, connection))
        # who is not who the JWT names, whom the account does not vouch for any more, or an account that nobody knows
        others = accounts.user(allowed)
        refused(credentials(jwt, others[1]), CarrierUnreachable, "(?i)authorization")
        refused(credentials(*accounts.user(until=1_700_000_001)), CarrierUnreachable, "(?i)auth")
        refused(credentials(*accounts.user(by=stranger())), CarrierUnreachable, "(?i)authorization")
        refused(seed, CarrierUnreachable, "(?i)authorization")
        refused(credentials(jwt, accounts.account.seed), CarrierMisconfigured, "user")
        refused(credentials(jwt, seed[:-1]), CarrierMisconfigured, "(?i)seed|padding")
        refused(credentials(jwt, seed).partition("***")[0], CarrierMisconfigured, "a JWT without a seed")


def test_a_secret_that_stands_there_by_mistake_is_not_sent(tmp_path):
    """Half of a file of `nsc`, one that is spelt otherwise, an account's own seed. Seen to fail while they were taken for a token."""
    accounts, file = Accounts(), tmp_path / "credentials"
    jwt, seed = accounts.user()
    whole = credentials(jwt, seed)
    file.touch(0o600)
    for text in (
        whole[whole.index("-----BEGIN USER") :],
        whole.replace("BEGIN NATS USER JWT", "BEGIN USER JWT"),
        accounts.account.seed,
    ):
        file.write_text(text, "ascii")
        with pytest.raises(CarrierMisconfigured):
            pytest.fail(str(answer(file, "nonce")))


def test_octets_that_are_no_protocol():
    """A server that talks nonsense is a server that cannot be used."""
    from exchange.nats.connection import _headers, _info, _line

    assert _headers(b"NATS/1.0 503\r\n\r\n") == (503, {})
    assert _headers(b"NATS/1.0\r\nNats-Sequence: 7\r\n\r\n") == (0, {"nats-sequence": "7"})
    for words in ([], [b"1"], [b"subject", b"1"]):
        with pytest.raises(ValueError, match="message"):
            Connection._message(None, words, headed=False)
    for said in (b"", b"INFO {}", b"HTTP/1.1 400\r\n"):
        with pytest.raises((OSError, ValueError)):
            _info(_line(io.BytesIO(said)))
