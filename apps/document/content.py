"""The text of a document as canonical JSON: what is reviewed, what the leader signs, what is laid out.

The layout is a pure function of these bytes, the number and the date, so the chain from the leader's signature to the
sealed page can be followed by anyone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.layout.model import (
    Attachment,
    Block,
    DocumentNumber,
    Draft,
    Elements,
    Heading,
    NameSeal,
    Paragraph,
    Secrecy,
    Table,
    Urgency,
)
from yinxin import canonical
from yinxin.uploads import AttachmentOut

FORMAT = 1
#: how the issuing organ's mark ends, where it is not 文件 (GB/T 9704-2012, 7.2.4, 10.1 to 10.3)
_MARK_ENDS = {Kind.LETTER: "", Kind.ORDER: "令", Kind.MINUTES: "会议纪要"}
#: kinds that show no seal: an order its signer's name, minutes nothing (Regulation 2012, art. 9)
_UNSEALED = frozenset({Kind.ORDER, Kind.MINUTES})
#: what the content says of an attached file
_OF_FILE = ("name", "media_type", "size", "sha256", "sm3")


def encode(
    draft: Draft,
    *,
    kind: Kind,
    organ: Mapping[str, str],
    recipients: Sequence[str],
    names: Sequence[str],
    urgency: str | None,
    copied_to: Sequence[str] = (),
    secrecy: str = "",
    grade: Mapping[str, Any] | None = None,
    joint: Sequence[Mapping[str, str]] = (),
    files: Sequence[AttachmentOut] = (),
) -> bytes:
    """The canonical content of a draft issued by `organ` (id, name, code) to `recipients` (ids) by their `names`.

    `copied_to` are the names of those it is copied to, `secrecy` the mark of a classified one (机密★1年), `grade` its
    level, period, basis and since when (`yinxin.grade.Grade.fields`), so that whoever signs it off signs these. `joint` are the
    organs (id, name) that issue it beside `organ`.

    `files` are its attachments that are no part of the text: named by their digests, so that whoever signs the content
    signs them.
    """
    body = {
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
    if copied_to:
        body["copied_to"] = list(copied_to)
    if secrecy:
        body["secrecy"] = secrecy
    if grade:
        body["grade"] = dict(grade)
    if joint:
        body["joint"] = [dict(each) for each in joint]
    return canonical.encode(_named(body, files))


def with_files(data: bytes, files: Sequence[AttachmentOut]) -> bytes:
    """The same content with other attached files."""
    return canonical.encode(_named(canonical.decode(data), files))


def with_joint(data: bytes, joint: Sequence[Mapping[str, str]]) -> bytes:
    """The same content, issued jointly with other organs (id, name), or with none."""
    rest = {name: value for name, value in canonical.decode(data).items() if name != "joint"}
    return canonical.encode(rest | {"joint": [dict(each) for each in joint]} if joint else rest)


def organs_named(data: bytes) -> list[str]:
    """The names of the organs that issue it, the one that drafted it first."""
    body = canonical.decode(data)
    return [body["organ"]["name"], *(each["name"] for each in body.get("joint", ()))]


def files_named(data: bytes) -> list[dict[str, Any]]:
    """The attached files that the content names: name, octets, digests."""
    return list(canonical.decode(data).get("files", ()))


def _named(body: Mapping[str, Any], files: Sequence[AttachmentOut]) -> dict[str, Any]:
    """The content with these files; one without any has no such field, as before there were any."""
    rest = {name: value for name, value in body.items() if name != "files"}
    named = [{name: getattr(each, name) for name in _OF_FILE} for each in files]
    return {**rest, "files": named} if named else rest


def draft_of(data: bytes) -> Draft:
    """The text that a content was made from; its recipients are no part of it."""
    body = canonical.decode(data)
    return Draft(
        body["title"],
        (),
        tuple(_read(block) for block in body["body"]),
        tuple(
            Attachment(each["title"], tuple(_read(block) for block in each["body"]))
            for each in body["attachments"]
        ),
        notes=body["notes"],
    )


def elements(
    data: bytes,
    *,
    serial: int | None,
    year: int,
    date: dt.date,
    signers: Sequence[str],
    name_seals: Sequence[NameSeal | None] = (),
    titles: Sequence[str] = (),
) -> Elements:
    """The elements to lay out: the content with its number, date and, where the kind shows them, the signers.

    Of several organs each has one, the issuing organ's first. `serial` is None while it has no number. What is classified keeps
    room for a copy number. `name_seals` and `titles` are the signers', in their order: an order shows a seal in the place of a
    name, and the title beside it.
    """
    body = canonical.decode(data)
    organ = body["organ"]
    kind = Kind(body["kind"])
    return Elements(
        kind=kind,
        organ_mark=organ["name"] + _MARK_ENDS.get(kind, "文件"),
        number=DocumentNumber(organ["code"], year, serial, of_order=kind is Kind.ORDER),
        title=body["title"],
        body=tuple(_read(block) for block in body["body"]),
        signing_organ=organ["name"],
        date=date,
        main_recipients=tuple(body["main_recipients"]),
        urgency=Urgency(body["urgency"]) if body["urgency"] else None,
        signers=tuple(signers) if _shows_signer(kind) else (),
        name_seals=tuple(name_seals) if kind is Kind.ORDER else (),
        signer_titles=tuple(titles) if kind is Kind.ORDER else (),
        joint=tuple(each["name"] for each in body.get("joint", ())),
        sealed=kind not in _UNSEALED,
        notes=body["notes"],
        copies_to=tuple(body.get("copied_to", ())),
        secrecy=Secrecy(mark[0]) if (mark := body.get("secrecy", "").partition("★"))[0] else None,
        secrecy_term=mark[2],
        copies_numbered=bool(mark[0]),
        attachments=(
            *(
                Attachment(each["title"], tuple(_read(block) for block in each["body"]))
                for each in body["attachments"]
            ),
            *(Attachment(_title(each["name"])) for each in body.get("files", ())),
        ),
        printing_organ=organ["name"],
        printing_date=date,
    )


def _shows_signer(kind: Kind) -> bool:
    return kind is Kind.ORDER or KINDS[kind].direction is Direction.UP


def _title(name: str) -> str:
    """How 附件说明 names a file: without its ending (GB/T 9704-2012, 7.3.4)."""
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


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
