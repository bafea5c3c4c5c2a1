"""Lists as files: CSV that spreadsheets open in either language, a line at a time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response

from yinxin.tables import lines


def csv_file(name: str, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Response:
    """The rows as a file to keep; the mark at its beginning tells spreadsheets that it is UTF-8."""

    def told() -> Iterator[str]:
        yield "\ufeff"
        yield from lines(rows, columns, "csv")

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(told(), mimetype="text/csv", headers=headers)
