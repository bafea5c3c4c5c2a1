"""Every kind of report held against a period in which everything happened: exactly its own entries, columns, counts, tables.

What each must rest on is written down here a second time, from the manual. Seen to fail for each of the seventeen when one
of its acts, outcomes, kinds of proposal, columns, counts or marks is taken out of `audit.report.kinds` or one is put in.
"""

from datetime import timedelta

import pytest

from audit.report.gather import gather
from audit.report.kinds import CONTROLS, KINDS
from audit.surroundings import Alone
from yinxin.act import STRANGER, SYSTEM, Actor, Kind, Outcome
from yinxin.errors import Conflict
from yinxin.text import Text

pytestmark = pytest.mark.engines("any")

PERSON = Actor(Kind.PERSON, "p-1", post="post-1", organ="o-1")
OTHER = Actor(Kind.PERSON, "p-2", post="post-2", organ="o-2")
CERTIFICATE = {"ca.issue", "ca.suspend", "ca.resume", "ca.revoke"} | {
    f"ca.{each}-attribute-certificate" for each in ("issue", "revoke")
}
CUSTODY = {
    f"kms.{each}"
    for each in [
        "ceremony",
        "make-custodians",
        "renew-custodians",
        "enter-share",
        "unseal",
        "register-vault",
        "keep-copy",
        "drop-copy",
        "rotate",
        "retire-generation",
        "destroy-generation",
    ]
}
SERVICE_KEYS = {f"kms.{each}-service-key" for each in ("create", "rotate", "limit", "import", "destroy")}
DIRECTORY = {
    f"authz.{each}"
    for each in [
        "found-organ",
        "rename-organ",
        "move-organ",
        "merge-organs",
        "split-organ",
        "dissolve-organ",
        "found-post",
        "name-post",
        "give-up-post",
        "register-person",
        "alter-person",
        "reinstate",
    ]
}
SEALS = {f"seal.{each}" for each in ("make", "suspend", "resume", "destroy", "hand-over")}
CEREMONY = {"ca.ceremony", "ca.authority", "ca.retire", "kms.initialise", "kms.create"}
GRANT = {"authz.grant", "authz.revoke-grant", "authz.give-roles"}
APPOINTMENT = {"authz.appoint", "authz.end-appointment", "authz.transfer", "authz.retire"}
#: the acts that each rests on
RESTS = {
    "certificates": CERTIFICATE
    | {"ca.adopt", "ca.abandon", "ca.deliver-pair", "ca.abandon-attribute-certificate"},
    "key-recovery": {"kms.deliver-recovery", "kms.read-recovery", "kms.recover-kmip-object"},
    "ceremonies": CEREMONY | CUSTODY | SERVICE_KEYS | {"kms.make-user-keys"},
    "privileged": CERTIFICATE
    | CEREMONY
    | GRANT
    | APPOINTMENT
    | {"kms.deliver-recovery", "ca.block", "ca.unblock", "ca.approve", "ca.refuse"}
    | {"ca.grant-credential", "ca.withdraw-credential", "authz.load", "authz.import"}
    | {"authz.change-policies", "authz.execute", "authz.approve", "authz.register-client"}
    | {"authz.end-client", "authz.end-sessions", "audit.check", "audit.reindex"}
    | (CUSTODY | SERVICE_KEYS | DIRECTORY | SEALS)
    | {f"kms.{each}-kmip-client" for each in ("register", "certify", "end")}
    | {"kms.recover-kmip-object", "kms.wipe-kmip-object", "authz.renew-client-secret"}
    | {"authz.register-receiver", "authz.end-receiver", "calendar.publish"}
    | {"audit.archive", "audit.cosign", "audit.import-cosignatures"},
    "grants": GRANT | APPOINTMENT | {"authz.reinstate", "authz.delegate", "authz.end-delegation"},
    "access-reviews": {"authz.begin-review", "authz.confirm-appointment", "authz.end-appointment"},
    "refusals": set(),
    "rule-changes": GRANT | {"authz.change-policies", "authz.adopt-policies", "calendar.publish"},
    "completeness": {"audit.check", "audit.reindex", "audit.import-cosignatures", "audit.ask-witnesses"}
    | {"audit.find-contradiction", "audit.suspect-log", "audit.reconcile", "audit.copies-alarm"}
    | {"audit.take-stock"},
    "backups": {"backup.drill"},
    "incidents": {"monitor.alert", "monitor.measure-clock"},
    "time-source": {"monitor.measure-clock"},
    "cryptography": {"kms.create", "ca.authority"}
    | (SERVICE_KEYS - {"kms.limit-service-key", "kms.destroy-service-key"}),
    "controls": set(),
    "auditors": {"audit.check", "audit.reindex", "audit.import-cosignatures", "audit.ask-witnesses"}
    | {
        "audit.find-contradiction",
        "audit.suspect-log",
        "audit.reconcile",
        "audit.copies-alarm",
        "audit.read",
        "audit.take-stock",
        "audit.archive",
        "audit.cosign",
    },
}
PROPOSALS = {
    "key-recovery": {"kms.recover", "kms.recover-holder", "kms.recover-organ", "kms.recover-judicial"}
    | {"kms.recover-kmip-object"},
    "ceremonies": {"ca.ceremony", "kms.ceremony", "kms.destroy-generation", "kms.destroy-service-key"},
    "rule-changes": {"authz.grant", "authz.import-directory", "authz.change-policies"}
    | {"authz.load-directory", "authz.change-directory", "audit.retain", "audit.hold", "audit.erase"}
    | {"audit.set-quorum", "audit.witness-log", "audit.stop-witnessing", "calendar.publish"}
    | {"exchange.admit-peer", "exchange.stop-peer"},
}
KEY = ["algorithm", "suite", "purpose", "place", "owner"]
APPROVAL = ["kind", "approver_person", "approver_post", "approvals", "digest"]
#: the facts that have columns of their own
COLUMNS = {
    "certificates": ["profile", "authority", "holder", "reason"],
    "key-recovery": ["key", *APPROVAL],
    "ceremonies": [*KEY, *APPROVAL],
    "access-reviews": ["organ", "post", "review"],
    "rule-changes": APPROVAL,
    "incidents": ["class", "grade", "deadline"],
    "cryptography": KEY,
}
COUNTED = {
    "certificates": "按操作 按结果 按证书模板 按签发机构",
    "ceremonies": "按操作 按算法 按用途",
    "privileged": "按操作者 按操作 按结果",
    "refusals": "按拒绝原因 按操作 按操作者 按机关",
    "backups": "按操作 按结果",
    "incidents": "按操作 按结果",
    "time-source": "按拒绝原因",
    "cryptography": "按算法 按用途",
    "person": "按操作 按结果",
    "object": "按操作 按操作者",
    "auditors": "按操作者 按操作 按结果",
}
#: acts that are in no report but those of everything
OTHERS = {"kms.sign", "document.seal", "authz.sign-in", "ca.crl", "authz.reinstated", "ca.issued"}
FACTS = {
    name: f"the {name}" for name in ("profile", "authority", "holder", "reason", "key", "kind", "digest")
}
FACTS |= {name: f"the {name}" for name in (*KEY, "organ", "post", "review", "class", "grade", "deadline")}
FACTS |= {"approver": {"person": "p-9", "post": "post-9"}, "approvals": [{"person": "p-8", "post": "post-8"}]}


