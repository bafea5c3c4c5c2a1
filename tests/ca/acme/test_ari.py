"""Renewal information (RFC 9773): when, why, and once."""

import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from ca.acme.ari import name_of
from ca.cli import group as commands
from tests.ca.acme.client import HOST, problem, request_for
from tests.ca.conftest import CLERK, OFFICER, REGISTRAR
from tests.ca.test_faces import Opened
from yinxin.authz import Denied
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import decode64, encode64

from .conftest import HOME

pytestmark = pytest.mark.engines("any")


def issued(desk, client, *names, **payload):
    _, order = desk.ready(client, *names, **payload)
    final = json.loads(client.finalize(order, request_for(order)).data)
    return Certificate.load_many(client.post(final["certificate"], None).data)[0]


def window(desk, name):
    answer = desk.client(registered=False).http.get(f"/acme/renewal-info/{name}", base_url=HOST)
    assert answer.status_code == 200, answer.text
    found = json.loads(answer.data)
    start, end = (datetime.fromisoformat(found["suggestedWindow"][each]) for each in ("start", "end"))
    assert start < end
    assert int(answer.headers["Retry-After"]) == 6 * 3600
    return start, end, found


def test_the_identifier_is_that_of_the_standard():
    """RFC 9773 4.1's own example."""

    class Example:
        authority_key_id = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
        serial = 0x87654321

    assert name_of(Example) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_a_certificate_is_renewed_after_two_thirds(desk):
    leaf = issued(desk, desk.client())
    start, end, _ = window(desk, name_of(leaf))
    life = leaf.not_after - leaf.not_before
    assert abs(start - (leaf.not_before + life * 2 / 3)) < timedelta(seconds=1)
    assert end < leaf.not_after


def test_a_revoked_certificate_is_renewed_now(desk):
    leaf = issued(desk, desk.client())
    desk.site.ca.revoke(OFFICER, f"{leaf.serial:x}", "superseded")
    assert window(desk, name_of(leaf))[1] <= desk.site.clock.now()


def test_an_officer_has_a_certificate_renewed_now(desk):
    leaf = issued(desk, desk.client())
    with pytest.raises(Denied):
        desk.site.ca.renew(CLERK, f"{leaf.serial:x}")
    for url in (None, "https://trust.example.gov.cn/why"):
        desk.site.ca.renew(REGISTRAR, f"{leaf.serial:x}", url)
    _, end, found = window(desk, name_of(leaf))
    assert end <= desk.site.clock.now()
    assert found["explanationURL"] == "https://trust.example.gov.cn/why"
    assert [event["outcome"] for event in desk.site.events("ca.acme-renew")] == ["done", "done"]


def test_the_command_says_which_certificate(desk):
    leaf = issued(desk, desk.client())
    done = CliRunner().invoke(
        commands, ["acme", "renew", "--serial", leaf.fingerprint, "--json"], obj=Opened(desk.site, OFFICER)
    )
    assert json.loads(done.output) == {"serial": f"{leaf.serial:x}"}
    assert window(desk, name_of(leaf))[1] <= desk.site.clock.now()


@pytest.mark.parametrize(
    "name", ["x", "a.b", ".", "AAAA.AQ", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "a" * 3000]
)
def test_certificates_that_are_not_there(desk, name):
    answer = desk.client(registered=False).http.get(f"/acme/renewal-info/{name}", base_url=HOST)
    problem(answer, "malformed", 404)


def test_an_identifier_has_one_spelling(desk):
    """Else one certificate could be replaced under each of them."""
    leaf = issued(desk, desk.client())
    key, _, serial = name_of(leaf).partition(".")
    padded = encode64(b"\x00" + decode64(serial, "x"))
    answer = desk.client(registered=False).http.get(f"/acme/renewal-info/{key}.{padded}", base_url=HOST)
    problem(answer, "malformed", 404)


def test_a_certificate_is_replaced_once(desk):
    """Seen to fail without the unique index: the second order is finalized too."""
    client = desk.client()
    old = name_of(issued(desk, client))
    first, second = (client.order(HOME, replaces=old) for _ in range(2))
    assert first[1]["replaces"] == old, "an order that was not finished blocks nobody"
    assert client.finalize(first[1]).status_code == 200
    problem(client.finalize(second[1]), "alreadyReplaced", 409)
    problem(client.new_order(HOME, replaces=old), "alreadyReplaced", 409)
    assert client.get(second[0])["status"] == "ready"
    assert client.order(HOME)[1]["status"] == "ready"


def test_a_replacement_that_failed_may_be_tried_again(desk, monkeypatch):
    client = desk.client()
    old = name_of(issued(desk, client))
    _, order = client.order(HOME, replaces=old)

    def broken(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr("ca.issue.sign", broken)
    assert client.finalize(order).status_code == 500
    monkeypatch.undo()
    assert client.finalize(client.order(HOME, replaces=old)[1]).status_code == 200


def test_what_an_order_cannot_replace(desk):
    client, other = desk.client(), desk.client()
    mine, foreign = name_of(issued(desk, client)), name_of(issued(desk, other, "b.example.gov.cn"))
    for replaces in (foreign, "nonsense", "x.y", 7, ["x"]):
        problem(client.new_order(HOME, replaces=replaces), "malformed", 400)
    problem(client.new_order("c.example.gov.cn", replaces=mine), "malformed", 400)
