"""Erasure: values and salts leave with the record of it, or nothing does; every proof holds afterwards; who must wait is told.

Seen to fail when: the deletion is committed apart from the record; the check believes `audit_erased` without the log's word;
the periods of a verb are passed over.
"""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from audit import Filters
from audit.archive.ask import verified_for
from audit.archive.file import Archive
from audit.archive.make import make
from audit.archive.proposals import RETAIN, RetentionContent
from audit.cli import group
from audit.errors import OpeningBroken
from audit.pages import routes as console
from audit.personal import cli
from audit.personal.api import routes as api_routes
from audit.personal.erase import digest_of, scrub
from audit.personal.erasures import erasures_for
from audit.personal.errors import ErasureTooEarly, NothingToErase, PersonNotNamed, UnderHold
from audit.personal.extract import extract_for
from audit.personal.holds import holds_for
from audit.personal.models import OpeningRow
from audit.personal.pages import routes as page_routes
from audit.personal.proposals import ERASE, HOLD, ErasureContent, HoldContent
from audit.surroundings import Executed
from yinxin import evidence, steps
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.personal import Personal
from yinxin.proposal import Approved
from yinxin.text import Text
from yinxin.tlog import LogProof
from yinxin.web import WebSettings, create_app

from .deciding import APPROVALS, BASIS, carried_out
from .people import Deciding, People, actor

AUDITOR = actor("auditor")
ORIGIN = "https://trust.example.gov.cn"
#: seldom enough to be looked for in the octets of a disk
SECRET = "欧阳予倩-7f3a91c2"
STEPS = ["audit.erase.1-chosen", "audit.erase.2-noted", "audit.erase.3-gone"]


class Killed(BaseException):
    """Ends what is under way; the database undoes what was not committed."""


def erase(site, proposal="e1", **content):
    whole = {"ground": "consent-withdrawn"} | content
    return carried_out(site, ERASE, ErasureContent(**whole), proposal)["erased"]


