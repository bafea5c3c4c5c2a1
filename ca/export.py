"""The inventory as a file over HTTP: every certificate that matches, a line each as they are read."""

from flask import Blueprint

from authz.errors import UnknownOrgan
from ca.api import CertificateFilter
from ca.inventory import COLUMNS, describe
from ca.service import Authority
from yinxin.authz import Denied
from yinxin.tables import Format, begun, lines
from yinxin.text import Text
from yinxin.web import Api, Caller, Raw

_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class ExportQuery(CertificateFilter):
    """What to export, and how."""

    format: Format = "csv"
    """CSV (RFC 4180, cells that would begin a formula are marked as text), or JSON Lines."""


def routes(authority: Authority) -> tuple[Blueprint, ...]:
    """The operation."""
    api = Api("ca-export", "/api/ca/v1", Text("导出证书清单", "The inventory as a file"))

    @api.get(
        "/certificate-export",
        summary=Text("导出证书清单", "Export certificates"),
        problems=(Denied, UnknownOrgan),
    )
    def export(query: ExportQuery, caller: Caller) -> Raw:
        rows = begun(authority.every(caller.actor, query.wanted))
        now = authority.ctx.store.clock.now()
        headers = {"Content-Disposition": f'attachment; filename="certificates.{query.format}"'}
        text = (line.encode() for line in lines((describe(row, now) for row in rows), COLUMNS, query.format))
        return Raw(text, _TYPES[query.format], headers)

    return (api.blueprint,)
