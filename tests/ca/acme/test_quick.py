"""The quick way answers as the ordinary one does, and leaves to it whatever it does not believe."""

import json
import re
import signal
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ca.acme.models import NonceRow
from ca.enrolment.errors import CredentialSpent
from tests.ca.acme.client import HOST, JOSE, URN, problem, request_for
from tests.ca.acme.conftest import HOME, Desk
from tests.ca.acme.crasher import keep, killed_together
from tests.ca.acme.quickly import Quickly, begun, served
from tests.ca.conftest import REGISTRAR
from tests.ca.test_crash import is_revoked
from tests.support.forked import run
from yinxin import canonical
from yinxin.crypto.jose import encode64
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.steps import listen
from yinxin.store import OutboxRow
from yinxin.store.errors import StoreUnavailable

#: fields that are another at every answer
OWN = {"Replay-Nonce", "Request-Id", "Audit-Entry"}


def octets(client, url, payload, **parts):
    return json.dumps(client.signed(url, payload, **parts)).encode()


def asked(desk, client, url, payload, **parts):
    """The request on its quick way."""
    return begun(desk.app, url.removeprefix(HOST), octets(client, url, payload, **parts))


def both(desk, client, url, payload):
    """The answers of both ways to the same request, each with a nonce of its own."""
    ordinary = client.post(url, payload)
    (quick,) = served(desk.app, [asked(desk, client, url, payload)])
    return ordinary, quick


def nameless(text):
    """Serial numbers first: in one of twenty is what looks like an identifier."""
    for form in (r"certificate/[0-9a-f]+", r"[A-Za-z0-9_-]{43}", r"01[a-z0-9]{24}"):
        text = re.sub(form, "*", text)
    return text


def fields(answer):
    return Counter((name, value) for name, value in answer.headers.items() if name not in OWN)


def alike(ordinary, quick):
    assert (quick.status_code, fields(quick), quick.data) == (
        ordinary.status_code,
        fields(ordinary),
        ordinary.data,
    )
    assert {name for name in OWN if name in quick.headers} == {
        name for name in OWN if name in ordinary.headers
    }
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", quick.headers["Replay-Nonce"])


def recorded(desk):
    with desk.site.store.read() as session:
        records = map(canonical.decode, session.scalars(sa.select(OutboxRow.data)))
        return {each["id"]: each for each in records}


def deeds(desk, answer):
    """What was recorded for an answer, but for names of its own."""
    events = recorded(desk)
    told = [events[each] for each in answer.headers.get("Audit-Entry", "").split(", ") if each]
    assert {each["request"] for each in told} <= {answer.headers["Request-Id"]}
    return [(each["verb"], each["actor"]["id"], each["outcome"], each.get("error")) for each in told]


def spent(desk):
    with desk.site.store.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(NonceRow))


@pytest.mark.engines("any")
def test_the_same_requests_get_the_same_answers(desk):
    client = desk.client()
    url, order = client.order("b.example.gov.cn")
    authorization = order["authorizations"][0]
    challenge = client.challenge(authorization)
    _, ready = desk.ready(client)
    _, done = desk.ready(client, "c.example.gov.cn")
    finished = json.loads(client.finalize(done).data)
    certificate = finished["certificate"]
    other = desk.client().order("d.example.gov.cn")[0]
    requests = [
        # what is read
        (url, None),
        (authorization, None),
        (challenge["url"], None),
        (f"{HOST}/acme/order/{done['finalize'].split('/')[-2]}", None),
        (done["authorizations"][0], None),
        (certificate, None),
        # what is refused
        (f"{HOST}/acme/order/01aaaaaaaaaaaaaaaaaaaaaaaa", None),
        (other, None),
        (url, {}),
        (authorization, {"status": "valid"}),
        (challenge["url"].replace("http-01", "http-02"), {}),
        (certificate, {}),
        (f"{HOST}/acme/certificate/12ab", None),
        (f"{HOST}/acme/new-order", None),
        (f"{HOST}/acme/new-order", {"identifiers": []}),
        (f"{HOST}/acme/new-order", {"identifiers": [{"type": "dns", "value": "a.example.com"}]}),
        (f"{HOST}/acme/new-order", {"identifiers": [{"type": "dns", "value": HOME}], "profile": "nobody"}),
        (order["finalize"], {"csr": encode64(request_for(order))}),
        (done["finalize"], {"csr": encode64(request_for(done))}),
        (ready["finalize"], {"csr": "AAAA"}),
        (ready["finalize"], {"csr": encode64(request_for(order))}),
        (ready["finalize"], {}),
        (ready["finalize"], None),
    ]
    statuses = Counter()
    for where, payload in requests:
        ordinary, quick = both(desk, client, where, payload)
        alike(ordinary, quick)
        statuses[quick.status_code] += 1
    assert set(statuses) == {200, 400, 403, 404}


