"""The table at which a ceremony is held: keys, registrations, certificates, files, each made once however often asked for.

Every kind of ceremony is written once, against this. `Table` does it; `Rehearsal` does the same with keys nobody
keeps, and writes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ca.ceremony.errors import CeremonyDiffers, FileDiffers, FileMissing
from ca.ceremony.files import file_key, write_once
from ca.ceremony.kinds import FilePlan
from ca.context import Context
from ca.errors import LintFailed, ReferenceReused
from ca.issue import carry_out, recall
from ca.issuer import Issuer, SecondKey, addresses, second_label
from ca.lint import Case, findings
from ca.models import AuthorityRow
from ca.prepare import prepare
from ca.reconcile import abandon_reference
from ca.request import Order
from ca.sign import sign
from ca.status import crl
from ca.status.line import shard_of
from kms.errors import LabelTaken
from kms.models import Purpose
from kms.service import KeyCentre
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.crypto.alternative import key_of
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey, PublicKey, Signer, throwaway_key
from yinxin.crypto.names import Name
from yinxin.crypto.path import Usage, validate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.steps import step

#: a change to the tables inside a recorded act
Change = Callable[[Session], None]


@dataclass(frozen=True)
class Place:
    """Where an authority stands in the hierarchy."""

    name: str
    suite: str
    parent: str | None
    line: str
    generation: int = 1


@dataclass
class Table:
    """A ceremony under way, on the real keys."""

    ctx: Context
    keys: KeyCentre
    actor: Actor
    #: the data directory, and the folder of the plan
    folder: Path
    beside: Path
    digest: str
    made: dict[str, Certificate] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def reference(self, what: str) -> str:
        """The reference of one certificate of this plan."""
        return f"ceremony/{self.digest[:20]}/{what}"

    # --- what lies beside the plan -----------------------------------------------------------------------------

    def certificate_file(self, plan: FilePlan) -> Certificate:
        """A certificate that the plan names; raises FileMissing, FileDiffers, MalformedCertificate."""
        certificate = Certificate.load(self._read(plan.file))
        _same_file(plan, certificate.der)
        return certificate

    def request_file(self, plan: FilePlan) -> CertificationRequest:
        """A PKCS#10 that the plan names, its possession proved; raises FileMissing, FileDiffers, BadSignature."""
        request = CertificationRequest.load(self._read(plan.file))
        _same_file(plan, request.der)
        request.verify()
        return request

    def _read(self, name: str) -> bytes:
        path = self.beside / name
        most = self.ctx.settings.most_request_bytes
        try:
            with path.open("rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise FileMissing(file=str(path), reason=error.strerror or str(error)) from error
        if len(data) > most:
            raise FileMissing(file=str(path), reason=f"> {most} B")
        return data

    # --- what is made ------------------------------------------------------------------------------------------

    def key(self, label: str, purpose: Purpose, kind: str, owner: str = PLATFORM) -> Signer:
        """The key of this label and kind in the key centre, made at the first time."""
        try:
            self.keys.create(self.actor, label=label, purpose=purpose, algorithm=kind, owner=owner)
        except LabelTaken as error:
            raise CeremonyDiffers(what=label) from error
        signer = self.keys.signer(label)
        step(f"ca.ceremony.3-key-{label}")
        return signer

    def key_in_file(self, label: str, kind: str) -> Signer:
        """A TLS server's own key in its encrypted file, made at the first time."""
        signer = file_key(self.folder, label, kind, self.keys.secrets, self.ctx.store.randomness)
        step(f"ca.ceremony.3-key-{label}")
        return signer

    def register(self, place: Place, subject: Name, key: PublicKey, **more: Any) -> None:
        """Enter an authority into the tables before it has a certificate; raises CeremonyDiffers when another is there."""
        with self.ctx.store.read() as session:
            row = session.get(AuthorityRow, place.name)
        if row is not None:
            if _placed(row) != place or (row.subject, row.spki) != (subject.der, key.spki):
                raise CeremonyDiffers(what=place.name)
        else:
            with self.ctx.store.act(
                self.actor, "ca.authority", f"authority:{place.name}", suite=place.suite
            ) as act:
                act.facts |= {"line": place.line, "generation": place.generation}
                act.session.add(
                    AuthorityRow(
                        name=place.name,
                        suite=place.suite,
                        key_label=place.name,
                        parent=place.parent,
                        subject=subject.der,
                        spki=key.spki,
                        created=self.ctx.store.clock.now(),
                        line=place.line,
                        generation=place.generation,
                        **more,
                    )
                )
        step(f"ca.ceremony.3-authority-{place.name}")

    def issuer(self, name: str) -> Issuer:
        """The generation of a line that signs now; raises UnknownAuthority, AuthorityRetired, AuthorityRevoked."""
        return self.ctx.issuers.issuing(name)

    def generation(self, name: str) -> Issuer:
        """One generation by its own name, retired or not; raises UnknownAuthority."""
        return self.ctx.issuers.get(name)

    def certify(
        self, label: str, order: Order, issuer: Issuer, *, authority: str = "", status: bool = False
    ) -> Certificate:
        """The certificate of an order, issued at the first time; with `authority` it becomes that one's own.

        A retired authority signs for its `status` only. What was signed is linted once more and its path validated before it is stored: whatever fails then is abandoned.
        Raises CeremonyDiffers, AuthorityRetired, AuthorityRevoked, LintFailed, and what issuance and path validation raise.
        """
        # the lock says that no other worker holds this reference: an intent under it is a dead ceremony's
        abandon_reference(self.ctx, self.actor, order.reference)
        try:
            known = recall(self.ctx, self.actor, order, issuer)
        except ReferenceReused as error:
            raise CeremonyDiffers(what=label) from error

        def also(session: Session, certificate: Certificate) -> None:
            judged(self.ctx, order, issuer, certificate)
            if authority:
                session.get_one(AuthorityRow, authority).serial = f"{certificate.serial:x}"

        if known is None and issuer.certificate is not None:
            self.ctx.issuers.may_sign(issuer.name, status=status)
        issued = known or carry_out(self.ctx, self.actor, order, issuer, also=also)
        self.made[label] = issued.certificate
        step(f"ca.ceremony.3-certificate-{label}")
        return issued.certificate

    def change(self, verb: str, subject: str, change: Change, **facts: Any) -> None:
        """A recorded change to the tables; `change` looks itself whether it has been made."""
        with self.ctx.store.act(self.actor, verb, subject, **facts) as act:
            change(act.session)
        step("ca.ceremony.4-changed")

    def list_of(self, name: str) -> None:
        """The authority's revocation list, so that status can be told from the first minute."""
        crl.current(self.ctx, name)

    def write(self, name: str, path: Path, data: bytes) -> None:
        """A file the ceremony leaves; raises CeremonyDiffers when something else is there."""
        write_once(path, data)
        self.files[name] = path


@dataclass
class Rehearsal(Table):
    """The same with keys nobody keeps; nothing is written, neither to the tables nor to files."""

    _soft: dict[str, PrivateKey] = field(default_factory=dict)
    _issuers: dict[str, Issuer] = field(default_factory=dict)

    def key(self, label: str, purpose: Purpose, kind: str, owner: str = PLATFORM) -> Signer:  # noqa: ARG002 - the table's signature
        return self._soft.setdefault(label, PrivateKey.generate(kind))

    def key_in_file(self, label: str, kind: str) -> Signer:
        return self._soft.setdefault(label, PrivateKey.generate(kind))

    def register(self, place: Place, subject: Name, key: PublicKey, **more: Any) -> None:  # noqa: ARG002 - the table's signature
        with self.ctx.store.read() as session:
            row = session.get(AuthorityRow, place.name)
        if row is not None and (_placed(row) != place or row.subject != subject.der):
            raise CeremonyDiffers(what=place.name)

    def issuer(self, name: str) -> Issuer:
        return self._issuers.get(name) or self._softened(super().issuer(name))

    def generation(self, name: str) -> Issuer:
        return self._issuers.get(name) or self._softened(super().generation(name))

    def certify(
        self, label: str, order: Order, issuer: Issuer, *, authority: str = "", status: bool = False
    ) -> Certificate:
        if issuer.certificate is not None and issuer.name not in self._issuers:
            self.ctx.issuers.may_sign(issuer.name, status=status)
        store = self.ctx.store
        certificate = sign(prepare(order, issuer, self.ctx.settings, store.clock, store.randomness), issuer)
        judged(self.ctx, order, issuer, certificate, path=False)
        self.made[label] = certificate
        if authority:
            self.stand_in(authority, certificate, issuer.chain)
        return certificate

    def stand_in(self, name: str, certificate: Certificate, above: Sequence[Certificate] = ()) -> None:
        """From here on `name` signs with its throwaway key, under this certificate."""
        key = self._throwaway(name, certificate.public_key)
        second = key_of(certificate)
        self._issuers[name] = Issuer(
            name=name,
            suite=certificate.public_key.suite,
            subject=certificate.subject,
            public_key=key.public_key,
            certificate=certificate,
            chain=(certificate, *above),
            signer=lambda: key,
            second=self._second(name, second) if second else None,
        )

    def change(self, verb: str, subject: str, change: Change, **facts: Any) -> None:
        """Nothing is changed."""

    def list_of(self, name: str) -> None:
        """No list is made."""

    def write(self, name: str, path: Path, data: bytes) -> None:  # noqa: ARG002 - the table's signature
        self.files[name] = path

    def _throwaway(self, label: str, key: PublicKey) -> PrivateKey:
        """The key that signs for `label`, in the way of its own."""
        if label not in self._soft:
            self._soft[label] = throwaway_key(key.signature_algorithm)
        return self._soft[label]

    def _second(self, name: str, key: PublicKey) -> SecondKey:
        soft = self._throwaway(second_label(name), key)
        return SecondKey(soft.public_key, lambda: soft)

    def _softened(self, issuer: Issuer) -> Issuer:
        """One of our authorities with a throwaway key in place of its own."""
        key = self._throwaway(issuer.name, issuer.public_key)
        second = self._second(issuer.name, issuer.second.public_key) if issuer.second else None
        return replace(issuer, public_key=key.public_key, signer=lambda: key, second=second)


def judged(
    ctx: Context, order: Order, issuer: Issuer, certificate: Certificate, *, path: bool = True
) -> None:
    """What was signed, linted once more and, by `path`, validated up to its root; raises LintFailed, or as `validate`."""
    where = addresses(ctx.settings, issuer, shard_of(ctx.settings, issuer, certificate.serial))
    case = Case(certificate, issuer, order.profile, where, ctx.settings.node, order.key_id)
    if found := findings(case):
        raise LintFailed(findings="; ".join(map(str, found)))
    if path:
        chain = issuer.chain or (certificate,)
        usage = Usage.AUTHORITY if certificate.is_ca else Usage.ANY
        now = ctx.store.clock.now()
        validate(certificate, chain[:-1], chain[-1:], at=now, usage=usage, require_revocation=False)


def _placed(row: AuthorityRow) -> Place:
    return Place(row.name, row.suite, row.parent, row.line, row.generation)


def _same_file(plan: FilePlan, encoded: bytes) -> None:
    found = INTL.hash.digest(encoded).hex()
    if found != plan.sha256:
        raise FileDiffers(file=plan.file, found=found, wanted=plan.sha256)
