"""Receivers are kept at what they may know: another site of ours as receiver, and one that fails in every way."""

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import ValidationError

from authz.change import AlterPerson, Appoint, EndAppointment, FoundPost, Register, Reinstate, Retire
from authz.change.people import NewAppointment
from authz.cli import group
from authz.directory.file import PersonEntry, PostEntry
from authz.models import PersonRow
from authz.scim.push import api
from authz.scim.push.errors import BadReceiver, BadSecretFile, ReceiverTaken, UnknownReceiver
from authz.scim.push.models import DeliveryRow, SentRow
from authz.scim.push.receivers import Receiver
from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.authz import Denied
from yinxin.client import in_process
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.steps import listen
from yinxin.store import OutboxRow, Store, open_engine

from .conftest import NOW, made_site
from .scimming import OFFICER, OURS, Scimming

pytestmark = pytest.mark.engines("any")
OTHER = "https://other.example.gov.cn"


class Post:
    """The way between the two sites: everything that is sent, and faults to be had on the way."""

    def __init__(self, app):
        self._app = in_process(app)
        self.sent = []
        self.fault = None

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._carry))

    def _carry(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        self.sent.append((request.method, request.url.path, body))
        if self.fault is not None:
            answer = self.fault(request)
            if answer is not None:
                return answer
        url = request.url.copy_with(host="trust.example.gov.cn")
        headers = [(k, v) for k, v in request.headers.items() if k.lower() != "host"]
        return self._app.handle_request(httpx.Request(request.method, url, headers=headers, content=body))

    def writes(self):
        return [(method, path) for method, path, _ in self.sent if method != "GET" and "/oidc/" not in path]


class Two:
    """A site that tells, and another that is told: county-b of the other takes what county-a of this one has."""

    def __init__(self, folder: Path, here: str):
        self.clock = ManualClock(NOW)
        self.engines, self.stores = [], []
        for url in (here, f"sqlite:///{folder / 'there.sqlite'}"):
            engine = open_engine(url)
            create_tables(engine)
            self.engines.append(engine)
            self.stores.append(Store(engine, clock=self.clock, randomness=SystemRandomness()))
        self.here = Scimming(made_site(self.stores[0], self.clock), OFFICER)
        self.there = Scimming(made_site(self.stores[1], self.clock), OFFICER)
        (folder / "secrets").mkdir()
        self.secret = folder / "secrets" / "mail_feeder"
        self.write(self.there.register("feeder", "county-b"))
        self.here.register("mail", "county-a", ("scim.read",))
        self.post = Post(self.there.app)
        authz = self.here.site.authz
        authz._push_http = self.post.client
        scim = authz._settings.scim.model_copy(update={"secrets": str(folder / "secrets")})
        authz._settings = authz._settings.model_copy(update={"scim": scim})
        self.receiver = self.wanted()

    def write(self, text: str, mode: int = 0o600) -> None:
        self.secret.write_text(text + "\n")
        self.secret.chmod(mode)

    def wanted(self, **more) -> Receiver:
        return Receiver(
            **{
                "id": "other-site",
                "client": "mail",
                "url": f"{OTHER}/scim/v2",
                "authentication": "client_credentials",
                "token_url": f"{OTHER}/oidc/token",
                "client_id": "feeder",
                "secret": "mail_feeder",
            }
            | more
        )

    @property
    def authz(self):
        return self.here.site.authz

    def tend(self, seconds: int = 15):
        self.clock.advance(timedelta(seconds=seconds))
        [told] = self.authz.scim_push.tend()
        return told

    def people_there(self) -> dict[str, bool]:
        with self.stores[1].read() as session:
            entered = session.scalars(sa.select(PersonRow).where(PersonRow.entered_by == "county-b"))
            return {each.id: each.retired is None for each in entered}

    def row(self, table, key):
        with self.stores[0].read() as session:
            found = session.get(table, key)
            session.expunge_all()
            return found

    def entries(self, store: int = 0):
        with self.stores[store].read() as session:
            return [
                json.loads(each.data)
                for each in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number))
            ]


@pytest.fixture
def two(tmp_path, database_url):
    made = Two(tmp_path, database_url)
    for person, name in (("chen", "陈晨"), ("zhou", "周周")):
        made.here.site.make(Register(person=PersonEntry(id=person, name=name), organ="county-a"))
    yield made
    listen(None)
    for engine in made.engines:
        engine.dispose()


