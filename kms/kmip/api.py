"""KMIP's clients over HTTP: registered and ended; and what they keep here, without the keys."""

from flask import Blueprint
from pydantic import Field

from authz.errors import UnknownOrgan
from kms.kmip.client import KmipClient
from kms.kmip.errors import (
    BadKmipClient,
    KmipCertificateTaken,
    KmipClientEnded,
    KmipClientTaken,
    KmipClientUnknown,
)
from kms.kmip.kept import KmipObject
from kms.service import KeyCentre
from yinxin.authz import Denied, StepUpRequired
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model


class KmipClientIn(Model):
    """A system that may come, by its certificate, issued here for TLS clients, in PEM."""

    certificate: str = Field(max_length=1 << 16)

    id: str = Field(max_length=64)
    """What it is called for ever: a–z, 0–9, point and dash."""
    organ: str = Field(max_length=64)
    """The organ that runs it."""


class KmipCertificateOut(Model):
    """A certificate by which the client is known; `fingerprint` is the SHA-256 of its DER."""

    fingerprint: str
    subject: str
    not_after: str
    admitted: str


class KmipClientOut(Model):
    """A client; one that is ended has no certificates."""

    id: str
    organ: str
    created: str
    ended: str | None
    certificates: tuple[KmipCertificateOut, ...]


class KmipObjectOut(Model):
    """An object, without its key. `recoverable`: until when a destroyed one can be brought back."""

    id: str
    client: str
    kind: str
    algorithm: str | None
    length: int
    state: str
    names: tuple[str, ...]
    imported: bool
    created: str
    destroyed: str | None
    recoverable: str | None


class OfOrgan(Paged):
    """Whose clients: the caller's own organ's when left out."""

    organ: str = Field(default="", max_length=64)


_KNOWN = (KmipClientUnknown, Denied)


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("kms_kmip", "/api/kms/v1", Text("KMIP 客户端", "KMIP clients"))
    _looking(api, centre)
    _acting(api, centre)
    return (api.blueprint,)


def _looking(api: Api, centre: KeyCentre) -> None:
    kmip = centre.kmip

    @api.get(
        "/kmip-clients",
        summary=Text("一个机关的 KMIP 客户端", "An organ's KMIP clients"),
        problems=(Denied, UnknownOrgan),
    )
    def kmip_clients(query: OfOrgan, caller: Caller) -> Page[KmipClientOut]:
        organ = query.organ or caller.actor.organ or ""
        found = kmip.clients_of(caller.actor, organ, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_shown)

    @api.get("/kmip-clients/<id>", summary=Text("KMIP 客户端", "A KMIP client"), problems=_KNOWN)
    def kmip_client(id: str, caller: Caller) -> KmipClientOut:  # noqa: A002 - the field's name
        return _shown(kmip.show(caller.actor, id))

    @api.get(
        "/kmip-clients/<id>/objects",
        summary=Text("KMIP 客户端存放的对象", "What a KMIP client keeps here"),
        problems=_KNOWN,
    )
    def kmip_objects(id: str, query: Paged, caller: Caller) -> Page[KmipObjectOut]:  # noqa: A002 - the field's name
        found = kmip.objects_of(caller.actor, id, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_object)


def _acting(api: Api, centre: KeyCentre) -> None:
    kmip = centre.kmip

    @api.post(
        "/kmip-clients",
        status=201,
        summary=Text("登记 KMIP 客户端", "Register a KMIP client"),
        problems=(
            *(BadKmipClient, KmipClientTaken, KmipCertificateTaken),
            *(UnknownOrgan, Denied, StepUpRequired),
        ),
    )
    def register_kmip_client(body: KmipClientIn, caller: Caller) -> KmipClientOut:
        return _shown(kmip.register(caller.actor, body.id, body.organ, body.certificate.encode()))

    @api.delete(
        "/kmip-clients/<id>",
        status=200,
        summary=Text("终止 KMIP 客户端的登记", "End the registration of a KMIP client"),
        problems=(*_KNOWN, KmipClientEnded),
    )
    def end_kmip_client(id: str, caller: Caller) -> KmipClientOut:  # noqa: A002 - the field's name
        return _shown(kmip.end(caller.actor, id))


def _shown(client: KmipClient) -> KmipClientOut:
    return KmipClientOut.model_validate(client.fields())


def _object(found: KmipObject) -> KmipObjectOut:
    return KmipObjectOut.model_validate(found.fields())
