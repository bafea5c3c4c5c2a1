"""What monitoring is told of the key centre: its tokens, the keys on standby, and what a new wrapping key has still to reach."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yinxin.errors import YinxinError
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.text import Text

if TYPE_CHECKING:
    from kms.service import KeyCentre

UP = Figure(
    "yinxin_kms_token_up",
    Text("令牌是否应答：1 是，0 否", "whether a token answers: 1 or 0"),
    ("number", "token"),
)
IN_USE = Figure(
    "yinxin_kms_token_in_use",
    Text("正在使用的令牌为 1，备用的为 0", "1 for the token in use, 0 for one that stands by"),
    ("number", "token"),
)
LEVEL = Figure(
    "yinxin_kms_pool_keys",
    Text("备用加密密钥数，按算法", "encryption keys on standby, by algorithm"),
    ("algorithm",),
)
LOW = Figure(
    "yinxin_kms_pool_low_keys",
    Text("低于此数即为不足（kms.pool_low）", "fewer than so many are too few (kms.pool_low)"),
    ("algorithm",),
)
KEPT = Figure(
    "yinxin_kms_pool_kept_keys",
    Text("应备的密钥数（kms.pool）", "so many are kept (kms.pool)"),
    ("algorithm",),
)
MOVING = Figure(
    "yinxin_kms_generations_moving",
    Text("其密文尚在转移的旧密钥加密密钥数", "earlier wrapping keys whose ciphertexts are still being moved"),
)
UNOPENED = Figure(
    "yinxin_kms_unopened_ciphertexts",
    Text("无法打开的密文数", "ciphertexts that did not open when they were to move"),
)


def _tokens(centre: "KeyCentre") -> Iterator[Sample]:
    try:
        tokens = centre.engine.tokens()
    except YinxinError:  # the only one there is, or its process, does not answer
        yield UP.at(0, "0", centre.settings.token)
        return
    for each in tokens:
        of = (str(each.number), each.label)
        yield UP.at(each.error is None, *of)
        yield IN_USE.at(each.in_use, *of)


def _pools(centre: "KeyCentre") -> Iterator[Sample]:
    for each in centre.escrow.pools():
        if each.high:
            yield LEVEL.at(each.level, each.algorithm)
            yield LOW.at(each.low, each.algorithm)
            yield KEPT.at(each.high, each.algorithm)


def _generations(centre: "KeyCentre") -> Iterator[Sample]:
    moving, unopened = centre.generations.moving()
    yield MOVING.at(moving)
    yield UNOPENED.at(unopened)


METRICS: "tuple[Metrics[KeyCentre], ...]" = (
    Metrics("kms.tokens", (UP, IN_USE), _tokens),
    Metrics("kms.pools", (LEVEL, LOW, KEPT), _pools),
    Metrics("kms.generations", (MOVING, UNOPENED), _generations),
)
