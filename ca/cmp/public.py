"""CMP's addresses (RFC 9811 3.3): `/cmp` and `/.well-known/cmp`, and below each `/p/PROFILE`.

They are on the plain port too: a message protects itself.
"""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from ca.cmp.cmp import Cmp

if TYPE_CHECKING:
    from ca.service import Authority

MEDIA_TYPE = "application/pkixcmp"


def routes(authority: "Authority") -> tuple[Blueprint, ...]:
    """The one operation, under each of its addresses."""
    blueprint, cmp = Blueprint("ca_cmp", __name__), Cmp(authority)

    def answer(profile: str = "") -> Response:
        if request.mimetype != MEDIA_TYPE:
            text = f"请以 {MEDIA_TYPE} 发送 CMP 报文。\nSend CMP messages as {MEDIA_TYPE}.\n"
            return Response(text, 415, content_type="text/plain; charset=utf-8")
        # what is wrong with a message is said in CMP, under 200 (RFC 9811 3.4)
        return Response(cmp.answer(request.get_data(cache=False), profile), content_type=MEDIA_TYPE)

    for number, root in enumerate(("/cmp", "/.well-known/cmp")):
        for rule in (root, f"{root}/p/<profile>"):
            blueprint.add_url_rule(rule, f"answer_{number}_{rule.count('/')}", answer, methods=["POST"])
    return (blueprint,)