@pytest.fixture
def told(two):
    """The receiver is registered and knows everything."""
    two.authz.scim_receivers.register(OFFICER, two.receiver)
    two.tend()
    two.post.sent.clear()
    return two


@pytest.mark.engines("both")
def test_a_site_of_ours_is_kept_at_what_another_one_has(two):
    two.authz.scim_receivers.register(OFFICER, two.receiver)
    first = two.tend()
    assert (first.failure, first.complete) == (None, True)
    # zhang and wang are people there already: their names are taken, and nobody's account is taken over
    assert (first.made, first.refused) == (4, 2)
    assert two.people_there() == {"chen": True, "zhou": True}
    assert "409" in two.row(SentRow, ("other-site", "user", "zhang")).failure
    with two.stores[1].read() as session:
        assert session.get(PersonRow, "zhang").entered_by is None
    assert two.post.writes() == [
        ("POST", "/scim/v2/Users"),
        ("POST", "/scim/v2/Users"),
        ("POST", "/scim/v2/Users"),
        ("POST", "/scim/v2/Users"),
        ("POST", "/scim/v2/Groups"),
        ("POST", "/scim/v2/Groups"),
    ]
    entry = two.entries()[-1]
    assert (entry["verb"], entry["subject"], entry["facts"]["made"]) == (
        "authz.scim-push",
        "receiver:other-site",
        4,
    )
    assert "陈晨" not in str(two.entries())
    two.post.sent.clear()
    assert two.tend().made == 0
    assert two.post.sent == [], "nothing is said twice"


@pytest.mark.engines("both")
def test_what_changes_here_changes_there(told):
    site = told.here.site
    site.make(AlterPerson(person="chen", name="陈曦"))
    site.make(Appoint(appointment=NewAppointment(person="chen", post="clerk-a")))
    turn = told.tend()
    assert (turn.changed, turn.made) == (2, 0)
    with told.stores[1].read() as session:
        assert session.get(PersonRow, "chen").name == "陈曦"
    system = told.there.system("looker", "county-b", "scim.read")
    [group] = system.ask("POST", "/Groups/.search", {"filter": "members pr"}).json()["Resources"]
    assert [each["value"] for each in group["members"]] == ["chen"]
    assert group["displayName"] == "经办岗"
    told.clock.advance(timedelta(minutes=1))
    site.make(EndAppointment(person="chen", post="clerk-a"))
    told.tend()
    assert system.ids("Groups", "members pr") == []
    told.clock.advance(timedelta(minutes=1))
    site.make(Retire(person="chen"))
    gone = told.tend()
    assert gone.left == 1
    assert told.people_there() == {"chen": False, "zhou": True}
    told.clock.advance(timedelta(minutes=1))
    site.make(Reinstate(person="chen"))
    assert told.tend().changed == 1
    assert told.people_there()["chen"]


def test_an_end_that_comes_by_itself_is_told_when_it_comes(told):
    site = told.here.site
    until = told.clock.now() + timedelta(hours=1)
    site.make(Appoint(appointment=NewAppointment(person="zhou", post="seal-a", valid_to=until)))
    told.tend()
    held = told.there.system("looker", "county-b", "scim.read")
    assert len(held.ids("Groups", 'members eq "zhou"')) == 1
    told.clock.advance(timedelta(minutes=59, seconds=50))
    told.tend()
    held = told.there.system("looker2", "county-b", "scim.read")
    assert held.ids("Groups", 'members eq "zhou"') == []


def test_only_the_granted_part_and_the_granted_attributes_leave(told):
    site = told.here.site
    site.make(FoundPost(post=PostEntry(id="clerk-b", organ="county-b", name_zh="乙岗", name_en="B")))
    site.make(Register(person=PersonEntry(id="bing", name="丙"), organ="county-b"))
    site.make(Register(person=PersonEntry(id="shui", name="水", clearance="secret"), organ="town"))
    told.tend()
    sent = b"".join(body for _, _, body in told.post.sent).decode()
    assert "shui" in sent
    for never in ("bing", "乙岗", "secret", "clearance", OURS, "leader-city", "security-officer"):
        assert never not in sent, never
    moved = (FoundPost(post=PostEntry(id="clerk-b2", organ="county-b", name_zh="丁", name_en="D")),)
    for each in (*moved, Appoint(appointment=NewAppointment(person="shui", post="clerk-b2"))):
        site.make(each)
    turn = told.tend()
    assert turn.left == 1, "who went to another county is in service there no more"
    assert told.people_there()["shui"] is False


