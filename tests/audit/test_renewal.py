# ruff: noqa: S608 - the statements are this file's own constants
"""Proofs outlive their certificates and algorithms: the job renews them in time, many under one timestamp, and never what does not hold."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from audit import Vouched
from audit.archive.make import make
from audit.cli import group
from audit.errors import StateBroken
from audit.renewal.errors import NoRecord, NotEvidence, NotYetStamped, NoYoungerTimestamp, RenewalBroken
from audit.renewal.keep import keep
from audit.renewal.ledger import Proof, content, ending
from audit.renewal.now import record_now
from audit.renewal.renew import horizon, plan, renew
from audit.renewal.settings import RenewalSettings
from tests.evidence.eras import KINDS, YEAR, era
from yinxin import steps
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.suite import hash_algorithm
from yinxin.crypto.timestamps import Token
from yinxin.evidence import Bundle, pack, verify
from yinxin.evidence.record import Ages, EvidenceRecord, RecordLapsed, RenewedTooLate, follow
from yinxin.evidence.trust import Trust

from .neighbourhood import app_of, grow
from .people import Deciding
from .test_archives import Context, Killed, retain, settle

pytestmark = pytest.mark.engines("any")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = {
    "ecdsa-p256": date(2031, 6, 30),
    "sha256": date(2034, 12, 31),
    "sm2": date(2041, 12, 31),
    "sm3": date(2041, 12, 31),
}
STEPS = ["audit.renew.1-joined", "audit.renew.2-stamped", "audit.renew.3-entered"]


class Stamps:
    """The authority above: units of several suites, each with a new certificate in time, and their lists of today."""

    def __init__(self, store):
        self.store, self.asked = store, Counter()
        self.eras, self.roots = {}, []

    def begin(self, suite, kind, years=6):
        if suite in self.eras:
            self.eras[suite].begin(self.store.clock.now(), years, KINDS[kind][0])
            return
        self.eras[suite] = era(kind, self.store.clock.now(), years)
        self.roots.append(self.eras[suite].root)

    def stamp(self, message, suite_name, actor, hash_name=None):
        by = self.eras.get(suite_name)
        if by is None:
            return None
        self.asked[suite_name] += 1
        hash_ = hash_algorithm(hash_name) if hash_name else by.hash
        with self.store.act(actor, "ca.timestamp", f"timestamp:{suite_name}"):
            pass
        return by.token(message, self.store.clock.now(), hash_).der

    def standing(self, token):
        read = Token.load(token)
        path = read.verify(imprint=read.digest, anchors=self.roots, require_revocation=False)
        now = self.store.clock.now()
        lists = [each.crl(now) for each in self.eras.values() if each.root == path.anchor]
        return Vouched(path, (), tuple(lists))


@pytest.fixture
def stamps(site):
    site.log.stamps.authority = found = Stamps(site.store)
    found.begin("intl", "ecdsa")
    found.begin("sm", "sm")
    site.log.decider = Deciding(site.store)
    site.log.settings = site.log.settings.model_copy(update={"renewal": RenewalSettings(until=UNTIL)})
    return found


def check(site, stamps, kind, name, data=None):
    """The record as a stranger checks it; how many links it has."""
    found = record_now(site.log, kind, name)
    if data is None:
        with site.store.read() as session:
            data = content(session, Proof(kind, name))
    held = []
    trust = Trust(tuple(stamps.roots), (), ages=Ages.of(UNTIL))
    verify(data, trust, at=site.store.clock.now() + HOUR, held=held, record=found.encode())
    return found


@pytest.fixture
def kept(site, stamps, clock, tmp_path):
    """A stamped checkpoint of each tree, an archive and two bundles."""
    grow(site, 3)
    clock.advance(HOUR)
    assert site.log.stamps.run() == 2
    retain(site, "test.", 184)
    settle(site)
    clock.advance(200 * DAY)
    settle(site)
    site.archive = make(site.log, SYSTEM, tmp_path)["archive"]
    site.bundles = [keep(site.log, SYSTEM, each) for each in (b"first bundle", b"second bundle")]
    assert keep(site.log, SYSTEM, b"first bundle") == site.bundles[0]
    return site


def proofs(site):
    with site.store.read() as session:
        query = sa.text("SELECT kind, name FROM audit_branch WHERE position = 0 ORDER BY kind, name")
        return [tuple(row) for row in session.execute(query)]


@pytest.mark.slow
def test_thirty_years(kept, stamps, clock):
    """Three changes of algorithm and a new certificate every few years; the job comes by every two months."""
    log = kept.log
    first = renew(log)
    assert first.fields() | {"lost": [], "broken": []} == {
        "begun": {"archive": 1, "bundle": 2},
        "renewed": {},
        "rehashed": {},
        "timestamps": 1,
        "lost": [],
        "broken": [],
    }
    every = proofs(kept)
    assert [kind for kind, _ in every] == ["archive", "bundle", "bundle", "checkpoint", "checkpoint"]
    kinds = {"intl": "ecdsa", "sm": "sm"}
    begun = dict.fromkeys(kinds, clock.now())
    done = Counter()
    end = clock.now() + 30 * YEAR
    checked = clock.now()
    while clock.now() < end:
        clock.advance(80 * DAY)
        if "pq" not in kinds and clock.now().year >= 2040:
            kinds["pq"], begun["pq"] = "pq", clock.now()
            stamps.begin("pq", "pq")
        for suite, kind in kinds.items():
            if clock.now() - begun[suite] > 4 * YEAR:
                stamps.begin(suite, kind)
                begun[suite] = clock.now()
        for name, count in renew(log).fields().items():
            if isinstance(count, dict):
                done[name] += sum(count.values())
        if clock.now() - checked > 9 * YEAR:
            checked = clock.now()
            for kind, name in every:
                check(kept, stamps, kind, name)
    assert log.check().records == 5
    lengths = set()
    for kind, name in every:
        found = check(kept, stamps, kind, name)
        hashes = [chain[0].hash.name for chain in found.chains]
        assert hashes[-1] == "sha512"
        assert hashes in (["sha256", "sm3", "sha512"], ["sm3", "sha512"])
        lengths.add(len(found.links))
        keys = [each.token.check_signature().public_key.kind for each in found.links]
        assert keys[-1] == "ml-dsa-65"
    assert min(lengths) >= 6
    # what nobody renewed had been refused long ago
    alone = replace(found, chains=(found.chains[0][:1],))
    with pytest.raises(RecordLapsed):
        _follow(kept, stamps, every[-1], alone)
    settle(kept)
    assert log.health().facts["renewal"]["expiring"] == 0
    assert log.health().ok


def _follow(site, stamps, proof, record):
    with site.store.read() as session:
        data = content(session, Proof(*proof))
    trust = Trust(tuple(stamps.roots), (), ages=Ages.of(UNTIL))
    verify(data, trust, at=site.store.clock.now(), held=[], record=record.encode())


@pytest.mark.engines("both")
def test_one_timestamp_for_many_before_they_end(kept, stamps, clock):
    log = kept.log
    renew(log)
    assert stamps.asked == {"intl": 2, "sm": 1}
    assert renew(log).timestamps == 0
    clock.advance(date(2031, 3, 1) - clock.now().date())
    assert log.health().facts["renewal"]["expiring"] == 0
    stamps.begin("sm", "sm")
    clock.advance(date(2031, 5, 1) - clock.now().date())  # the algorithm of intl ends before its certificate
    facts = log.health().facts["renewal"]
    assert (facts["expiring"], facts["within_days"]) == (4, 90)
    assert plan(log).fields()["renewed"] == {"archive": 1, "bundle": 2, "checkpoint": 1}
    assert facts["expiring"] == 4
    before = stamps.asked.copy()
    done = renew(log)
    # the hash lasts: within the chain, by the other suite's key
    assert done.renewed == {"archive": 1, "bundle": 2, "checkpoint": 1}
    assert stamps.asked - before == {"sm": 1}
    for kind, name in proofs(kept):
        found = check(kept, stamps, kind, name)
        assert [len(each) for each in found.chains] == ([1] if name.startswith("sm3/") else [2])
    kept.log.sequence()
    kept.log.index.catch_up()
    entry, *_ = [each for each in log.entries(limit=5) if each.verb == "audit.renew"]
    assert entry.fields()["facts"]["count"] == 4
    assert log.check().records == 5
    # taken away: the newest renewal of one proof, then of all
    kept.drop_triggers()
    newest = "(SELECT max(number) FROM audit_link)"
    for reason, statement in (
        (
            "not what the log says",
            f"DELETE FROM audit_branch WHERE link = {newest} AND kind = 'archive'",
        ),
        ("was taken out", f"DELETE FROM audit_branch WHERE link = {newest}"),
    ):
        kept.execute(statement)
        if "kind" not in statement:
            kept.execute(f"DELETE FROM audit_link WHERE number = {newest}")
        with pytest.raises(StateBroken, match=reason):
            log.check()


def test_a_checkpoints_record_is_everybodys(kept, stamps):
    """Over HTTP, from its first timestamp on, whether or not the job has come by."""
    with kept.store.read() as session:
        size = session.scalar(sa.text("SELECT max(size) FROM audit_stamp"))
    http = app_of(kept).test_client()
    for _ in range(2):
        got = http.get(f"/api/audit/v1/checkpoints/{size}/record?suite=sm")
        record = EvidenceRecord.decode(got.data)
        with kept.store.read() as session:
            text = content(session, Proof("checkpoint", f"sm3/{size}"))
        held = []
        verify(text, Trust(tuple(stamps.roots), ()), at=kept.store.clock.now(), held=held, record=got.data)
        assert len(record.links) == 1
        renew(kept.log)
    assert http.get("/api/audit/v1/checkpoints/99999/record").status_code == 404


def test_a_dry_run_changes_nothing(kept, stamps, clock):
    asked = stamps.asked.copy()
    assert plan(kept.log).fields()["begun"] == {"archive": 1, "bundle": 2}
    assert plan(kept.log).timestamps == 0
    assert stamps.asked == asked
    assert proofs(kept) == []


def test_what_is_away_is_named_and_the_others_are_renewed(kept, stamps, clock, tmp_path):
    file = kept.log.kept / f"{kept.bundles[0]}.asice"
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    file.rename(moved / file.name)
    assert "gone or changed" in kept.log.health().text.en
    done = renew(kept.log)
    assert done.lost == [str(file)]
    assert done.begun == {"archive": 1, "bundle": 1}
    (moved / file.name).write_bytes(b"first bundle!")
    assert renew(kept.log, look_in=[str(moved)]).lost == [str(file)]
    (moved / file.name).write_bytes(b"first bundle")
    assert renew(kept.log, look_in=[str(moved)]).begun == {"bundle": 1}
    check(kept, stamps, "bundle", kept.bundles[0], b"first bundle")


def test_what_does_not_hold_is_not_renewed(kept, stamps, clock):
    """A renewal over it would make a false proof look old and true."""
    renew(kept.log)
    kept.drop_triggers()
    # the way to the root of one bundle is put in the other's place
    one, other = kept.bundles
    kept.execute(
        "UPDATE audit_branch SET path = (SELECT path FROM audit_branch WHERE kind = 'archive') WHERE name = :n",
        n=one,
    )
    with pytest.raises(RenewalBroken) as caught:
        kept.log.check()
    assert caught.value.facts["name"] == one
    stamps.begin("sm", "sm", 20)
    clock.advance(date(2034, 11, 1) - clock.now().date())
    done = renew(kept.log)
    assert done.broken == [f"bundle {one}"]
    assert done.rehashed["bundle"] == 1
    assert check_lapses(kept, stamps, other)


def check_lapses(site, stamps, name):
    """It was renewed after its certificate had ended, and says so: the job had not come by in between."""
    with pytest.raises(RenewedTooLate):
        check(site, stamps, "bundle", name)
    return True


def test_no_authority_lasts_longer(kept, stamps, clock):
    renew(kept.log)
    clock.advance(date(2031, 3, 25) - clock.now().date())
    # past the first half of the days in which it should have been renewed
    clock.advance(60 * DAY)
    settle(kept)
    assert "should have been renewed" in kept.log.health().text.en
    away = stamps.eras.pop("sm")
    with pytest.raises(NoYoungerTimestamp) as caught:
        renew(kept.log)
    assert caught.value.facts["count"] == 4
    # one whose certificate ends as soon as what it is to renew helps nobody
    stamps.eras["sm"] = away
    away.begin(clock.now(), 0.05, KINDS["sm"][0])
    with pytest.raises(NoYoungerTimestamp):
        renew(kept.log)
    stamps.begin("sm", "sm")
    assert sum(renew(kept.log).renewed.values()) > 0
    settle(kept)
    assert kept.log.health().ok


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps(kept, stamps, step):
    def die(name):
        if name == step:
            raise Killed

    steps.listen(die)
    try:
        with pytest.raises(Killed):
            renew(kept.log)
    finally:
        steps.listen(None)
    assert renew(kept.log).timestamps == (0 if step == STEPS[-1] else 1)
    assert len(proofs(kept)) == 5
    for kind, name in proofs(kept):
        check(kept, stamps, kind, name)
    kept.log.check()


@pytest.mark.parametrize("step", ["audit.keep.1-written", "audit.keep.2-entered"])
def test_killed_while_it_is_taken_in(site, stamps, step):
    def die(name):
        if name == step:
            raise Killed

    steps.listen(die)
    try:
        with pytest.raises(Killed):
            keep(site.log, SYSTEM, b"a bundle")
    finally:
        steps.listen(None)
    name = keep(site.log, SYSTEM, b"a bundle")
    assert renew(site.log).begun == {"bundle": 1}
    check(site, stamps, "bundle", name, b"a bundle")


@pytest.mark.engines("both")
def test_the_ledger_is_insert_only(kept, stamps):
    renew(kept.log)
    for table, column in (("audit_kept", "sha256"), ("audit_link", "data"), ("audit_branch", "path")):
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="insert-only"):
                kept.execute(statement)


def test_commands(kept, stamps, clock, tmp_path):
    def run(name, *arguments):
        return CliRunner().invoke(group, arguments, obj=Context(kept, name))

    assert isinstance(run("clerk", "renew").exception, Denied)
    assert isinstance(run("administrator", "keep", __file__).exception, Denied)
    asked = json.loads(run("auditor", "renew", "--dry-run", "--json").output)
    assert asked["begun"] == {"archive": 1, "bundle": 2}
    assert "3 begun" in run("auditor", "renew").output
    file, third = tmp_path / "third", pack(Bundle("document:1", b"x", b"y", (), (), (), ()), b"signature")
    file.write_bytes(third[:-1])
    refused = run("clerk", "keep", str(file)).exception
    assert isinstance(refused, NotEvidence)
    assert refused.entry is not None
    assert len(json.loads(run("auditor", "kept", "--json").output)) == 3
    file.write_bytes(third)
    name = json.loads(run("clerk", "keep", str(file), "--json").output)["name"]
    assert name in run("auditor", "kept").output
    assert len(json.loads(run("auditor", "kept", "--json").output)) == 4
    assert isinstance(run("clerk", "kept").exception, Denied)
    kept.log.sequence()
    refused, *read = kept.log.entries(limit=3)
    assert (refused.actor, refused.verb, refused.outcome) == ("clerk", "audit.read", "refused")
    for each in read:
        assert (each.actor, each.verb, each.outcome) == ("auditor", "audit.read", "done")
        assert each.fields()["facts"] == {"kept": True, "count": 4}
    out = tmp_path / "out.ers"
    waiting = run("auditor", "record", "bundle", name, "--out", str(out)).exception
    assert isinstance(waiting, NotYetStamped)
    assert all(name in waiting.text(language) for language in ("zh", "en"))
    unknown = run("auditor", "record", "bundle", "0" * 64, "--out", str(out)).exception
    assert type(unknown) is NoRecord
    assert json.loads(run("administrator", "renew", "--json").output)["begun"] == {"bundle": 1}
    told = json.loads(run("auditor", "record", "bundle", name, "--out", str(out), "--json").output)
    assert told["links"] == 1
    held = []
    follow(
        EvidenceRecord.decode(out.read_bytes()),
        third,
        tuple(stamps.roots),
        Ages.of({}),
        at=clock.now(),
        held=held,
    )
    with kept.store.read() as session:
        assert ending(session, Ages.of(UNTIL), horizon(kept.log)) == []
