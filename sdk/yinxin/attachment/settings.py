"""Configuration of attachments."""

from pydantic import Field

from yinxin.settings import Section


class AttachmentSettings(Section):
    """Attachments."""

    folder: str = ""
    """Folder that holds the files; empty is `attachments/` in the data directory. Several processes share it."""
    largest: int = Field(default=2 << 30, ge=1024, le=1 << 40)
    """Largest file, in bytes."""
    part: int = Field(default=8 << 20, ge=65536, le=64 << 20)
    """Largest part of an upload, in bytes. A request must have arrived within a minute, so slow lines want less."""
    form: int = Field(default=64 << 20, ge=1024, le=1 << 30)
    """Largest file, in bytes, that a browser sends in one form; larger ones come in parts, through the API."""
    most: int = Field(default=50, ge=1, le=500)
    """Files that one object may have."""
    waiting: int = Field(default=8 << 30, ge=1024, le=1 << 42)
    """Bytes that one person may have in uploads that belong to nothing yet."""
    kept_hours: int = Field(default=24, ge=1, le=24 * 30)
    """Hours after which an upload that belongs to nothing is thrown away."""
    endings: tuple[str, ...] = ()
    """Which endings are taken, such as `pdf` and `docx`; empty takes every kind that is known."""
