"""The rules of writing (Regulation 2012, art. 9 and 15) that the text itself can show to be broken.

Rules that need the tree of organs (no skipping of a level, joint issue only among equals, no copy of an upward
document to lower organs) belong to whoever holds that tree.
"""

import re
from collections.abc import Iterator

from apps.document.layout.errors import (
    CopyNumberMissing,
    ElementMissing,
    OneRecipient,
    RecipientMissing,
    RequestInsideReport,
    RequestInsideTitle,
    SignatureDateOrder,
    SignerMissing,
    TitleWithoutKind,
)
from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.layout.model import Block, Elements, Heading, Paragraph
from yinxin.errors import Invalid

REQUEST_PHRASES = (
    r"请(?:予|给予|尽快|及时)?(?:审批|批准|批示|批复|核准|核批|审定)",
    r"(?:恳请|请求|申请|望|盼).{0,12}(?:批准|批示|批复|核准|审批)",
    r"(?:妥否|当否|可否|是否妥当|是否可行|以上意见如无不妥)，?\s*请",
    r"(?:现|特此|特)(?:将.{0,20})?请示",
    r"请示(?:事项|如下)",
    r"(?:恳请|请求)(?:省|市|县|区|上级|贵).{0,12}(?:解决|拨付|支持|安排|同意)",
)
"""Words that ask a higher organ to decide. A report's own close 特此报告，请审阅 is none of them."""

_REQUEST = re.compile("|".join(f"(?:{phrase})" for phrase in REQUEST_PHRASES))
_TITLED = re.compile(r"《[^》]*》|〈[^〉]*〉|“[^”]*”")
_SUFFIX = re.compile(r"（[^（）]*）$")


def check(elements: Elements) -> None:
    """Raise the rule that the document breaks, if any: a leaf of `RuleBroken`, in the order of the elements."""
    for error in broken(elements):
        raise error


def broken(elements: Elements) -> Iterator[Invalid]:
    """Every rule that the document breaks, in the order of the elements."""
    kind = elements.kind
    facts = KINDS[kind]
    if elements.secrecy is not None and elements.copy_number is None and not elements.copies_numbered:
        yield CopyNumberMissing()
    if facts.direction is Direction.UP and not elements.signers:
        yield SignerMissing()
    if not _SUFFIX.sub("", elements.title.strip()).endswith(facts.endings):
        yield TitleWithoutKind(title=elements.title, kind=facts.zh)
    if kind is Kind.ORDER and not elements.signers:
        yield ElementMissing(element="签发人 signers")
    if kind is Kind.REQUEST:
        yield from _one_recipient(elements)
    if facts.addressed and not elements.main_recipients:
        yield RecipientMissing(kind=facts.zh)
    if kind is Kind.REPORT:
        yield from _no_request(elements)
    if elements.printing_date is not None and elements.printing_date < elements.date:
        yield SignatureDateOrder(printed=elements.printing_date.isoformat(), dated=elements.date.isoformat())


def _one_recipient(elements: Elements) -> Iterator[Invalid]:
    names = [
        name for entry in elements.main_recipients for name in re.split("[、，,]", entry) if name.strip()
    ]
    if len(names) != 1:
        yield OneRecipient(count=len(names))


def _no_request(elements: Elements) -> Iterator[Invalid]:
    if "请示" in _TITLED.sub("", elements.title):
        yield RequestInsideTitle(title=elements.title)
    for number, text in enumerate(_texts(elements.body), start=1):
        found = _REQUEST.search(_TITLED.sub("", text))
        if found:
            yield RequestInsideReport(paragraph=number, phrase=found.group())


def _texts(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(text=text):
                yield text
            case Heading(text=text, rest=rest):
                yield text + rest
            case _:
                yield "".join(cell for row in block.rows for cell in row)
