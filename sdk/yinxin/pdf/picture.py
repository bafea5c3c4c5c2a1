"""The picture of a seal on a page: a PNG with a transparent ground, put on like ink."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.layout import BoxConstraints

from yinxin.pdf.errors import PictureUnreadable

#: what is printed below stays readable through the red
_INK = generic.DictionaryObject({generic.pdf_name("/BM"): generic.pdf_name("/Multiply")})  # type: ignore[no-untyped-call]


class SealPicture(PdfImage):
    """The face of the seal for pyHanko; its proportions are the picture's own."""

    def __init__(self, png: bytes) -> None:
        """Read the PNG; raises PictureUnreadable."""
        try:
            with Image.open(BytesIO(png), formats=("PNG",)) as opened:
                image = opened.convert("RGBA")
        except (
            UnidentifiedImageError,
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:
            raise PictureUnreadable(reason=str(error)) from error
        super().__init__(
            image, name="SealPicture", box=BoxConstraints(width=image.width, height=image.height)
        )

    def render(self) -> bytes:
        """Draw it through the ink."""
        drawn = super().render()
        self.resources.ext_g_state["/SealInk"] = _INK
        return b"q /SealInk gs " + drawn + b" Q"