def left(site):
    with site.store.read() as session:
        rows = session.execute(
            sa.select(OpeningRow.index, OpeningRow.name).order_by(OpeningRow.index, OpeningRow.name)
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def old(site, clock):
    """Personal data of two people, a year ago, in entries 0 and 1; in entry 2 of nobody known; and of today in entry 3."""
    site.log.decider = Deciding(site.store)
    site.event = site.act("person:p-1", person_name=Personal(SECRET, "p-1"), note=Personal("住院", "p-2"))
    site.act("thing:1", note=Personal("同上", "p-1"))
    site.free = site.act("thing:2", grounds=Personal("李四的电话"))
    clock.advance(timedelta(days=365))
    site.act("thing:3", note=Personal("今天", "p-2"))
    site.log.sequence()
    site.log.checkpoint()
    site.log.index.catch_up()
    return site


def trust_of(site):
    return evidence.Trust((), tuple(site.log.verifiers.values()))


def test_values_leave_and_every_proof_holds(old, clock):
    before = old.log.check()
    extract = extract_for(old.log, AUDITOR, old.event).encode()
    proofs = [(suite, old.log.proof(old.event, suite)) for suite in (INTL, SM)]
    done = erase(old, person="p-1")
    assert (done["fields"], done["archived"], done["person"]) == (2, 0, "p-1")
    assert left(old) == [(0, "note"), (2, "grounds"), (3, "note")]
    # before the record is in the log, and after
    assert old.log.check().erased == 2
    old.log.sequence()
    old.log.checkpoint()
    after = old.log.check()
    assert (after.opened, after.erased) == (3, 2)
    assert after.size > before.size
    for suite, proof in proofs:
        LogProof.decode(proof.encode()).verify([old.log.verifiers[suite.hash.name]])
        again = old.log.proof(old.event, suite)
        again.verify([old.log.verifiers[suite.hash.name]])
        assert again.entry == proof.entry
    # what was handed out before opens what it opened; what is made now does not
    held = []
    evidence.verify(extract, trust_of(old), at=clock.now(), held=held)
    assert SECRET in "".join(each.zh for each in held)
    held = []
    made = extract_for(old.log, AUDITOR, old.event)
    evidence.verify(made.encode(), trust_of(old), at=clock.now(), held=held)
    assert made.withheld() == {"person_name": 1}
    assert "姓名（1 条）" in held[-1].zh
    shown = {each.name: each for each in old.log.entry(old.event).personal()}
    assert (shown["person_name"].text.zh, shown["person_name"].erasure) == ("已依法删除", "e1")
    assert shown["note"].text.zh == "住院"
    with pytest.raises(NothingToErase):
        erase(old, "e2", person="p-1")
    again = ErasureContent(person="p-1", ground="other")
    assert "no such personal data" in ERASE.describe(old.log, again)[0].en
    (listed,) = erasures_for(old.log, AUDITOR)
    assert (listed.proposal, listed.person, listed.ground, listed.fields, listed.basis) == (
        "e1",
        "p-1",
        "consent-withdrawn",
        2,
        BASIS,
    )
    assert listed.digest == done["digest"]


def test_no_copy_is_left_in_the_database(old, clock):
    """Seen to fail without `secure_delete`, and without the write-ahead log being emptied."""
    erase(old, person="p-1")
    old.log.sequence()
    scrub(old.engine)
    if old.engine.dialect.name == "sqlite":
        old.log.close()
        folder = Path(sa.make_url(old.url).database).parent
        octets = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
        assert "住院".encode() in octets
        assert SECRET.encode() not in octets


def test_fields_of_nobody_and_some_fields_only(old):
    erase(old, entries=[old.free])
    erase(old, "e2", person="p-2", fields=["note"], until=old.store.clock.now() - timedelta(days=30))
    assert left(old) == [(0, "person_name"), (1, "note"), (3, "note")]
    old.log.check()


@pytest.mark.engines("any")
def test_whose_it_is_must_be_said(old):
    """Seen to fail when a person's fields went by the entries alone: nobody was told whose, and nobody was kept from deciding."""
    before = left(old)
    for entries, more in (
        ([old.event], {}),
        ([old.free, old.event], {}),
        ([old.event], {"fields": ["note"]}),
    ):
        content = ErasureContent(entries=entries, ground="other", **more)
        for refused in (
            lambda content=content: ERASE.check(old.log, content),
            lambda content=content: _past_the_check(old, content),
        ):
            with pytest.raises(PersonNotNamed) as named:
                refused()
            assert named.value.facts["event"] == old.event
        assert "say with person" in ERASE.describe(old.log, content)[0].en
    assert left(old) == before
    free = ErasureContent(entries=[old.free], ground="other")
    assert "1 personal fields of nobody known" in ERASE.describe(old.log, free)[0].en
    both = ErasureContent(person="p-1", entries=[old.event], ground="other")
    assert ERASE.concerned(old.log, both).people == {"p-1"}
    for held in (True, False):
        assert HOLD.concerned(old.log, HoldContent(person="p-1", held=held)).people == {"p-1"}
    assert not HOLD.concerned(old.log, HoldContent()).people


def _past_the_check(site, content):
    with site.store.act(SYSTEM, "authz.execute", "proposal:e1") as act:
        ERASE.within(site.log, Approved("e1", "", content, SYSTEM, ()), act.session)


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"person": "p-1", "fields": ["notes"]},
        {"person": "p-1", "basis": ""},
        {"person": "p-1", "ground": "whim"},
        {"person": "p-1", "more": 1},
    ],
)
def test_what_is_no_erasure(old, content):
    with pytest.raises(ValidationError):
        erase(old, **content)


def test_periods_and_orders_are_respected(old, clock):
    before = left(old)
    with pytest.raises(ErasureTooEarly) as early:  # today's entry: half a year at least
        erase(old, person="p-2")
    assert "kept until 2028-05" in early.value.text("en")
    _retain(old, "test.", 500, clock, "r1")
    with pytest.raises(ErasureTooEarly):
        erase(old, person="p-1")
    _retain(old, "test.", None, clock, "r2")  # for ever
    clock.advance(timedelta(days=1))
    with pytest.raises(ErasureTooEarly):
        erase(old, person="p-1")
    _retain(old, "test.act", 184, clock, "r3")
    clock.advance(timedelta(seconds=1))
    for person in ("p-1", ""):
        decided_hold(old, person, True, f"h-{person}")
        clock.advance(timedelta(seconds=1))
        with pytest.raises(UnderHold) as held:
            erase(old, person="p-1")
        assert held.value.facts["proposal"] == f"h-{person}"
        decided_hold(old, person, False, f"i-{person}")
        clock.advance(timedelta(seconds=1))
    assert left(old) == before
    erase(old, person="p-1")
    old.log.check()


