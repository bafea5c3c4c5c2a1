"""An encryption key is recovered by several people together (law 3), for the certificate they saw, and once."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from authz.cli import group as authz_commands
from authz.proposal.errors import (
    ApprovalsMissing,
    ApproverConcerned,
    ApproverTwice,
    BadProposal,
    ProposalClosed,
    ProposalKindUnknown,
    ProposalUnknown,
    ProposerApproves,
)
from ca.errors import UnknownCertificate
from ca.issue import issue
from ca.pair.cli import group as pair_commands
from ca.pair.errors import KeyOfAnother, UnknownDialect
from kms.cli import group as kms_commands
from kms.errors import WrappedKeyAltered
from kms.escrow.errors import RecipientMismatch, RecoveryKindEnded, RecoveryUnknown, UserKeyUnknown
from kms.escrow.models import UserKeyRow
from tests.crypto.conftest import self_signed, template
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto import cms
from yinxin.crypto.errors import CertificateRevoked, MalformedCertificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.pem import encode
from yinxin.crypto.suite import suite
from yinxin.errors import YinxinError

from .conftest import AUDITOR, CLERK, OFFICER, REGISTRAR, Site
from .test_pair import LEADER, actor, asked, more, opened

pytestmark = pytest.mark.engines("any")

REASON = "介质遗失，需打开历史公文"
BASIS = "《密码应用管理办法》第十条"
CHIEF = ("zhou", "officer-p", "province", "security-officer")


@dataclass
class Safe:
    """A site with a pair whose holder has lost her token, her new pair, and the people who approve."""

    site: Site
    key: PrivateKey = field(default_factory=lambda: PrivateKey.generate(suite("intl")))
    people: dict[str, tuple[Actor, Identity]] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site) -> "Safe":
        """Two pairs of one holder; the first one's token is lost."""
        safe = cls(site)
        more(site, LEADER)
        more(site, CHIEF)
        safe.old = site.ca.pairs.issue(REGISTRAR, asked())
        safe.new = site.ca.pairs.issue(REGISTRAR, asked(safe.key, reference="pair-2"))
        for each in (OFFICER, actor(LEADER), actor(CHIEF), REGISTRAR, CLERK):
            safe.enrol(each)
        return safe

    old: Any = None
    new: Any = None

    def enrol(self, who: Actor) -> None:
        """A certificate to sign approvals with."""
        key = PrivateKey.generate(suite("intl"))
        issued = issue(self.site.ctx, SYSTEM, self.site.person(f"{who.id}/sign", who.id, who.post, key=key))
        self.people[who.id] = who, Identity(key, issued.certificate, issued.chain)

    def propose(
        self,
        by: Actor = CLERK,
        *,
        ground: str = "holder",
        reason: str = REASON,
        basis: str = BASIS,
        **parts: Any,
    ) -> str:
        """A recovery of the old key for the new pair's signing certificate, but for `parts`."""
        content = {"key": self.old.user_key, "recipient_pem": self.new.signing.pem}
        self.site.clock.advance(timedelta(milliseconds=1))
        proposals, kind = self.site.authz.proposals, f"kms.recover-{ground}"
        return str(proposals.propose(by, kind, {**content, **parts}, reason=reason, basis=basis).row.id)

    def pem(self, person: str) -> str:
        """The certificate that somebody signs with."""
        return self.people[person][1].certificate.pem

    def order(self, **parts: Any) -> dict[str, Any]:
        """What a court's order says, but for `parts`; of None, nothing."""
        told = {"authority": "示范市中级人民法院", "document": "（2026）示01刑调7号", "scope": "二〇二六年一月至三月的公文"}  # fmt: skip
        told |= {"dated": self.site.clock.now().date().isoformat(), "recipient_pem": self.pem("zhou")}
        return {name: value for name, value in (told | parts).items() if value is not None}

    def approve(self, id_: str, *people: str) -> str:
        """Their signatures; the state it is in then."""
        for person in people:
            who, identity = self.people[person]
            self.site.clock.advance(timedelta(milliseconds=1))
            signed = self.site.authz.proposals.statement(who, id_)
            signature = cms.sign_detached(identity, signed, signed_at=None)
            shown = self.site.authz.proposals.approve(who, id_, signed, signature)
        return str(shown.state)

    def execute(self, id_: str, by: Actor = REGISTRAR) -> str:
        """Carry it out."""
        return str(self.site.authz.proposals.execute(by, id_).state)


@pytest.fixture
def safe(site: Site) -> Safe:
    return Safe.of(site)