@pytest.mark.engines("any")
def test_the_whole_flow_is_the_same(desk, monkeypatch):
    """Every identifier, time and nonce apart, and unless an answer is kept back, an account that goes quickly hears what another hears."""
    monkeypatch.setattr(desk.acme.parts.trials, "hold", lambda *_: None)

    def told(answer):
        # the certificate itself is each client's own, those above it are not
        text = answer.data.decode().partition("-----END CERTIFICATE-----")[2] or answer.data.decode()
        own = Counter((name, nameless(value)) for name, value in fields(answer))
        own = {pair for pair in own if pair[0] != "Content-Length"}
        return answer.status_code, own, nameless(text)

    def flow(client):
        first = client.new_order("b.example.gov.cn")
        yield first
        order = json.loads(first.data)
        challenge = client.challenge(order["authorizations"][0])
        desk.web.put(client, challenge["token"])
        yield client.post(order["authorizations"][0], None)
        yield client.post(challenge["url"], {})
        desk.acme.validators.idle()
        yield client.post(order["authorizations"][0], None)
        yield client.finalize(order)
        done = client.post(first.headers["Location"], None)
        yield done
        yield client.post(json.loads(done.data)["certificate"], None)

    slow, quick = desk.client(), desk.client()
    quick.http = Quickly(desk.app)
    for ordinary, quickly in zip(flow(slow), flow(quick), strict=True):
        assert told(quickly) == told(ordinary)
    assert (quick.http.ways.quick, quick.http.ways.ordinary) == (8, 0)
    assert quick.http.ways.targets == {"new-order", "authorization", "order", "certificate"}


@pytest.mark.engines("any")
def test_a_nonce_is_good_once_whichever_way(desk):
    client = desk.client()
    url = client.order(HOME)[0]
    body = octets(client, url, None)
    target = url.removeprefix(HOST)
    first, second = served(desk.app, [begun(desk.app, target, body), begun(desk.app, target, body)])
    assert (first.status_code, second) == (200, None)
    assert served(desk.app, [begun(desk.app, target, body)]) == [None]
    problem(client.send(url, body), "badNonce", 400)
    body = octets(client, url, None)
    assert client.send(url, body).status_code == 200
    assert served(desk.app, [begun(desk.app, target, body)]) == [None]
    # whoever comes with a replay is answered, and hears her own answer
    urls = [client.order(name)[0] for name in ("b.example.gov.cn", "c.example.gov.cn")]
    group = [asked(desk, client, each, None) for each in urls]
    answers = served(desk.app, [begun(desk.app, target, body), *group])
    assert answers[0] is None
    assert [each.headers["Location"] for each in answers[1:]] == urls


@pytest.mark.engines("any")
def test_a_nonce_that_another_process_took_meanwhile(desk, monkeypatch):
    """All of the group go the ordinary way, and only the replay is refused there."""
    client = desk.client()
    url = client.order(HOME)[0]
    bodies = [octets(client, url, None) for _ in range(3)]
    group = [begun(desk.app, url.removeprefix(HOST), each) for each in bodies]
    nonces = desk.acme.parts.nonces
    monkeypatch.setattr(nonces, "spent", lambda *_: nonces.spend(group[1].wished.wish.nonce) or set())
    assert served(desk.app, group) == [None] * 3
    assert [client.send(url, each).status_code for each in bodies] == [200, 400, 200]


