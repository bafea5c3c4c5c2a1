"""Service keys over HTTP: making them, looking at them, giving them new versions. Using them: `kms.keyring.api_use`."""

from flask import Blueprint
from pydantic import Field

from kms.errors import HsmGone
from kms.keyring import api_import, api_use
from kms.keyring.errors import (
    BadServiceKey,
    ServiceKeyDestroyed,
    ServiceKeyEnding,
    ServiceKeyMoved,
    ServiceKeyTaken,
    ServiceKeyUnknown,
    VersionUnknown,
)
from kms.keyring.forms import ServiceKeyIn, ServiceKeyOut, shown
from kms.keyring.key import Version
from kms.models import Place
from kms.service import KeyCentre
from yinxin.authz import Denied, StepUpRequired
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, base64_text


class VersionOut(Model):
    """A version. `public_key` is the DER SubjectPublicKeyInfo of a pair in base64."""

    version: int
    created: str
    imported: bool
    destroyed: str | None
    public_key: str | None
    encryptions: int


class Owned(Paged):
    """Whose keys: the caller's own organ's when left out."""

    owner: str = Field(default="", max_length=64)
    algorithm: str = Field(default="", max_length=24)


class Minimum(Model):
    """The least versions that open or verify, and that seal or sign."""

    min_decrypt: int = Field(ge=1)
    min_encrypt: int = Field(ge=1)


_KNOWN = (ServiceKeyUnknown, Denied)
_CHANGED = (*_KNOWN, ServiceKeyEnding, ServiceKeyDestroyed, ServiceKeyMoved)


def routes(centre: KeyCentre) -> tuple[Blueprint, ...]:
    """The operations on service keys."""
    api = Api("kms_keyring", "/api/kms/v1", Text("服务密钥", "Service keys"))
    _keys(api, centre)
    _versions(api, centre)
    api_import.add(api, centre)
    api_use.add(api, centre)
    return (api.blueprint,)


def _keys(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.get(
        "/service-keys", summary=Text("一个机关的服务密钥", "An organ's service keys"), problems=(Denied,)
    )
    def service_keys(query: Owned, caller: Caller) -> Page[ServiceKeyOut]:
        owner = query.owner or caller.actor.organ or ""
        after = query.begin(str) or ""
        found = keyring.keys_of(
            caller.actor, owner, algorithm=query.algorithm, after=after, limit=query.limit + 1
        )
        return page_of(found, query.limit, key=lambda each: each.name, show=shown)

    @api.post(
        "/service-keys",
        status=201,
        summary=Text("创建服务密钥", "Make a service key"),
        problems=(BadServiceKey, ServiceKeyTaken, Denied, StepUpRequired, HsmGone),
    )
    def create_service_key(body: ServiceKeyIn, caller: Caller) -> ServiceKeyOut:
        return shown(keyring.create(caller.actor, body.request(Place(body.place))))

    @api.get(
        "/service-keys/<name>",
        scope=api_use.SCOPE,
        summary=Text("服务密钥", "A service key"),
        problems=_KNOWN,
    )
    def service_key(name: str, caller: Caller) -> ServiceKeyOut:
        return shown(keyring.show(caller.actor, name))


def _versions(api: Api, centre: KeyCentre) -> None:
    keyring = centre.keyring

    @api.get(
        "/service-keys/<name>/versions",
        scope=api_use.SCOPE,
        summary=Text("服务密钥的版本", "The versions of a service key"),
        problems=_KNOWN,
    )
    def service_key_versions(name: str, query: Paged, caller: Caller) -> Page[VersionOut]:
        after = query.begin(int) or 0
        found = keyring.versions(caller.actor, name, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each[0].number, show=lambda each: _version(*each))

    @api.post(
        "/service-keys/<name>/versions",
        status=201,
        scope=api_use.SCOPE,
        summary=Text("轮换服务密钥", "Rotate a service key"),
        problems=(*_CHANGED, HsmGone),
    )
    def rotate_service_key(name: str, caller: Caller) -> ServiceKeyOut:
        return shown(keyring.rotate(caller.actor, name))

    @api.put(
        "/service-keys/<name>/minimum-versions",
        summary=Text("调整最低版本", "Set the minimum versions"),
        problems=(*_CHANGED, VersionUnknown, BadServiceKey),
    )
    def limit_service_key(name: str, body: Minimum, caller: Caller) -> ServiceKeyOut:
        return shown(keyring.limit(caller.actor, name, body.min_decrypt, body.min_encrypt))


def _version(version: Version, encryptions: int) -> VersionOut:
    return VersionOut(
        version=version.number,
        created=rfc3339(version.created),
        imported=version.imported,
        destroyed=rfc3339(version.destroyed) if version.destroyed else None,
        public_key=base64_text(version.spki) if version.spki else None,
        encryptions=encryptions,
    )
