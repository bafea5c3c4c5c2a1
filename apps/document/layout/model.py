"""The words of the room: a draft as read, the eighteen elements, a laid-out document."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from apps.document.layout.errors import CopyNumberInvalid, ElementMissing, NumberInvalid, PrintingIncomplete
from apps.document.layout.kinds import Kind

Level = Literal[1, 2, 3, 4]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Body text. An item of a list is a paragraph too: its mark stands in the text, as official documents do it."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 一、 2 （一） 3 1. 4 （1）; `rest` is body text that runs on in the same paragraph."""

    level: Level
    text: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A simple table: every row has the same number of cells; the first row is its head."""

    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Heading | Table


@dataclass(frozen=True, slots=True)
class Attachment:
    """附件: begins a page of its own after the signature, before the record. `blocks` may be empty: named only."""

    title: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a file holds, sorted. What the file does not say is empty: the registrar fills in the other elements."""

    title: str
    main_recipients: tuple[str, ...]
    blocks: tuple[Block, ...]
    attachments: tuple[Attachment, ...] = ()
    signing_organ: str | None = None
    date: dt.date | None = None
    notes: str | None = None


class Secrecy(StrEnum):
    """密级, Law on Guarding State Secrets art. 14."""

    TOP_SECRET = "绝密"  # noqa: S105  a grade, no password
    SECRET = "机密"  # noqa: S105  a grade, no password
    CONFIDENTIAL = "秘密"


class Urgency(StrEnum):
    """紧急程度 of documents (not telegrams)."""

    EXTRA_URGENT = "特急"
    URGENT = "加急"


class Form(StrEnum):
    """The forms of GB/T 9704-2012: chapters 7 (downward and upward head) and 10."""

    STANDARD = "standard"
    UPWARD = "upward"
    LETTER = "letter"
    ORDER = "order"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """发文字号, 7.2.5: code of the organ, full year, serial without leading zeros: 豫政办〔2026〕12号."""

    organ: str
    year: int
    serial: int | None
    """None while no number is given: a draft shows room for it."""
    of_order: bool = False
    """令号: an organ's orders are numbered on through the years."""

    def __post_init__(self) -> None:
        serial = 1 if self.serial is None else self.serial
        if not self.organ.strip() or serial < 1 or not 1949 <= self.year <= 9999:
            raise NumberInvalid(organ=self.organ, year=self.year, serial=serial)

    @property
    def ordinal(self) -> str:
        """The serial alone; room for it where there is none yet."""
        return "　" if self.serial is None else str(self.serial)

    def __str__(self) -> str:
        if self.of_order:
            return f"{self.organ}令第{self.ordinal}号"
        return f"{self.organ}〔{self.year}〕{self.ordinal}号"


@dataclass(frozen=True, slots=True)
class NameSeal:
    """签名章: the picture of the signer's name seal (PNG), and its size in mm."""

    png: bytes
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class Elements:
    """The eighteen elements of an official document (GB/T 9704-2012, 7.2 to 7.5), in the order of the standard.

    The seventeenth and eighteenth, printing organ and page numbers: `printing_*`, and made by the layout. The seal
    (13) is put on later: `sealed` keeps its place free.
    """

    kind: Kind
    organ_mark: str
    """发文机关标志, with 文件 where the organ uses it: 河源省人民政府文件; the letter form drops 文件."""
    number: DocumentNumber
    title: str
    body: tuple[Block, ...]
    signing_organ: str
    date: dt.date
    main_recipients: tuple[str, ...] = ()
    copy_number: int | None = None
    copies_numbered: bool = False
    """Each copy has a number of its own: what is sealed for all of them keeps room for it."""
    secrecy: Secrecy | None = None
    secrecy_term: str = ""
    """保密期限 as it is printed behind the star: 1年, or a day or condition of declassification."""
    urgency: Urgency | None = None
    signers: tuple[str, ...] = ()
    name_seals: tuple[NameSeal | None, ...] = ()
    """The signers' name seals, in their order; on an order each stands in the place of a name (7.3.5.3)."""
    signer_titles: tuple[str, ...] = ()
    """签发人职务 of the signers, in their order, in full; an order shows each beside its signature (7.3.5.3)."""
    joint: tuple[str, ...] = ()
    """联合行文: the other issuing organs, in their order after `signing_organ`."""
    sealed: bool = True
    notes: str | None = None
    attachments: tuple[Attachment, ...] = ()
    copies_to: tuple[str, ...] = ()
    printing_organ: str | None = None
    printing_date: dt.date | None = None

    def __post_init__(self) -> None:
        _required(self.organ_mark, "发文机关标志 organ_mark")
        _required(self.title, "标题 title")
        _required(self.signing_organ, "发文机关署名 signing_organ")
        _required("x" if self.body else "", "正文 body")
        if (self.printing_organ is None) != (self.printing_date is None):
            raise PrintingIncomplete
        if self.copy_number is not None and not 1 <= self.copy_number <= 999_999:
            raise CopyNumberInvalid(number=self.copy_number)


def _required(value: str, element: str) -> None:
    if not value.strip():
        raise ElementMissing(element=element)


@dataclass(frozen=True, slots=True)
class SealBox:
    """Where the seal goes: the page from 1, and the square's top left corner and side in mm from the sheet's top left."""

    page: int
    x_mm: float
    y_mm: float
    size_mm: float
