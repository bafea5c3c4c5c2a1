"""The HTTP face of writing: texts as they will print, manuscripts kept and saved, versions compared."""

from collections.abc import Callable

from apps.document.comparison import Line
from apps.document.desk import Desk
from apps.document.errors import UnknownKind
from apps.document.layout.draft import TEXT_LIMIT
from apps.document.layout.errors import RuleBroken
from apps.document.layout.paint_svg import outlines
from apps.document.manuscript import begin, keep, versions
from apps.document.manuscript.errors import (
    ManuscriptMovedOn,
    NoSuchManuscript,
    PlaceholdersLeft,
    TextMovedOn,
    TooManyManuscripts,
)
from apps.document.manuscript.facts import Nearby, shown, shown_alone
from apps.document.manuscript.models import Manuscript
from apps.document.manuscript.view import View
from apps.document.template.errors import NoSuchVersion
from yinxin.documents import DocumentRef
from yinxin.flow import REFUSALS, NoSuchRecord
from yinxin.manuscripts import (
    ComparisonOut,
    ComparisonQuery,
    KeepIn,
    KeptOut,
    LineOut,
    ManuscriptOut,
    ManuscriptPreviewIn,
    PlaceOut,
    PreviewIn,
    PreviewOut,
    RemarkOut,
    StretchOut,
    TextIn,
    VersionOut,
    VersionsOut,
)
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Words

Desks = Callable[[Caller], Desk]
#: octets of a request with a text: the text itself, and as much again for its form
LARGEST = 2 * TEXT_LIMIT


def declare(api: Api, desk: Desks, nearby: Nearby) -> None:
    """Add it to the API of documents."""
    _previews(api, desk, nearby)
    _manuscripts(api, desk)
    _versions(api, desk)


def _previews(api: Api, desk: Desks, nearby: Nearby) -> None:
    @api.post(
        "/previews",
        repeatable=True,
        limit=LARGEST,
        problems=(UnknownKind,),
        summary=Text("版面预览", "A text as it will print"),
    )
    def preview(body: PreviewIn, caller: Caller) -> PreviewOut:
        return preview_out(shown_alone(desk(caller), nearby, body), body.known)

    @api.post(
        "/manuscripts/<manuscript>/preview",
        repeatable=True,
        limit=LARGEST,
        problems=(NoSuchManuscript, NoSuchRecord),
        summary=Text("文稿的版面预览", "A manuscript as it will print"),
    )
    def manuscript_preview(manuscript: str, body: ManuscriptPreviewIn, caller: Caller) -> PreviewOut:
        at_desk = desk(caller)
        row = begin.mine(at_desk, manuscript)
        return preview_out(shown(at_desk, nearby, row, body.text), body.known)


def _manuscripts(api: Api, desk: Desks) -> None:
    @api.post(
        "/documents/<document>/manuscript",
        repeatable=True,
        problems=(*REFUSALS, TooManyManuscripts),
        summary=Text("打开草稿的文稿", "The caller's manuscript of a draft"),
    )
    def open_manuscript(document: str, caller: Caller) -> ManuscriptOut:
        at_desk = desk(caller)
        return manuscript_out(begin.mine(at_desk, begin.begin_from(at_desk, document)))

    @api.get("/manuscripts/<manuscript>", problems=(NoSuchManuscript,), summary=Text("文稿", "A manuscript"))
    def manuscript(manuscript: str, caller: Caller) -> ManuscriptOut:
        return manuscript_out(begin.mine(desk(caller), manuscript))

    @api.put(
        "/manuscripts/<manuscript>",
        limit=LARGEST,
        problems=(NoSuchManuscript, ManuscriptMovedOn),
        summary=Text("暂存文稿", "Keep what was written"),
    )
    def keep_manuscript(manuscript: str, body: KeepIn, caller: Caller) -> KeptOut:
        row = keep.keep(desk(caller), manuscript, body.turn, body.text)
        return KeptOut(turn=row.turn, at=row.updated_at)

    @api.post(
        "/manuscripts/<manuscript>/version",
        limit=LARGEST,
        problems=(
            *REFUSALS,
            NoSuchManuscript,
            ManuscriptMovedOn,
            TextMovedOn,
            PlaceholdersLeft,
            RuleBroken,
        ),
        summary=Text("把文稿保存为公文的一稿", "Save a manuscript as a version of its document"),
    )
    def save_manuscript(manuscript: str, body: KeepIn, caller: Caller) -> DocumentRef:
        return DocumentRef(id=keep.save(desk(caller), manuscript, body.turn, body.text))

    @api.delete(
        "/manuscripts/<manuscript>",
        problems=(NoSuchManuscript,),
        summary=Text("放弃文稿", "Give a manuscript up"),
    )
    def discard_manuscript(manuscript: str, caller: Caller) -> None:
        begin.discard(desk(caller), manuscript)


def _versions(api: Api, desk: Desks) -> None:
    @api.get(
        "/documents/<document>/versions",
        problems=(NoSuchRecord,),
        summary=Text("历次稿", "The versions of the text"),
    )
    def versions_of(document: str, caller: Caller) -> VersionsOut:
        found = versions.versions(desk(caller), document)
        items = [
            VersionOut(**{name: getattr(each, name) for name in VersionOut.model_fields}) for each in found
        ]
        return VersionsOut(items=items)

    @api.get(
        "/documents/<document>/comparison",
        problems=(NoSuchRecord, NoSuchVersion),
        summary=Text("两稿比较", "Two versions compared"),
    )
    def comparison(document: str, query: ComparisonQuery, caller: Caller) -> ComparisonOut:
        before, after, lines = versions.comparison(desk(caller), document, query.before, query.after)
        return ComparisonOut(before=before, after=after, lines=[line_out(line) for line in lines])


def preview_out(found: View, known: tuple[str, ...] | None) -> PreviewOut:
    """A view as the API shows it; pages stand by themselves where nothing is said of what is known."""
    layout = found.layout
    return PreviewOut(
        pages=[] if layout is None else list(layout.svg(alone=known is None)),
        outlines=(
            outlines(layout.placed.pages, layout.faces, frozenset(known))
            if layout is not None and known is not None
            else {}
        ),
        labels=list(found.text.labels),
        places={
            at: PlaceOut(block=place.block, shift=place.shift) for at, place in found.text.places.items()
        },
        remarks=[
            RemarkOut(
                at=each.at, start=each.start, code=each.code, text=Words.of(each.text), grave=each.grave
            )
            for each in found.remarks
        ],
    )


def manuscript_out(row: Manuscript) -> ManuscriptOut:
    """A manuscript as the API shows it."""
    return ManuscriptOut(
        id=row.id,
        document=row.document,
        base=row.base,
        turn=row.turn,
        text=TextIn.model_validate(row.text),
        updated_at=row.updated_at,
    )


def line_out(line: Line) -> LineOut:
    """A line of a comparison as the API shows it."""
    return LineOut(
        what=line.what,
        change=line.change,
        stretches=[StretchOut(text=text, change=change) for text, change in line.stretches],
    )
