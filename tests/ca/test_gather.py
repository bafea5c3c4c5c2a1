"""Requests that meet in one process are issued together: exactly as if each had come alone."""

import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from ca.errors import ForeignName, KeyInUse, ReferenceReused, WeakKey
from ca.issue import Issued, issue
from ca.request import Holder
from kms.errors import HsmGone
from kms.sign import KeySigner
from tests.support.forked import run
from yinxin.act import Actor, Kind
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.gather import Gatherer
from yinxin.store import current_entries, marking, request_scope

from .conftest import REGISTRAR, Site
from .crasher import crowd
from .crowd import together
from .test_crash import is_revoked
from .test_refuse import short


def kinds(answers: list[object]) -> list[type]:
    return [type(each) for each in answers]


def test_nobody_waits_for_company_and_who_waited_goes_together() -> None:
    """Seen to fail (hanging) with `following` not called, and (three groups) with groups of one."""
    gatherer: Gatherer[int, int] = Gatherer(8)
    began, go_on, groups = threading.Event(), threading.Event(), list[list[int]]()

    def serve(group: list[int]) -> list[int]:
        groups.append(list(group))
        if len(groups) == 2:
            began.set()
            go_on.wait()
        return [2 * each for each in group]

    assert gatherer.join(1, serve) == 2
    assert groups == [[1]]
    answers: dict[int, int | None] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: gatherer.join(n, serve)})) for n in range(2, 13)
    ]  # fmt: skip
    threads[0].start()
    began.wait()
    for thread in threads[1:]:
        thread.start()
    while len(gatherer._waiting) < 10:
        threading.Event().wait(0.002)
    go_on.set()
    for thread in threads:
        thread.join()
    assert answers == {n: 2 * n for n in range(2, 13)}
    assert [len(each) for each in groups] == [1, 1, 8, 2]


def test_a_group_that_fails_frees_everybody_in_it_and_the_next() -> None:
    """Seen to fail (hanging) with the handing on outside `finally`."""
    gatherer: Gatherer[int, int] = Gatherer(2)

    def fail(_group: list[int]) -> list[int]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        gatherer.join(1, fail)
    assert gatherer.join(2, lambda group: group) == 2


def test_64_at_once_each_get_their_own(site: Site) -> None:
    """Sixteen references, each asked for by four. Seen to fail with answers handed out in another order."""
    requests = [site.request(f"crowd-{n % 16}", key=key) for n, key in enumerate([*_keys(16)] * 4)]
    answers = together(site, [partial(site.ca.issue, REGISTRAR, each) for each in requests])
    assert Counter(kinds(answers)) == {Issued: 64}
    for request, answer in zip(requests, answers, strict=True):
        (row,) = site.rows(reference=request.reference)
        assert (row.serial, row.der, row.state) == (answer.serial, answer.certificate.der, "issued")
        again = Certificate(row.der)
        assert (again.signature, again.fingerprint) == (answer.certificate.signature, row.fingerprint)


def _keys(count: int) -> list[PrivateKey]:
    return [PrivateKey.generate(INTL) for _ in range(count)]


def test_what_is_wrong_with_one_is_its_own(site: Site) -> None:
    """Refused by request, name, key and reference, and by what should join the transaction; the rest is issued."""
    (key,) = _keys(1)

    def poison(*_: object) -> None:
        raise RuntimeError("poison")

    def ask(*given: object, **parts: object) -> Callable[[], Issued]:
        return partial(site.ca.issue, REGISTRAR, site.request(*given, **parts))  # type: ignore[arg-type]

    answers = together(
        site,
        [
            ask("first"),
            ask("fine-1", key=key),
            ask("weak", csr=short(site)),
            ask("foreign", subject={"commonName": "b.example.gov.cn"}),
            ask("same-key", key=key, holder=Holder("service", "b", None, "county-a")),
            partial(issue, site.ctx, REGISTRAR, site.request("poison"), also=poison),
            ask("first"),
            ask("fine-2"),
        ],
    )
    wanted = [Issued, Issued, WeakKey, ForeignName, KeyInUse, RuntimeError, ReferenceReused, Issued]
    assert kinds(answers) == wanted
    refused = {e["subject"] for e in site.events("ca.issue") if e["outcome"] == "refused"}
    assert refused == {f"reference:{name}" for name in ("weak", "foreign", "same-key", "first")}
    states = {row.reference: row.state for row in site.rows(organ="county-a")}
    assert states == {"first": "issued", "fine-1": "issued", "fine-2": "issued", "poison": "abandoned"}


