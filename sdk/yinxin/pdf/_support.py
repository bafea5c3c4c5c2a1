"""Looks, before anything else here is imported, whether the extra is installed."""

from yinxin.pdf.errors import PdfSupportMissing

try:
    import pyhanko  # noqa: F401 - only whether it is there
except ModuleNotFoundError as error:
    raise PdfSupportMissing(missing=error.name) from error