def _retain(site, scope, days, clock, number):
    content = RetentionContent(scope=scope, days=days, since=clock.now(), basis=BASIS)
    carried_out(site, RETAIN, content, number)


def decided_hold(site, person, held, number):
    carried_out(site, HOLD, HoldContent(person=person, held=held), number)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(old, another, step):
    """Nothing is committed before all is: whoever dies on the way has erased nothing and recorded nothing, and it is done again."""
    before = left(old)

    def die(name):
        if name == step:
            raise Killed

    steps.listen(die)
    try:
        with pytest.raises(Killed):
            erase(old, person="p-1")
    finally:
        steps.listen(None)
    restarted = another()
    restarted.log.start()
    assert left(restarted) == before
    assert restarted.log.check().erased == 0
    erase(restarted, person="p-1")
    restarted.log.sequence()
    assert restarted.log.check().erased == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            [
                "INSERT INTO audit_erased VALUES (2, 'grounds', 'e9')",
                "DELETE FROM audit_opening WHERE name = 'grounds'",
            ],
            "grounds",
        ),
        (
            [
                "INSERT INTO audit_erased VALUES (2, 'grounds', 'e1')",
                "DELETE FROM audit_opening WHERE name = 'grounds'",
            ],
            "grounds",
        ),
        (["UPDATE audit_erasure SET digest = 'x'"], "person_name"),
        (["UPDATE audit_erasure SET person = 'p-9'"], "person_name"),
        (["UPDATE audit_erasure SET ground = 'unlawful'"], "person_name"),
        (["UPDATE audit_erasure SET basis = 'none'"], "person_name"),
        (["UPDATE audit_erasure SET fields = 1"], "person_name"),
        (["DELETE FROM audit_erased WHERE name = 'note'"], "note"),
    ],
)
def test_an_erasure_that_nobody_decided_is_named(old, changes, field):
    erase(old, person="p-1")
    old.log.sequence()
    with pytest.raises(DBAPIError, match="insert-only"):
        old.execute("DELETE FROM audit_opening WHERE name = 'grounds'")
    old.drop_triggers()
    for each in changes:
        old.execute(each)
    with pytest.raises(OpeningBroken) as broken:
        old.log.check()
    assert broken.value.facts["field"] == field


def forged(digest="0", kind="audit.erase", signed=("c-1", "c-2"), needed=2, unentitled=(), **content):
    content = {"person": "", "entries": [], "fields": [], "until": None, "ground": "other"} | content
    why = dict.fromkeys(unentitled, Text("岗位没有该角色", "that post had no such role"))
    return Executed(kind, digest * 64, content, frozenset(signed), needed, "x", why)


FORGED = forged()


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (FORGED, None),
        (FORGED, forged("1")),
        (forged(kind="audit.hold"), forged(kind="audit.hold")),
    ],
)
def test_a_record_alone_is_no_decision(old, told, known):
    """Who may write the database can put in all that an erasure leaves, its record too: there is no proposal that fits.

    Seen to fail without the question for the proposal, for its digest, and for its kind.
    """
    if known:
        old.log.around.done["e9"] = known
    _forge(old, "e9", told)
    for _ in range(2):  # on its way, and in the log
        with pytest.raises(OpeningBroken, match="names no proposal"):
            old.log.check()
        old.log.sequence()
    old.log.around.done["e9"] = told if told is FORGED else None
    if told is FORGED:
        old.log.check()


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (forged(signed=()), "signatures of approval"),
        (forged(signed=("c-1",)), "signatures of approval"),
        (forged(signed=("c-1", "c-3")), "signatures of approval"),
        (forged(needed=3), "signatures of approval"),
        (forged(signed=("c-1",), unentitled=("c-2",)), "not entitled then: that post had no such role"),
        (forged(person="p-2"), "does not cover"),
        (forged(entries=["another"]), "does not cover"),
        (forged(fields=["note"]), "does not cover"),
        (forged(until="2020-01-01T00:00:00Z"), "does not cover"),
    ],
)
def test_a_proposal_that_nobody_signed_or_that_is_about_other_data_is_no_decision(old, known, reason):
    """The insider put in the proposal as well, or lets one that was decided account for what it is not about."""
    old.log.around.done["e9"] = known
    _forge(old, "e9", FORGED)
    old.log.sequence()
    with pytest.raises(OpeningBroken, match=reason) as broken:
        old.log.check()
    assert broken.value.facts["field"] == "grounds"
    old.log.around.done["e9"] = FORGED
    old.log.check()