class Full(Alone):
    """Floors above that record everything, and add a table to each report."""

    def verbs(self):
        return tuple((verb, Text(verb, verb)) for verb in sorted(set().union(*RESTS.values()) | OTHERS))

    def tables(self, report):
        return [("now", Text("现状", report), (("a", Text("甲", "A")),), iter([("1",)]))]


class Reason(Conflict):
    """A refusal for a reason that another module gives; its own class is not for this floor to know."""

    code = "test.report_reason"
    zh = en = "x"

    def __init__(self, code):
        super().__init__()
        self.code = code


@pytest.fixture
def period(site, clock):
    """A day of everything; what each act was, by its entry."""
    site.log.around, acts = Full(), {}

    def act(verb, actor=PERSON, subject="thing:1", outcome=Outcome.DONE, **facts):
        with site.store.act(actor, verb, subject, outcome=outcome, **facts) as done:
            acts[done.id] = (verb, actor.id, subject)

    def refused(error, actor=PERSON):
        with pytest.raises(type(error)) as found, site.store.act(actor, "test.other", "thing:2"):
            raise error
        acts[found.value.entry] = (f"refused {error.code}", actor.id, "thing:2")

    act("ca.issue", subject="thing:early")
    clock.advance(timedelta(days=1))
    since = clock.now()
    for verb in [verb for verb, _ in Full().verbs()]:
        act(verb, outcome=Outcome.INTENT, **FACTS)
        act(verb, **FACTS)
        act(verb, SYSTEM, **FACTS)
    kinds = set().union(*PROPOSALS.values()) | {"test.decide"}
    for kind in sorted(kinds):
        for verb in ("propose", "approve", "refuse-proposal", "withdraw-proposal", "execute"):
            facts = FACTS | {"kind": kind} if verb == "propose" else FACTS
            act(f"authz.{verb}", OTHER, f"proposal:{kind}", **facts)
    for code in ("ca.clock_uncertain", "ca.clock_went_back", "test.other_reason"):
        refused(Reason(code))
    refused(Reason("test.other_reason"), STRANGER)
    with pytest.raises(ZeroDivisionError), site.store.act(PERSON, "test.other", "thing:2") as failing:
        raise ZeroDivisionError
    acts[failing.id] = ("refused internal", PERSON.id, "thing:2")
    act("ca.issue", OTHER, "person:p-1")
    act("ca.issue", SYSTEM, "person:p-1")
    clock.advance(timedelta(days=1))
    until = clock.now()
    act("ca.issue", subject="thing:late")
    site.log.sequence()
    return site.log, since, until, acts