@pytest.mark.engines("any")
def test_whoever_is_not_believed_goes_the_ordinary_way_with_the_nonce(desk):
    client, ended = desk.client(), desk.client()
    url = client.order(HOME)[0]
    ended.post(ended.kid, {"status": "deactivated"})
    other = PrivateKey.generate(INTL)
    before = spent(desk)
    for body, kind, status in (
        (octets(client, url, None, key=other), "unauthorized", 403),
        (octets(ended, url, None), "unauthorized", 401),
        (
            octets(client, url, None, header={"kid": f"{HOST}/acme/account/01{'a' * 24}"}),
            "accountDoesNotExist",
            400,
        ),
        (octets(client, url, b"[]"), "malformed", 400),
    ):
        assert served(desk.app, [begun(desk.app, url.removeprefix(HOST), body)]) == [None]
        assert spent(desk) == before
        problem(client.send(url, body), kind, status)
        before = spent(desk)
    bodies = [
        octets(client, url, None, header={"url": f"{url}x"}),
        octets(client, url, None, drop=("nonce",)),
    ]
    bodies += [
        octets(client, url, None, header={"alg": "none"}),
        octets(client, url, None, drop=("kid",)),
        b"{}",
    ]
    bodies += [octets(client, url, None, header={"kid": f"{HOST}/acme/order/1"})]
    for body in bodies:
        assert begun(desk.app, url.removeprefix(HOST), body) is None
    assert spent(desk) == before


@pytest.mark.engines("any")
def test_what_is_never_quick(desk):
    client = desk.client()
    url = client.order(HOME)[0]
    body = octets(client, url, None)
    assert begun(desk.app, url.removeprefix(HOST), body, host="elsewhere.example") is None
    for target in ("/acme/new-account", "/acme/revoke-cert", "/acme/key-change", "/acme/directory"):
        assert begun(desk.app, target, octets(client, HOST + target, {})) is None
    assert begun(desk.app, f"{url.removeprefix(HOST)}?x", body) is None
    assert begun(desk.app, url.removeprefix(HOST), body + b" " * (1 << 16)) is None
    assert client.send(url, body).status_code == 200


@pytest.mark.engines("both")
def test_64_at_one_window_get_one_certificate(desk):
    client = desk.client()
    url, order = desk.ready(client)
    payloads = [{"csr": encode64(request_for(order))} for _ in range(64)]
    group = [asked(desk, client, order["finalize"], each) for each in payloads]
    answers = served(desk.app, group)
    said = Counter((each.status_code, json.loads(each.data).get("type", "")) for each in answers)
    assert said == {(200, ""): 1, (403, f"{URN}orderNotReady"): 63}
    reference = f"acme/{url.rpartition('/')[2]}"
    assert [row.state for row in desk.site.rows(reference=reference)] == ["issued"]
    for each in answers:
        found = Counter((verb, outcome) for verb, _, outcome, _ in deeds(desk, each))
        claimed = {("ca.acme-finalize", "intent"): 1, ("ca.issue", "intent"): 1, ("ca.issue", "done"): 1}
        assert found == (claimed if each.status_code == 200 else {("ca.acme-finalize", "refused"): 1})


@pytest.mark.engines("both")
def test_finalizations_are_issued_together_and_answered_apart(desk):
    clients = [desk.client() for _ in range(4)]
    orders = [desk.ready(client, f"h{number}.example.gov.cn") for number, client in enumerate(clients)]
    payloads = [{"csr": encode64(request_for(order))} for _, order in orders]
    payloads[2] = {"csr": "AAAA"}
    group = [
        asked(desk, client, order["finalize"], payload)
        for client, (_, order), payload in zip(clients, orders, payloads, strict=True)
    ]
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [200, 200, 400, 200]
    problem(answers[2], "badCSR", 400)
    entries = set()
    for number in (0, 1, 3):
        found = json.loads(answers[number].data)
        assert (found["status"], found["identifiers"][0]["value"]) == ("valid", f"h{number}.example.gov.cn")
        chain = clients[number].post(found["certificate"], None)
        assert chain.data.startswith(b"-----BEGIN CERTIFICATE-----")
        entries |= set(answers[number].headers["Audit-Entry"].split(", "))
    assert len(entries) == 9
    assert clients[2].get(orders[2][0])["status"] == "ready"