def test_a_module_that_fails_is_told_to_everybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> bytes:
        raise HsmGone(token="t", reason="gone")

    requests = [site.request(f"gone-{n}") for n in range(5)]
    with monkeypatch.context() as patched:
        patched.setattr(KeySigner, "sign", gone)
        answers = together(site, [partial(site.ca.issue, REGISTRAR, each) for each in requests])
    assert kinds(answers) == [HsmGone] * 5
    assert {row.state for row in site.rows(organ="county-a")} == {"abandoned"}
    answers = together(site, [partial(site.ca.issue, REGISTRAR, each) for each in requests])
    assert kinds(answers) == [Issued] * 5


def test_each_is_recorded_as_its_own_act_in_its_own_request(site: Site) -> None:
    """Actor, decision, request, the entries that the answer names, and the mark of its idempotency key.

    Seen to fail with records made outside `surroundings`: all in the leader's request, no mark but the leader's.
    """
    marked: dict[int, list[str]] = {}

    def ask(number: int) -> tuple[Issued, tuple[str, ...]]:
        actor = Actor(Kind.SERVICE, f"client-{number}")
        mark = lambda _session, record: marked.setdefault(number, []).append(record.id)  # noqa: E731
        with request_scope(f"request-{number}"), marking(mark):
            given = {"by": str(number)}
            return issue(site.ctx, actor, site.request(f"own-{number}"), given), current_entries()

    answers = together(site, [partial(ask, number) for number in range(6)])
    for number, (issued, entries) in enumerate(answers):
        mine = [e for e in site.events("ca.issue") if e["subject"] == f"certificate:{issued.serial}"]
        assert [e["outcome"] for e in mine] == ["intent", "done"]
        assert {e["actor"]["id"] for e in mine} == {f"client-{number}"}
        assert {e["request"] for e in mine} == {f"request-{number}"}
        assert mine[0]["decision"] == {"by": str(number)}
        assert [e["id"] for e in mine] == list(entries) == marked[number]
        assert site.rows(serial=issued.serial)[0].requested_by == f"client-{number}"
    batch = [e for e in site.events("ca.issue") if e["subject"].startswith("batch:")]
    assert [(e["actor"]["id"], e.get("request"), e["facts"]["certificates"]) for e in batch] == [
        ("system", None, 5),
        ("system", None, 5),
    ]


def test_a_key_held_by_another_request_undoes_only_its_own(site: Site) -> None:
    """Its idempotency key was taken over while it waited."""

    def lost(*_: object) -> None:
        raise KeyInUse(serial="-")

    def ask(number: int) -> Issued:
        with marking(lost if number == 2 else None):
            return issue(site.ctx, REGISTRAR, site.request(f"held-{number}"))

    answers = together(site, [partial(ask, number) for number in range(4)])
    assert kinds(answers) == [Issued, Issued, KeyInUse, Issued]
    assert site.rows(reference="held-2") == []


@pytest.mark.parametrize("step", ["2-linted", "3-intended", "4-signed", "5-stored"])
def test_a_group_killed_at_any_step(founded: Callable[..., Site], step: str) -> None:
    site = founded()
    requests = [site.request(f"crash-{n}") for n in range(5)]
    for number, each in enumerate(requests):
        assert isinstance(each.csr, bytes)
        (site.folder / f"csr-{number}").write_bytes(each.csr)
    site.keys.close()
    assert run(crowd, site.url, site.folder, f"ca.issue-many.{step}") == -signal.SIGKILL

    site = founded()
    left = {row.reference: row.state for row in site.rows(organ="county-a")}
    assert left.pop("crash-0") == "issued"
    state = {"2-linted": None, "5-stored": "issued"}.get(step, "intent")
    assert left == ({f"crash-{n}": state for n in range(1, 5)} if state else {})
    site.clock.advance(timedelta(seconds=61))
    site.ca.reconcile()
    for row in site.rows(state="abandoned"):
        is_revoked(site, row.serial)
    again = [site.ca.issue(REGISTRAR, each) for each in requests]
    assert {row.serial for row in site.rows(organ="county-a", state="issued")} == {e.serial for e in again}
    assert len(again) == 5