def test_a_lost_key_is_recovered_for_the_new_pair(safe: Safe) -> None:
    """The holder's token is lost: she gets a new pair, and by two people's leave the old encryption key for it."""
    site = safe.site
    site.ca.revoke(REGISTRAR, f"{safe.old.signing.serial:x}", "keyCompromise")
    id_ = safe.propose()
    assert safe.approve(id_, "zhao") == "open"
    with pytest.raises(ApprovalsMissing):
        safe.execute(id_)
    for other in (REGISTRAR, AUDITOR, CLERK):
        with pytest.raises(Denied):
            site.authz.proposals.statement(other, id_)
    assert safe.approve(id_, "qian") == "approved"
    with pytest.raises(RecoveryUnknown):
        site.keys.escrow.recovered(CLERK, id_)
    with pytest.raises(Denied):  # it is for her
        safe.execute(id_, CLERK)
    assert safe.execute(id_) == "executed"
    envelope = site.keys.escrow.recovered(CLERK, id_)
    assert opened(safe.key, envelope, safe.new.signing).public_key == safe.old.encryption.public_key
    assert site.keys.escrow.recovered(CLERK, id_) == envelope
    told = site.authz.proposals.show(AUDITOR, id_)
    assert safe.new.signing.subject.text in told.described[0].zh
    story = [event["verb"] for event in site.events() if event["subject"] == f"proposal:{id_}" and event["outcome"] == "done"]  # fmt: skip
    assert story == ["authz.propose", "authz.approve", "authz.approve", "authz.execute", "kms.deliver-recovery", "kms.deliver-recovery"]  # fmt: skip
    with pytest.raises(Denied):
        site.keys.escrow.recovered(Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b"), id_)


def test_whoever_would_have_the_key_has_no_say_in_it(safe: Safe) -> None:
    """Seen to fail when: the kind names no certificates."""
    id_ = safe.propose(by=REGISTRAR, ground="organ", recipient_pem=safe.pem("qian"), post="leader-a")
    with pytest.raises(ApproverConcerned):
        safe.approve(id_, "qian")
    assert safe.approve(id_, "zhao", "zhou") == "approved"
    own = safe.propose(by=REGISTRAR, ground="organ", recipient_pem=safe.pem("wu"), post="registration-a")
    assert safe.approve(own, "zhao", "zhou") == "approved"
    with pytest.raises(ApproverConcerned):
        safe.execute(own, REGISTRAR)


def test_who_asks_never_approves_not_even_with_nobody_else(safe: Safe) -> None:
    """Seen to fail when: the kind lets the proposer approve."""
    id_ = safe.propose(by=OFFICER)
    with pytest.raises(ProposerApproves):
        safe.approve(id_, "zhao")
    ended = {"person": "zhou", "post": "officer-p", "valid_from": "2020-01-01T00:00:00+08:00", "valid_to": "2021-01-01T00:00:00+08:00"}  # fmt: skip
    from authz.directory import Directory, DirectoryFile

    Directory(safe.site.store).load(SYSTEM, DirectoryFile.parse({"appointments": [ended]}))
    with pytest.raises(ProposerApproves) as refused:
        safe.approve(id_, "zhao")
    assert refused.value.facts["others"] == 1
    safe.approve(id_, "qian")
    with pytest.raises(ApproverTwice):
        safe.approve(id_, "qian")


@pytest.mark.parametrize("ended", ["revoked", "foreign"])
def test_a_key_is_recovered_only_for_a_certificate_of_ours_in_force(safe: Safe, ended: str) -> None:
    """Seen to fail when: the envelope is made for whatever certificate was named."""
    if ended == "foreign":
        stranger = self_signed(suite("intl"), template(safe.new.signing.subject)).certificate
        with pytest.raises(UnknownCertificate):
            safe.propose(recipient_pem=stranger.pem)
        return
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")
    safe.site.ca.revoke(REGISTRAR, f"{safe.new.signing.serial:x}", "keyCompromise")
    with pytest.raises(CertificateRevoked):
        safe.execute(id_)
    shown = safe.site.authz.proposals.show(OFFICER, id_)
    assert (str(shown.state), "crypto.certificate_revoked" in shown.row.note) == ("failed", True)
    with pytest.raises(RecoveryUnknown):
        safe.site.keys.escrow.recovered(CLERK, id_)


def test_a_key_that_was_made_another_holders_in_the_table_goes_to_nobody(safe: Safe) -> None:
    """The triggers are switched off and the holder is another, before it is proposed or between approval and execution; those
    who approve are told the name in the certificate. Seen to fail when the certificate over the key is not asked."""
    site, leader = safe.site, safe.pem("qian")
    engine = site.store.engine
    drop = "DROP TRIGGER kms_user_key_moves_on" + (
        " ON kms_user_key" if engine.dialect.name == "postgresql" else ""
    )
    with engine.begin() as connection:
        connection.execute(sa.text(drop))

    def holder(name: str) -> None:
        with engine.begin() as connection:
            row = sa.update(UserKeyRow).where(UserKeyRow.id == safe.old.user_key)
            assert connection.execute(row.values(holder=name)).rowcount == 1

    holder("qian")
    with pytest.raises(KeyOfAnother):
        safe.propose(by=REGISTRAR, recipient_pem=leader)
    holder("zhang")
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")
    holder("qian")
    shown = site.authz.proposals.show(AUDITOR, id_)
    assert any("audit check" in each.en for each in shown.described)
    with pytest.raises(KeyOfAnother):
        safe.execute(id_)
    holder("zhang")
    shown = site.authz.proposals.show(AUDITOR, id_)
    assert any(safe.old.encryption.subject.text in each.en for each in shown.described)
    assert safe.execute(id_) == "executed"


def test_what_cannot_be_asked_for(safe: Safe) -> None:
    standby = safe.site.keys
    assert standby.escrow.fill() > 0
    wrong: list[tuple[dict[str, Any], type[YinxinError]]] = [
        ({"key": "nothing"}, UserKeyUnknown),
        ({"recipient_pem": "no certificate"}, MalformedCertificate),
        ({"dialect": "gbt35276"}, UnknownDialect),
        ({"ground": "curiosity"}, ProposalKindUnknown),
        ({"authority": "a court"}, BadProposal),
        ({"approved_by": ["zhao", "qian"]}, BadProposal),
        ({"reason": "  "}, BadProposal),
    ]
    for parts, error in wrong:
        with pytest.raises(error):
            safe.propose(**parts)
        assert safe.site.events("authz.propose")[-1]["outcome"] == "refused"
    stranger = Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b")
    with pytest.raises(Denied):
        safe.propose(by=stranger)
    with pytest.raises(ProposalUnknown):
        safe.site.authz.proposals.show(stranger, safe.propose())


def test_it_expires_with_its_approvals(safe: Safe) -> None:
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")
    safe.site.clock.advance(timedelta(hours=168))
    with pytest.raises(ProposalClosed):
        safe.execute(id_)


@pytest.mark.engines("both")
def test_delivered_once_to_many_who_ask_at_once(safe: Safe) -> None:
    """64 at once: one envelope, one record of it. Seen to fail when the proposal is moved on without being compared."""
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")

    def told(_: int) -> object:
        try:
            return safe.execute(id_)
        except ProposalClosed:
            return "closed"

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(told, range(64)))
    assert (answers.count("executed"), answers.count("closed")) == (1, 63)
    assert len({safe.site.keys.escrow.recovered(CLERK, id_) for _ in range(3)}) == 1
    done = [each for each in safe.site.events("authz.execute") if each["outcome"] == "done"]
    assert len(done) == 1


