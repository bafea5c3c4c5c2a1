"""The ceremony itself: from a reviewed plan to authorities, service certificates and trust files.

Every step looks first whether it has been done, so that a ceremony that was cut off, at whatever point, is finished
by starting it again with the same plan; with another plan it stops at the first thing that differs.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from ca.ceremony.files import file_key, write_once
from ca.ceremony.plan import PURPOSES, CeremonyPlan, Item
from ca.ceremony.rehearse import order_of, own_issuer, rehearse
from ca.context import Context
from ca.errors import CeremonyDiffers, CeremonyUnderWay, ReferenceReused
from ca.issue import Issued, carry_out, recall
from ca.issuer import Issuer
from ca.models import AuthorityRow
from ca.reconcile import abandon_reference
from ca.request import Order
from ca.status import crl
from kms.errors import LabelTaken
from kms.service import KeyCentre
from yinxin.act import Actor, Outcome
from yinxin.authz import PLATFORM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer
from yinxin.steps import step

VERB = "ca.ceremony"


@dataclass(frozen=True)
class Done:
    """What the ceremony gave: certificates by label, and the trust files by name."""

    plan_digest: str
    certificates: dict[str, Certificate]
    trust: dict[str, Path]


def conduct(ctx: Context, keys: KeyCentre, actor: Actor, plan: CeremonyPlan, folder: Path) -> Done:
    """Carry the plan out; `folder` is the data directory. Safe to repeat after any crash.

    Raises CeremonyDiffers, CeremonyUnderWay, and whatever is wrong with the plan, before anything is made.
    """
    with _alone(folder):
        # 1. the whole plan once with keys nobody keeps
        rehearse(ctx, plan)
        # 2. intent
        subject = f"ceremony:{plan.digest}"
        with ctx.store.act(actor, VERB, subject, outcome=Outcome.INTENT):
            pass
        step("ca.ceremony.2-intended")
        # 3. each certificate after the one that signs it
        made = {item.label: _item(ctx, keys, actor, item, folder) for item in plan.items()}
        # 4. the first revocation lists, so that status can be told from the first minute
        for item in plan.items():
            if item.makes_authority:
                crl.current(ctx, item.label)
        # 5. trust files and the servers' certificates
        trust = _files(plan, made, folder)
        step("ca.ceremony.5-files")
        # 6. done
        with ctx.store.act(actor, VERB, subject) as act:
            act.facts["certificates"] = {label: issued.serial for label, issued in made.items()}
    certificates = {label: issued.certificate for label, issued in made.items()}
    return Done(plan.digest, certificates, trust)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One ceremony at a time; the lock dies with its process."""
    lock = folder / "ceremony.lock"
    folder.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CeremonyUnderWay(lock=str(lock)) from None
        yield


def _item(ctx: Context, keys: KeyCentre, actor: Actor, item: Item, folder: Path) -> Issued:
    """One certificate: key, authority row, issuance; what is there already is held against the plan."""
    signer = _key(ctx, keys, actor, item, folder)
    step(f"ca.ceremony.3-key-{item.label}")
    order = order_of(ctx, item, signer)
    if item.makes_authority:
        _register(ctx, actor, item, order)
        step(f"ca.ceremony.3-authority-{item.label}")
    issuer = (
        own_issuer(item, order, signer) if item.authority == item.label else ctx.issuers.get(item.authority)
    )
    issued = _certificate(ctx, actor, item, order, issuer)
    step(f"ca.ceremony.3-certificate-{item.label}")
    return issued


def _key(ctx: Context, keys: KeyCentre, actor: Actor, item: Item, folder: Path) -> Signer:
    if item.in_file:
        return file_key(folder, item.label, item.key_algorithm, ctx.store.randomness)
    owner = item.holder.id if item.holder.kind == "organ" else PLATFORM
    purpose = PURPOSES[item.profile]
    try:
        keys.create(actor, label=item.label, purpose=purpose, algorithm=item.key_algorithm, owner=owner)
    except LabelTaken as error:
        raise CeremonyDiffers(what=item.label) from error
    return keys.signer(item.label)


def _register(ctx: Context, actor: Actor, item: Item, order: Order) -> None:
    with ctx.store.read() as session:
        row = session.get(AuthorityRow, item.label)
    parent = None if item.authority == item.label else item.authority
    wanted = (item.suite, parent, order.subject.der, order.public_key.spki)
    if row is not None:
        if (row.suite, row.parent, row.subject, row.spki) != wanted:
            raise CeremonyDiffers(what=item.label)
        return
    with ctx.store.act(actor, "ca.authority", f"authority:{item.label}", suite=item.suite) as act:
        act.session.add(
            AuthorityRow(
                name=item.label,
                suite=item.suite,
                key_label=item.label,
                parent=parent,
                subject=order.subject.der,
                spki=order.public_key.spki,
                created=ctx.store.clock.now(),
                line=item.label,
                generation=1,
            )
        )


def _certificate(ctx: Context, actor: Actor, item: Item, order: Order, issuer: Issuer) -> Issued:
    # the lock says that no other worker holds this reference: an intent under it is a dead ceremony's
    abandon_reference(ctx, actor, order.reference)
    try:
        known = recall(ctx, actor, order, issuer)
    except ReferenceReused as error:
        raise CeremonyDiffers(what=item.label) from error
    if known is not None:
        return known

    def adopt(session: Session, certificate: Certificate) -> None:
        if item.makes_authority:
            session.get_one(AuthorityRow, item.label).serial = f"{certificate.serial:x}"

    return carry_out(ctx, actor, order, issuer, also=adopt)


def _files(plan: CeremonyPlan, made: dict[str, Issued], folder: Path) -> dict[str, Path]:
    trust: dict[str, Path] = {}
    for item in plan.items():
        issued = made[item.label]
        if item.makes_authority:
            name = f"{item.suite}.{item.profile}"
            trust[name] = folder / "trust" / f"{name}.pem"
            write_once(trust[name], issued.certificate.pem.encode())
        elif item.profile == "tls-server":
            # what a server sends: its own certificate and those above it but for the root
            sent = "".join(each.pem for each in (issued.certificate, *issued.chain[:-1]))
            write_once(folder / "tls" / f"{item.label}.pem", sent.encode())
            trust["tls"] = folder / "trust" / "tls.pem"
            write_once(trust["tls"], issued.chain[-1].pem.encode())
    return trust
