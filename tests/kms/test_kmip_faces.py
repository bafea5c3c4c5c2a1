"""KMIP's clients over HTTP, by the client that outsiders install; and what KMIP asks of the database, on both engines."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kms.kmip import attributes, fields
from kms.kmip.errors import BadKmipClient, KmipClientEnded, KmipClientUnknown
from kms.kmip.ttlv import Item, Type
from kms.kmip.words import Reason, State, Tag
from yinxin.authz import Denied
from yinxin.client import Client
from yinxin.crypto.certificates import Certificate

from .conftest import World
from .kmip_site import Judging, Maker, Site, aes, attribute, made, named, outcomes, payload, request, uid

CREATE, LOCATE, GET, MODIFY, DELETE, ACTIVATE, DESTROY = 1, 8, 0xA, 0xE, 0xF, 0x12, 0x14


@pytest.mark.engines("any")
def test_clients_over_http(world: World, client: Client, tmp_path: Path) -> None:
    world.centre.kmip.judge = judge = Judging()
    maker, kmip = Maker(tmp_path, "ours"), client.kms.kmip
    first = maker.make("first")
    shown = kmip.register("array-1", organ="o-office", certificate=first.pem.decode())
    assert [each.subject for each in shown.certificates] == ["CN=first"]
    assert [each.id for each in kmip.clients()] == ["array-1"]
    world.centre.kmip.serve(first.der, request((CREATE, aes(named("volume")))))
    (kept,) = kmip.objects("array-1")
    assert (kept.names, kept.state, kept.algorithm, kept.length) == (("volume",), "pre-active", "aes", 256)
    third, revoked = maker.make("third"), maker.make("revoked")
    judge.revoked.add(Certificate.load(revoked.der).fingerprint)
    with pytest.raises(BadKmipClient):
        kmip.register("array-2", organ="o-office", certificate=revoked.pem.decode())
    with pytest.raises(BadKmipClient):
        kmip.register("array-2", organ="o-office", certificate="-----BEGIN CERTIFICATE-----\nx\n")
    with pytest.raises(BadKmipClient):
        kmip.register("Array 2", organ="o-office", certificate=third.pem.decode())
    with pytest.raises(KmipClientUnknown):
        kmip.show("array-2")
    assert kmip.end("array-1").certificates == ()
    with pytest.raises(KmipClientEnded):
        kmip.end("array-1")
    world.decider.allowed = lambda *_: False
    for call in (
        lambda: kmip.register("array-2", organ="o-office", certificate=third.pem.decode()),
        lambda: kmip.show("array-1"),
        lambda: list(kmip.clients()),
        lambda: list(kmip.objects("array-1")),
    ):
        with pytest.raises(Denied):
            call()


@pytest.fixture
def site(either: World, tmp_path: Path) -> Iterator[Site]:
    made_ = Site(either, tmp_path)
    yield made_
    made_.listener.close()


@pytest.mark.engines("both")
def test_on_both_engines(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail when the database does not hold names apart."""
    clock: Any = site.world.store.clock
    now = int(clock.now().timestamp())
    custom = attribute("x-Volume", fields.octets(0, bytes(range(256))))
    active = attribute("Activation Date", Item(0, Type.INSTANT, now))
    first = made(site.ask((CREATE, aes(named("卷一"), custom))))
    clock.advance(timedelta(seconds=5))
    second = made(site.ask((CREATE, aes(named("卷二"), active, length=128, usage=0x3C))))

    def located(*wanted: Item) -> list[str]:
        answer = site.ask((LOCATE, wanted))
        return [str(each.value) for each in payload(answer).items(Tag.UNIQUE_IDENTIFIER)]

    assert located() == [second, first]
    assert located(named("卷一")) == located(custom) == [first]
    assert located(attribute("Cryptographic Usage Mask", fields.number(0, 0x10))) == [second]
    assert located(attribute("State", fields.choice(0, State.ACTIVE))) == [second]
    assert located(attribute("Initial Date", Item(0, Type.INSTANT, now))) == [first]
    assert located(attribute("Unique Identifier", fields.text(0, first))) == [first]
    assert located(attribute("Object Type", fields.choice(0, 2**32 - 1))) == []
    # another connection of the client is first, between looking and storing
    with monkeypatch.context() as patch:
        patch.setattr(attributes, "taken", lambda *_: False)
        assert outcomes(site.ask((CREATE, aes(named("卷一"))))) == [(1, Reason.INVALID_FIELD)]
        assert outcomes(site.ask((MODIFY, [uid(second), named("卷一")]))) == [(1, Reason.INVALID_FIELD)]
        told = [(each["outcome"], each.get("error")) for each in site.world.events("kms.create-kmip-object")]
        assert told[-1] == ("refused", "kms.kmip_name_taken")
        assert ("failed", "internal") not in told
    assert located() == [second, first]
    gone = [uid(first), fields.text(Tag.ATTRIBUTE_NAME, "x-Volume")]
    assert outcomes(site.ask((DELETE, gone))) == [(0, None)]
    assert located(custom) == []
    assert outcomes(site.ask((DESTROY, [uid(first)]))) == [(0, None)]
    clock.advance(timedelta(days=31))
    # what is destroyed counts until it is overwritten. Seen to fail when `_room` asks for nobody's objects
    two = site.kmip._settings.model_copy(update={"objects": 2})
    monkeypatch.setattr(site.kmip, "_settings", two)
    assert outcomes(site.ask((CREATE, aes()))) == [(1, Reason.PERMISSION_DENIED)]
    assert site.world.events("kms.create-kmip-object")[-1]["error"] == "kms.kmip_too_many_objects"
    assert site.kmip.wipe_due() == 1
    assert outcomes(site.ask((CREATE, aes()))) == [(0, None)]
    assert outcomes(site.ask((CREATE, aes()))) == [(1, Reason.PERMISSION_DENIED)]
    assert outcomes(site.ask((GET, [uid(second)]))) == [(0, None)]
