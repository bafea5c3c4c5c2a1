"""The founding: roots, the issuing authorities below them, and what those sign for the platform itself."""

from dataclasses import replace

import sqlalchemy as sa

from ca.ceremony.order import order_of, own_issuer
from ca.ceremony.plan import PURPOSES, CeremonyPlan, Item
from ca.ceremony.table import Place, Table
from ca.context import Context
from ca.issuer import SecondKey, second_label
from ca.models import AuthorityRow, CertificateRow, State
from yinxin.authz import PLATFORM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Signer


def found(table: Table, plan: CeremonyPlan) -> None:
    """Each certificate after the one that signs it, then the first lists and the files."""
    chains: dict[str, tuple[Certificate, ...]] = {}
    for item in plan.items():
        chains[item.label] = _item(table, item)
    for item in plan.items():
        if item.makes_authority:
            table.list_of(item.label)
    for item in plan.items():
        _files(table, item, chains[item.label])


def adds_to_a_site(ctx: Context, plan: CeremonyPlan) -> bool:
    """Whether the plan would make something new where authorities are already: then it is no founding any more."""
    references = [f"ceremony/{item.label}" for item in plan.items()]
    issued = sa.select(sa.func.count()).where(
        CertificateRow.reference.in_(references), CertificateRow.state == State.ISSUED
    )
    with ctx.store.read() as session:
        known = session.scalar(issued) or 0
        settled = session.scalars(sa.select(AuthorityRow.name).limit(1)).first() is not None
    return settled and known < len(references)


def _item(table: Table, item: Item) -> tuple[Certificate, ...]:
    """One certificate: key, place among the authorities, issuance; with those above it."""
    signer = _key(table, item)
    order = order_of(table.ctx, item, signer)
    second = _second(table, item)
    if second is not None:
        order = replace(order, second_key=second.public_key)
    own = item.authority == item.label
    if item.makes_authority:
        place = Place(item.label, item.suite, None if own else item.authority, item.label)
        table.register(place, order.subject, order.public_key)
    issuer = own_issuer(item.label, order, item.suite, signer) if own else table.generation(item.authority)
    if own:
        issuer = replace(issuer, second=second)
    certificate = table.certify(
        item.label, order, issuer, authority=item.label if item.makes_authority else ""
    )
    return (certificate, *(() if own else issuer.chain))


def _key(table: Table, item: Item) -> Signer:
    if item.in_file:
        return table.key_in_file(item.label, item.key_algorithm)
    owner = item.holder.id if item.holder.kind == "organ" else PLATFORM
    return table.key(item.label, PURPOSES[item.profile], item.key_algorithm, owner)


def _second(table: Table, item: Item) -> SecondKey | None:
    """The key with which an authority makes alternative signatures, when the plan gives it one."""
    if not item.alternative:
        return None
    signer = table.key(second_label(item.label), PURPOSES[item.profile], item.alternative)
    return SecondKey(signer.public_key, lambda: signer)


def _files(table: Table, item: Item, chain: tuple[Certificate, ...]) -> None:
    trust = table.folder / "trust"
    if item.makes_authority:
        name = f"{item.hierarchy}.{item.profile}"
        table.write(name, trust / f"{name}.pem", chain[0].pem.encode())
    elif item.profile == "tls-server":
        # what a server sends: its own certificate and those above it but for the root
        sent = "".join(each.pem for each in chain[:-1])
        table.write(item.label, table.folder / "tls" / f"{item.label}.pem", sent.encode())
        table.write("tls", trust / "tls.pem", chain[-1].pem.encode())
