"""Configuration: one TOML file, frozen typed sections, unknown keys refused, every field documented.

A module declares its section as a subclass of `Section`; `ops` joins the sections into one model named by module.
`load` reads the file, applies `--set a.b=value` overrides (values are TOML; a bare word is text) and says exactly
which key is wrong and why.
"""

import tomllib
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ConfigDict, ValidationError

from yinxin.described import Described, descriptions
from yinxin.errors import Misconfigured
from yinxin.faults import first_fault
from yinxin.text import Text

M = TypeVar("M", bound="Section")


class BadConfiguration(Misconfigured):
    """A key that is unknown, missing or out of range."""

    code = "settings.bad"
    zh = "配置项 {key} 有误：{reason}。请改正 {source} 后重试。"
    en = "Configuration key {key} is wrong: {reason}. Correct {source} and try again."


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        ip_network(each)
    return value


#: a setting that names networks (CIDR, such as 10.0.0.0/8)
Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]


class Section(Described):
    """A frozen group of settings; every field needs a description, safe by default."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def load(model: type[M], file: Path | None, overrides: Iterable[str] = ()) -> M:
    """The configuration from `file` (or defaults) with `overrides`; raises BadConfiguration naming the key."""
    source, overrides = str(file) if file else "--set", tuple(overrides)
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadConfiguration(key="*", reason=str(error), source=source) from error
    for override in overrides:
        _apply(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        place, reason = first_fault(error)
        key = ".".join(map(str, place))
        said = [override.partition("=")[0] for override in overrides]
        if any(key == each or key.startswith(f"{each}.") for each in said):  # the file is not what is wrong
            source = "--set"
        raise BadConfiguration(key=key, reason=reason, source=source) from error


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise BadConfiguration(
            key=override, reason=Text("应写成 KEY=VALUE", "expected KEY=VALUE"), source="--set"
        )
    *path, last = key.split(".")
    for part in path:
        below = values.setdefault(part, {})
        if not isinstance(below, dict):
            raise BadConfiguration(
                key=key, reason=Text(f"{part} 不是配置节", f"{part} is no section"), source="--set"
            )
        values = below
    values[last] = _value(text)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def describe(model: type[Section], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """(key, description, default) of every setting below `model`, for the manual and the sample file."""
    texts = descriptions(model)
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from describe(inner, f"{prefix}{name}.")
        else:
            yield (
                f"{prefix}{name}",
                info.description or texts.get(name, ""),
                info.get_default(call_default_factory=True),
            )
