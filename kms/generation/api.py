"""The generations of the wrapping key over HTTP."""

from flask import Blueprint

from kms.errors import HsmGone
from kms.generation.errors import RotatedMeanwhile
from kms.generation.service import Generation
from kms.service import KeyCentre
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model


class GenerationOut(Model):
    """A generation. `left` counts the ciphertexts under it, of them `unopened` those that do not open; `moved` those that left."""

    number: int
    label: str
    state: str
    begun: str
    begun_by: str
    replaced: str | None
    retired: str | None
    destroyed: str | None
    moved: int
    left: int
    tables: dict[str, int]
    unopened: int


class GenerationsOut(Model):
    """All of them, the first first."""

    items: list[GenerationOut]


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations of `centre`."""
    api = Api("kms_generations", "/api/kms/v1", Text("密钥加密密钥的各代", "Generations of the wrapping key"))

    @api.get("/generations", summary=Text("各代密钥加密密钥", "The generations"), problems=(Denied,))
    def generations(caller: Caller) -> GenerationsOut:
        return GenerationsOut(items=[_out(each) for each in centre.generations.list_for(caller.actor)])

    @api.post(
        "/generations",
        status=201,
        summary=Text("启用新一代密钥加密密钥", "Begin the next generation"),
        problems=(Denied, RotatedMeanwhile, HsmGone),
    )
    def rotate(caller: Caller) -> GenerationOut:
        return _out(centre.generations.rotate(caller.actor))

    return (api.blueprint,)


def _out(generation: Generation) -> GenerationOut:
    return GenerationOut(**generation.fields())
