"""Systems outside are registered by what somebody wrote of them: a file on the command line, a form on a page."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from yinxin.errors import Invalid
from yinxin.faults import first_fault
from yinxin.wire import Model

M = TypeVar("M", bound=Model)


def registration(kind: type[M], values: Mapping[str, Any], bad: type[Invalid]) -> M:
    """The registration of these values; raises `bad`, which takes `field` and `reason`, naming what is wrong."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        place, reason = first_fault(error)
        raise bad(field=".".join(map(str, place)), reason=reason) from error


def registration_in(file: Path, kind: type[M], bad: type[Invalid]) -> M:
    """The registration that a TOML file says; raises `bad`, naming the field, or the file where it cannot be read."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise bad(field=str(file), reason=str(error)) from error
    return registration(kind, values, bad)
