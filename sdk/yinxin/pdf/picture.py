"""The picture of a round official seal: ring, star, and the organ's name along the ring, as a vector page."""

import math
from html import escape

#: Regulation on seals of state organs: 42 mm for a provincial or city organ; smaller ones are the caller's choice
DIAMETER_MM = 42.0
_RED = "#c8102e"


def seal_picture(name: str, *, diameter_mm: float = DIAMETER_MM) -> bytes:
    """A one-page PDF of the seal, transparent, `diameter_mm` square."""
    from weasyprint import HTML

    style = f"@page{{size:{diameter_mm}mm {diameter_mm}mm;margin:0}} body{{margin:0}} svg{{display:block}}"
    page = f"<html><head><style>{style}</style></head><body>{_svg(name, diameter_mm)}</body></html>"
    data = HTML(string=page, url_fetcher=_refuse).write_pdf()
    assert isinstance(data, bytes)  # noqa: S101 - write_pdf without a target returns the bytes
    return data


def _refuse(url: str, **_: object) -> object:
    raise ValueError(f"a seal fetches nothing: {url}")


def _svg(name: str, size: float) -> str:
    letters = []
    span = min(300.0, 24.0 * len(name))
    advance = span / max(1, len(name) - 1) if len(name) > 1 else 0.0
    letter = min(15.0, 2 * math.pi * 34 * (span / 360) / max(1, len(name)) * 0.95)
    for index, character in enumerate(name):
        angle = -span / 2 + index * advance
        letters.append(
            f'<text x="50" y="{18 + letter * 0.1:.2f}" font-size="{letter:.2f}" text-anchor="middle" '
            f'transform="rotate({angle:.2f} 50 50)">{escape(character)}</text>'
        )
    points = " ".join(
        f"{50 + radius * math.sin(math.pi * i / 5):.2f},{50 - radius * math.cos(math.pi * i / 5):.2f}"
        for i in range(10)
        for radius in ((14.0,) if i % 2 == 0 else (5.35,))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}mm" height="{size}mm" viewBox="0 0 100 100" '
        f'font-family="Noto Serif CJK SC" font-weight="700" fill="{_RED}">'
        f'<circle cx="50" cy="50" r="48" fill="none" stroke="{_RED}" stroke-width="2.8"/>'
        f'<polygon points="{points}"/>{"".join(letters)}</svg>'
    )
