"""Bringing in keys over HTTP, and calling destructions off. Destroying is a proposal, of the kind `kms.destroy-service-key`."""

from typing import Annotated, Literal

from pydantic import Field

from kms.errors import HsmGone
from kms.keyring.errors import (
    BadServiceKey,
    ImportNotOpened,
    ImportUnknown,
    NotEnding,
    ServiceKeyDestroyed,
    ServiceKeyEnding,
    ServiceKeyTaken,
    ServiceKeyUnknown,
)
from kms.keyring.forms import ServiceKeyOut, WantedIn, shown
from kms.service import KeyCentre
from yinxin.authz import Denied, StepUpRequired
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, Octets, base64_text

#: octets of a wrapped key: an RSA key of 4096 bits and what is around it
_LONGEST = 1 << 13


class ImportIn(WantedIn):
    """A key that was made elsewhere and is to be brought in."""

    method: Literal["rsa-aes-kwp", "sm2", "ml-kem-768-hpke"] = "ml-kem-768-hpke"
    """How it will be wrapped."""


class ImportOut(Model):
    """To which public key (DER SubjectPublicKeyInfo in base64) the key is encrypted, and until when."""

    id: str
    method: str
    public_key: str
    expires: str


class WrappedIn(Model):
    """The key, encrypted to the import's public key."""

    wrapped_base64: Annotated[Octets, Field(min_length=1, max_length=_LONGEST)]


def add(api: Api, centre: KeyCentre) -> None:
    """Declare them."""
    keyring = centre.keyring

    @api.post(
        "/service-key-imports",
        status=201,
        summary=Text("开始导入服务密钥", "Begin to bring in a service key"),
        problems=(BadServiceKey, ServiceKeyTaken, Denied, StepUpRequired, HsmGone),
    )
    def begin_import(body: ImportIn, caller: Caller) -> ImportOut:
        begun = keyring.begin_import(caller.actor, body.request(), body.method)
        return ImportOut(
            id=begun.id,
            method=begun.method,
            public_key=base64_text(begun.spki),
            expires=rfc3339(begun.expires),
        )

    @api.post(
        "/service-key-imports/<id>/key",
        status=201,
        summary=Text("交回封装的密钥", "Hand in the wrapped key"),
        problems=(
            *(ImportUnknown, ImportNotOpened, ServiceKeyTaken, ServiceKeyEnding, ServiceKeyDestroyed),
            *(Denied, StepUpRequired, HsmGone),
        ),
    )
    def finish_import(id: str, body: WrappedIn, caller: Caller) -> ServiceKeyOut:  # noqa: A002 - the field's name
        return shown(keyring.finish_import(caller.actor, id, body.wrapped_base64))

    @api.delete(
        "/service-keys/<name>/destruction",
        status=200,
        summary=Text("撤回服务密钥的销毁", "Call off the destruction of a service key"),
        problems=(ServiceKeyUnknown, NotEnding, Denied),
    )
    def keep_service_key(name: str, caller: Caller) -> ServiceKeyOut:
        return shown(keyring.keep(caller.actor, name))