def test_orders_to_keep_data_are_listed(old, clock, monkeypatch):
    for number, (person, held) in enumerate((("p-1", True), ("", True), ("p-1", False)), 1):
        decided_hold(old, person, held, f"h{number}")
        clock.advance(timedelta(seconds=1))
    listed = holds_for(old.log, AUDITOR)
    assert [(each.proposal, each.person, each.held, each.standing) for each in listed] == [
        ("h3", "p-1", False, False),
        ("h2", None, True, True),
        ("h1", "p-1", True, False),
    ]
    assert {each.basis for each in listed} == {BASIS}
    assert [each.proposal for each in holds_for(old.log, AUDITOR, before="h3", limit=1)] == ["h2"]
    with pytest.raises(Denied):
        holds_for(old.log, actor("clerk"))
    monkeypatch.setattr(cli, "log_of", lambda _context: old.log)
    monkeypatch.setattr(cli, "acting", lambda _context: AUDITOR)
    found = CliRunner().invoke(group, ["hold", "list", "--standing", "--json"])
    assert [json.loads(line)["proposal"] for line in found.output.splitlines()] == ["h2"]
    assert "所有人" in CliRunner().invoke(group, ["hold", "list"]).output


@pytest.mark.engines("any")
def test_orders_over_http_and_on_the_page(old, clock):
    """What the command tells, page by page, as a table, and to nobody but auditors.

    Seen to fail when the page shows what `--standing` shows, and when a page does not know that another follows.
    """
    for number, (person, held) in enumerate((("p-1", True), ("", True), ("p-1", False)), 1):
        carried_out(old, HOLD, HoldContent(person=person, held=held), f"h{number}")
        clock.advance(timedelta(seconds=1))
    settings = WebSettings(public_url=ORIGIN)
    app = create_app(authenticator=People(), store=old.store, clock=clock, settings=settings)
    for blueprint in (*api_routes(old.log), *page_routes(old.log), *console(old.log)):
        app.register_blueprint(blueprint)

    def get(path, who="auditor", **headers):
        return app.test_client().get(
            path, headers={"Authorization": f"Bearer {who}", **headers}, base_url=ORIGIN
        )

    def look(path, who="auditor", language="zh-CN"):
        browser = app.test_client()
        browser.set_cookie("__Host-yinxin", who, domain="trust.example.gov.cn", secure=True)
        headers = {"Accept": "text/html", "Accept-Language": language}
        return browser.get(f"/console/audit/{path}", headers=headers, base_url=ORIGIN)

    first = get("/api/audit/v1/holds?limit=2").json
    second = get(f"/api/audit/v1/holds?limit=2&after={first['next']}").json
    told = [(each["proposal"], each["person"], each["held"], each["standing"]) for each in first["items"]]
    assert told == [("h3", "p-1", False, False), ("h2", None, True, True)]
    assert ([each["proposal"] for each in second["items"]], second["next"]) == (["h1"], None)
    standing = get("/api/audit/v1/holds?standing=true").json["items"]
    assert [each["proposal"] for each in standing] == ["h2"]
    for language, words in (("zh-CN", ("所有人", "个人信息保全")), ("en", ("Everybody",))):
        page = look("holds", language=language).text
        assert all(each in page for each in (*words, "h1", "h2", "h3", BASIS)), page
    table = look("holds/file")
    assert table.headers["Content-Disposition"] == 'attachment; filename="holds.csv"'
    lines = table.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "proposal,person,held,basis,since,standing"
    assert [line.partition(",")[0] for line in lines[1:]] == ["h3", "h2", "h1"]
    assert [look(path, "clerk").status_code for path in ("holds", "holds/file")] == [403, 403]
    for who in ("clerk", "administrator", "officer"):
        assert get("/api/audit/v1/holds", who).status_code == 403
    old.log.sequence()
    asked = [each.outcome for each in old.log.entries(Filters(verb="audit.read"))]
    assert (asked.count("refused"), asked.count("done")) == (5, 6)


