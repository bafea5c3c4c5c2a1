"""One's own signing keys in the key centre: made, certified, their PIN changed, ended; and what each has signed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from flask import redirect, render_template, url_for
from pydantic import Field, SecretStr
from werkzeug.wrappers import Response as BaseResponse

from ca.request import Holder, IssueRequest
from kms.holder import HolderKeys, Unlock
from kms.holder.errors import BadHolderPin
from kms.holder.lock import LONGEST_PIN
from kms.holder.signer import HolderSigner
from ops.console.show import VERBS
from yinxin.authz import Resource
from yinxin.crypto.jose import encode64
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL, PQ, SM, suite
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, own_origin, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
CREATE, PROFILE = "kms.create-holder-key", "person-signing"
STATES: Mapping[str, tuple[Text, str]] = {
    "active": (Text("可用", "in use"), "done"),
    "pin-locked": (Text("口令已锁定", "PIN locked"), "waiting"),
    "locked": (Text("已锁定", "locked"), "refused"),
    "ended": (Text("已停用", "ended"), "neutral"),
}
SUITES: Mapping[str, Text] = {
    SM.name: Text("国密（SM2）", "SM2"),
    INTL.name: Text("国际（ECDSA P-256）", "ECDSA P-256"),
    PQ.name: Text("抗量子（ML-DSA-65）", "ML-DSA-65"),
}


class NewKey(Model):
    """A key that is wanted, and its PIN, typed twice."""

    suite: Literal["intl", "sm", "pq"]
    pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)
    again: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)


class OtherPin(Model):
    """The present PIN, and the next, typed twice."""

    pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)
    new_pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)
    again: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)


class Application(Model):
    """The PIN under which the request for a certificate is signed."""

    pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)


class NewPasskey(Model):
    """The PIN, and what the browser's passkey answered to the challenge of this nonce."""

    pin: SecretStr = Field(min_length=1, max_length=LONGEST_PIN)
    nonce: str = Field(max_length=100)
    credential: SecretStr = Field(max_length=20_000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_pin(pages, platform)
    _add_passkey(pages, platform)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    def mine() -> Mapping[str, Any]:
        caller = current_caller()
        return {
            "rows": [
                (each, each.fields(platform.kms.holders.most))
                for each in platform.kms.holders.own(caller.actor)
            ],
            "states": STATES,
            "suites": SUITES,
            "may": _may(platform, caller),
            "least": platform.kms.holders.least,
        }

    @pages.form("/signing-keys", "console/holder_keys.html", context=mine, unkept=True)
    def holder_keys(body: NewKey, caller: Caller) -> BaseResponse:
        made = platform.kms.holders.create(caller.actor, suite(body.suite), _twice(body.pin, body.again))
        return redirect(url_for("console.holder_key", key=made.id), 303)

    @pages.get("/signing-keys/<key>")
    def holder_key(key: str, query: Paged, caller: Caller) -> str:
        found = platform.kms.holders.uses(caller.actor, key, before=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        shown = _one(platform.kms.holders, key)
        return render_template(
            "console/holder_key.html",
            uses=found[:PAGE],
            following=page.next,
            verbs=VERBS,
            own=shown["key"].holder == caller.actor.id,
            **shown,
        )

    @pages.act("/signing-keys/<key>/end")
    def holder_key_end(key: str, caller: Caller) -> BaseResponse:
        platform.kms.holders.end(caller.actor, key)
        return redirect(url_for("console.holder_keys"), 303)


def _add_pin(pages: Pages, platform: "Platform") -> None:
    def one(key: str) -> Mapping[str, Any]:
        return _one(platform.kms.holders, key)

    @pages.form("/signing-keys/<key>/pin", "console/holder_key_pin.html", context=one, unkept=True)
    def holder_key_pin(key: str, body: OtherPin, caller: Caller) -> BaseResponse:
        new = _twice(body.new_pin, body.again)
        platform.kms.holders.change_pin(caller.actor, key, body.pin.get_secret_value(), new)
        return redirect(url_for("console.holder_key", key=key), 303)

    @pages.form("/signing-keys/<key>/application", "console/holder_key_apply.html", context=one, unkept=True)
    def holder_key_apply(key: str, body: Application, caller: Caller) -> BaseResponse:
        actor, found = caller.actor, platform.kms.holders.show(caller.actor, key)
        unlock = Unlock.pin(body.pin.get_secret_value())
        signer = HolderSigner(
            platform.kms.holders, actor, found, unlock, purpose="ca.apply", subject=found.subject
        )
        request = CertificationRequest.build(signer, {})
        reference = f"holder-key/{key}/{platform.store.identifier()}"
        her = Holder("person", actor.id, actor.post)
        platform.ca.registrations.submit(actor, IssueRequest(reference, PROFILE, request.der, her))
        return redirect(url_for("console.holder_key", key=key), 303)


def _add_passkey(pages: Pages, platform: "Platform") -> None:
    def asking(key: str) -> Mapping[str, Any]:
        asked = platform.kms.holders.challenge(current_caller().actor, key, None)
        told = {"challenge": encode64(asked.challenge), "salt": encode64(asked.salt)}
        host = urlsplit(own_origin()).hostname
        return {**_one(platform.kms.holders, key), "nonce": asked.nonce, "host": host, **told}

    @pages.form("/signing-keys/<key>/passkey", "console/holder_key_passkey.html", context=asking, unkept=True)
    def holder_key_passkey(key: str, body: NewPasskey, caller: Caller) -> BaseResponse:
        answer, pin = body.credential.get_secret_value(), body.pin.get_secret_value()
        platform.kms.holders.add_passkey(caller.actor, key, pin, nonce=body.nonce, credential=answer)
        return redirect(url_for("console.holder_key", key=key), 303)

    @pages.act("/signing-keys/<key>/passkey/removal")
    def holder_key_passkey_removal(key: str, caller: Caller) -> BaseResponse:
        platform.kms.holders.remove_passkey(caller.actor, key)
        return redirect(url_for("console.holder_key", key=key), 303)


def _one(holders: HolderKeys, key: str) -> Mapping[str, Any]:
    found = holders.show(current_caller().actor, key)
    facts = found.fields(holders.most)
    return {"key": found, "facts": facts, "states": STATES, "suites": SUITES, "least": holders.least}


def _twice(pin: SecretStr, again: SecretStr) -> str:
    """The new PIN; raises BadHolderPin when it was typed differently the second time."""
    if pin.get_secret_value() != again.get_secret_value():
        raise BadHolderPin(reason=Text("两次输入的新口令不一致", "the two are not the same"))
    return pin.get_secret_value()


def _may(platform: "Platform", caller: Caller) -> bool | None:
    """Whether she may make a key; None when she has to prove her certificate again first."""
    actor = caller.actor
    asked = Resource("HolderKey", "new", organ=actor.organ or "", attributes={"holder": actor.id})
    (decision,) = platform.authz.decisions.check_all([(actor, CREATE, asked)])
    return decision.allowed if decision is not None else None
