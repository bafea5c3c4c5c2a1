"""Turning pages into PDF/A: every mark at its place, every character escaped, nothing fetched, nothing random."""

import datetime as dt
import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from pathlib import Path
from threading import Lock

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from apps.document.layout.faces import Face, Role, Typefaces, ascent, cut
from apps.document.layout.lines import Span
from apps.document.layout.marks import BASELINE, Page, Picture, Rule, Text
from apps.document.layout.model import Elements

_SCHEME = "face:"
_PICTURE = "picture:"
_EPOCH = "SOURCE_DATE_EPOCH"
_LOCK = Lock()
"""Font maps of the engine are not to be used from two threads."""

_SHEET = """
@page { size: 210mm 297mm; margin: 0 }
html, body { margin: 0; padding: 0 }
section { position: relative; width: 210mm; height: 296.9mm; overflow: hidden; break-after: page }
section:last-child { break-after: auto }
div { position: absolute; white-space: pre; font-variant-ligatures: none; font-kerning: none }
span { line-height: 0 }
"""


class _Fetcher(URLFetcher):  # type: ignore[misc]  # the engine has no types
    """Gives the configured font files and the page's pictures under names of our own, and refuses everything else."""

    def __init__(self, files: dict[str, Path], pictures: Mapping[str, bytes] | None = None) -> None:
        super().__init__(allowed_protocols=(), fail_on_errors=True)
        self._files = files
        self._pictures = pictures or {}

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002  signature of the engine
        data = self._pictures[url] if url in self._pictures else self._files[url].read_bytes()
        return URLFetcherResponse(url, data)


def paint(pages: tuple[Page, ...], faces: Typefaces, elements: Elements) -> bytes:
    """The PDF/A-3b file. Same pages, same faces, same bytes: dates and identifiers come from the elements."""
    html = _html(pages, faces, elements)
    pictures = {_named(mark): mark.png for page in pages for mark in page.marks if isinstance(mark, Picture)}
    identifier = hashlib.sha256(html.encode()).hexdigest()[:32].encode()
    with _LOCK, _dated(elements.date):
        style, fonts = _fonts(faces)
        document = HTML(string=html, url_fetcher=_Fetcher({}, pictures))
        with warnings.catch_warnings():
            # the engine leaves its colour profile to the garbage collector
            warnings.simplefilter("ignore", ResourceWarning)
            pdf: bytes = document.write_pdf(
                stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b", pdf_identifier=identifier
            )
    return pdf


@contextmanager
def _dated(date: dt.date) -> Iterator[None]:
    """Where HarfBuzz cannot cut fonts, fontTools does, and writes the time of day into them unless told another."""
    noon = dt.datetime.combine(date, dt.time(12), dt.UTC)
    before = os.environ.get(_EPOCH)
    os.environ[_EPOCH] = str(int(noon.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_EPOCH]
        else:
            os.environ[_EPOCH] = before


@lru_cache(maxsize=4)
def _fonts(faces: Typefaces) -> tuple[CSS, FontConfiguration]:
    """The style sheet, with the font files that belong to it loaded once."""
    files = {f"{_SCHEME}{name}": face.file for face, name in _names(faces).items() if face.file is not None}
    rules = "".join(
        f'@font-face {{ font-family: "{url[len(_SCHEME) :]}"; src: url("{url}") }}\n' for url in files
    )
    fonts = FontConfiguration()
    return CSS(string=rules + _SHEET, font_config=fonts, url_fetcher=_Fetcher(files)), fonts


def _names(faces: Typefaces) -> dict[Face, str]:
    """The family by which the style sheet knows a face."""
    return {
        face: f"yinxin-{number}" if face.file is not None else face.family
        for number, face in enumerate(faces.all())
    }


def _html(pages: tuple[Page, ...], faces: Typefaces, elements: Elements) -> str:
    title = escape(elements.title.replace("\n", ""))
    dated = elements.date.isoformat()
    names = _names(faces)
    body = "".join(f"<section>{_marks(page, faces, names)}</section>" for page in pages)
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="author" content="{escape(elements.signing_organ)}">'
        f'<meta name="dcterms.created" content="{dated}"><meta name="dcterms.modified" content="{dated}">'
        f"</head><body>{body}</body></html>"
    )


def _marks(page: Page, faces: Typefaces, names: dict[Face, str]) -> str:
    return "".join(_mark(mark, faces, names) for mark in page.marks)


def _mark(mark: Text | Rule | Picture, faces: Typefaces, names: dict[Face, str]) -> str:
    match mark:
        case Rule():
            return _rule(mark)
        case Picture():
            return _picture(mark)
    return _text(mark, faces, names)


def _named(picture: Picture) -> str:
    """The name under which the page asks for it: by its digest, so that other pictures make another file."""
    return _PICTURE + hashlib.sha256(picture.png).hexdigest()


def _picture(picture: Picture) -> str:
    return (
        f'<div style="left:{picture.left:.3f}pt;top:{picture.top:.3f}pt"><img src="{_named(picture)}" alt="签名章" '
        f'style="display:block;width:{picture.width:.3f}pt;height:{picture.height:.3f}pt"></div>'
    )


def _rule(rule: Rule) -> str:
    return (
        f'<div style="left:{rule.left:.3f}pt;top:{rule.top:.3f}pt;width:{rule.width:.3f}pt;'
        f'height:{rule.height:.3f}pt;background:{rule.color}"></div>'
    )


def _text(text: Text, faces: Typefaces, names: dict[Face, str]) -> str:
    """One line. Its strut is the body face, so that its baseline does not depend on the faces that stand on it."""
    up, down = ascent(faces, Role.BODY)
    strut = (1 - up - down) / 2 + up
    top = text.top + (BASELINE - strut) * text.size * text.stretch
    stretch = f";transform:scale(1,{text.stretch:.5f});transform-origin:0 0" if text.stretch != 1 else ""
    spans = "".join(_span(span, faces, names) for span in text.spans)
    return (
        f"<div style=\"left:{text.left:.3f}pt;top:{top:.3f}pt;font:{text.size:.3f}pt/1 '{names[faces.body]}';"
        f'letter-spacing:{text.spacing:.4f}pt;color:{text.color}{stretch}">{spans}</div>'
    )


def _span(span: Span, faces: Typefaces, names: dict[Face, str]) -> str:
    return "".join(
        f"<span style=\"font-family:'{names[face]}';font-weight:{face.weight}\">{escape(text)}</span>"
        for face, text in cut(faces, span.role, span.text)
    )