@pytest.mark.engines("any")
def test_an_issuance_that_fails_in_a_group_fails_its_order_alone(desk, monkeypatch, caplog):
    from ca.issue_many import sign

    clients = [desk.client() for _ in range(3)]
    orders = [desk.ready(client, f"h{number}.example.gov.cn") for number, client in enumerate(clients)]

    def broken(prepared, issuer):
        if prepared.lint_certificate.san == (("dns", "h2.example.gov.cn"),):
            raise RuntimeError("a fault")
        return sign(prepared, issuer)

    monkeypatch.setattr("ca.issue_many.sign", broken)
    group = [
        asked(desk, client, order["finalize"], {"csr": encode64(request_for(order))})
        for client, (_, order) in zip(clients, orders, strict=True)
    ]
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [200, 200, 500]
    assert "a fault" not in problem(answers[2], "serverInternal", 500)["detail"]
    assert "a fault" in caplog.text
    assert [client.get(url)["status"] for client, (url, _) in zip(clients, orders, strict=True)] == [
        "valid",
        "valid",
        "invalid",
    ]


@pytest.mark.engines("both")
@pytest.mark.parametrize(
    "step",
    [
        "ca.acme-finalize.2-claimed",
        "ca.issue-many.2-linted",
        "ca.issue-many.3-intended",
        "ca.issue-many.4-signed",
        "ca.issue-many.5-stored",
        "ca.acme-finalize.3-issued",
    ],
)
def test_finalizations_killed_together_at_any_step(founded, settings, web, names, step):
    """All of them are valid with a certificate each, or invalid with none, and nothing stays in between."""
    desk = Desk(founded(acme=settings), web, names)
    client = desk.client()
    orders = [desk.ready(client, f"h{number}.example.gov.cn") for number in range(3)]
    folder = desk.site.folder
    for number, (_, order) in enumerate(orders):
        (folder / f"csr{number}").write_bytes(request_for(order))
    keep(client, folder)
    desk.site.keys.close()
    told = [order for _, order in orders]
    assert run(killed_together, desk.site.url, folder, settings, told, step) == -signal.SIGKILL

    desk = Desk(founded(acme=settings), web, names)
    again = desk.client(registered=False, key=client.key)
    again.kid = client.kid
    done = step in ("ca.issue-many.5-stored", "ca.acme-finalize.3-issued")
    assert {again.get(url)["status"] for url, _ in orders} == {"valid" if done else "processing"}
    desk.site.clock.advance(timedelta(seconds=61))
    for url, order in orders:
        found = again.get(url)
        rows = desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}")
        if done:
            assert (found["status"], [row.state for row in rows]) == ("valid", ["issued"])
            continue
        assert (found["status"], found["error"]["type"]) == ("invalid", f"{URN}serverInternal")
        assert {row.state for row in rows} <= {"abandoned"}
        for row in rows:
            is_revoked(desk.site, row.serial)
        problem(again.finalize(order), "orderNotReady", 403)


