"""Every fault of a request that does not fit its contract, with its place."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from yinxin.faults import sentence
from yinxin.text import Text
from yinxin.web.errors import Fault

Place = Literal["body", "query", "path", "form"]
#: the character as JSON writes it; none is in JSON otherwise
NUL = b"\\u0000"
_NO_NUL = Text("不能含有空字符（U+0000），请删去", "Must not contain the character U+0000; take it out")


def faults_of(error: ValidationError, place: Place) -> list[Fault]:
    """Every fault in `error`, with its JSON pointer and its sentence."""
    return [
        Fault(place, _pointer(detail["loc"]), detail["type"], sentence(detail))
        for detail in error.errors(include_url=False, include_input=False)
    ]


def with_nul(value: Any, place: Place, *location: int | str) -> Iterator[Fault]:
    """A fault for each text in it that has the character NUL, which not every database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            yield Fault(place, _pointer(location), "nul", _NO_NUL)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if "\0" in name:
                yield Fault(place, _pointer(location), "nul", _NO_NUL)
            yield from with_nul(each, place, *location, name)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from with_nul(each, place, *location, number)


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
