"""The commands, given a platform that has only this service."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from authz.cli import group
from authz.errors import UnknownSession
from authz.module import MODULE
from authz.oidc.errors import BadClient
from yinxin.act import STRANGER, Actor, Kind
from yinxin.authz import Denied

from .test_decide import LI, ZHANG


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: the other tests try the service on both."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def run(site):
    def run(*arguments, actor=ZHANG):
        context = SimpleNamespace(platform=lambda: SimpleNamespace(authz=site.authz), actor=lambda: actor)
        return CliRunner().invoke(group, arguments, obj=context)

    return run


def test_organs(run):
    lines = run("organ", "list").output.splitlines()
    assert [line.split()[0] for line in lines] == ["province", "city", "county-a", "town", "county-b"]
    assert lines[3].startswith("      town")
    assert [
        each["id"] for each in json.loads(run("organ", "list", "--under", "county-a", "--json").output)
    ] == [
        "county-a",
        "town",
    ]


@pytest.mark.parametrize("command", [("organ", "list"), ("person", "list"), ("person", "show", "zhang")])
def test_whoever_holds_no_post_looks_nothing_up(run, command):
    assert isinstance(run(*command, actor=STRANGER).exception, Denied)


def test_people(run):
    assert "zhang" in run("person", "list").output
    assert len(json.loads(run("person", "list", "--json").output)) == 6


def test_who(run):
    assert "county-a clerk-a [clerk]" in run("person", "show", "zhang").output
    assert json.loads(run("person", "show", "zhang", "--json").output)["appointments"][0]["valid_to"] is None


def test_check(run):
    question = ("check", "test.edit", "--type", "Paper", "--organ", "county-a", "--attribute", "author=x")
    assert run(*question).exit_code == 0
    answer = run(*question, "--json", actor=LI)
    assert answer.exit_code == 1
    assert json.loads(answer.output)["reason"]["en"] == "no policy permits it"


def test_sign_out(run, site):
    site.sign_in(site.enrol("zhang", "clerk-a"))
    assert isinstance(run("session", "end-all", "zhang", actor=LI).exception, Denied)
    assert "1 sessions ended" in run("session", "end-all", "zhang").output
    assert json.loads(run("session", "end-all", "zhang", "--json").output) == {"person": "zhang", "ended": 0}


def test_health(site, store):
    health = MODULE.health(site.authz)
    assert (health.ok, health.facts["organs"]) == (True, 5)


def test_every_verb_is_registered(site, events):
    actor = Actor(Kind.PERSON, "zhang", "clerk-a", "county-a")
    site.authz.decisions.adopt()
    caller = site.authz.sessions.authenticate(site.sign_in(site.enrol("zhang", "clerk-a")))
    site.authz.sessions.sign_out(caller)
    site.authz.end_sessions(actor, "zhang")
    used = {entry["verb"] for entry in events()} - {"test.bind"}
    assert used <= {verb.name for verb in MODULE.verbs}
    assert len(used) == 5


CLIENT = """
id = "mail"
name = { zh = "电子邮件", en = "Mail" }
organ = "county-a"
redirect_uris = ["https://mail.example.gov.cn/cb"]
"""
OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")


def test_clients_of_the_sign_on(run, tmp_path):
    file = tmp_path / "mail.toml"
    file.write_text(CLIENT, "utf-8")
    assert "未作更改" in run("client", "register", str(file), "--dry-run").output
    tried = json.loads(run("client", "register", str(file), "--dry-run", "--json").output)
    assert tried == {"client": "mail", "dry_run": True}
    assert isinstance(run("client", "register", str(file)).exception, Denied)
    made = json.loads(run("client", "register", str(file), "--json", actor=OFFICER).output)
    assert (made["client"], len(made["secret"])) == ("mail", 43)
    (listed,) = json.loads(run("client", "list", "--json", actor=OFFICER).output)
    assert (listed["id"], listed["ended"]) == ("mail", False)
    renewed = json.loads(run("client", "secret", "mail", "--json", actor=OFFICER).output)["secret"]
    assert renewed != made["secret"]
    ended = run("client", "end", "mail", "--json", actor=OFFICER).output
    assert json.loads(ended) == {"client": "mail", "ended": True}
    assert "已停用" in run("client", "list", actor=OFFICER).output
    for wrong, field in (
        (CLIENT + "colour = 1", "colour"),
        (CLIENT.replace("https", "http"), "redirect_uris"),
        ("=", str(file)),
    ):
        file.write_text(wrong, "utf-8")
        error = run("client", "register", str(file), "--dry-run", actor=OFFICER).exception
        assert isinstance(error, BadClient)
        assert error.facts["field"] == field


def test_ones_own_sessions(run, site):
    site.sign_in(site.enrol("zhang", "clerk-a"))
    (listed,) = json.loads(run("session", "list", "--json").output)
    assert (listed["way"], listed["post"]) == ("signature", "clerk-a")
    assert json.loads(run("session", "end", listed["id"], "--json").output) == {
        "session": listed["id"],
        "ended": True,
    }
    assert json.loads(run("session", "list", "--json").output) == []
    assert isinstance(run("session", "end", listed["id"]).exception, UnknownSession)


def test_systems_that_read_the_directory(run):
    officer = Actor(Kind.PERSON, "zhao", "officer", "city")
    named = ("--organ", "county-a", "--name-zh", "电子邮件", "--name-en", "Mail", "--json")
    tried = run("scim", "client", "register", "mail", *named, "--dry-run", actor=officer)
    assert json.loads(tried.output)["dry_run"] is True
    assert json.loads(run("scim", "client", "list", "--json", actor=officer).output) == []
    made = json.loads(run("scim", "client", "register", "mail", *named, "--write", actor=officer).output)
    assert made["scopes"] == ["scim.read", "scim.write"]
    assert len(made["secret"]) > 40
    [listed] = json.loads(run("scim", "client", "list", "--json", actor=officer).output)
    assert (listed["id"], listed["grants"], listed["ended"]) == ("mail", ["client_credentials"], False)
    assert made["secret"] not in run("scim", "client", "list", actor=officer).output
    assert isinstance(run("scim", "client", "register", "x1", *named).exception, Denied)