def test_a_second_record_of_one_erasure_adds_nothing(old):
    """Seen to fail when the last record counted."""
    erase(old, person="p-1", fields=["note"])
    old.log.sequence()
    told = old.log.around.done["e1"]
    old.log.around.done["e1"] = replace(told, content=told.content | {"fields": []})
    _forge(old, "e1", told, [(0, "person_name"), (1, "note")], (0, "person_name"))
    old.log.sequence()
    with pytest.raises(OpeningBroken, match="log has no such erasure"):
        old.log.check()


def _forge(site, proposal, told, fields=((2, "grounds"),), gone=(2, "grounds")):
    """The rows of an erasure and a record of it, by hand."""
    digest = digest_of(fields)
    erased = {"person": None, "ground": "other", "fields": len(fields), "archived": 0, "digest": digest}
    facts = {"kind": told.kind, "digest": told.digest, "approvals": APPROVALS}
    with site.store.act(SYSTEM, "authz.execute", f"proposal:{proposal}", **facts) as act:
        act.facts["outcome"] = {"erased": erased}
    site.drop_triggers()
    if proposal == "e1":
        site.execute("UPDATE audit_erasure SET digest = :digest", digest=digest)
    else:
        site.execute(
            "INSERT INTO audit_erasure (proposal, at, ground, basis, fields, entries, archived, digest)"
            " VALUES (:proposal, '2026-01-01 00:00:00', 'other', 'x', 1, 1, 0, :digest)",
            proposal=proposal,
            digest=digest,
        )
    where = {"index": gone[0], "name": gone[1]}
    site.execute("INSERT INTO audit_erased VALUES (:index, :name, :proposal)", proposal=proposal, **where)
    site.execute('DELETE FROM audit_opening WHERE "index" = :index AND name = :name', **where)


def test_archived_entries(old, clock, tmp_path):
    """An archive holds commitments: its values are here, are erased here, and are held against it."""
    _retain(old, "test.", 184, clock, "r1")
    clock.advance(timedelta(seconds=1))
    made = make(old.log, SYSTEM, tmp_path)
    file = Path(made["file"])
    assert SECRET.encode() not in file.read_bytes()
    assert old.log.check().opened == 1  # today's; the others are held against the archive
    done = erase(old, person="p-1")
    assert done["archived"] == 2
    old.log.sequence()
    old.log.checkpoint()
    old.log.check()
    assert erasures_for(old.log, AUDITOR)[0].archives == (made["archive"],)
    proof = Archive.decode(file.read_bytes()).prove(old.event, INTL)
    proof.verify([old.log.verifiers["sha256"]])
    assert verified_for(old.log, AUDITOR, file.read_bytes()).erased == 2
    told = old.log.around.done["e1"]
    for content in ({"entries": ["another"]}, {"fields": ["grounds"]}, {"until": "2020-01-01T00:00:00Z"}):
        old.log.around.done["e1"] = replace(told, content=told.content | content)
        with pytest.raises(OpeningBroken, match="does not cover"):
            old.log.check()
    # whose it was, the archive alone can tell
    old.log.around.done["e1"] = replace(told, content=told.content | {"person": "p-2"})
    with pytest.raises(OpeningBroken, match="does not cover"):
        verified_for(old.log, AUDITOR, file.read_bytes())
    old.log.around.done["e1"] = told
    # the erasure's own entry is not archived, or nothing would account for what is gone
    clock.advance(timedelta(days=400))
    _retain(old, "", 184, clock, "r2")
    clock.advance(timedelta(seconds=1))
    old.log.index.catch_up()
    make(old.log, SYSTEM, tmp_path)
    assert old.log.check().size


@pytest.mark.engines("any")
def test_by_command(old, monkeypatch):
    monkeypatch.setattr(cli, "log_of", lambda _context: old.log)
    monkeypatch.setattr(cli, "acting", lambda _context: AUDITOR)
    erase(old, person="p-1")
    done = CliRunner().invoke(group, ["erasure", "list"])
    assert "p-1" in done.output
    assert "个人撤回同意" in done.output
