"""The tree of organs, its posts, its people and who holds which post when."""

from authz.directory.directory import Directory
from authz.directory.file import (
    AppointmentEntry,
    DirectoryFile,
    OrganEntry,
    PersonEntry,
    PostEntry,
    read_toml,
)
from authz.directory.find import Found
from authz.directory.load import Loaded
from authz.directory.records import Appointment, Holder, Organ, Person, Post, Standing, Succession, Version

__all__ = [
    "Appointment",
    "AppointmentEntry",
    "Directory",
    "DirectoryFile",
    "Found",
    "Holder",
    "Loaded",
    "Organ",
    "OrganEntry",
    "Person",
    "PersonEntry",
    "Post",
    "PostEntry",
    "Standing",
    "Succession",
    "Version",
    "read_toml",
]
