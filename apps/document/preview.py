"""How a document looks: its pages as pictures, drawn by poppler, for people who would rather look than read."""

import datetime as dt
import subprocess
from functools import lru_cache

from apps.document import content as contents
from apps.document.desk import Desk, content
from apps.document.joint import parts, signed
from apps.document.layout import Layout, render
from apps.document.models import Document
from yinxin.calendar import local_date
from yinxin.errors import Unavailable

#: dots per inch of the picture on the page
DPI = 80
_SECONDS = 20


class PreviewUnavailable(Unavailable):
    """The drawing program is missing or gave up."""

    code = "document.preview_unavailable"
    zh = "暂时不能生成预览（{reason}）；请直接下载 PDF 查看，或请管理员安装 poppler-utils。"
    en = "The preview cannot be drawn ({reason}); download the PDF instead, or have poppler-utils installed."


def picture(pdf: bytes, page: int) -> bytes:
    """Page `page` (from 1) of our own PDF as PNG; raises PreviewUnavailable."""
    return drawn(pdf, page, DPI)


def drawn(pdf: bytes, page: int, dpi: int) -> bytes:
    """The same at so many dots per inch."""
    command = ["pdftoppm", "-png", "-r", str(dpi), "-f", str(page), "-l", str(page), "-"]
    try:
        done = subprocess.run(command, input=pdf, capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PreviewUnavailable(reason=type(error).__name__) from error
    if not done.stdout:
        raise PreviewUnavailable(reason="no such page")
    return done.stdout


def as_printed(desk: Desk, row: Document) -> Layout:
    """A document that has no number yet, as it would print today: room for the number, and for the signers where they are shown.

    Raises what the layout raises.
    """
    with desk.store.read() as session:
        data, joint = content(session, row.id).data, parts.joint(session, row.id)
        names = [row.signer_name, *(each.signer_name for each in joint)]
        titles = tuple(signed.titles(data, row, joint))
    signers = tuple(name or "　　　" for name in names)
    return _laid_out(data, local_date(desk.store.clock.now()), signers, titles)


@lru_cache(maxsize=8)
def _laid_out(data: bytes, date: dt.date, signers: tuple[str, ...], titles: tuple[str, ...]) -> Layout:
    """The pages are asked for one by one, and are the same ones: setting them takes a second."""
    made = contents.elements(data, serial=None, year=date.year, date=date, signers=signers, titles=titles)
    return render(made)