# --- the grounds ----------------------------------------------------------------------------------------------------


def test_a_holder_has_it_for_her_own_certificate_only(safe: Safe) -> None:
    """Seen to fail when the kind asks nothing of the recipient."""
    with pytest.raises(RecipientMismatch):
        safe.propose(by=REGISTRAR, recipient_pem=safe.pem("qian"))
    assert safe.propose(by=REGISTRAR, basis="")


def test_an_organ_has_it_for_a_post_of_its_own_or_above(safe: Safe) -> None:
    """Seen to fail when the post, or where it is, is not held against the certificate."""
    stranger = Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b")
    safe.enrol(stranger)
    wrong: list[tuple[dict[str, Any], type[YinxinError]]] = [
        ({"recipient_pem": safe.pem("qian"), "post": "officer"}, RecipientMismatch),
        ({"recipient_pem": safe.pem("li"), "post": "clerk-b"}, RecipientMismatch),
        ({"recipient_pem": safe.pem("qian")}, BadProposal),
        ({"recipient_pem": safe.pem("qian"), "post": "leader-a", "basis": ""}, BadProposal),
    ]
    for parts, error in wrong:
        with pytest.raises(error):
            safe.propose(by=REGISTRAR, ground="organ", **parts)
    above = safe.propose(by=REGISTRAR, ground="organ", recipient_pem=safe.pem("zhou"), post="officer-p")
    assert "officer-p" in safe.site.authz.proposals.show(AUDITOR, above).described[-1].zh


