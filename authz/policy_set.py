"""All modules' policies as one checked set: merged, validated against the merged schema, parsed once."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cedarpy

from authz.errors import BadPolicies
from authz.schema import merge
from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: our own folder; its forbids are part of every set
BASE = Path(__file__).parent / "policies"
_IDENTIFIER = re.compile(r"[a-z-]+\.[a-z0-9-]+")


@dataclass(frozen=True)
class PolicySet:
    """Policies in force: Cedar `text` and `schema` (JSON text). `hash` identifies both."""

    text: str
    schema: str

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of text and schema: the same set has the same hash on every site."""
        return INTL.hash.digest(canonical.encode({"text": self.text, "schema": self.schema})).hex()

    @cached_property
    def parsed(self) -> cedarpy.PolicySet:
        """The policies, parsed."""
        return cedarpy.PolicySet.from_str(self.text)

    @cached_property
    def parsed_schema(self) -> cedarpy.Schema:
        """The schema, parsed."""
        return cedarpy.Schema.from_json_str(self.schema)

    @cached_property
    def actions(self) -> frozenset[str]:
        """Every action that can be asked about."""
        actions: dict[str, object] = json.loads(self.schema)[""]["actions"]
        return frozenset(name for name in actions if "." in name)

    @cached_property
    def reasons(self) -> Mapping[str, Text]:
        """The reader's words of each policy, by `@id`."""
        return {notes["id"]: Text(notes["zh"], notes["en"]) for _, notes in _annotations("*", self.text)}


def load_policies(folders: Mapping[str, Path]) -> PolicySet:
    """The set of all modules' policies (module name → folder) and the base; raises BadPolicies naming the file."""
    modules = sorted({"authz": BASE, **folders}.items())
    schema = merge({module: _read(folder / "schema.json") for module, folder in modules})
    texts = {
        f"{module}/{file.name}": _read(file)
        for module, folder in modules
        for file in sorted(folder.glob("*.cedar"))
    }
    whole = PolicySet(
        "\n".join(text.strip() + "\n" for text in texts.values()),
        json.dumps(schema, sort_keys=True, ensure_ascii=False),
    )
    _check_annotations(texts)
    _validate(whole, texts)
    return whole


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicies(file=str(file), reason=str(error)) from error


def _annotations(file: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(Cedar's own id, annotations) of each policy."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise BadPolicies(file=file, reason=str(error)) from error
    if parsed["templates"]:
        raise BadPolicies(file=file, reason=Text("不使用策略模板", "templates are not used"))
    for key, policy in parsed["staticPolicies"].items():
        yield key, policy.get("annotations", {})


def _check_annotations(texts: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for file, text in texts.items():
        module = file.split("/")[0]
        own = (f"{module}.", "base.") if module == "authz" else f"{module}."
        for key, notes in _annotations(file, text):
            identifier = notes.get("id", "")
            if not _IDENTIFIER.fullmatch(identifier) or not identifier.startswith(own) or identifier in seen:
                raise BadPolicies(
                    file=file,
                    reason=Text(
                        f"{key}：须有唯一的 @id，形如 module.words",
                        f"{key}: a unique @id like module.words is needed",
                    ),
                )
            if not notes.get("zh") or not notes.get("en"):
                raise BadPolicies(
                    file=file,
                    reason=Text(f"{identifier}：须有 @zh 和 @en", f"{identifier}: @zh and @en are needed"),
                )
            seen.add(identifier)


def _validate(whole: PolicySet, texts: Mapping[str, str]) -> None:
    try:
        schema = whole.parsed_schema
    except ValueError as error:
        raise BadPolicies(file="schema.json", reason=str(error)) from error
    for file, text in texts.items():
        result = cedarpy.validate_policies(text, schema)
        if not result.validation_passed:
            raise BadPolicies(file=file, reason="; ".join(str(error.error) for error in result.errors))
