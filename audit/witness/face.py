"""The witness over HTTP (c2sp.org/tlog-witness): `/witness` is both the submission and the monitoring prefix."""

from flask import Blueprint, Response, request

from audit.service import Log
from audit.witness.errors import LogNotWitnessed, NeverCosigned, NotContinued, NotSignedByLog, SizeMoved
from yinxin.errors import YinxinError
from yinxin.tlog import MalformedNote, MalformedSubmission
from yinxin.tlog.submission import LARGEST_SUBMISSION, SIZE_TYPE

_TEXT = "text/plain; charset=utf-8"
#: what the specification has answered with which status
_STATUS: dict[type[YinxinError], int] = {
    MalformedSubmission: 400,
    MalformedNote: 400,
    LogNotWitnessed: 404,
    NotSignedByLog: 403,
    NotContinued: 422,
}


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The two calls; whoever calls is known by the signature on the checkpoint alone."""
    blueprint = Blueprint("witness", __name__, url_prefix="/witness")

    @blueprint.post("/add-checkpoint")
    def add_checkpoint() -> Response:
        request.max_content_length = LARGEST_SUBMISSION
        try:
            return Response(log.cosigner.add(request.get_data(cache=False)), content_type=_TEXT)
        except SizeMoved as error:
            return Response(f"{error.facts['size']}\n", 409, content_type=SIZE_TYPE)
        except tuple(_STATUS) as error:
            return Response(
                f"{error.text('zh')}\n{error.text('en')}\n", _STATUS[type(error)], content_type=_TEXT
            )

    @blueprint.get("/<address>/checkpoint")
    def checkpoint(address: str) -> Response:
        try:
            return Response(
                log.cosigner.newest(address), content_type=_TEXT, headers={"Cache-Control": "no-cache"}
            )
        except NeverCosigned as error:
            return Response(f"{error.text('zh')}\n{error.text('en')}\n", 404, content_type=_TEXT)

    return (blueprint,)
