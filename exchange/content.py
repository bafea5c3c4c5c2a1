"""What is sealed inside a message: the first part says what the application says and which files follow, each in a part of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.closing import opened, whose
from exchange.errors import MalformedEnvelope, PartAltered, TooLarge
from exchange.folder import Folder
from exchange.header import Header
from exchange.packs import Slot, slots
from yinxin import canonical
from yinxin.authz import Level
from yinxin.canonical import NotCanonical
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.exchange import Enclosed, File

FORMAT = 1
#: octets of what an application says itself, which is held in memory; files are not
LARGEST = 4 << 20


def described(file: Enclosed, pieces: Iterable[bytes]) -> File:
    """A file that is to be sent, by its octets, read once from end to end."""
    digests, size = (INTL.hash.running(), SM.hash.running()), 0
    for piece in pieces:
        size += len(piece)
        for each in digests:
            each.update(piece)
    sha256, sm3 = (each.digest().hex() for each in digests)
    return File(file.name, file.media_type, size, sha256, sm3)


def written(body: Mapping[str, Any], files: Sequence[File]) -> bytes:
    """The first part in the clear; raises NotCanonical, TooLarge."""
    listed = [
        {
            "name": each.name,
            "type": each.media_type,
            "size": each.size,
            "sha256": each.sha256,
            "sm3": each.sm3,
        }
        for each in files
    ]
    data = canonical.encode({"v": FORMAT, "body": dict(body), "files": listed})
    if len(data) > LARGEST:
        raise TooLarge(size=len(data), limit=LARGEST)
    return data


@dataclass(frozen=True)
class Opened:
    """A message that came in, opened by its organ's key (`yinxin.exchange.Incoming`)."""

    header: Header
    body: Mapping[str, Any]
    files: tuple[File, ...]
    _folder: Folder
    _suite: Suite
    _key: bytes
    _slots: tuple[Slot | None, ...]
    #: the roots on the sender's card
    anchors: tuple[Certificate, ...]

    @classmethod
    def of(
        cls,
        header: Header,
        folder: Folder,
        suite: Suite,
        key: bytes,
        *,
        anchors: tuple[Certificate, ...],
        first: Slot | None,
    ) -> "Opened":
        """Open the first part; raises PartAltered, MalformedEnvelope. `suite` is the key's; the parts lie from `first` on."""
        placed = tuple(slots(header.parts, first))
        folder.check(header.suite, header.parts[0], placed[0])
        data = b""
        with folder.open(header.parts[0], placed[0]) as stream:
            for piece in opened(suite, key, _whose(header), 0, stream):
                data += piece
                if len(data) > LARGEST:
                    raise MalformedEnvelope(reason=f"content over {LARGEST} octets")
        try:
            said = canonical.decode(data)
            files = tuple(
                File(each["name"], each["type"], each["size"], each["sha256"], each["sm3"])
                for each in said["files"]
            )
            body = said["body"]
            sound = said["v"] == FORMAT and isinstance(body, dict) and len(files) == len(header.parts) - 1
            sound = sound and written(body, files) == data
        except (NotCanonical, KeyError, TypeError) as error:
            raise MalformedEnvelope(reason="content") from error
        if not sound:
            raise MalformedEnvelope(reason="content")
        return cls(header, body, files, folder, suite, key, placed, anchors)

    @property
    def id(self) -> str:
        """Its sender's identifier of it."""
        return self.header.id

    @property
    def peer(self) -> str:
        """The site that sent it."""
        return self.header.sender_site

    @property
    def sender(self) -> str:
        """The organ that sent it."""
        return self.header.sender

    @property
    def recipient(self) -> str:
        """The organ of this site that it is for."""
        return self.header.recipient

    @property
    def kind(self) -> str:
        """The application that it is for."""
        return self.header.kind

    @property
    def object(self) -> str:
        """What it is about."""
        return self.header.object

    @property
    def grade(self) -> Level:
        """Its level of secrecy."""
        return self.header.grade

    def read(self, number: int) -> Iterator[bytes]:
        """The content of a file, piece by piece; raises PartAltered, at the end too when the whole is not what was described."""
        part, file, slot = self.header.parts[number + 1], self.files[number], self._slots[number + 1]
        self._folder.check(self.header.suite, part, slot)
        running, size = INTL.hash.running(), 0
        with self._folder.open(part, slot) as stream:
            for piece in opened(self._suite, self._key, _whose(self.header), number + 1, stream):
                running.update(piece)
                size += len(piece)
                yield piece
        if running.digest().hex() != file.sha256 or size != file.size:
            raise PartAltered(digest=part.digest)

    def __repr__(self) -> str:
        return f"<message {self.header.id} from {self.peer}>"


def _whose(header: Header) -> str:
    return whose(header.sender_site, header.sender, header.recipient, header.id)
