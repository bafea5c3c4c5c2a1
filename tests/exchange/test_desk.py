"""Departments' systems send and fetch messages of their own over HTTP, in their own name: what each was granted, and nothing else.

Seen to fail when a grant over one kind opens another, and when a later message can be acknowledged before an earlier one.
"""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.grant import Wanted
from authz.grant.errors import BadGrantResource
from authz.oidc.clients import Registration
from exchange.errors import (
    KindReserved,
    NoSuchFile,
    NoSuchMessage,
    NotItsTurn,
    ReferenceReused,
    TooSecret,
    UnknownRecipient,
)
from ops.platform import INSIDE
from tests.laws.province import client
from yinxin.act import Actor, Kind
from yinxin.authz import Denied
from yinxin.client import Client, System, in_process
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify
from yinxin.web.errors import ScopeNeeded

pytestmark = pytest.mark.engines("both")
OFFICER = Actor(Kind.PERSON, "demo-officer", "province-office-security-officer", "province-office")
KIND = "pensions.transfer"


def registered(platform, name: str, organ: str, scope: str = "exchange.use") -> System:
    wanted = Registration.model_validate(
        {
            "id": name,
            "name": {"zh": "社保系统", "en": "Pensions"},
            "organ": organ,
            "grants": ("client_credentials",),
            "scopes": (scope,),
            "clearance": "internal",
        }
    )
    return System(name, platform.authz.oidc.clients.register(OFFICER, wanted), scope=scope)


def granted(platform, template: str, system: System, organ: str, kind: str, *, of: str = "") -> None:
    now = platform.clock.now()
    wanted = Wanted(
        f"exchange.grant-{template}",
        f"client:{system.id}",
        organ,
        now,
        now + timedelta(days=300),
        "人社办〔2026〕9号",
        f"Exchange:{of or organ}/{kind}",
    )
    platform.authz.grants.sound(wanted)
    with platform.store.act(OFFICER, "authz.grant", f"grant:{template}") as act:
        platform.authz.grants.give(act.session, act.actor, wanted)


def calling(platform, system: System):
    transport = in_process(platform.app)
    made = Client(INSIDE, system=system, transport=transport, clock=platform.clock, sleep=lambda _: None)
    return made.exchange


@pytest.fixture(scope="module")
def systems(two):
    """A system of each side: one sends, the other fetches."""
    jia, yi = two.net.sites["jia.example"], two.net.sites["yi.example"]
    sender, taker = registered(jia, "pensions-jia", "city-jia"), registered(yi, "pensions-yi", "city-yi")
    granted(jia, "sending", sender, "city-jia", KIND)
    granted(yi, "fetching", taker, "city-yi", KIND)
    return calling(jia, sender), calling(yi, taker)


def sent(system, number: int, **more):
    said = {
        "reference": f"s{number}",
        "sender": "city-jia",
        "recipient": "city-yi",
        "kind": KIND,
        "about": f"person:{number}",
        "grade": "internal",
        "content": {"n": number, "姓名": "张三"},
    }
    return system.send(**{**said, **more})


def carried(two) -> None:
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    two.yi.delivering.run()


