"""Extracts: some personal fields opened, others withheld, in three verifiers' eyes; every forgery refused and named."""

import json
import random
import subprocess
import sys

import pytest
from click.testing import CliRunner

from audit.cli import group
from audit.entries import Filters
from audit.errors import EntryNotFound, OpeningBroken
from audit.personal import cli
from audit.personal.api import routes
from audit.personal.errors import NothingToExtract, UnknownPersonalField
from audit.personal.extract import extract_for
from yinxin import canonical, evidence
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.evidence import Extract, page
from yinxin.evidence import extract as kit
from yinxin.evidence.extract import spelt
from yinxin.evidence.standalone import build, personal
from yinxin.evidence.standalone import verify as standalone
from yinxin.personal import FIELDS, SALT, Opening, Personal, Salted, WrongOpening
from yinxin.web import WebSettings, create_app

from .people import Deciding, People, actor

pytestmark = pytest.mark.engines("any")
AUDITOR, ORIGIN = actor("auditor"), "https://trust.example.gov.cn"


@pytest.fixture
def told(site):
    site.log.decider = Deciding(site.store)
    site.act("person:p-1", person_name=Personal("欧阳予倩", "p-1"), note=Personal("住院", "p-2"))
    site.first = site.act("person:p-1", person_name=Personal("旧名\u202e", "p-1"), note=Personal("x", "p-1"))
    site.act("thing:3")
    return site


def trust_of(site):
    return evidence.Trust((), tuple(site.log.verifiers.values()))


def checked(site, data):
    held = []
    evidence.verify(data, trust_of(site), at=site.store.clock.now(), held=held)
    return held


@pytest.fixture
def strangers(told, alone):
    """What the one-file verifier and the page say."""
    keys = [standalone.Key.read(told.log.verifiers["sha256"].encode())]
    return lambda data: alone.verify(data, keys, None)


@pytest.mark.engines("both")
def test_some_fields_are_opened_and_others_withheld(told, strangers):
    for suite in (INTL, SM):
        made = extract_for(told.log, AUDITOR, Filters(subject="person:p-1"), ["note"], suite=suite)
        held = checked(told, made.encode())
        zh, en = "\n".join(each.zh for each in held), "\n".join(each.en for each in held)
        assert "欧阳予倩" in zh
        assert "住院" not in zh + made.encode().decode()
        assert "2 条记录都在日志" in held[0].zh
        assert "说明（2 条）" in zh
        assert "not opened: note, in free text (of 2 entries)" in en
        assert isinstance(held[-1], evidence.NotJudged)
        assert "\u202e" not in zh  # what turns letters round is spelt out
        if suite is INTL:
            said = strangers(made.encode())
            assert (
                "姓名与记录中的承诺相符：欧阳予倩",
                "name of a person, as the entry commits to: 欧阳予倩",
            ) in said
            assert said[-1] == (
                "未开示的个人信息：说明（2 条）",
                "not opened: note, in free text (of 2 entries)",
            )
    all_open = extract_for(told.log, AUDITOR, told.first)
    assert not all_open.withheld()
    assert [each.index for each in all_open.entries] == [1]
    # whoever has it may pass on less
    less = json.loads(all_open.encode())
    less["entries"][0]["opened"].pop("note")
    assert "未开示" in checked(told, canonical.encode(less))[-1].zh
    told.log.sequence()
    recorded = told.log.entries(Filters(verb="audit.extract"))
    assert recorded[0].subject == f"entry:{told.first}"
    assert recorded[1].fields()["facts"]["withheld"] == ["note"]


def forgeries(body):
    """Every way to say what the log does not commit to; each changes a copy of the file."""
    first, second = body["entries"]

    def value():
        first["opened"]["note"]["value"] = "康复"

    def salt():
        first["opened"]["note"]["salt"] = "00" * 16

    def swapped_salts():
        one, other = first["opened"]["note"], first["opened"]["person_name"]
        one["salt"], other["salt"] = other["salt"], one["salt"]

    def another_field():
        first["opened"]["person_name"] = first["opened"]["note"]

    def another_entry():
        first["opened"]["note"] = second["opened"]["note"]

    def a_field_it_has_not():
        first["opened"]["contact"] = first["opened"].pop("note")

    def a_short_salt():
        first["opened"]["note"]["salt"] = first["opened"]["note"]["salt"][:30]

    return [value, salt, swapped_salts, another_field, another_entry, a_field_it_has_not, a_short_salt]


def test_forged_openings_are_refused_and_named(told, strangers):
    """Seen to fail when the salt is left out of what is hashed."""
    data = extract_for(told.log, AUDITOR, Filters(object="person:p-1")).encode()
    for number in range(7):
        body = json.loads(data)
        forge = forgeries(body)[number]
        forge()
        with pytest.raises(WrongOpening) as wrong:
            checked(told, canonical.encode(body))
        event = json.loads(standalone.octets_of(body["entries"][0]["entry"]))
        assert event["id"] in wrong.value.text("en")
        assert wrong.value.facts["field"] in {"note", "person_name", "contact"}, forge.__name__
        with pytest.raises(standalone.Broken):
            strangers(canonical.encode(body))


def test_a_commitment_is_to_one_value_of_one_field_of_one_entry():
    """Also under one salt, which only whoever makes a record chooses. Seen to fail when entry or name is left out of what is hashed."""
    opening, other = Opening(b"s" * SALT, "住院"), Opening(b"s" * SALT, "康复")
    committed = Salted("p-1", opening).committed("e-1", "note")
    opening.verify("e-1", "note", committed)
    for wrong, entry, name in ((opening, "e-2", "note"), (opening, "e-1", "contact"), (other, "e-1", "note")):
        with pytest.raises(WrongOpening):
            wrong.verify(entry, name, committed)


