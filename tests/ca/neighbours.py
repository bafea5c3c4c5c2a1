"""Two sites with data directories of their own, the people who approve, and the plans they review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from authz.directory import Directory, DirectoryFile
from authz.proposal import State
from ca import CeremonyPlan
from ca.ceremony.conduct import Done, conduct
from ca.ceremony.kinds import read_plan
from ca.ceremony.proposal import content_of
from ca.issue import issue
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.suite import suite
from yinxin.proposal import Approved
from yinxin.statement import Statement

from .conftest import REGISTRAR, ROOT, Site

#: security officers beside the one in the directory already; each in a post of her own
OFFICERS = ("qian", "feng", "chu")
REASON = "按年度计划办理，已经会议研究"

EXTRA = {
    "posts": [
        {"id": f"officer-{name}", "organ": "province", "name_zh": "安全管理岗", "name_en": "Security officer", "roles": ["security-officer"]}
        for name in OFFICERS
    ],
    "people": [{"id": name, "name": name} for name in OFFICERS],
    "appointments": [
        {"person": name, "post": f"officer-{name}", "valid_from": "2020-01-01T00:00:00+08:00"} for name in OFFICERS
    ],
}  # fmt: skip


def council_plan(suites: Sequence[str] = ("intl", "sm", "pq")) -> CeremonyPlan:
    """The founding of the site above: its names are its own, its labels are everybody's."""
    values = CeremonyPlan.read(ROOT / "plans" / "embedded.toml").model_dump()
    values["organization"] = "示范国务院办公厅"
    values["hierarchy"] = [each for each in values["hierarchy"] if each["suite"] in suites]
    for hierarchy in values["hierarchy"]:
        hierarchy["root"]["common_name"] = f"示范国家政务根证书（{hierarchy['suite']}）"
        hierarchy["issuing"]["common_name"] = f"示范国家政务签发机构（{hierarchy['suite']}）"
        hierarchy["service"] = [
            each for each in hierarchy["service"] if each["profile"] in ("ocsp-responder", "tsa")
        ]
    return CeremonyPlan.model_validate(values)


@dataclass
class Office:
    """A site with its officers' certificates and a folder for the plans they review."""

    site: Site
    plans: Path
    people: dict[str, Identity] = field(default_factory=dict)
    #: another site of this process: a software token's library serves one at a time
    neighbour: Office | None = None
    #: proposals by the digest of their plan
    proposed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site) -> Office:
        """The office of a site that is founded; two officers hold certificates."""
        Directory(site.store).load(SYSTEM, DirectoryFile.parse(EXTRA))
        office = cls(site, site.folder / "plans")
        office.plans.mkdir(exist_ok=True)
        for name in OFFICERS[:2]:
            office.enrol(name)
        return office

    def turn(self) -> Site:
        """The site, once the neighbour has let the token's library go."""
        if self.neighbour is not None:
            self.neighbour.site.keys.close()
        return self.site

    def enrol(self, person: str, post: str = "", suite_name: str = "intl") -> Identity:
        """A signing certificate for a person in a post."""
        key = PrivateKey.generate(suite(suite_name))
        post = post or f"officer-{person}"
        request = self.site.person(f"{person}/{post}", person, post, key=key)
        issued = issue(self.site.ctx, SYSTEM, request)
        identity = Identity(key, issued.certificate, issued.chain)
        self.people[person] = identity
        return identity

    def officer(self, person: str) -> Actor:
        """An officer as an actor."""
        if person == "zhao":
            return Actor(Kind.PERSON, "zhao", post="officer", organ="city")
        return Actor(Kind.PERSON, person, post=f"officer-{person}", organ="province")

    def write(self, name: str, text: str) -> Path:
        """A plan in the folder."""
        path = self.plans / name
        path.write_text(text, "utf-8")
        return path

    def sample(self, name: str, *digests: str, **changes: str) -> Path:
        """One of the sample plans with its digests filled in, and other texts changed."""
        text = (ROOT / "plans" / f"{name}.toml").read_text("utf-8")
        for number, digest in enumerate(digests):
            text = text.replace(str(number) * 64, digest)
        for before, after in changes.items():
            text = text.replace(before, after)
        return self.write(f"{name}.toml", text)

    def place(self, name: str, certificate: Certificate | Path) -> str:
        """A file beside the plans; its SHA-256 as plans name it."""
        pem = certificate.read_text() if isinstance(certificate, Path) else certificate.pem
        (self.plans / name).write_text(pem)
        return Certificate.load(pem.encode()).fingerprint

    def propose(self, path: Path, *, by: str = "zhao") -> str:
        """The proposal of the plan: the one that was made, or a new one."""
        plan = read_plan(path)
        if plan.digest not in self.proposed:
            content = content_of(plan, path.parent, self.site.ctx.settings.most_request_bytes)
            site = self.turn()
            self.site.clock.advance(timedelta(milliseconds=1))
            shown = site.authz.proposals.propose(self.officer(by), "ca.ceremony", content, reason=REASON)
            self.proposed[plan.digest] = shown.row.id
        return self.proposed[plan.digest]

    def approve(self, path: Path, person: str, **other: Any) -> None:
        """The approval of a person, signed with her own certificate; the plan is proposed first if it was not."""
        id_, proposals = self.propose(path), self.turn().authz.proposals
        identity = other.get("identity") or self.people[person]
        actor = other.get("actor") or self.officer(person)
        self.site.clock.advance(timedelta(milliseconds=1))
        row = proposals.show(self.officer("zhao"), id_).row
        content = {"proposal": id_, "kind": row.kind, "digest": row.digest, "site": "https://localhost"}
        statement = Statement.of(actor, "authz.approve", f"proposal:{id_}", self.site.clock.now(), content)
        signed = statement.encode()
        proposals.approve(actor, id_, signed, cms.sign_detached(identity, signed, signed_at=None))

    def hold(self, path: Path, *, by: str = "zhao", approved_by: Sequence[str] = ("qian", "feng")) -> Done:
        """Propose, approve, and hold."""
        for person in approved_by:
            self.approve(path, person)
        return self.conduct(path, by=by)

    def conduct(self, path: Path, *, by: str = "zhao") -> Done:
        """Hold with the approvals that were given; what is done already, is asked for once more below the proposal."""
        site, plan = self.turn(), read_plan(path)
        id_ = self.propose(path)
        proposals = site.authz.proposals
        shown = proposals.show(self.officer(by), id_)
        if shown.state is State.EXECUTED:
            approved = Approved(id_, shown.row.digest, None, self.officer(by), shown.approvals)
            return conduct(site.ctx, site.keys, self.officer(by), plan, site.folder, beside=path.parent, approved=approved)  # fmt: skip
        shown = proposals.execute(self.officer(by), id_)
        outcome = shown.row.outcome or {}
        return Done(
            plan.digest,
            {label: self._certificate(each["serial"]) for label, each in outcome["certificates"].items()},
            {name: Path(file) for name, file in outcome["files"].items()},
            shown.approvals,
        )

    def _certificate(self, serial: str) -> Certificate:
        (row,) = self.site.rows(serial=serial)
        return Certificate(row.der)

    def issue(self, reference: str, suite_name: str = "intl", **parts: Any) -> Certificate:
        """A server's certificate from the site's issuing authority."""
        request = self.site.request(reference, suite=suite_name, **parts)
        return self.turn().ca.issue(REGISTRAR, request).certificate