@pytest.mark.engines("both")
def test_changes_of_several_requests_are_recorded_apart(desk):
    """Orders and answered challenges of a group: a record each, of its account and its request."""
    clients = [desk.client() for _ in range(3)]
    for each in clients:
        each.http = Quickly(desk.app)
    payload = {"identifiers": [{"type": "dns", "value": HOME}]}
    group = [asked(desk, each, f"{HOST}/acme/new-order", payload) for each in clients]
    group.append(asked(desk, clients[0], f"{HOST}/acme/new-order", {"identifiers": []}))
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [201, 201, 201, 400]
    challenges = [
        client.challenge(json.loads(answer.data)["authorizations"][0])
        for client, answer in zip(clients, answers, strict=False)
    ]
    for client, challenge in zip(clients, challenges, strict=True):
        desk.web.put(client, challenge["token"])
    group = [
        asked(desk, each, challenge["url"], {}) for each, challenge in zip(clients, challenges, strict=True)
    ]
    answered = served(desk.app, group)
    desk.acme.validators.idle()
    for client, answer in zip(clients, answers, strict=False):
        assert client.get(answer.headers["Location"])["status"] == "ready"
    events = recorded(desk)
    for verb, told in (("ca.acme-order", answers[:3]), ("ca.acme-respond", answered)):
        for client, answer in zip(clients, told, strict=True):
            event = events[answer.headers["Audit-Entry"]]
            assert (event["verb"], event["actor"]["id"]) == (verb, f"acme:{client.kid.rpartition('/')[2]}")
            assert event["request"] == answer.headers["Request-Id"]


@pytest.mark.engines("any")
def test_refusals_stand_on_the_record_as_on_the_ordinary_way(desk):
    """Under the account and the verb that was asked, and not as a stranger's."""
    client = desk.client()
    url, order = client.order(HOME)
    other = desk.client().order("d.example.gov.cn")
    foreign = desk.client()
    _, done = desk.ready(foreign, "c.example.gov.cn")
    certificate = json.loads(foreign.finalize(done).data)["certificate"]
    for where, payload in (
        (other[0], None),
        (other[1]["authorizations"][0], None),
        (other[1]["authorizations"][0], {"status": "deactivated"}),
        (f"{other[1]['authorizations'][0]}/http-01", {}),
        (other[1]["finalize"], {"csr": encode64(request_for(other[1]))}),
        (certificate, None),
        (url, {}),
        (order["finalize"], {"csr": encode64(request_for(order))}),
        (f"{HOST}/acme/new-order", {"identifiers": []}),
    ):
        ordinary, quick = both(desk, client, where, payload)
        alike(ordinary, quick)
        assert quick.status_code in (400, 403, 404)
        found = deeds(desk, quick)
        assert found == deeds(desk, ordinary)
        assert [each[1:3] for each in found] == [(f"acme:{client.kid.rpartition('/')[2]}", "refused")]


@pytest.mark.engines("both")
def test_what_is_finalized_together_is_recorded_as_what_is_finalized_alone(desk):
    """Intents as intents: what becomes of them is another record."""
    client = desk.client()
    orders = [desk.ready(client, f"h{number}.example.gov.cn")[1] for number in range(3)]
    alone = deeds(desk, client.finalize(orders[0]))
    group = [
        asked(desk, client, each["finalize"], {"csr": encode64(request_for(each))}) for each in orders[1:]
    ]
    for answer in served(desk.app, group):
        assert Counter(deeds(desk, answer)) == Counter(alone)
    assert {each[2] for each in alone} == {"intent", "done"}


@pytest.mark.engines("any")
def test_each_of_a_group_counts_against_what_its_account_may(opened):
    desk = opened(orders_per_hour=2)
    client, other = desk.client(), desk.client()
    client.order(HOME)
    other.order(HOME)
    payload = {"identifiers": [{"type": "dns", "value": HOME}]}
    group = [asked(desk, each, f"{HOST}/acme/new-order", payload) for each in (client, client, other)]
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [201, 429, 201]
    problem(answers[1], "rateLimited", 429)
    assert int(answers[1].headers["Retry-After"]) > 3500


