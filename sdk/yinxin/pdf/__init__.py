"""Sealed PDF: PAdES baseline B-LTA, made with a key that lives elsewhere, verified offline (extra `yinxin[pdf]`)."""

from yinxin.pdf import _support  # noqa: F401 - a missing extra is named before its absence shows
from yinxin.pdf.errors import PdfAltered, PdfNotSealed, PdfSealUntrusted, PdfUnreadable, PictureUnreadable
from yinxin.pdf.read import attachments, pages
from yinxin.pdf.seal import Attachment, Place, Validity, seal
from yinxin.pdf.verify import SealedBy, verify, verify_all

__all__ = [
    "Attachment",
    "PdfAltered",
    "PdfNotSealed",
    "PdfSealUntrusted",
    "PdfUnreadable",
    "PictureUnreadable",
    "Place",
    "SealedBy",
    "Validity",
    "attachments",
    "pages",
    "seal",
    "verify",
    "verify_all",
]