def test_entries_are_proved_in_order_and_once(told, strangers):
    data = extract_for(told.log, AUDITOR, Filters(object="person:p-1")).encode()
    for change in ("twice", "reversed", "index", "none", "hash", "foreign"):
        body = json.loads(data)
        one, other = body["entries"]
        if change == "twice":
            body["entries"] = [one, one]
        elif change == "reversed":
            body["entries"] = [other, one]
        elif change == "index":
            one["index"] = 2
        elif change == "none":
            body["entries"] = []
        elif change == "hash":
            one["hashes"] = other["hashes"]
        else:
            one["entry"] = other["entry"]
        with pytest.raises(YinxinError):
            checked(told, canonical.encode(body))
        if change != "none":
            with pytest.raises(standalone.Broken):
                strangers(canonical.encode(body))


def test_no_octet_changes_unnoticed(told, strangers):
    data, chance = extract_for(told.log, AUDITOR, told.first).encode(), random.Random(7)
    for at in chance.sample(range(len(data)), 150):
        bent = data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]
        with pytest.raises(YinxinError):
            checked(told, bent)
        with pytest.raises(standalone.Broken):
            strangers(bent)


def test_both_verifiers_read_numbers_as_numbers(told, monkeypatch, strangers):
    """To Python, false is 0 and true is 1; seen to fail for either in either verifier."""
    data = extract_for(told.log, AUDITOR, Filters(object="person:p-1")).encode()
    checked(told, data)
    strangers(data)
    for one, other in (
        (b'"index":0', b'"index":false'),
        (b'"index":1', b'"index":true'),
        (b'"type":"log-extract","v":1', b'"type":"log-extract","v":true'),
    ):
        assert data.count(one) == 1
        with pytest.raises(YinxinError):
            checked(told, data.replace(one, other))
        with pytest.raises(standalone.Broken):
            strangers(data.replace(one, other))
    # and all take as many entries
    assert standalone.MOST_ENTRIES == kit.MOST_ENTRIES
    assert f"MOST_ENTRIES = {kit.MOST_ENTRIES:_};" in page.engine()
    for module in (standalone, kit):
        monkeypatch.setattr(module, "MOST_ENTRIES", 1)
    with pytest.raises(YinxinError):
        checked(told, data)
    keys = [standalone.Key.read(told.log.verifiers["sha256"].encode())]
    with pytest.raises(standalone.Broken):
        standalone.verify(data, keys, None)


def test_what_cannot_be_extracted(told):
    with pytest.raises(UnknownPersonalField, match="notes"):
        extract_for(told.log, AUDITOR, told.first, ["notes"])
    with pytest.raises(NothingToExtract):
        extract_for(told.log, AUDITOR, Filters(subject="thing:99"))
    with pytest.raises(EntryNotFound):
        extract_for(told.log, AUDITOR, "none")
    with pytest.raises(Denied):
        extract_for(told.log, actor("clerk"), told.first)
    told.log.sequence()
    told.drop_triggers()
    told.execute("UPDATE audit_opening SET value = salt WHERE name = 'note'")
    with pytest.raises(OpeningBroken):
        extract_for(told.log, AUDITOR, told.first)
    extract_for(told.log, AUDITOR, told.first, ["note"])


def test_by_command_over_http_and_as_one_file(told, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "log_of", lambda _context: told.log)
    monkeypatch.setattr(cli, "acting", lambda _context: AUDITOR)
    file = tmp_path / "x.extract"
    runner = CliRunner()
    done = runner.invoke(group, ["extract", told.first, "--withhold", "note", "--out", str(file), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"file": str(file), "entries": 1, "withheld": {"note": 1}}
    assert Extract.decode(file.read_bytes()).withheld() == {"note": 1}
    done = runner.invoke(group, ["extract", "--object", "person:p-1", "--out", str(file), "--json"])
    assert json.loads(done.stdout)["entries"] == 2
    done = runner.invoke(group, ["extract", "--out", str(file)])
    assert done.exit_code == 2
    (tmp_path / "verifier.py").write_bytes(build())
    (tmp_path / "log.vkey").write_text(told.log.verifiers["sha256"].encode() + "\n")
    command = [
        sys.executable,
        "-I",
        str(tmp_path / "verifier.py"),
        str(file),
        "--log",
        str(tmp_path / "log.vkey"),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "✓ 姓名与记录中的承诺相符：欧阳予倩" in said.stdout
    app = create_app(
        authenticator=People(),
        store=told.store,
        clock=told.store.clock,
        settings=WebSettings(public_url=ORIGIN),
    )
    for blueprint in routes(told.log):
        app.register_blueprint(blueprint)
    path = "/api/audit/v1/extract?object=person:p-1&withhold=note&withhold=person_name"
    answer = app.test_client().get(path, headers={"Authorization": "Bearer auditor"}, base_url=ORIGIN)
    assert Extract.decode(answer.data).withheld() == {"note": 2, "person_name": 2}


def test_the_one_file_verifier_knows_the_vocabulary():
    assert {name: (text.zh, text.en) for name, text in FIELDS.items()} == personal.TITLES
    opening = Opening(bytes(16), '值\u0001"')
    assert (
        personal.commitment(bytes(16), "e", "note", opening.value)
        == opening.commitment(INTL.hash, "e", "note").hex()
    )
    assert spelt("a\u202eb") == "a\\u202eb"
