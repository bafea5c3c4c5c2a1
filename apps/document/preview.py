"""A page of a document as a picture, drawn by poppler, for people who would rather look than read."""

import subprocess

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
    command = ["pdftoppm", "-png", "-r", str(DPI), "-f", str(page), "-l", str(page), "-"]
    try:
        done = subprocess.run(command, input=pdf, capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PreviewUnavailable(reason=type(error).__name__) from error
    if not done.stdout:
        raise PreviewUnavailable(reason="no such page")
    return done.stdout
