"""An uploaded picture of a seal, held to what a seal's picture must be before anybody approves it."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from seal.errors import PictureRefused
from yinxin.text import Text

#: octets, and pixels of a side
LARGEST, LEAST_SIDE, MOST_SIDE = 512 * 1024, 200, 2400
#: how far the picture's proportions may be from those it is shown in
_SKEWED = 0.03
#: how much of it is clear at least: what lies under a seal stays readable
_CLEAR = 0.1


def check(data: bytes, width: int, height: int) -> None:
    """Raise PictureRefused unless `data` is a still PNG with a transparent ground, in the proportions `width` : `height` (mm).

    Sizes are judged by the header, before anything is unpacked.
    """
    if len(data) > LARGEST:
        raise _refused(f"文件超过 {LARGEST // 1024} KB", f"the file has more than {LARGEST // 1024} KB")
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as picture:
            wide, high = picture.size
            if not (min(wide, high) >= LEAST_SIDE and max(wide, high) <= MOST_SIDE):
                raise _refused(
                    f"边长须为 {LEAST_SIDE} 至 {MOST_SIDE} 像素",
                    f"a side has {LEAST_SIDE} to {MOST_SIDE} pixels",
                )
            if getattr(picture, "n_frames", 1) != 1:
                raise _refused("不得是动画", "it is animated")
            if abs(wide * height / (high * width) - 1) > _SKEWED:
                raise _refused("图片比例与所填尺寸不符", "its proportions are not those of the size given")
            opaque = picture.convert("RGBA").getchannel("A")
    except PictureRefused:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("不是可读的 PNG 文件", "it is not a readable PNG file") from error
    by_opacity = opaque.histogram()
    if by_opacity[0] < _CLEAR * wide * high or by_opacity[0] == wide * high:
        raise _refused(
            "底色须透明，且须有图案", "its ground must be transparent, and something be drawn on it"
        )


def _refused(zh: str, en: str) -> PictureRefused:
    return PictureRefused(reason=Text(f"{zh}；请重新制作。", f"{en}; make it again."))
