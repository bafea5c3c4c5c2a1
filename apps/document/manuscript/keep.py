"""Keeping what is typed, so that nothing is lost with a window; and saving it as a version of the document."""

import sqlalchemy as sa

from apps.document import draft
from apps.document.desk import Desk, content
from apps.document.manuscript.begin import held
from apps.document.manuscript.errors import ManuscriptMovedOn, PlaceholdersLeft, TextMovedOn
from apps.document.manuscript.models import Manuscript
from apps.document.manuscript.text import composed, file_of, text_of
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.template.placeholders import left
from apps.document.template.records import version
from yinxin.documents import DraftIn
from yinxin.manuscripts import TextIn


def keep(desk: Desk, manuscript: str, turn: int, text: TextIn) -> Manuscript:
    """Keep the text that was made from `turn`; the manuscript with its new turn.

    Keeping the same text again changes nothing. Raises NoSuchManuscript, and ManuscriptMovedOn where it was changed elsewhere since: then nothing is overwritten.
    """
    with desk.store.housekeep() as session:
        row = held(session, desk, manuscript, lock=True)
        wanted = text.model_dump(mode="json")
        if row.text != wanted:
            if row.turn != turn:
                raise ManuscriptMovedOn(turn=row.turn)
            row.text, row.turn, row.updated_at = wanted, row.turn + 1, desk.store.clock.now()
        session.flush()
        session.expunge(row)
    return row


def save(desk: Desk, manuscript: str, turn: int, text: TextIn, *, over: int | None = None) -> str:
    """Save the text as a version: the document is drafted, or revised by its drafter; the document's identifier.

    It is kept before, so that what is refused is not lost, and gone afterwards. `over` is a newer version that whoever saves has
    seen and goes past.

    Raises what `keep`, `draft.draft` and `draft.revise` raise, PlaceholdersLeft, and TextMovedOn where a newer version was saved meanwhile.
    """
    row = keep(desk, manuscript, turn, text)
    _filled(desk, row, text)
    name, data = file_of(text)
    # a save that was cut short has drafted it, and what was written since is still to be saved
    document = row.document or _drafted(desk, row)
    if document is None:
        facts = DraftIn.model_validate(row.facts)
        document = draft.draft(desk, draft.new_document(facts, name, data))
    elif not _saved(desk, document, text):
        new = draft.as_before(DOCUMENTS.read(desk, document), name, data)
        draft.revise(desk, document, new, base=over or row.base or 1)
    with desk.store.housekeep() as session:
        session.delete(held(session, desk, manuscript, lock=True))
    return document


def _drafted(desk: Desk, row: Manuscript) -> str | None:
    """The document that a save of this manuscript has drafted already."""
    reference = DraftIn.model_validate(row.facts).reference
    mine = (Document.drafter == row.person, Document.reference == reference)
    with desk.store.read() as session:
        found: str | None = session.scalar(sa.select(Document.id).where(*mine))
        return found


def _saved(desk: Desk, document: str, text: TextIn) -> bool:
    """Whether the newest version says just this: then there is no version to be made."""
    with desk.store.read() as session:
        newest = text_of(content(session, document).data)
    return composed(newest).draft == composed(text).draft


def rebase(desk: Desk, manuscript: str, turn: int, *, theirs: TextIn | None, base: int) -> None:
    """Go on from version `base`: with one's own text, or with `theirs` in its place.

    Raises NoSuchManuscript, ManuscriptMovedOn.
    """
    with desk.store.housekeep() as session:
        row = held(session, desk, manuscript, lock=True)
        if row.turn != turn:
            raise ManuscriptMovedOn(turn=row.turn)
        row.base, row.turn = base, row.turn + 1
        if theirs is not None:
            row.text = theirs.model_dump(mode="json")


def overtaken(desk: Desk, row: Manuscript) -> TextMovedOn | None:
    """That the text was changed since the version that it was made from, if so."""
    if row.document is None:
        return None
    with desk.store.read() as session:
        newest = content(session, row.document)
        moved = draft.overtaken(session, newest, row.base)
        return TextMovedOn(base=row.base, newest=newest.revision) if moved else None


def placeholders(desk: Desk, row: Manuscript) -> frozenset[str]:
    """What its template leaves to be filled in."""
    if row.template is None:
        return frozenset()
    found = version(desk, row.template, row.template_revision or 1)
    return frozenset(left(TextIn.model_validate(found.text)))


def _filled(desk: Desk, row: Manuscript, text: TextIn) -> None:
    open_ = placeholders(desk, row) & left(text)
    if open_:
        raise PlaceholdersLeft(names="、".join(sorted(open_)))
