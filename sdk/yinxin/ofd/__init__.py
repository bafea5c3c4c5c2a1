"""OFD (GB/T 33190-2016): written with its typefaces and text, read strictly, sealed with a national electronic seal, verified offline."""

from yinxin.ofd.errors import OfdAltered, OfdMalformed, OfdNotSealed, OfdSealedAlready, OfdSealUntrusted
from yinxin.ofd.font import cut
from yinxin.ofd.model import Attachment, Bar, Document, Font, Glyphs, Page, Picture, Stamp
from yinxin.ofd.package import MEDIA_TYPE, is_one
from yinxin.ofd.read import attachments, text
from yinxin.ofd.seal import seal
from yinxin.ofd.verify import SealedBy, verify
from yinxin.ofd.write import write

__all__ = [
    "MEDIA_TYPE",
    "Attachment",
    "Bar",
    "Document",
    "Font",
    "Glyphs",
    "OfdAltered",
    "OfdMalformed",
    "OfdNotSealed",
    "OfdSealUntrusted",
    "OfdSealedAlready",
    "Page",
    "Picture",
    "SealedBy",
    "Stamp",
    "attachments",
    "cut",
    "is_one",
    "seal",
    "text",
    "verify",
    "write",
]
