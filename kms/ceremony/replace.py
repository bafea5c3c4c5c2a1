"""A fresh token takes the place of one that was lost: the vault passes every key on to it, and the other token bears witness.

No key is in the clear at any time, and none is in the vault: that one holds the key under which transport keys lie, and
puts a transport key under the fresh token's receiving key instead of its own.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kms.ceremony.errors import CopyDiffers, CopyMissing, KeyPlanRefused, NoVault, TokenDiffers
from kms.ceremony.plan import ReplacePlan
from kms.ceremony.prepare import looked_at
from kms.engine.engine import Engine, HeldKey
from kms.engine.mirror import MirroredEngine
from kms.engine.share import RECEIVER
from kms.errors import KeyLost
from kms.find import list_keys
from kms.folder import MIRROR
from kms.info import KeyInfo
from kms.initialise import SoftToken, make_token
from kms.models import Place, State
from kms.secrets import SECOND
from yinxin.steps import step
from yinxin.text import Text

if TYPE_CHECKING:
    from kms.service import KeyCentre


def check_replacing(centre: "KeyCentre", plan: ReplacePlan) -> None:
    """Raise KeyPlanRefused, NoVault, TokenDiffers or CopyMissing for what could not be held; opens no token."""
    mirror = centre.settings.mirror
    if not mirror:
        alone = Text(
            "没有配置 kms.mirror，令牌只有一个，须从备份恢复",
            "kms.mirror is not set: the one token there is has to be restored from its backup",
        )
        raise KeyPlanRefused(field="member", reason=alone)
    configured = (centre.settings.token, mirror[0].token)[plan.member]
    if plan.token.label != configured:
        reason = Text(f"配置为 {configured}", f"the configuration says {configured}")
        raise KeyPlanRefused(field="token.label", reason=reason)
    vault = centre.copies.registered()
    if vault is None:
        raise NoVault
    if plan.vault.serial not in ("", vault.serial):
        raise TokenDiffers(token=plan.vault.label, found=plan.vault.serial, wanted=vault.serial)
    keys = _keys(centre)
    if gone := centre.copies.missing(keys):
        raise CopyMissing(labels=", ".join(sorted(keys[each].label for each in gone)))


def replace(
    centre: "KeyCentre", plan: ReplacePlan, vault: Engine
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give the fresh token every key; what it has already is passed over. May be repeated.

    Raises TokenDiffers, TokenNotEmpty, CopyDiffers, KeyLost where the other token lacks a key, or as `Token.use`.
    """
    engine = centre.engine
    if not isinstance(engine, MirroredEngine):
        raise KeyPlanRefused(
            field="member", reason=Text("密码机由另一进程使用", "another process has the tokens")
        )
    # 1. the fresh token, and that all three are who they are
    _make_software_token(centre, plan)
    keys = _keys(centre)
    fresh, other = engine.members[plan.member], engine.members[1 - plan.member]
    serials = {
        str(plan.member): looked_at(fresh, plan.token, {each.handle for each in keys.values()} | {RECEIVER}),
        str(1 - plan.member): other.facts().serial,
        "vault": vault.facts().serial,
    }
    registered = centre.copies.vault()
    if registered is None or (registered.serial, registered.receiver) != (serials["vault"], vault.receiver()):
        wanted = registered.serial if registered else "-"
        raise TokenDiffers(token=plan.vault.label, found=serials["vault"], wanted=wanted)
    # 2. the keys, one by one: from the vault's wrapping to the fresh token's, taken, and held against the other token
    receiving = fresh.receiver()
    here, there = ({each.identifier: each for each in token.inventory()} for token in (fresh, other))
    for key in keys.values():
        witnessed, known = there.get(key.handle), here.get(key.handle)
        if witnessed is None:
            raise KeyLost(label=key.label)
        if known is None or not engine.same_key(witnessed, known):
            copy = centre.copies.copy(key.id)
            if copy is None:
                raise CopyMissing(labels=key.label)
            spki = fresh.take_shared(key.reference, vault.pass_on(copy, receiving))
            if not engine.same_key(witnessed, HeldKey(key.handle, stays=True, spki=spki)):
                fresh.destroy(key.reference)
                raise CopyDiffers(label=key.label)
        step("kms.ceremony.3-taken")
    # 3. the mirror is whole again, or says what is not
    engine.joined(plan.member)
    centre.watch()
    return {each.label: Place.HSM.value for each in keys.values()}, serials


def _make_software_token(centre: "KeyCentre", plan: ReplacePlan) -> None:
    library = (centre.settings.library, centre.settings.mirror[0].library)[plan.member]
    if library:
        return
    folder, ending = ((centre.folder, ""), (centre.folder / MIRROR, SECOND))[plan.member]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_token(SoftToken(plan.token.label, folder, centre.secrets, ending))


def _keys(centre: "KeyCentre") -> dict[str, KeyInfo]:
    """Every key that the tokens must hold, by identifier; a retired one has its copy until its object is destroyed."""
    known = [each for each in list_keys(centre.store) if each.place is Place.HSM]
    retired = {each.id for each in known if each.state is State.RETIRED}
    gone = centre.copies.missing(retired)
    return {each.id: each for each in known if each.state is State.ACTIVE or each.id in retired - gone}
