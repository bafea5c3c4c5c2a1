"""What monitoring is told of the authority: its lists, its kept OCSP answers, its helpers' certificates, its clock."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ca.clock import watch
from ca.models import CertificateRow, State
from ca.status.models import AnswerRow, CrlRow
from yinxin.errors import YinxinError
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.text import Text

if TYPE_CHECKING:
    from ca.service import Authority

_HELPERS = ("ocsp-responder", "tsa")

LIST_AGE = Figure(
    "yinxin_ca_list_age_seconds",
    Text(
        "现行撤销列表的年龄；shard 为 0 是全表",
        "age of the revocation list in force; shard 0 is the whole list",
    ),
    ("authority", "shard"),
)
LIST_LEFT = Figure(
    "yinxin_ca_list_left_seconds",
    Text("现行撤销列表距失效的秒数", "time until the revocation list in force ends"),
    ("authority", "shard"),
)
ANSWERS = Figure(
    "yinxin_ca_ocsp_answers_due",
    Text("到期应重签的 OCSP 应答数", "kept OCSP answers that are due to be signed anew"),
    ("authority",),
)
HELPERS = Figure(
    "yinxin_ca_helper_left_seconds",
    Text(
        "OCSP 与时间戳服务证书距失效的秒数，取最晚到期的一张",
        "time until the certificates of OCSP responders and timestamp units end, of each the last one",
    ),
    ("authority", "profile"),
)
AUTHORITIES = Figure(
    "yinxin_ca_authority_left_seconds",
    Text("认证机构证书距失效的秒数", "time until the certificate of an authority ends"),
    ("authority",),
)
CLOCK = Figure(
    "yinxin_ca_clock_sound",
    Text("时间戳所用时钟是否可信：1 是，0 否", "whether the clock that timestamps go by is sound: 1 or 0"),
)


def _lists(authority: "Authority") -> Iterator[Sample]:
    """The last of each line: its number is the highest."""
    now = authority.ctx.store.clock.now()
    newest = sa.select(CrlRow.authority, CrlRow.shard, sa.func.max(CrlRow.number).label("number"))
    of = newest.group_by(CrlRow.authority, CrlRow.shard).subquery()
    query = sa.select(CrlRow.authority, CrlRow.shard, CrlRow.this_update, CrlRow.next_update).join(
        of,
        sa.and_(CrlRow.authority == of.c.authority, CrlRow.shard == of.c.shard, CrlRow.number == of.c.number),
    )
    with authority.ctx.store.read() as session:
        rows = session.execute(query.order_by(CrlRow.authority, CrlRow.shard)).all()
    for name, shard, made, ends in rows:
        yield LIST_AGE.at((now - made).total_seconds(), name, str(shard))
        yield LIST_LEFT.at((ends - now).total_seconds(), name, str(shard))


def _ends(authority: "Authority") -> Iterator[Sample]:
    now, ctx = authority.ctx.store.clock.now(), authority.ctx
    for name in ctx.issuers.names():
        if (ends := ctx.issuers.get(name).not_after) is not None:
            yield AUTHORITIES.at((ends - now).total_seconds(), name)
    query = (
        sa.select(CertificateRow.authority, CertificateRow.profile, sa.func.max(CertificateRow.not_after))
        .where(
            CertificateRow.profile.in_(_HELPERS),
            CertificateRow.state == State.ISSUED,
            CertificateRow.revoked_at.is_(None),
        )
        .group_by(CertificateRow.authority, CertificateRow.profile)
    )
    with ctx.store.read() as session:
        found = session.execute(query).all()
    for name, profile, ends in found:
        yield HELPERS.at((ends - now).total_seconds(), name, profile)


def _answers(authority: "Authority") -> Iterator[Sample]:
    """Of authorities that have a responder; the status of what a root certified is on its list."""
    ctx = authority.ctx
    due = int(ctx.store.clock.now().timestamp())
    if not ctx.settings.status.presigned_hours:
        return
    for name in ctx.issuers.names():
        if ctx.issuers.get(name).chain[0].is_self_issued:
            continue
        query = sa.select(sa.func.count()).where(AnswerRow.authority == name, AnswerRow.due <= due)
        with ctx.store.read() as session:
            yield ANSWERS.at(session.scalar(query) or 0, name)


def _clock(authority: "Authority") -> Iterator[Sample]:
    try:
        watch(authority.ctx.settings).check(authority.ctx.store.clock.now())
    except YinxinError:
        yield CLOCK.at(0)
    else:
        yield CLOCK.at(1)


METRICS: "tuple[Metrics[Authority], ...]" = (
    Metrics("ca.lists", (LIST_AGE, LIST_LEFT), _lists),
    Metrics("ca.ocsp", (ANSWERS,), _answers),
    Metrics("ca.certificates", (AUTHORITIES, HELPERS), _ends),
    Metrics("ca.clock", (CLOCK,), _clock),
)
