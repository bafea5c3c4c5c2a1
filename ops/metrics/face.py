"""`GET /metrics`: every figure, for whoever the settings let read them. Not on the plain port, and no act: nothing is recorded."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from ops.metrics.admit import admit
from ops.metrics.parts import FIGURES, Parts
from ops.metrics.text import MEDIA_TYPE, written

if TYPE_CHECKING:
    from ops.platform import Platform


def blueprint(platform: "Platform") -> Blueprint:
    """The face."""
    made = Blueprint("metrics", __name__)
    parts = Parts(platform)

    @made.get("/metrics")
    def metrics() -> Response:
        admit(platform, request.environ)
        return Response(
            written(FIGURES, parts.samples(platform.settings.metrics.patience)), content_type=MEDIA_TYPE
        )

    return made
