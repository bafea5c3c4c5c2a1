"""One's own passkeys: added after the certificate proved who one is, and removed."""

import json
from typing import TYPE_CHECKING

from flask import redirect, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.passkey.errors import CertificateLoginNeeded, NoPasskeysHere
from yinxin.errors import YinxinError
from yinxin.web import Caller, Pages, current_caller, own_origin
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform


class NewPasskey(Model):
    """What the browser made, and what its holder calls it."""

    label: str = Field(min_length=1, max_length=60)
    credential: str = Field(default="", max_length=20_000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    def context() -> dict[str, object]:
        caller = current_caller()
        options, obstacle = None, None
        try:
            options = json.dumps(platform.authz.passkeys.options(caller, own_origin()))
        except (CertificateLoginNeeded, NoPasskeysHere) as error:
            obstacle = error
        needed: YinxinError | None = obstacle
        return {
            "rows": platform.authz.passkeys.of(caller),
            "options": options,
            "obstacle": needed,
            "prove": isinstance(needed, CertificateLoginNeeded),
        }

    @pages.form("/passkeys", "console/passkeys.html", context=context)
    def passkeys(body: NewPasskey, caller: Caller) -> BaseResponse:
        platform.authz.passkeys.enrol(caller, body.credential, body.label)
        return redirect(url_for("console.passkeys"), 303)

    @pages.act("/passkeys/<id>/removal")
    def remove_passkey(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        platform.authz.passkeys.remove(caller, id)
        return redirect(url_for("console.passkeys"), 303)
