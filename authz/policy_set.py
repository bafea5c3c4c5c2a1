"""All modules' policies as one checked set: merged, validated against the merged schema, parsed once."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cedarpy

from authz.errors import BadPolicies
from yinxin import canonical
from yinxin.text import Text

#: our own folder; its forbids are part of every set
BASE = Path(__file__).parent / "policies"
#: an action changes nothing or something: the base policies must know which (groups have no dot in their names)
_GROUPS = ("read", "write")
_GIVEN = {"organ": {"type": "Entity", "name": "Organ"}, "level": {"type": "Long"}}
_IDENTIFIER = re.compile(r"[a-z-]+\.[a-z0-9-]+")


@dataclass(frozen=True)
class PolicySet:
    """Policies in force: Cedar `text` and `schema` (JSON text). `hash` identifies both."""

    text: str
    schema: str

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of text and schema: the same set has the same hash on every site."""
        return hashlib.sha256(canonical.encode({"text": self.text, "schema": self.schema})).hexdigest()

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
        actions = json.loads(self.schema)[""]["actions"]
        return frozenset(name for name in actions if "." in name)

    @cached_property
    def reasons(self) -> Mapping[str, Text]:
        """The reader's words of each policy, by `@id`."""
        return {notes["id"]: Text(notes["zh"], notes["en"]) for _, notes in _annotations("*", self.text)}


def load_policies(folders: Mapping[str, Path]) -> PolicySet:
    """The set of all modules' policies (module name → folder) and the base; raises BadPolicies naming the file."""
    texts: dict[str, str] = {}
    schema: dict[str, dict[str, Any]] = {"entityTypes": {}, "actions": {}, "commonTypes": {}}
    for module, folder in sorted({"authz": BASE, **folders}.items()):
        _merge_schema(schema, module, folder)
        for file in sorted(folder.glob("*.cedar")):
            texts[f"{module}/{file.name}"] = _read(file)
    _complete(schema)
    whole = PolicySet(
        "\n".join(text.strip() + "\n" for text in texts.values()),
        json.dumps({"": schema}, sort_keys=True, ensure_ascii=False),
    )
    _check_annotations(texts)
    _validate(whole, texts)
    return whole


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicies(file=str(file), reason=str(error)) from error


def _merge_schema(schema: dict[str, dict[str, Any]], module: str, folder: Path) -> None:
    file = folder / "schema.json"
    name = f"{module}/schema.json"
    try:
        fragment = json.loads(_read(file))
    except ValueError as error:
        raise BadPolicies(file=name, reason=str(error)) from error
    if not isinstance(fragment, dict) or not all(isinstance(part, dict) for part in fragment.values()):
        raise BadPolicies(file=name, reason="an object of objects is needed")
    if unknown := set(fragment) - set(schema):
        raise BadPolicies(file=name, reason=f"unknown parts {sorted(unknown)}")
    for part, entries in fragment.items():
        if clash := set(entries) & set(schema[part]):
            raise BadPolicies(file=name, reason=f"{sorted(clash)} declared by another module")
        schema[part] |= entries
    for action in fragment.get("actions", {}):
        if module != "authz" and not action.startswith(f"{module}."):
            raise BadPolicies(file=name, reason=f"action {action} belongs to another module")


def _complete(schema: dict[str, dict[str, Any]]) -> None:
    """Persons act; every resource has an owner and a level; every action is classed."""
    resources: set[str] = set()
    for name, action in schema["actions"].items():
        applies = action.get("appliesTo")
        if applies is None:
            raise BadPolicies(file="schema.json", reason=f"action {name} applies to nothing")
        groups = {group["id"] for group in action.get("memberOf", ())}
        if "." in name and len(groups & set(_GROUPS)) != 1:
            raise BadPolicies(
                file="schema.json", reason=f"action {name} must be a member of read or of write"
            )
        applies.setdefault("principalTypes", ["Person"])
        resources |= set(applies["resourceTypes"])
    for resource in resources:
        entity = schema["entityTypes"].setdefault(resource, {})
        shape = entity.setdefault("shape", {"type": "Record", "attributes": {}})
        shape["attributes"] = {**_GIVEN, **shape["attributes"]}


def _annotations(file: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(Cedar's own id, annotations) of each policy."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise BadPolicies(file=file, reason=str(error)) from error
    if parsed["templates"]:
        raise BadPolicies(file=file, reason="templates are not used")
    for key, policy in parsed["staticPolicies"].items():
        yield key, policy.get("annotations", {})


def _check_annotations(texts: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for file, text in texts.items():
        for key, notes in _annotations(file, text):
            identifier = notes.get("id", "")
            if not _IDENTIFIER.fullmatch(identifier) or identifier in seen:
                raise BadPolicies(file=file, reason=f"{key}: a unique @id like module.words is needed")
            if not notes.get("zh") or not notes.get("en"):
                raise BadPolicies(file=file, reason=f"{identifier}: @zh and @en are needed")
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
