"""A person at work on documents, and what is kept of one beside its row."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.core import Core
from apps.document.models import Content, File
from apps.document.settings import DocumentSettings
from apps.document.states import LIFE
from yinxin import flow
from yinxin.attachment import Attachments
from yinxin.distribution import Carrier
from yinxin.ofd import MEDIA_TYPE as OFD
from yinxin.quota import Quotas

_MEDIA = {"pdf": "application/pdf", "ofd": OFD}


@dataclass(frozen=True)
class Desk(flow.Desk[Core]):
    """The store, the core as seen by this person, the person, where attached files are kept, terms, the way to other sites, and what organs may have at most."""

    attachments: Attachments
    settings: DocumentSettings
    carrier: Carrier
    quotas: Quotas


def content(session: Session, document: str) -> Content:
    """The newest version of the text."""
    query = sa.select(Content).where(Content.document == document).order_by(Content.revision.desc()).limit(1)
    return session.scalars(query).one()


def media_type(name: str) -> str:
    """What a file of a document is, by its name."""
    return _MEDIA.get(name.rpartition(".")[2], "application/pkcs7-signature")


def file(session: Session, document: str, name: str) -> File:
    """Something made from the document; raises NoSuchRecord."""
    row = session.get(File, (document, name))
    if row is None:
        raise flow.NoSuchRecord(thing=LIFE.thing, record=f"{document}/{name}")
    return row
