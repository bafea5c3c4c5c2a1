"""Service keys: an organ's list, one key with its versions, a new one, rotating, and calling a destruction off."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.grant import Grant
from kms.keyring import ServiceKey, ServiceKeyRequest
from kms.keyring.models import Condition
from kms.models import Place
from ops.console.export import csv_file
from ops.console.grants import KINDS as HOLDERS
from yinxin.authz import PLATFORM, Resource
from yinxin.crypto.operations import KINDS, Operation
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
CONDITIONS: Mapping[Condition, tuple[Text, str]] = {
    Condition.ACTIVE: (Text("可用", "in use"), "done"),
    Condition.ENDING: (Text("待销毁", "to be destroyed"), "waiting"),
    Condition.DESTROYED: (Text("已销毁", "destroyed"), "refused"),
}
PLACES: Mapping[Place, Text] = {
    Place.WRAPPED: Text("数据库（加密保存）", "the database, wrapped"),
    Place.HSM: Text("密码机", "the security module"),
}
OPERATIONS: Mapping[Operation, Text] = {
    Operation.ENCRYPT: Text("加密", "encrypt"),
    Operation.DECRYPT: Text("解密", "decrypt"),
    Operation.SIGN: Text("签名", "sign"),
    Operation.VERIFY: Text("验证签名", "verify signatures"),
    Operation.MAC: Text("计算消息鉴别码", "make MACs"),
    Operation.VERIFY_MAC: Text("核对消息鉴别码", "verify MACs"),
}
COLUMNS = (
    *("name", "owner", "purpose", "algorithm", "suite", "operations", "place", "condition", "latest"),
    *("min_decrypt", "min_encrypt", "created", "destroy_at"),
)


class Look(Paged):
    """Whose keys; no organ is the own one."""

    owner: str = Field(default="", max_length=64)
    algorithm: str = Field(default="", max_length=24)


class NewServiceKey(Model):
    """The form."""

    name: str = Field(min_length=1, max_length=48)
    owner: str = Field(min_length=1, max_length=64)
    purpose: str = Field(min_length=1, max_length=64)
    algorithm: str = Field(min_length=1, max_length=24)
    place: Place = Place.WRAPPED


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_acting(pages, platform)


def _owner(caller: Caller, owner: str) -> str:
    return owner or caller.actor.organ or PLATFORM


def _add_looking(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/service-keys")
    def service_key_list(query: Look, caller: Caller) -> str:
        owner = _owner(caller, query.owner)
        found = platform.kms.keyring.keys_of(
            caller.actor, owner, algorithm=query.algorithm, after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.name, show=lambda each: each.name)
        return render_template(
            "console/service_keys.html",
            rows=found[:PAGE],
            following=page.next,
            owner=owner,
            conditions=CONDITIONS,
            algorithms=[(name, name) for name in KINDS],
            may=_may(platform, caller, "kms.create-service-key", "*", owner),
        )

    @pages.get("/console/service-keys.csv")
    def service_keys_export(query: Look, caller: Caller) -> Response:
        """Every key that matches."""
        owner = _owner(caller, query.owner)
        first = platform.kms.keyring.keys_of(caller.actor, owner, algorithm=query.algorithm, limit=200)

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_line, page)
                page = platform.kms.keyring.keys_of(
                    caller.actor, owner, algorithm=query.algorithm, after=page[-1].name, limit=200
                )

        return csv_file("service-keys.csv", rows(), COLUMNS)

    @pages.get("/console/service-keys/<name>")
    def service_key(name: str, query: Paged, caller: Caller) -> str:
        found = platform.kms.keyring.show(caller.actor, name)
        versions = platform.kms.keyring.versions(
            caller.actor, name, after=query.begin(int) or 0, limit=PAGE + 1
        )
        page = page_of(versions, PAGE, key=lambda each: each[0].number, show=lambda each: each[0].number)
        active = found.condition is Condition.ACTIVE
        return render_template(
            "console/service_key.html",
            key=found,
            rows=versions[:PAGE],
            following=page.next,
            condition=CONDITIONS[found.condition],
            place=PLACES[found.place],
            operations=[OPERATIONS[each] for each in sorted(found.operations)],
            granted=_granted(platform, caller, found),
            kinds=HOLDERS,
            usual="kms.grant-encrypting" if Operation.ENCRYPT in found.operations else "kms.grant-signing",
            templates=platform.authz.decisions.policies.templates,
            may_grant=active
            and platform.authz.decisions.check(
                caller.actor, "authz.grant", Resource("Grant", "*", found.owner)
            ).allowed,
            may_rotate=active and _may(platform, caller, "kms.rotate-service-key", name, found.owner),
            may_keep=found.condition is Condition.ENDING
            and _may(platform, caller, "kms.keep-service-key", name, found.owner),
        )


def _add_acting(pages: Pages, platform: "Platform") -> None:
    def context() -> Mapping[str, Any]:
        return {
            "algorithms": [(name, name) for name in KINDS],
            "places": [(place.value, text) for place, text in PLACES.items()],
        }

    @pages.form("/console/service-keys/new", "console/service_key_new.html", context=context)
    def service_key_new(body: NewServiceKey, caller: Caller) -> BaseResponse:
        wanted = ServiceKeyRequest(body.name, body.owner, body.purpose, body.algorithm, place=body.place)
        platform.kms.keyring.create(caller.actor, wanted)
        return redirect(url_for("console.service_key", name=body.name), 303)

    @pages.act("/console/service-keys/<name>/versions")
    def service_key_rotate(name: str, caller: Caller) -> BaseResponse:
        platform.kms.keyring.rotate(caller.actor, name)
        return redirect(url_for("console.service_key", name=name), 303)

    @pages.act("/console/service-keys/<name>/destruction/end")
    def service_key_keep(name: str, caller: Caller) -> BaseResponse:
        platform.kms.keyring.keep(caller.actor, name)
        return redirect(url_for("console.service_key", name=name), 303)


def _may(platform: "Platform", caller: Caller, verb: str, name: str, owner: str) -> bool:
    attributes = {"purpose": "", "algorithm": ""}
    asked = Resource("ServiceKey", name, organ=owner, attributes=attributes)
    return platform.authz.decisions.check(caller.actor, verb, asked).allowed


def _granted(platform: "Platform", caller: Caller, key: ServiceKey) -> tuple[Grant, ...] | None:
    """Who may use the key by a grant; None where that is not for the reader to see."""
    asked = Resource("Grant", "*", key.owner)
    if not platform.authz.decisions.check(caller.actor, "authz.read-grants", asked).allowed:
        return None
    return platform.authz.grants.bearing_on(caller.actor, key.resource, limit=200)


def _line(key: ServiceKey) -> dict[str, Any]:
    fields = key.fields()
    return fields | {"operations": " ".join(fields["operations"])}
