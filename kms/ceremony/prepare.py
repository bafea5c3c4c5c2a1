"""The first ceremony: the tokens are looked at, the vault is registered, and the first keys are made."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kms.ceremony.errors import TokenDiffers, TokenNotEmpty
from kms.ceremony.models import VaultRow
from kms.ceremony.plan import PreparePlan, TokenPlan
from kms.engine.engine import Engine
from kms.engine.mirror import MirroredEngine
from kms.engine.share import RECEIVER
from kms.find import list_keys
from kms.models import Purpose
from yinxin.act import Actor
from yinxin.steps import step

if TYPE_CHECKING:
    from kms.service import KeyCentre

VAULT = "kms.register-vault"


def prepare(
    centre: "KeyCentre", actor: Actor, plan: PreparePlan, vault: Engine | None
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Where each key lies, and the serial number of each token; may be repeated. Raises TokenDiffers, TokenNotEmpty."""
    # 1. the tokens: software ones are made, others must be there, and none may hold what is not ours
    centre.initialise(actor)
    engine = centre.engine
    members: Sequence[Engine] = engine.members if isinstance(engine, MirroredEngine) else (engine,)
    plans = [each for each in (plan.token, plan.mirror) if each is not None]
    ours = {each.handle for each in list_keys(centre.store)} | {RECEIVER}
    tokens = {
        str(number): looked_at(member, wanted, ours)
        for number, (member, wanted) in enumerate(zip(members, plans, strict=True))
    }
    # 2. the vault, before the first key that it shall have a copy of
    if vault is not None and plan.vault is not None:
        tokens["vault"] = looked_at(vault, plan.vault, {RECEIVER})
        _register(centre, actor, plan.vault.label, tokens["vault"], vault.receiver())
    step("kms.ceremony.3-vault")
    # 3. the keys
    keys = {}
    for each in plan.key:
        if each.purpose is Purpose.KEK:
            keys[each.label] = centre.wrapping_key(actor).place.value
            continue
        made = centre.create(
            actor, label=each.label, purpose=each.purpose, algorithm=each.algorithm, owner=each.owner
        )
        keys[each.label] = made.place.value
    return keys, tokens


def looked_at(token: Engine, wanted: TokenPlan, ours: set[bytes]) -> str:
    """The token's serial number; raises TokenDiffers unless it is the planned one, TokenNotEmpty for keys of others."""
    facts = token.facts()
    if wanted.serial not in ("", facts.serial):
        raise TokenDiffers(token=wanted.label, found=facts.serial, wanted=wanted.serial)
    strange = [each for each in token.inventory() if each.identifier not in ours]
    if strange:
        raise TokenNotEmpty(token=wanted.label, keys=len(strange))
    return facts.serial


def _register(centre: "KeyCentre", actor: Actor, label: str, serial: str, receiver: bytes) -> None:
    if centre.copies.registered() is None:
        centre.copies.know(receiver)
        with centre.store.act(actor, VAULT, f"token:{label}", serial=serial) as act:
            act.session.add(
                VaultRow(serial=serial, label=label, receiver=receiver, since=centre.store.clock.now())
            )
        return
    known = centre.copies.vault()
    if known is None or (known.serial, known.receiver) != (serial, receiver):
        raise TokenDiffers(token=label, found=serial, wanted=known.serial if known else "-")
