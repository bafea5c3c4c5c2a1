"""What stands in an OFD: its parts by what they are, the text of its pages, the files it carries, its signatures."""

import base64
import binascii
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from yinxin.ofd.errors import OfdMalformed
from yinxin.ofd.markup import find, named, parse, text_of
from yinxin.ofd.model import Stamp
from yinxin.ofd.package import ENTRY, FORMAT, resolve, unpack
from yinxin.text import Text

#: signatures that are read: each is a part of its own, and every one costs a look at all others
MOST_SIGNATURES = 50
#: millimetres that the baselines of one line may lie apart
_SAME_LINE = 0.5


@dataclass(frozen=True, slots=True)
class Opened:
    """A package: its parts, and the paths of its document, pages (with their identifiers) and list of signatures."""

    parts: Mapping[str, bytes]
    root: str
    pages: tuple[tuple[str, str], ...]
    signatures: str | None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as the package describes it (chapter 18): what it covers by digest, where its picture stands, its value."""

    path: str
    method: str
    check: str
    references: tuple[tuple[str, bytes], ...]
    stamps: tuple[Stamp, ...]
    seal: str | None
    value: str

    @property
    def own(self) -> frozenset[str]:
        """The parts that are the signature itself."""
        return frozenset(each for each in (self.path, self.seal, self.value) if each)


def opened(data: bytes) -> Opened:
    """Open a package with one document; raises OfdMalformed."""
    parts = unpack(data)
    bodies = parse(parts, ENTRY).findall(named("DocBody"))
    if len(bodies) != 1:
        raise OfdMalformed(reason=Text(f"{len(bodies)} 个文档", f"{len(bodies)} documents"))
    root = resolve(ENTRY, text_of(bodies[0], "DocRoot"))
    listed = text_of(bodies[0], "Signatures")
    pages = tuple(
        (each.get("ID", ""), resolve(root, each.get("BaseLoc", "")))
        for each in parse(parts, root).iterfind(f"{named('Pages')}/{named('Page')}")
    )
    return Opened(parts, root, pages, resolve(ENTRY, listed) if listed else None)


def text(data: bytes) -> list[list[str]]:
    """The lines of every page, as they were written: characters on one baseline are one line. Raises OfdMalformed."""
    package = opened(data)
    return [list(_lines(parse(package.parts, path))) for _, path in package.pages]


def _lines(page: ET.Element) -> Iterator[str]:
    placed = [
        (_baseline(mark, code), code.text or "")
        for mark in page.iter(named("TextObject"))
        for code in mark.iter(named("TextCode"))
    ]
    last = [0.0]

    def line(each: tuple[float, str]) -> float:
        """The baseline of the line that it stands on: the one before, when it lies no further away."""
        if abs(each[0] - last[0]) > _SAME_LINE:
            last[0] = each[0]
        return last[0]

    for _, run in groupby(placed, key=line):
        yield "".join(characters for _, characters in run)


def _baseline(mark: ET.Element, code: ET.Element) -> float:
    numbers = _numbers(mark.get("CTM", "1 0 0 1 0 0"))
    return _numbers(mark.get("Boundary", ""))[1] + float(code.get("Y", "0")) * numbers[3] + numbers[5]


def _numbers(array: str) -> list[float]:
    try:
        numbers = [float(each) for each in array.split()]
        numbers[3]
    except (ValueError, IndexError) as error:
        raise OfdMalformed(reason=Text("坐标不是数字", "coordinates that are no numbers")) from error
    return numbers


def attachments(data: bytes) -> dict[str, bytes]:
    """The files carried inside, by name; raises OfdMalformed."""
    return attached(opened(data))


def attached(package: Opened) -> dict[str, bytes]:
    """The files that an opened package carries."""
    return {name: package.parts[path] for path, name in attached_paths(package).items()}


def attached_paths(package: Opened) -> dict[str, str]:
    """The names of the attachments by the paths of their parts; raises OfdMalformed when one is missing."""
    location = text_of(parse(package.parts, package.root), "Attachments")
    if not location:
        return {}
    listed = resolve(package.root, location)
    found = {
        resolve(listed, text_of(each, "FileLoc")): each.get("Name", "")
        for each in parse(package.parts, listed).iterfind(named("Attachment"))
    }
    if missing := sorted(set(found) - set(package.parts)):
        raise OfdMalformed(reason=Text(f"缺少 {missing[0]}", f"{missing[0]} is missing"))
    return found


def signatures(package: Opened) -> list[Signature]:
    """The signatures that the list names, in its order; raises OfdMalformed."""
    if package.signatures is None:
        return []
    entries = parse(package.parts, package.signatures).findall(named("Signature"))
    paths = [resolve(package.signatures, each.get("BaseLoc", "")) for each in entries[: MOST_SIGNATURES + 1]]
    if len(paths) > MOST_SIGNATURES or len(set(paths)) != len(paths):
        reason = Text(
            f"签名重复或多于 {MOST_SIGNATURES} 个",
            f"a signature named twice, or more than {MOST_SIGNATURES}",
        )
        raise OfdMalformed(reason=reason)
    return [_signature(package, path) for path in paths]


def _signature(package: Opened, path: str) -> Signature:
    root = parse(package.parts, path)
    references = find(root, "SignedInfo", "References")
    if references is None:
        raise OfdMalformed(reason=Text(f"{path} 没有摘要清单", f"{path} has no references"))
    if len(references) > FORMAT.most:
        raise OfdMalformed(reason=Text(f"{path} 摘要过多", f"{path} has more digests than there are parts"))
    seal = text_of(root, "SignedInfo", "Seal", "BaseLoc")
    pages = {identifier: number for number, (identifier, _) in enumerate(package.pages, 1)}
    try:
        listed = tuple(
            (
                resolve(ENTRY, each.get("FileRef", "")),
                base64.b64decode(text_of(each, "CheckValue"), validate=True),
            )
            for each in references.iterfind(named("Reference"))
        )
        stamps = tuple(
            Stamp(pages[each.get("PageRef", "")], *_numbers(each.get("Boundary", ""))[:4])
            for each in root.iterfind(f"{named('SignedInfo')}/{named('StampAnnot')}")
        )
    except (KeyError, binascii.Error) as error:
        raise OfdMalformed(reason=Text(f"{path} 格式不符", f"{path} has another form")) from error
    return Signature(
        path,
        text_of(root, "SignedInfo", "SignatureMethod"),
        references.get("CheckMethod", ""),
        listed,
        stamps,
        resolve(path, seal) if seal else None,
        resolve(path, text_of(root, "SignedValue")),
    )


def place(package: Opened, path: str) -> Text:
    """What a part is, in words."""
    pages = {each: number for number, (_, each) in enumerate(package.pages, 1)}
    known: dict[str | None, Text] = {
        ENTRY: Text("标题、作者、日期等文件信息", "title, author or date"),
        package.root: Text("页序", "the order of pages"),
        package.signatures: Text("签名列表", "the list of signatures"),
        **{each: Text(f"第 {number} 页", f"page {number}") for each, number in pages.items()},
        **{
            each: Text(f"所附文件 {n}", f"the file {n} that it carries")
            for each, n in _files(package).items()
        },
    }
    drawn = path.lower().endswith((".otf", ".ttf", ".png"))
    other = Text("字体或图像", "a typeface or a picture") if drawn else Text("部件", "a part")
    words = known.get(path, other)
    return Text(f"{words.zh}（{path}）", f"{words.en} ({path})")


def _files(package: Opened) -> dict[str, str]:
    """What is carried, for naming a place: a list that was itself damaged names nothing."""
    try:
        return attached_paths(package)
    except OfdMalformed:
        return {}