@pytest.mark.parametrize("missing", ["authority", "document", "dated", "scope"])
def test_an_order_says_all_of_it(safe: Safe, missing: str) -> None:
    with pytest.raises(BadProposal, match=missing):
        safe.propose(by=REGISTRAR, ground="judicial", **safe.order(**{missing: None}))


def test_an_order_takes_more_people_and_no_future_date(safe: Safe) -> None:
    for parts in (
        {"dated": "2999-01-01"},
        {"withheld_until": "2020-01-01T00:00:00Z", "withheld_basis": "法"},
    ):
        with pytest.raises(RecipientMismatch):
            safe.propose(by=REGISTRAR, ground="judicial", **safe.order(**parts))
    for parts in ({"withheld_until": "2999-01-01T00:00:00Z"}, {"withheld_basis": "法"}):
        with pytest.raises(BadProposal):
            safe.propose(by=REGISTRAR, ground="judicial", **safe.order(**parts))
    id_ = safe.propose(by=REGISTRAR, ground="judicial", **safe.order(recipient_pem=safe.pem("wu")))
    assert safe.approve(id_, "zhao", "qian") == "open"
    assert safe.approve(id_, "zhou") == "approved"
    told = " ".join(each.zh for each in safe.site.authz.proposals.show(AUDITOR, id_).described)
    assert "示范市中级人民法院" in told
    assert "一月至三月" in told


def test_a_holder_is_kept_from_knowing_no_longer_than_the_setting_says(safe: Safe) -> None:
    """Seen to fail without the bound."""
    now, longest = safe.site.clock.now(), timedelta(days=365)

    def order(until: timedelta) -> dict[str, Any]:
        return safe.order(withheld_until=rfc3339(now + until), withheld_basis="《某法》第八条")

    with pytest.raises(RecipientMismatch, match="judicial_withheld_days") as refused:
        safe.propose(by=REGISTRAR, ground="judicial", **order(longest + timedelta(minutes=1)))
    assert "365 天" in refused.value.text("zh")
    assert safe.propose(by=REGISTRAR, ground="judicial", **order(longest))


def test_the_former_kind_is_proposed_no_more(safe: Safe) -> None:
    content = {"key": safe.old.user_key, "ground": "organ", "recipient_pem": safe.new.signing.pem}
    with pytest.raises(RecoveryKindEnded, match=r"kms\.recover-organ"):
        safe.site.authz.proposals.propose(CLERK, "kms.recover", content, reason=REASON)


# --- the register ---------------------------------------------------------------------------------------------------


def test_the_register_tells_holder_and_auditor_alike(safe: Safe) -> None:
    """Seen to fail when the register has only what was given."""
    escrow = safe.site.keys.escrow
    first = safe.propose()
    safe.approve(first, "zhao", "qian")
    safe.execute(first)
    second = safe.propose(by=REGISTRAR, ground="organ", recipient_pem=safe.pem("qian"), post="leader-a")
    for listed in (escrow.own_register(CLERK), escrow.register_for(AUDITOR), escrow.register_for(REGISTRAR)):
        assert [each.proposal for each in listed] == [second, first]
        open_, given = listed
        assert (open_.state, open_.facts, open_.basis, open_.given_at) == (
            "open",
            {"post": "leader-a"},
            BASIS,
            None,
        )
        assert (given.state, given.ground, given.holder, given.given_by) == (
            "executed",
            "holder",
            "zhang",
            "wu",
        )
        assert given.approvals == (("zhao", "officer"), ("qian", "leader-a"))
        assert given.recipient == safe.new.signing.fingerprint
    assert [each.proposal for each in escrow.register_for(AUDITOR, after=second, limit=1)] == [first]
    stranger = Actor(Kind.PERSON, "li", post="clerk-b", organ="county-b")
    assert escrow.own_register(stranger) == []
    with pytest.raises(Denied):
        escrow.register_for(stranger)