def belongs(name, verb, who, subject):
    """Whether an act of the period belongs into the report."""
    if name == "person":
        return who == "p-1" or subject == "person:p-1"
    if name == "object":
        return subject == "thing:1"
    if verb.startswith("refused"):
        return name == "refusals" or (name == "time-source" and verb.startswith("refused ca.clock"))
    if subject.startswith("proposal:") and subject.removeprefix("proposal:") in PROPOSALS.get(name, ()):
        return True
    return verb in RESTS[name] and (name != "privileged" or who.startswith("p-"))


def told(period, kind):
    """What a report says, as far as its kind decides."""
    log, since, until, acts = period
    about = {"person": "p-1", "object": "thing:1"}.get(kind.name)
    made = gather(log, kind, since, until, about)
    ledger = next((each for each in made.tables if each.name == "ledger"), None)
    names = [column.name for column in ledger.columns] if ledger else []
    counts = list(dict.fromkeys(text.zh.partition("：")[0] for text, _ in made.summary if "：" in text.zh))
    return {
        "rests": sorted(acts[entry.event] for entry in made.entries),
        "columns": [name for name in names[8:] if name not in ("error", "entry")],
        "counts": [each for each in counts if each.startswith("按")],
        "tables": [each.name for each in made.tables if each is not ledger],
        "whole": any(text.en == "the whole log recomputed" for text, _ in made.summary),
        "notes": [note.en for note in made.notes],
    }


def wanted(period, name):
    _, _, _, acts = period
    inside = list(acts.values())[1:-1]
    found = sorted(each for each in inside if belongs(name, *each))
    return {
        "rests": found,
        "columns": COLUMNS.get(name, []),
        "counts": COUNTED.get(name, "按操作" if found else "").split(),
        "tables": ["now", "controls"] if name == "controls" else ["now"],
        "whole": name == "completeness",
        "notes": [],
    }


def test_each_rests_on_what_it_says_and_on_nothing_else(period):
    assert list(KINDS) == [*list(RESTS)[:14], "person", "object", "auditors"]
    for name, kind in KINDS.items():
        assert told(period, kind) == wanted(period, name), name


def test_sources_and_tables_that_are_not_there_are_told(period):
    """With floors that record nothing and add nothing: who says so, and of what."""
    log, since, until, _ = period
    log.around = Alone()
    notes = {
        name: [
            note.en
            for note in gather(
                log, kind, since, until, {"person": "p-1", "object": "thing:1"}.get(name)
            ).notes
        ]
        for name, kind in KINDS.items()
    }
    said = {name: len(found) for name, found in notes.items() if found}
    assert said == {"grants": 1, "backups": 1, "incidents": 1, "time-source": 1, "cryptography": 1}
    assert "No module" in notes["grants"][0]
    assert "no source" in notes["incidents"][0]


def test_controls_count_what_is_evidence_of_them(period):
    log, since, until, _ = period
    table = next(
        each for each in gather(log, KINDS["controls"], since, until, None).tables if each.name == "controls"
    )
    counted = {row[0]: row[4] for row in table.rows}
    assert [row[0] for row in table.rows] == [clause for clause, _, _ in CONTROLS]
    assert counted["8.1.4.1"] == "3"  # of the person, begun and done, and of the platform
    assert counted["8.1.4.2"] == "12"
    assert counted["8.1.8.2"] == "6"
    assert counted["8.1.7.3"] == "78"