def test_a_system_sends_and_another_fetches(two, systems, tmp_path):
    ours, theirs = systems
    files = [tmp_path / "转移 表.pdf", tmp_path / "b.bin"]
    for at, file in enumerate(files):
        file.write_bytes(bytes([at]) * (700_000 + at))
    first = sent(ours, 1, files=files)
    assert sent(ours, 1, files=files).id == first.id, "the same reference sends it once"
    second = sent(ours, 2)
    assert ours.sent("city-jia", "s1").state == "waiting"
    carried(two)
    assert ours.sent("city-jia", "s1").state == "received"

    assert [each.id for each in theirs.inbox("city-yi", KIND)] == [first.id, second.id]
    message = theirs.fetch("jia.example", first.id)
    assert (message.content, message.object, message.sender) == (
        {"n": 1, "姓名": "张三"},
        "person:1",
        "city-jia",
    )
    assert [(each.name, each.media_type) for each in message.files] == [
        ("转移 表.pdf", "application/pdf"),
        ("b.bin", "application/octet-stream"),
    ]
    for at, file in enumerate(files):
        assert theirs.fetch_file("jia.example", first.id, at) == file.read_bytes()
    with pytest.raises(NoSuchFile):
        theirs.fetch_file("jia.example", first.id, 2)
    with pytest.raises(NotItsTurn):
        theirs.acknowledge("jia.example", second.id)
    theirs.acknowledge("jia.example", first.id)
    theirs.acknowledge("jia.example", first.id)
    assert [each.id for each in theirs.inbox("city-yi", KIND)] == [second.id]
    theirs.acknowledge("jia.example", second.id, unusable="不认识此人")
    assert list(theirs.inbox("city-yi", KIND)) == []
    assert theirs.message("in", "jia.example", second.id).state == "undeliverable"

    trust = Trust.load(two.net.sites["jia.example"].data.path("trust"))
    verify(ours.evidence("out", "yi.example", first.id), trust, at=two.jia.store.clock.now(), held=[])
    with two.yi.store.read() as session:
        events = [json.loads(bytes(each)) for each in session.scalars(sa.text("SELECT data FROM outbox"))]
    told = {each["verb"]: each["actor"]["id"] for each in events if each["subject"] == f"message:{first.id}"}
    assert told["exchange.fetch"] == told["exchange.acknowledge"] == "client:pensions-yi"


def test_nothing_else(two, systems):
    ours, theirs = systems
    for more, error in (
        ({"kind": "pensions.other"}, Denied),
        ({"sender": "city-yi"}, Denied),
        ({"grade": "secret"}, Denied),  # above the system's own clearance
        ({"recipient": "city-bo"}, UnknownRecipient),
        ({"reference": "s1", "about": "person:9"}, ReferenceReused),
    ):
        with pytest.raises(error):
            sent(ours, 7, **more)
    with pytest.raises(Denied):
        list(ours.inbox("city-jia", KIND))
    with pytest.raises(Denied):
        list(theirs.inbox("city-yi", "pensions.other"))
    # what it was not granted it is not told of
    letter = sent(ours, 8)
    carried(two)
    other = registered(two.net.sites["yi.example"], "other-yi", "city-yi")
    granted(two.net.sites["yi.example"], "fetching", other, "city-yi", "pensions.other")
    stranger = calling(two.net.sites["yi.example"], other)
    for ask in (stranger.fetch, stranger.acknowledge):
        with pytest.raises(NoSuchMessage):
            ask("jia.example", letter.id)
    with pytest.raises(NoSuchMessage):
        stranger.message("in", "jia.example", letter.id)
    with pytest.raises(ScopeNeeded):
        list(theirs.messages())
    theirs.acknowledge("jia.example", letter.id)


def test_a_token_for_keys_sends_nothing(two):
    keys = registered(two.net.sites["jia.example"], "keys-jia", "city-jia", "kms.use")
    with pytest.raises(ScopeNeeded):
        sent(calling(two.net.sites["jia.example"], keys), 20)


def test_kinds_of_the_platform_are_its_own(two):
    """Not by whatever grant: a document is sent by whoever dispatches it."""
    platform = two.net.sites["jia.example"]
    system = registered(platform, "all-jia", "city-jia")
    for kind in ("document", "exchange.card"):
        granted(platform, "sending", system, "city-jia", kind)
        with pytest.raises(KindReserved):
            sent(calling(platform, system), 30, kind=kind)
    with pytest.raises(BadGrantResource):
        granted(platform, "sending", system, "city-jia", KIND, of="city-yi")


def test_a_registrar_sends_for_her_organ(two):
    """People may as well, with the same bounds; what is graded above its recipient never leaves."""
    registrar = client(two.net.sites["jia.example"], "city-jia-registrar").exchange
    assert sent(registrar, 40).state == "waiting"
    two.jia.courier.call(two.jia.peers.get("yi.example"), at_once=True)
    row = two.jia.peers.get("yi.example")
    assert row.clearance == "confidential"
    with pytest.raises((TooSecret, Denied)):
        sent(registrar, 41, grade="top-secret")
