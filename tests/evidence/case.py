"""A document's whole evidence, made by hand: every part is real, only keys live in memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.pdf.authority import AT, Authority
from yinxin import evidence, pdf
from yinxin.act import Actor, Event, Kind, Outcome
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.suite import INTL, SM
from yinxin.statement import Statement
from yinxin.tlog import (
    Checkpoint,
    Frontier,
    LogProof,
    Note,
    NoteSigner,
    inclusion_proof,
    leaf_hash,
)

SUBJECT = "document:01jd0000000000000000000001"


def digests(data: bytes) -> dict[str, str]:
    return {"sha256": INTL.hash.digest(data).hex(), "sm3": SM.hash.digest(data).hex()}


@dataclass
class Person:
    actor: Actor
    identity: Identity


@dataclass
class Case:
    """The province, the people, and one document that was sealed, received twice and returned once."""

    intl: Authority
    sm: Authority
    layout: bytes
    subject: str = SUBJECT
    title: str = "关于开展政务信息系统安全检查的通知"
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper = self.intl.keeper()
        self.log = NoteSigner("log.hy.example", PrivateKey(ed25519.Ed25519PrivateKey.generate()))
        for ident, name, organ, post, suite in (
            ("p-leader", "王省长", "河源省人民政府", "省长", self.intl),
            ("p-city", "李登记", "甲市人民政府", "机要员", self.sm),
            ("p-county", "张登记", "乙县人民政府", "机要员", self.intl),
            ("p-town", "赵登记", "丙市人民政府", "机要员", self.sm),
        ):
            actor = Actor(Kind.PERSON, ident, post=post, organ=f"organ-{ident}")
            self.people[ident] = Person(actor, suite.person(ident, name, organ, post))

    @property
    def trust(self) -> evidence.Trust:
        return evidence.Trust((self.intl.root.certificate, self.sm.root.certificate), (self.log.verifier,))

    def authority_of(self, identity: Identity) -> Authority:
        return self.intl if identity.certificate.public_key.suite is INTL else self.sm

    def signed(
        self, who: str, verb: str, content: dict[str, Any], *, by: str | None = None
    ) -> evidence.SignedAct:
        """`who` declares, `by` (usually the same) signs."""
        identity = self.people[by or who].identity
        statement = Statement.of(self.people[who].actor, verb, self.subject, AT, content).encode()
        authority = self.authority_of(identity)
        return evidence.SignedAct(
            statement, authority.sign(identity, statement), authority.ocsp(identity.certificate)
        )

    def entry(self, verb: str, actor: Actor, outcome: Outcome = Outcome.DONE, **facts: Any) -> bytes:
        number = f"{verb}-{actor.id}".ljust(26, "0")[:26]
        return Event(number, AT, actor, verb, self.subject, outcome, facts=facts).encode()

    def proofs(self, entries: Sequence[bytes], log: NoteSigner | None = None) -> list[bytes]:
        """A log of other acts with these among them; each proof of its own under one checkpoint."""
        log = log or self.log
        suite = log.key.public_key.suite
        nodes, frontier = {}, Frontier(suite.hash)
        every = [b for entry in entries for b in (b'{"other":true}', entry)]
        for data in every:
            nodes.update(frontier.append(leaf_hash(suite.hash, data)))
        note = Note.sign(Checkpoint(log.name, len(every), frontier.root()).text(), [log])
        found = []
        for index in range(1, len(every), 2):
            path = inclusion_proof(suite.hash, index, len(every), lambda want: {n: nodes[n] for n in want})
            found.append(LogProof(every[index], index, path, note).encode())
        return found

    # --- the usual case, part by part, so that a test can put another in its place ---

    def content(self) -> bytes:
        return json.dumps({"title": self.title, "body": ["正文"]}, ensure_ascii=False).encode()

    def sealed(self, sign_off: evidence.SignedAct) -> bytes:
        attached = (
            pdf.Attachment("content.json", "application/json", "签发内容", self.content()),
            pdf.Attachment("sign-off.json", "application/json", "签发声明", sign_off.statement),
            pdf.Attachment("sign-off.p7s", "application/pkcs7-signature", "签发签名", sign_off.cms),
        )
        return self.intl.seal_pdf(self.layout, attachments=attached)

    def bundle(self) -> evidence.Bundle:
        body = {"revision": 1, "title": self.title, "content": digests(self.content())}
        sign_off = self.signed("p-leader", "document.sign-off", body)
        sealed = self.sealed(sign_off)
        received = {"sealed": digests(sealed)}
        acts = [
            sign_off,
            self.signed("p-city", "document.receive", received),
            self.signed("p-county", "document.receive", received),
            self.signed("p-town", "document.return", received | {"reason": {"text": "附件缺页"}}),
        ]
        return evidence.Bundle(
            subject=self.subject,
            sealed=sealed,
            sealed_sm=self.sm.sign(self.sm.seal, sealed),
            acts=acts,
            proofs=self.proofs(self.entries(sealed)),
            certificates=self.certificates(),
            crls=[each.crl(issuer) for each in (self.intl, self.sm) for issuer in (each.root, each.issuing)],
            facts={"number": "河政〔2026〕12号", "title": self.title},
        )

    def entries(self, sealed: bytes) -> list[bytes]:
        leader, city, county, town = (each.actor for each in self.people.values())
        found = digests(sealed)
        facts = {"sealed_sha256": found["sha256"], "sealed_sm3": found["sm3"]}
        return [
            self.entry("document.sign-off", leader),
            self.entry("document.seal", leader, seal=self.intl.seal.certificate.fingerprint, **facts),
            self.entry("document.dispatch", leader),
            self.entry("document.receive", city, sealed_sha256=found["sha256"]),
            self.entry("document.receive", county, sealed_sha256=found["sha256"]),
            self.entry("document.return", town, sealed_sha256=found["sha256"]),
        ]

    def certificates(self) -> list[bytes]:
        people = [each.identity.certificate for each in self.people.values()]
        own = [self.keeper.certificate]
        for each in (self.intl, self.sm):
            own += [each.issuing.certificate, each.tsa.certificate, each.seal.certificate]
        return [each.der for each in (*people, *own)]

    def pack(self, bundle: evidence.Bundle, keeper: Identity | None = None) -> bytes:
        signature = self.intl.sign(keeper or self.keeper, evidence.to_sign(bundle))
        return evidence.pack(bundle, signature)

    def repacked(self, bundle: evidence.Bundle, **changes: Any) -> bytes:
        """A bundle changed and signed anew by the genuine keeper: its parts must be found not to fit."""
        return self.pack(replace(bundle, **changes))


def verify(case: Case, data: bytes, later: timedelta = timedelta()) -> list[str]:
    held: list[Any] = []
    evidence.verify(data, case.trust, at=AT + later, held=held)
    return [each("zh") for each in held]
