"""The text of a document as canonical JSON: what is reviewed, what the leader signs, what is laid out.

The layout is a pure function of these bytes, the number and the date, so the chain from the leader's signature to the
sealed page can be followed by anyone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from apps.document.layout.kinds import Kind
from apps.document.layout.model import (
    Attachment,
    Block,
    DocumentNumber,
    Draft,
    Elements,
    Heading,
    Paragraph,
    Table,
    Urgency,
)
from yinxin import canonical

FORMAT = 1


def encode(
    draft: Draft,
    *,
    kind: Kind,
    organ: Mapping[str, str],
    recipients: Sequence[str],
    names: Sequence[str],
    urgency: str | None,
) -> bytes:
    """The canonical content of a draft issued by `organ` (id, name, code) to `recipients` (ids) by their `names`."""
    return canonical.encode(
        {
            "v": FORMAT,
            "kind": kind.value,
            "title": draft.title,
            "organ": dict(organ),
            "recipients": list(recipients),
            "main_recipients": list(names),
            "urgency": urgency,
            "body": [_block(block) for block in draft.blocks],
            "attachments": [
                {"title": each.title, "body": [_block(block) for block in each.blocks]}
                for each in draft.attachments
            ],
            "notes": draft.notes,
        }
    )


def elements(data: bytes, *, serial: int, year: int, date: dt.date, signer: str | None) -> Elements:
    """The elements to lay out: the content with its number, date and, upward, the signer."""
    body = canonical.decode(data)
    organ = body["organ"]
    kind = Kind(body["kind"])
    return Elements(
        kind=kind,
        organ_mark=f"{organ['name']}文件",
        number=DocumentNumber(organ=organ["code"], year=year, serial=serial),
        title=body["title"],
        body=tuple(_read(block) for block in body["body"]),
        signing_organ=organ["name"],
        date=date,
        main_recipients=tuple(body["main_recipients"]),
        urgency=Urgency(body["urgency"]) if body["urgency"] else None,
        signers=(signer,) if signer else (),
        notes=body["notes"],
        attachments=tuple(
            Attachment(each["title"], tuple(_read(block) for block in each["body"]))
            for each in body["attachments"]
        ),
        printing_organ=organ["name"],
        printing_date=date,
    )


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"t": "p", "text": text}
        case Heading(level, text, rest):
            return {"t": "h", "level": level, "text": text, "rest": rest}
        case Table(rows):
            return {"t": "table", "rows": [list(row) for row in rows]}


def _read(block: Mapping[str, Any]) -> Block:
    if block["t"] == "p":
        return Paragraph(block["text"])
    if block["t"] == "h":
        return Heading(block["level"], block["text"], block["rest"])
    return Table(tuple(tuple(row) for row in block["rows"]))