def test_what_a_holder_must_not_know_yet_she_finds_nowhere_until_its_time(safe: Safe) -> None:
    """Seen to fail when: the proposal names her; the register asks for what was given alone; the envelope is fetched by her."""
    escrow, until = safe.site.keys.escrow, safe.site.clock.now() + timedelta(days=90)
    order = safe.order(
        recipient_pem=safe.pem("wu"), withheld_until=rfc3339(until), withheld_basis="《某法》第八条"
    )
    id_ = safe.propose(by=OFFICER, ground="judicial", **order)
    more(safe.site, ("feng", "leader-p", "province", "leader"))
    more_people = Actor(Kind.PERSON, "feng", post="leader-p", organ="province")
    safe.enrol(more_people)
    with pytest.raises(ProposalUnknown):
        safe.site.authz.proposals.show(CLERK, id_)
    assert escrow.own_register(CLERK) == []
    assert [each.facts["document"] for each in escrow.register_for(AUDITOR)] == ["（2026）示01刑调7号"]
    safe.approve(id_, "qian", "zhou", "feng")
    with pytest.raises(ProposalUnknown):
        safe.execute(id_, CLERK)
    safe.execute(id_, OFFICER)
    assert escrow.own_register(CLERK) == []
    with pytest.raises(RecoveryUnknown):
        escrow.recovered(CLERK, id_)
    assert escrow.recovered(REGISTRAR, id_)
    safe.site.clock.advance(timedelta(days=91))
    (told,) = escrow.own_register(CLERK)
    assert (told.proposal, told.ground, told.facts["authority"]) == (id_, "judicial", "示范市中级人民法院")


def test_what_fails_while_enveloping_is_tried_again(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = safe.propose()
    safe.approve(id_, "zhao", "qian")

    def fails(*_: object) -> bytes:
        raise WrappedKeyAltered(label="x")

    with monkeypatch.context() as patch:
        patch.setattr(safe.site.ca.pairs, "envelop", fails)
        with pytest.raises(WrappedKeyAltered):
            safe.execute(id_)
    assert safe.execute(id_) == "executed"


def test_from_the_command_line(safe: Safe, tmp_path: Any) -> None:
    @dataclass
    class Run:
        person: str

        kms = safe.site.keys
        authz = safe.site.authz

        def platform(self) -> "Run":
            return self

        def actor(self) -> Actor:
            return safe.people[self.person][0]

        def holder(self) -> Identity:
            return safe.people[self.person][1]

    def run(group: Any, person: str, *words: object) -> str:
        done = CliRunner().invoke(group, [*map(str, words)], obj=Run(person))
        if done.exception:
            raise done.exception
        return done.output

    (tmp_path / "new.pem").write_text(safe.new.signing.pem)
    listed = json.loads(run(kms_commands, "wu", "recover", "keys", "zhang", "--organ", "county-a", "--json"))
    assert safe.old.user_key in {each["id"] for each in listed}
    words = ("recover", "propose", safe.old.user_key, "--ground", "holder", "--reason", REASON, "--recipient", tmp_path / "new.pem", "--json")  # fmt: skip
    id_ = json.loads(run(kms_commands, "zhang", *words))["proposal"]
    for person in ("zhao", "qian"):
        run(authz_commands, person, "proposal", "approve", id_)
    run(authz_commands, "wu", "proposal", "execute", id_)
    run(kms_commands, "zhang", "recover", "fetch", id_, "--out", tmp_path / "key.envelope")
    envelope = (tmp_path / "key.envelope").read_bytes()
    assert opened(safe.key, envelope, safe.new.signing).public_key == safe.old.encryption.public_key
    files = {"key": encode("PRIVATE KEY", safe.key.pkcs8()), "old.pem": "".join(each.pem for each in (safe.old.signing, safe.old.encryption)), "password": "correct horse"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    opening = ["open", *(f"--{name}={tmp_path / file}" for name, file in (("key", "key"), ("certificates", "new.pem"), ("envelope", "key.envelope"), ("password", "password"), ("out", "old.p12")))]  # fmt: skip
    assert CliRunner().invoke(pair_commands, opening).exit_code == 2
    run(pair_commands, "zhang", *opening, f"--recovered={tmp_path / 'old.pem'}")
    received = Identity.load_p12(tmp_path / "old.p12", "correct horse")
    assert received.certificate == safe.old.encryption
    (own,) = json.loads(run(kms_commands, "zhang", "recover", "register", "--own", "--json"))
    assert (own["proposal"], own["state"], own["ground"]) == (id_, "executed", "holder")
    assert id_ in run(kms_commands, "wu", "recover", "register")
    order = ("recover", "propose", safe.old.user_key, "--ground", "judicial", "--reason", REASON, "--basis", BASIS, "--recipient", tmp_path / "new.pem", "--authority", "示范法院", "--document", "7号", "--dated", "2026-01-02", "--scope", "公文", "--json")  # fmt: skip
    assert json.loads(run(kms_commands, "wu", *order))["needed"] == 3
