"""Attachments on the wire: files sent in parts, and the files that belong to an object; shared by server and client."""

from pydantic import AwareDatetime, Field

from yinxin.wire import Model, Reply

Digest = Field(pattern=r"^[0-9a-f]{64}$")


class UploadIn(Model):
    """A file that is about to be sent, as its sender knows it."""

    name: str = Field(min_length=1, max_length=200)
    """Its name; the ending says what it is: `plan.pdf`."""
    size: int = Field(ge=1)
    """Octets."""
    sha256: str = Digest
    """SHA-256 of the whole, hexadecimal: what arrives must have it."""
    sm3: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SM3 of the whole, where the sender has computed it."""


class UploadOut(Reply):
    """An upload under way."""

    id: str
    name: str
    media_type: str
    """By the name's ending."""
    size: int
    received: int
    """Octets that have arrived: the offset of the next part."""
    part: int
    """The most octets that one part may have."""
    sha256: str
    sm3: str | None
    """Known once the whole has arrived."""
    complete: bool
    """Whether the whole has arrived and holds: it can be attached."""


class OffsetQuery(Model):
    """Where a part begins."""

    offset: int = Field(ge=0)


class AttachIn(Model):
    """Which upload is to be attached."""

    upload: str = Field(min_length=1, max_length=40)


class AttachmentOut(Reply):
    """A file that belongs to an object."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    sm3: str
    person: str
    """Who attached it."""
    at: AwareDatetime


class AttachmentsOut(Reply):
    """The files that belong to an object, in their order."""

    items: list[AttachmentOut]