@pytest.mark.engines("any")
def test_what_follows_a_change_fails_for_its_request_alone(desk, monkeypatch, caplog):
    """The change stands, and the others hear of theirs. Seen to fail: all had their nonces spent, and no answer."""
    clients = [desk.client() for _ in range(3)]
    challenges = [each.challenge(each.order(HOME)[1]["authorizations"][0]) for each in clients]
    submitted = []

    def submit(id_):
        submitted.append(id_)
        if len(submitted) == 2:
            raise RuntimeError("no thread")

    monkeypatch.setattr(desk.acme.validators, "submit", submit)
    group = [asked(desk, client, each["url"], {}) for client, each in zip(clients, challenges, strict=True)]
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [200, 500, 200]
    problem(answers[1], "serverInternal", 500)
    assert "no thread" in caplog.text
    assert len(submitted) == 3
    assert json.loads(clients[1].post(challenges[1]["url"], None).data)["status"] == "processing"


@pytest.mark.engines("any")
def test_a_credential_withdrawn_or_ended_stops_its_account_alone(desk):
    client, first = desk.client(), desk.kid
    orders = [desk.ready(client, HOME)[1]]
    desk.grant()
    other = desk.client()
    orders.append(desk.ready(other, HOME)[1])
    desk.site.ca.enrolment.withdraw(REGISTRAR, first)
    group = [
        asked(desk, each, order["finalize"], {"csr": encode64(request_for(order))})
        for each, order in zip((client, other), orders, strict=True)
    ]
    payload = {"identifiers": [{"type": "dns", "value": HOME}]}
    group += [asked(desk, each, f"{HOST}/acme/new-order", payload) for each in (client, other)]
    answers = served(desk.app, group)
    assert [each.status_code for each in answers] == [403, 200, 403, 201]
    for each in (answers[0], answers[2]):
        assert "credential" in problem(each, "unauthorized", 403)["detail"]


@pytest.mark.engines("any")
@pytest.mark.parametrize("alone", [True, False])
def test_a_credential_withdrawn_while_its_order_is_finalized_gives_none(desk, alone):
    """Seen to fail with it not asked again where the certificate is stored; who came together with it has hers."""
    client, first = desk.client(), desk.kid
    orders = [desk.ready(client, HOME)]
    desk.grant()
    other = desk.client()
    orders.append(desk.ready(other, "b.example.gov.cn"))

    def reached(name):
        if name == ("ca.issue.3-intended" if alone else "ca.issue-many.3-intended"):
            listen(None)
            desk.site.ca.enrolment.withdraw(REGISTRAR, first)

    made = list(zip((client, other), orders, strict=True))[: 1 if alone else 2]
    group = [
        asked(desk, each, order["finalize"], {"csr": encode64(request_for(order))})
        for each, (_, order) in made
    ]
    listen(reached)
    try:
        answers = served(desk.app, group)
    finally:
        listen(None)
    assert [each.status_code for each in answers] == [403, 200][: len(group)]
    assert "credential" in problem(answers[0], "unauthorized", 403)["detail"]
    assert client.get(orders[0][0])["status"] == "invalid"
    (row,) = desk.site.rows(reference=f"acme/{orders[0][0].rpartition('/')[2]}")
    assert (row.state, row.revoked_at is None) == ("abandoned", False)


@pytest.mark.engines("any")
def test_a_proof_that_is_withdrawn_while_its_order_is_finalized(desk, monkeypatch):
    """It counts as it stands when the order is claimed."""
    from ca.acme import finalize

    client = desk.client()
    url, order = desk.ready(client)
    fitting = finalize._fitting

    def withdrawn(*arguments):
        found = fitting(*arguments)
        assert client.post(order["authorizations"][0], {"status": "deactivated"}).status_code == 200
        return found

    monkeypatch.setattr(finalize, "_fitting", withdrawn)
    (answer,) = served(
        desk.app, [asked(desk, client, order["finalize"], {"csr": encode64(request_for(order))})]
    )
    problem(answer, "orderNotReady", 403)
    assert client.get(url)["status"] == "invalid"
    assert desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}") == []


@pytest.mark.engines("any")
def test_a_name_is_known_by_what_came_over_tls(desk):
    """What came in the clear says nothing of our addresses."""
    client = desk.client()
    path = client.order(HOME)[0].removeprefix(HOST)
    name, home = "plainly.example.gov.cn", client.kid
    client.http.post(path, base_url=f"http://{name}", data=b"{}", content_type=JOSE)
    client.http.post(path, base_url=f"https://{name}", data=b"{}", content_type=JOSE)
    kid = home.replace(HOST, f"https://{name}")
    body = octets(client, f"https://{name}{path}", None, header={"kid": kid})
    assert begun(desk.app, path, body, host=name) is not None


