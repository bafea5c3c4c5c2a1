"""KMIP's port on a key centre of the test's own, two registered systems, and a judge that the test instructs."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kms.kmip import fields
from kms.kmip.fields import Fields
from kms.kmip.listener import Listener
from kms.kmip.models import KmipAttributeRow, KmipObjectRow
from kms.kmip.ttlv import Item, Type, decode, encode
from kms.kmip.words import Tag
from tests.support.pykmip import ProxyKmipClient
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CertificateRevoked
from yinxin.crypto.path import Usage

from .conftest import OFFICER, World

_FROM, _TO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)


class Judging:
    """Trusts what it is not told to distrust."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    def standing(self, certificate: Certificate, at: dt.datetime, usage: Usage) -> None:
        assert usage is Usage.CLIENT
        if certificate.fingerprint in self.revoked:
            raise CertificateRevoked(
                subject=certificate.subject.text, revoked_at=at, reason="keyCompromise", at=at
            )


@dataclass(frozen=True)
class Papers:
    """A certificate and its key, as files and as octets."""

    certificate: Path
    key: Path
    der: bytes

    @property
    def pem(self) -> bytes:
        return self.certificate.read_bytes()


class Maker:
    """An authority that makes certificates for TLS."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = self.make("root").certificate

    def make(self, name: str) -> Papers:
        own = ec.generate_private_key(ec.SECP256R1()) if name != "root" else self.key
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, f"{self.name} root")
        )
        made = (
            x509.CertificateBuilder(issuer, issuer if name == "root" else subject, own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(_TO)
            .add_extension(x509.BasicConstraints(name == "root", None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        certificate, key = (self.folder / f"{self.name}-{name}.{end}" for end in ("pem", "key"))
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Papers(certificate, key, made.public_bytes(serialization.Encoding.DER))


class Site:
    """The port, and two systems that may come: an array and a database."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.kmip, self.judge = world, world.centre.kmip, Judging()
        self.kmip.judge = self.judge
        self.ours, self.theirs = Maker(folder, "ours"), Maker(folder, "theirs")
        self.array, self.database = self.ours.make("array"), self.ours.make("database")
        self.kmip.register(OFFICER, "array", "o-office", self.array.pem)
        self.kmip.register(OFFICER, "database", "o-office", self.database.pem)
        server = self.ours.make("server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.key)
        context.load_verify_locations(self.ours.file)
        context.verify_mode = ssl.CERT_REQUIRED
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.listener = Listener(listening, context, self.kmip, most=4)
        self.listener.start()

    @contextmanager
    def client(self, papers: Papers | None = None) -> Iterator[ProxyKmipClient]:
        """PyKMIP's client, connected."""
        shown = papers or self.array
        made = ProxyKmipClient(
            hostname="127.0.0.1",
            port=self.port,
            cert=str(shown.certificate),
            key=str(shown.key),
            ca=str(self.ours.file),
        )
        with made:
            yield made

    def raw(self, papers: Papers | None = None) -> ssl.SSLSocket:
        """A connection on which anything can be said."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.ours.file)
        if papers is not None:
            context.load_cert_chain(papers.certificate, papers.key)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=10))

    def ask(self, *items: tuple[int, Sequence[Item]], papers: Papers | None = None, **header: Any) -> Item:
        """The answer to a request of these operations and payloads, without a wire."""
        made, _ = self.kmip.serve((papers or self.array).der, request(*items, **header))
        return decode(bytes(made))

    def rows(self) -> list[tuple[Any, ...]]:
        """Everything that KMIP keeps."""
        with self.world.store.read() as session:
            return [
                tuple(row)
                for model in (KmipObjectRow, KmipAttributeRow)
                for row in session.execute(sa.select(model.__table__))
            ]


def request(
    *items: tuple[int, Sequence[Item]],
    version: tuple[int, int] = (1, 2),
    most: int | None = None,
    option: int | None = None,
    count: int | None = None,
) -> bytes:
    """The octets of a request."""
    header = fields.structure(
        Tag.REQUEST_HEADER,
        fields.structure(
            Tag.PROTOCOL_VERSION,
            fields.number(Tag.PROTOCOL_VERSION_MAJOR, version[0]),
            fields.number(Tag.PROTOCOL_VERSION_MINOR, version[1]),
        ),
        fields.number(Tag.MAXIMUM_RESPONSE_SIZE, most) if most is not None else None,
        fields.choice(Tag.BATCH_ERROR_CONTINUATION_OPTION, option) if option is not None else None,
        fields.number(Tag.BATCH_COUNT, len(items) if count is None else count),
    )
    batch = (
        fields.structure(
            Tag.BATCH_ITEM,
            fields.choice(Tag.OPERATION, operation),
            fields.octets(Tag.UNIQUE_BATCH_ITEM_ID, bytes([at])) if len(items) > 1 else None,
            fields.many(Tag.REQUEST_PAYLOAD, payload),
        )
        for at, (operation, payload) in enumerate(items)
    )
    return bytes(encode(fields.many(Tag.REQUEST_MESSAGE, (header, *batch))))


def attribute(name: str, value: Item, number: int | None = None) -> Item:
    """An attribute; the value's tag does not matter."""
    return fields.structure(
        Tag.ATTRIBUTE,
        fields.text(Tag.ATTRIBUTE_NAME, name),
        fields.number(Tag.ATTRIBUTE_INDEX, number) if number is not None else None,
        Item(Tag.ATTRIBUTE_VALUE, value.type, value.value),
    )


def named(title: str) -> Item:
    """A Name."""
    return attribute(
        "Name",
        fields.structure(
            Tag.ATTRIBUTE_VALUE, fields.text(Tag.NAME_VALUE, title), fields.choice(Tag.NAME_TYPE, 1)
        ),
    )


def aes(*further: Item, length: int = 256, usage: int = 0xC) -> list[Item]:
    """The payload of Create."""
    return [
        fields.choice(Tag.OBJECT_TYPE, 2),
        fields.structure(
            Tag.TEMPLATE_ATTRIBUTE,
            attribute("Cryptographic Algorithm", fields.choice(0, 3)),
            attribute("Cryptographic Length", fields.number(0, length)),
            attribute("Cryptographic Usage Mask", fields.number(0, usage)),
            *further,
        ),
    ]


def uid(value: str) -> Item:
    """A Unique Identifier."""
    return fields.text(Tag.UNIQUE_IDENTIFIER, value)


def outcomes(answer: Item) -> list[tuple[int, int | None]]:
    """(Result Status, Result Reason) of every item."""
    found = []
    for item in Fields(answer).items(Tag.BATCH_ITEM):
        told = Fields(item)
        status = told.needed(Tag.RESULT_STATUS, Type.ENUMERATION)
        found.append((status, told.value(Tag.RESULT_REASON, Type.ENUMERATION)))
    return found


def payload(answer: Item, at: int = 0) -> Fields:
    """The payload of an item that succeeded."""
    return Fields(Fields(answer).items(Tag.BATCH_ITEM)[at]).structure(Tag.RESPONSE_PAYLOAD)


def made(answer: Item, at: int = 0) -> str:
    """The Unique Identifier in it."""
    return str(payload(answer, at).needed(Tag.UNIQUE_IDENTIFIER, Type.TEXT))
