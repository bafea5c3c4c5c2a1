"""Certificates (RFC 8555 7.4.2): to the account that ordered them, with every way up to a root."""

from functools import lru_cache
from typing import cast

import sqlalchemy as sa

from ca.acme.errors import NoResource
from ca.acme.look import order_of
from ca.acme.parts import Answer, Asked, Parts
from ca.acme.payload import nothing
from ca.hierarchy.chains import chains
from ca.models import CertificateRow
from yinxin.crypto import pem
from yinxin.crypto.certificates import Certificate
from yinxin.store import Sql

MEDIA_TYPE = "application/pem-certificate-chain"


def download(parts: Parts, asked: Asked, serial: str, number: int = 0) -> Answer:
    """The certificate and those above it without the root, PEM; `number` chooses another chain. Raises NoResource."""
    nothing(asked.payload)
    with parts.ctx.store.look() as within:
        order = order_of(within, serial[:40])
        row = _ISSUED.first(within, {"serial": serial[:40]})
    if order is None or order.account != asked.owner.id or row is None or row.der is None:
        raise NoResource
    ways = _ways(parts, row.authority)
    if number >= len(ways):
        raise NoResource
    others = [each for each in range(len(ways)) if each != number]
    links = tuple(("alternate", asked.urls.of("certificate", serial, str(each))) for each in others)
    text = pem.encode("CERTIFICATE", row.der) + ways[number]
    return Answer(text.encode("ascii"), media_type=MEDIA_TYPE, links=links)


_ROW = cast("sa.Table", CertificateRow.__table__).c
_ISSUED = Sql(sa.select(_ROW.der, _ROW.authority).where(_ROW.serial == sa.bindparam("serial")))


def _ways(parts: Parts, authority: str) -> tuple[str, ...]:
    """The chains of an authority without their roots, PEM; our own root's first, none twice."""
    return _texts(chains(parts.ctx, authority) or (parts.ctx.issuers.get(authority).chain,))


@lru_cache(maxsize=64)
def _texts(ways: tuple[tuple[Certificate, ...], ...]) -> tuple[str, ...]:
    texts = ("".join(each.pem for each in way if not each.is_self_issued) for way in ways)
    return tuple(dict.fromkeys(texts))