@pytest.mark.engines("any")
def test_a_database_that_does_not_answer_is_not_waited_for_by_each_in_turn(desk, monkeypatch):
    """Seen to fail: who came last waited once for everybody before her."""
    clients = [desk.client() for _ in range(4)]
    payload = {"identifiers": [{"type": "dns", "value": HOME}]}
    group = [asked(desk, each, f"{HOST}/acme/new-order", payload) for each in clients]
    store, waited = type(desk.site.store), []

    @contextmanager
    def busy(*_, **__):
        waited.append(1)
        raise StoreUnavailable
        yield

    with monkeypatch.context() as patched:
        patched.setattr(store, "several", busy)
        patched.setattr(store, "act", busy)
        answers = served(desk.app, group)
    for each in answers:
        problem(each, "serverInternal", 503)
        assert each.headers["Retry-After"]
    assert len(waited) == 2
    assert [
        each.status_code
        for each in served(
            desk.app, [asked(desk, client, f"{HOST}/acme/new-order", payload) for client in clients]
        )
    ] == [201] * 4


@pytest.mark.engines("both")
def test_of_two_challenges_in_one_group_the_first_is_chosen(desk):
    """Seen to fail when it is not compared whether one was chosen meanwhile."""
    client = desk.client()
    _, order = client.order(HOME)
    first, second = (client.challenge(order["authorizations"][0], kind) for kind in ("http-01", "dns-01"))
    desk.web.put(client, first["token"])
    answers = served(desk.app, [asked(desk, client, each["url"], {}) for each in (first, second)])
    desk.acme.validators.idle()
    assert [each.status_code for each in answers] == [200, 200]
    assert client.challenge(order["authorizations"][0], "http-01")["status"] == "valid"


@pytest.mark.engines("any")
def test_an_order_that_was_claimed_fails_with_what_forbids_its_certificate(desk, monkeypatch):
    """Seen to fail when it is only told: the order stays in processing."""
    client = desk.client()
    url, order = desk.ready(client)

    def forbidden(*_, **__):
        raise CredentialSpent(credential="x")

    monkeypatch.setattr(desk.acme.parts.enrolment, "wanted", forbidden)
    (answer,) = served(
        desk.app, [asked(desk, client, order["finalize"], {"csr": encode64(request_for(order))})]
    )
    problem(answer, "unauthorized", 403)
    assert client.get(url)["status"] == "invalid"


@pytest.mark.engines("both")
def test_an_order_that_failed_while_its_certificate_was_signed_gives_none(desk, monkeypatch):
    """Seen to fail when its state is not compared once more: a certificate for an order that is invalid."""
    from ca import issue_many
    from ca.acme.order import fail

    client = desk.client()
    made = [desk.ready(client, f"h{number}.example.gov.cn") for number in range(2)]
    sign, ids = issue_many.sign, [url.rpartition("/")[2] for url, _ in made]

    def slowly(prepared, issuer):
        if prepared.lint_certificate.san == (("dns", "h1.example.gov.cn"),):
            fail(desk.acme.parts, ids[1], {"type": "x", "detail": "x", "status": 500})
        return sign(prepared, issuer)

    monkeypatch.setattr(issue_many, "sign", slowly)
    group = [
        asked(desk, client, order["finalize"], {"csr": encode64(request_for(order))}) for _, order in made
    ]
    answers = served(desk.app, group)
    assert answers[0].status_code == 200
    problem(answers[1], "serverInternal", 500)
    assert [client.get(url)["status"] for url, _ in made] == ["valid", "invalid"]
    states = [[row.state for row in desk.site.rows(reference=f"acme/{id_}")] for id_ in ids]
    assert states == [["issued"], ["abandoned"]]
