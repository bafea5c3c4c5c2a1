"""Turns a user's own text into an official document laid out by GB/T 9704-2012 as PDF/A."""

from apps.document.layout.draft import LIMIT, read_draft
from apps.document.layout.faces import Face, Typefaces
from apps.document.layout.kinds import KINDS, Direction, Kind, KindFacts
from apps.document.layout.model import (
    Attachment,
    Block,
    DocumentNumber,
    Draft,
    Elements,
    Form,
    Heading,
    Paragraph,
    SealBox,
    Secrecy,
    Table,
    Urgency,
)
from apps.document.layout.render import Layout, form_of, render
from apps.document.layout.rules import check

__all__ = [
    "KINDS",
    "LIMIT",
    "Attachment",
    "Block",
    "Direction",
    "DocumentNumber",
    "Draft",
    "Elements",
    "Face",
    "Form",
    "Heading",
    "Kind",
    "KindFacts",
    "Layout",
    "Paragraph",
    "SealBox",
    "Secrecy",
    "Table",
    "Typefaces",
    "Urgency",
    "check",
    "form_of",
    "read_draft",
    "render",
]
