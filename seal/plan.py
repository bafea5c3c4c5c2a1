"""What is applied for: the content of a proposal to make a seal, and how it is held against directory and register."""

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from seal import draw, find
from seal.errors import HolderNeeded, KeeperElsewhere, NotHerOwn, SealExists, SealNotInUse
from seal.models import Sort, State
from seal.picture import LARGEST, check
from seal.words import STATES
from yinxin.crypto.seal import Picture
from yinxin.faults import BadValue
from yinxin.wire import Model

if TYPE_CHECKING:
    from seal.service import Seals


class SealPlan(Model):
    """A seal that is applied for."""

    organ: str = Field(min_length=1, max_length=64)
    """The organ whose seal it will be, or in which the holder of a personal seal is in office."""
    sort: Sort = Sort.UNIT
    """`unit`, or `personal`: the name seal of somebody in office."""
    name: str = Field(default="", max_length=60)
    """What it reads; the organ's or the holder's name when left out."""
    holder: str = Field(default="", max_length=64)
    """The person, of a personal seal."""
    keeper: str = Field(min_length=1, max_length=64)
    """The post of the organ that keeps it and puts it on."""
    width: int = Field(default=0, ge=0, le=80)
    """Width in mm; 42, and 18 of a personal seal, when left out."""
    height: int = Field(default=0, ge=0, le=80)
    """Height in mm; the width when left out."""
    picture: str = Field(default="", max_length=LARGEST * 4 // 3 + 4)
    """A PNG with a transparent ground in base64; drawn in the national form when left out."""
    replaces: str = Field(default="", max_length=40)
    """The seal that this one takes the place of: renewal."""

    @field_validator("picture")
    @classmethod
    def _base64(cls, value: str) -> str:
        try:
            b64decode(value, validate=True)
        except (Error, ValueError):
            raise BadValue("不是有效的 base64", "This is not base64") from None
        return value


@dataclass(frozen=True)
class Looks:
    """A plan with all that it leaves to the platform filled in: name and picture."""

    name: str
    picture: Picture


def looks(seals: "Seals", plan: SealPlan) -> Looks:
    """Name and picture of the seal; raises UnknownOrgan, UnknownPerson, PictureNeeded, PictureRefused."""
    personal = plan.sort is Sort.PERSONAL
    whose = (
        seals.directory.person(plan.holder).name if personal else seals.directory.organ(plan.organ).name.zh
    )
    name = plan.name or whose
    usual = draw.SIDE if personal else draw.DIAMETER
    width = plan.width or usual
    height = plan.height or width
    if plan.picture:
        data = b64decode(plan.picture)
        check(data, width, height)
    elif plan.replaces:
        old = find.seal(seals.store, plan.replaces).structure.picture
        return Looks(name, old)
    else:
        data = (draw.name_seal if personal else draw.round_seal)(name, width)
        height = width
    return Looks(name, Picture("PNG", data, width, height))


def hold(seals: "Seals", plan: SealPlan) -> None:
    """Raise what is wrong with a plan: HolderNeeded, KeeperElsewhere, NotHerOwn, SealExists, SealNotInUse, or as `looks`."""
    if (plan.sort is Sort.PERSONAL) != bool(plan.holder):
        raise HolderNeeded
    if seals.directory.post(plan.keeper).organ != plan.organ:
        raise KeeperElsewhere(post=plan.keeper, organ=plan.organ)
    if plan.holder and plan.holder not in {each.person for each in seals.directory.holders(plan.keeper)}:
        raise NotHerOwn(holder=plan.holder, post=plan.keeper)
    if plan.replaces:
        old = find.seal(seals.store, plan.replaces)
        if old.organ != plan.organ or old.state not in (State.ACTIVE, State.SUSPENDED):
            raise SealNotInUse(name=old.name, state=STATES[old.state])
    seen = looks(seals, plan)
    for other in find.search(seals.store, find.Filter(organ=plan.organ, name=seen.name), limit=200):
        if (
            other.name == seen.name
            and other.id != plan.replaces
            and other.state in (State.ACTIVE, State.SUSPENDED)
        ):
            raise SealExists(name=other.name, seal=other.id)
