"""Every fault of a request that does not fit its contract, with its place."""

from typing import Literal

from pydantic import ValidationError

from yinxin.faults import sentence
from yinxin.web.errors import Fault

Place = Literal["body", "query", "path", "form"]


def faults_of(error: ValidationError, place: Place) -> list[Fault]:
    """Every fault in `error`, with its JSON pointer and its sentence."""
    return [
        Fault(place, _pointer(detail["loc"]), detail["type"], sentence(detail))
        for detail in error.errors(include_url=False, include_input=False)
    ]


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
