"""Pictures of seals: drawn in the national form, and uploaded ones held to it."""

from io import BytesIO

import pytest
from PIL import Image

from seal import draw, picture
from seal.errors import PictureNeeded, PictureRefused


def png(
    size: tuple[int, int] = (400, 400), colour: tuple[int, ...] = (200, 16, 46, 0), kind: str = "PNG", **more
) -> bytes:
    image = Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour)
    if len(colour) == 4:
        image.paste((200, 16, 46, 255), (50, 50, 150, 150))
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["省府", "示范省人民政府办公厅", "河源省人力资源和社会保障厅人事考试院镕喆堃䶮𬱖"]
)
def test_a_round_one_has_ring_star_and_name(name):
    drawn = draw.round_seal(name, 42)
    picture.check(drawn, 42, 42)
    with Image.open(BytesIO(drawn)) as opened:
        ink = opened.convert("RGBA").getchannel("A")
        assert abs(ink.width - 42 / 25.4 * draw.DPI) < 1  # 42 mm at 600 dpi
    middle, edge = ink.width // 2, ink.width - 3
    assert ink.getpixel((middle, middle)) == 255  # the star
    assert all(
        ink.getpixel(each) > 200 for each in ((2, middle), (edge, middle), (middle, 2), (middle, edge))
    )
    assert ink.getpixel((2, 2)) == 0  # transparent outside the ring
    # the name stands in the upper arc, and below the star there is nothing
    band = ink.crop((middle - 60, round(ink.width * 0.8), middle + 60, round(ink.width * 0.95)))
    assert band.getextrema() == (0, 0)
    assert draw.round_seal(name, 42) == drawn


@pytest.mark.parametrize(
    ("name", "fits"), [("张三", True), ("张三丰", True), ("欧阳修文", True), ("张", False)]
)
def test_a_personal_one_is_square(name, fits):
    if not fits:
        with pytest.raises(PictureNeeded):
            draw.name_seal(name, 18)
        return
    picture.check(draw.name_seal(name, 18), 18, 18)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", (42, 42)),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), (42, 42)),
        (png(colour=(255, 255, 255)), (42, 42)),  # no transparent ground
        (png((100, 100)), (42, 42)),
        (png((3000, 3000)), (42, 42)),
        (png(), (42, 21)),
        (png(kind="GIF"), (42, 42)),
        (png(save_all=True, append_images=[Image.new("RGBA", (400, 400), (1, 2, 3, 255))]), (42, 42)),
        (png() + bytes(picture.LARGEST), (42, 42)),
    ],
    ids=["empty", "broken", "opaque", "small", "large", "skewed", "gif", "animated", "heavy"],
)
def test_what_is_no_seals_picture_is_refused(data, size):
    """Seen to fail for each without its own check."""
    with pytest.raises(PictureRefused):
        picture.check(data, *size)


def test_a_sound_upload_is_taken():
    picture.check(png(), 42, 42)
    picture.check(png((800, 400)), 60, 30)