def test_an_import_of_the_past_is_told_in_its_turn(told):
    """Rows loaded from a file say of no moment that they are new: the state's number does."""
    from authz.directory import DirectoryFile

    tables = {
        "people": [{"id": "jia", "name": "甲"}],
        "appointments": [{"person": "jia", "post": "clerk-a", "valid_from": "2020-01-01T00:00:00+08:00"}],
    }
    told.authz.directory.load(Actor(Kind.SYSTEM, "system"), DirectoryFile.parse(tables))
    told.tend()
    assert told.people_there()["jia"]


FAULTS = {
    "no answer": lambda request: (_ for _ in ()).throw(httpx.ConnectError("down", request=request)),
    "an error": lambda _: httpx.Response(503),
    "too many": lambda _: httpx.Response(429, headers={"Retry-After": "600"}),
    "elsewhere": lambda _: httpx.Response(302, headers={"Location": "https://evil.example/"}),
    "a page": lambda _: httpx.Response(200, html="<p>"),
    "a list": lambda _: httpx.Response(201, json=[]),
    "endless": lambda _: httpx.Response(200, content=b"x" * (3 << 20)),
    "forbidden": lambda _: httpx.Response(403, json={}),
    "a token that is none": lambda request: (
        httpx.Response(200, json={"access_token": 7}) if "oidc" in request.url.path else None
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_receiver_that_fails_waits_and_is_seen_to_fail(told, fault):
    told.authz.scim_push._tokens._known.clear()
    told.here.site.make(AlterPerson(person="chen", name="陈三"))
    told.post.fault = fault
    turn = told.tend()
    assert turn.failure is not None
    health = told.authz.health()
    assert (health.ok, health.facts["receivers_failing"]) == (True, ["other-site"])
    assert "other-site" in health.text.zh
    waits = []
    for _ in range(9):
        due = told.row(DeliveryRow, "other-site").due
        waits.append((due - told.clock.now()).total_seconds())
        assert told.authz.scim_push.tend() == [], "it is left alone until then"
        told.clock.advance(due - told.clock.now())
        told.authz.scim_push.tend()
    assert waits[-1] == 3600
    assert waits == sorted(waits)
    assert waits[0] == (600 if fault is FAULTS["too many"] else 30)
    told.post.fault = None
    told.clock.advance(timedelta(hours=1))
    told.authz.scim_push.tend()
    with told.stores[1].read() as session:
        assert session.get(PersonRow, "chen").name == "陈三"
    assert told.authz.health().facts["receivers_failing"] == []


def test_one_receivers_failure_keeps_no_other_waiting(told):
    told.authz.scim_receivers.register(
        OFFICER, told.wanted(id="broken", url="https://broken.example.gov.cn/scim")
    )
    told.post.fault = lambda request: httpx.Response(500) if "broken" in request.url.host else None
    told.here.site.make(AlterPerson(person="chen", name="陈四"))
    told.clock.advance(timedelta(seconds=15))
    by = {each.receiver: each for each in told.authz.scim_push.tend()}
    assert by["broken"].failure
    assert by["other-site"].changed == 1


def test_what_is_refused_is_tried_again_and_stops_nothing_else(told):
    told.post.fault = lambda request: (
        httpx.Response(400, json={"scimType": "invalidValue", "detail": "no"})
        if request.method == "PUT"
        else None
    )
    for person in ("chen", "zhou"):
        told.here.site.make(AlterPerson(person=person, name=f"{person}二"))
    turn = told.tend()
    assert (turn.failure, turn.refused) == (None, 2)
    told.post.fault = None
    told.tend()
    assert told.row(SentRow, ("other-site", "user", "chen")).failure, "not before its time"
    told.clock.advance(timedelta(minutes=1))
    assert told.tend().changed == 2


class Killed(BaseException):
    """As if the process were gone."""


@pytest.mark.parametrize("at", ["authz.scim-push.1-sent", "authz.scim-push.2-kept"])
def test_a_process_that_dies_after_sending_makes_nothing_twice(two, at):
    def die(name):
        if name == at:
            raise Killed

    two.authz.scim_receivers.register(OFFICER, two.receiver)
    listen(die)
    for _ in range(3):
        with pytest.raises(Killed):
            two.tend()
    listen(None)
    assert two.tend().failure is None
    assert two.people_there() == {"chen": True, "zhou": True}
    with two.stores[1].read() as session:
        from authz.models import PostRow

        there = session.scalars(sa.select(PostRow.name_zh).where(PostRow.organ == "county-b")).all()
    assert sorted(there) == ["印章岗", "经办岗"]


def test_what_was_lost_there_is_made_again(told):
    system = told.there.system("admin", "county-b")
    group = system.ids("Groups", 'displayName eq "经办岗"')[0]
    system.ask("DELETE", f"/Groups/{group}")
    told.here.site.make(Appoint(appointment=NewAppointment(person="chen", post="clerk-a")))
    told.tend()
    assert len(system.ids("Groups", 'displayName eq "经办岗"')) == 1


def test_a_rehearsal_sends_nothing_and_says_what_a_turn_would_come_to(two):
    two.authz.scim_receivers.register(OFFICER, two.receiver)
    told = two.authz.scim_push_for(OFFICER, "other-site", rehearse=True)
    assert (told.made, two.post.sent, two.row(SentRow, ("other-site", "user", "chen"))) == (6, [], None)
    with pytest.raises(Denied):
        two.authz.scim_push_for(
            Actor(Kind.PERSON, "zhang", "clerk-a", "county-a"), "other-site", rehearse=True
        )
    with pytest.raises(UnknownReceiver):
        two.authz.scim_push_for(OFFICER, "nobody", rehearse=True)


def test_an_ended_receiver_or_client_is_told_nothing(told):
    told.authz.oidc.clients.end(OFFICER, "mail")
    told.here.site.make(AlterPerson(person="chen", name="陈五"))
    assert told.tend().failure
    assert told.post.sent == []
    told.authz.scim_receivers.end(OFFICER, "other-site")
    told.clock.advance(timedelta(days=1))
    assert told.authz.scim_push.tend() == []
    assert told.authz.tend_receivers() is None
    told.here.register("mail2", "county-a", ("scim.read",))
    told.secret.rename(told.secret.with_name("mail2"))
    with pytest.raises(ReceiverTaken):
        told.authz.scim_receivers.register(OFFICER, told.wanted(client="mail2", secret="mail2"))


BAD = {
    "plain http": {"url": "http://mail.example.gov.cn/scim"},
    "loopback": {"url": "https://127.0.0.1:8443/scim"},
    "this machine": {"url": "https://localhost/scim"},
    "private": {"url": "https://10.0.0.7/scim"},
    "a number": {"url": "https://2130706433/scim"},
    "with a name": {"url": "https://user:pw@mail.example.gov.cn/scim"},
    "a query": {"url": "https://mail.example.gov.cn/scim?x=1"},
    "token elsewhere": {"token_url": "http://169.254.169.254/latest"},
    "no token_url": {"token_url": ""},
    "a client without the scope": {"client": "signon"},
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD)
def test_receivers_that_are_not_registered(two, wrong):
    two.here.register("signon", "county-a", ("openid",), grants=("device_code",))
    with pytest.raises(BadReceiver):
        two.authz.scim_receivers.register(OFFICER, two.wanted(**wrong))


def test_a_secret_that_others_could_read_is_not_used(told):
    told.here.site.make(AlterPerson(person="chen", name="陈六"))
    told.secret.chmod(0o640)
    turn = told.tend()
    assert "0640" in turn.failure
    assert told.post.sent == []
    for content, mode in (("", 0o600), ("two words", 0o600), ("x" * 5000, 0o600), ("ä", 0o600)):
        told.write(content, mode)
        with pytest.raises(BadSecretFile):
            told.authz.scim_receivers.check(told.wanted(id="more"))
    told.secret.unlink()
    with pytest.raises(BadSecretFile):
        told.authz.scim_receivers.check(told.wanted(id="more"))


@pytest.mark.parametrize("name", ["../hsm-pin", "/etc/shadow", "..", ".hidden", "a/b"])
def test_no_file_but_those_of_the_folder_is_ever_sent(two, name, tmp_path):
    """Whoever names the address must not choose the file: a token's PIN is one line in a file of mode 0600 too."""
    with pytest.raises(ValidationError):
        two.wanted(secret=name)
    (tmp_path / "pin").write_text("123456")
    (tmp_path / "pin").chmod(0o600)
    (tmp_path / "secrets" / "mail_link").symlink_to(tmp_path / "pin")
    with pytest.raises(BadSecretFile):
        two.authz.scim_receivers.check(two.wanted(secret="mail_link"))


def test_nobody_has_another_clients_secret_sent_to_herself(two):
    """The officer of another county names her own address, and the file that the administrator put there for the first."""
    two.here.register("evil", "county-b", ("scim.read",))
    two.here.register("mai", "county-b", ("scim.read",))
    for client in ("evil", "mai"):
        with pytest.raises(BadReceiver, match="secret"):
            two.authz.scim_receivers.check(
                two.wanted(id="mine", client=client, url="https://evil.example/scim")
            )


def test_very_many_do_not_leave_at_once_unless_somebody_says_so(told):
    """A policy or a tree gone wrong would empty every mailbox; seen to do so without the brake."""
    push = told.authz.scim_push
    push._leaving_most = 1
    for person in ("chen", "zhou"):
        told.here.site.make(Retire(person=person))
    turn = told.tend()
    assert "--confirm" in turn.failure
    assert told.post.sent == []
    assert told.people_there() == {"chen": True, "zhou": True}
    told.clock.advance(timedelta(minutes=1))
    assert told.authz.scim_push_for(OFFICER, "other-site", rehearse=False, confirmed=True).left == 2
    assert told.people_there() == {"chen": False, "zhou": False}


def test_who_may_register_and_end(two):
    clerk = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    with pytest.raises(Denied):
        two.authz.scim_receivers.register(clerk, two.receiver)
    two.authz.scim_receivers.register(OFFICER, two.receiver)
    with pytest.raises(Denied):
        two.authz.scim_receivers.end(clerk, "other-site")
    with pytest.raises(Denied):
        two.authz.scim_receivers.list_for(clerk)  # where it is, and which file is its secret, is for officers
    [listed] = two.authz.scim_receivers.list_for(OFFICER)
    assert (listed.receiver.id, listed.ended, listed.failure) == ("other-site", False, None)


def test_the_commands(two, tmp_path):
    file = tmp_path / "receiver.toml"
    wanted = two.receiver.model_dump(mode="json")
    file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in wanted.items()))

    def run(*arguments):
        platform = SimpleNamespace(authz=two.authz)
        context = SimpleNamespace(platform=lambda: platform, actor=lambda: OFFICER)
        return CliRunner().invoke(group, ("scim", *arguments), obj=context)

    assert json.loads(run("receiver", "register", str(file), "--dry-run", "--json").output)["dry_run"] is True
    assert json.loads(run("receiver", "list", "--json").output) == []
    assert json.loads(run("receiver", "register", str(file), "--json").output)["receiver"] == "other-site"
    assert json.loads(run("push", "other-site", "--dry-run", "--json").output)["made"] == 6
    assert two.post.sent == []
    told = json.loads(run("push", "other-site", "--json").output)
    assert (told["made"], told["refused"], told["complete"]) == (4, 2, True)
    [listed] = json.loads(run("receiver", "list", "--json").output)
    assert (listed["sent"], listed["refused"], listed["failure"]) == (6, 2, None)
    assert "other-site" in run("receiver", "list").output
    assert json.loads(run("receiver", "end", "other-site", "--json").output)["ended"] is True
    assert json.loads(run("receiver", "list", "--json").output)[0]["ended"] is True
    file.write_text("id = 7")
    assert isinstance(run("receiver", "register", str(file)).exception, BadReceiver)


def test_the_same_over_http(two):
    officer = two.here.site.sign_in(two.here.site.enrol("zhao", "officer"))
    for blueprint in api.routes(two.authz):
        two.here.app.register_blueprint(blueprint)

    def ask(method, path="", body=None):
        headers = {
            "Authorization": f"Bearer {officer}",
            "Idempotency-Key": str(abs(hash((method, path, str(body))))),
        }
        with two.here.http() as http:
            return http.request(method, f"/api/authz/v1/receivers{path}", json=body, headers=headers)

    wanted = two.receiver.model_dump(mode="json")
    assert ask("POST", body=wanted).json() == {"receiver": "other-site"}
    assert ask("POST", "/other-site/push", {"dry_run": True}).json()["made"] == 6
    assert ask("POST", "/other-site/push", {}).json()["made"] == 4
    [listed] = ask("GET").json()["items"]
    assert (listed["receiver"]["secret"], listed["sent"]) == ("mail_feeder", 6)
    assert ask("DELETE", "/other-site").status_code == 204
    assert ask("POST", "/other-site/push", {"confirm": True}).status_code == 404
