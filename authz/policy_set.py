"""All modules' policies as one checked set: merged, validated against the merged schema, parsed once."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import cedarpy

from authz.errors import BadPolicies
from authz.grant.records import holder
from authz.schema import merge
from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: our own folder; its forbids are part of every set
BASE = Path(__file__).parent / "policies"
#: what faults of a proposed set are told of
CHANGE = "policies.cedar"
_IDENTIFIER = re.compile(r"[a-z-]+\.[a-z0-9-]+")


@dataclass(frozen=True)
class Template:
    """A bundle of actions that can be granted: a policy with room for the holder and the organ (`@id`, in words)."""

    id: str
    text: Text
    #: the actions it opens, groups opened up
    actions: frozenset[str]
    #: the type of resource it is about; None for every type
    resource: str | None


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
        """The policies, parsed; each has its `@id` for Cedar's own identifier."""
        return self._part(self.documents)

    @cached_property
    def parsed_schema(self) -> cedarpy.Schema:
        """The schema, parsed."""
        return cedarpy.Schema.from_json_str(self.schema)

    @cached_property
    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """Each policy and template as Cedar's JSON, by `@id`."""
        return {
            each["annotations"]["id"]: each
            for each in chain(*(kind.values() for kind in read_policies("*", self.text)))
        }

    @cached_property
    def declared(self) -> Mapping[str, Any]:
        """The schema's declarations: `entityTypes` and `actions`."""
        declared: Mapping[str, Any] = json.loads(self.schema)[""]
        return declared

    @cached_property
    def shapes(self) -> Mapping[str, Mapping[str, Any]]:
        """The attributes that the schema declares, by type of entity."""
        return {name: each["shape"]["attributes"] for name, each in self.declared["entityTypes"].items()}

    @cached_property
    def named(self) -> frozenset[str]:
        """The types of which a policy may know one thing from another that is like it: by a name in the text, or in an attribute."""
        found = {each["type"] for each in _objects(self.documents) if each.keys() == {"type", "id"}}
        for declared in self.declared["entityTypes"].values():
            found |= {*declared.get("memberOfTypes", ())}
        return frozenset(found | {each["name"] for each in _objects(self.declared) if "name" in each})

    @cached_property
    def actions(self) -> frozenset[str]:
        """Every action that can be asked about."""
        return frozenset(name for name in self.declared["actions"] if "." in name)

    @cached_property
    def reasons(self) -> Mapping[str, Text]:
        """The reader's words of each policy and template, by `@id`."""
        return {
            name: Text(each["annotations"]["zh"], each["annotations"]["en"])
            for name, each in self.documents.items()
        }

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """What can be granted, by `@id`."""
        return {
            name: Template(
                name,
                self.reasons[name],
                frozenset(action for action in self.actions if self._concerns(each, action)),
                each["resource"].get("entity_type"),
            )
            for name, each in self.documents.items()
            if is_template(each)
        }

    def groups(self, action: str) -> frozenset[str]:
        """The groups an action is in (`read` or `write`, `key`, `business` …)."""
        return frozenset(group["id"] for group in self.declared["actions"][action]["memberOf"])

    def concerning(self, action: str) -> Mapping[str, Mapping[str, Any]]:
        """The policies and templates whose scope names the action, a group of it, or every action."""
        return {name: each for name, each in self.documents.items() if self._concerns(each, action)}

    def fingerprint(self, action: str) -> str:
        """SHA-256 (hex) of all that answers about the action depend on: its policies, its types, its context."""
        declared = self.declared["actions"][action]
        types = {kind: self.declared["entityTypes"][kind] for kind in declared["appliesTo"]["resourceTypes"]}
        body = {
            "policies": self.concerning(action),
            "action": declared,
            "types": types,
            "person": self.declared["entityTypes"]["Person"],
        }
        return INTL.hash.digest(json.dumps(body, sort_keys=True).encode()).hex()

    def slice(self, action: str) -> cedarpy.PolicySet:
        """What concerns the action, parsed: whatever is left out could neither decide nor fail."""
        found = self._slices.get(action)
        if found is None:
            found = self._slices[action] = self._part(self.concerning(action))
        return found

    @cached_property
    def _slices(self) -> dict[str, cedarpy.PolicySet]:
        return {}

    def _concerns(self, policy: Mapping[str, Any], action: str) -> bool:
        scope = policy["action"]
        if scope["op"] == "All":
            return True
        named = {each["id"] for each in scope.get("entities", [scope.get("entity")])}
        return action in named or (scope["op"] == "in" and bool(named & self.groups(action)))

    @staticmethod
    def _part(policies: Mapping[str, Mapping[str, Any]]) -> cedarpy.PolicySet:
        whole = {
            "staticPolicies": {name: each for name, each in policies.items() if not is_template(each)},
            "templates": {name: each for name, each in policies.items() if is_template(each)},
            "templateLinks": [],
        }
        return cedarpy.PolicySet.from_json_str(json.dumps(whole))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _objects(each)


def linked(policies: cedarpy.PolicySet, grants: Iterable[Mapping[str, Any]]) -> cedarpy.PolicySet:
    """The policies with the grants in their templates' rooms; each becomes a policy named `template#grant`."""
    links = []
    for grant in grants:
        kind, identifier = holder(grant["holder"])
        rooms = {
            "?principal": {"type": kind, "id": identifier},
            "?resource": _over(grant),
        }
        links.append(
            {
                "template_id": grant["template"],
                "new_id": f"{grant['template']}#{grant['id']}",
                "values": rooms,
            }
        )
    return policies.with_linked_batch(links) if links else policies


def _over(grant: Mapping[str, Any]) -> dict[str, str]:
    """What the grant is over: an organ with all below, or one thing."""
    kind, separator, identifier = grant.get("resource", "").partition(":")
    return {"type": kind, "id": identifier} if separator else {"type": "Organ", "id": grant["organ"]}


def is_template(policy: Mapping[str, Any]) -> bool:
    """Whether a policy (Cedar's JSON) has room for a holder or an organ."""
    return (
        "slot" in policy["principal"]
        or "slot" in policy["resource"]
        or "slot" in policy["resource"].get("in", {})
    )


def load_policies(folders: Mapping[str, Path]) -> PolicySet:
    """The set of all modules' policies (module name → folder) and the base; raises BadPolicies naming the file."""
    modules = sorted({"authz": BASE, **folders}.items())
    schema = merge({module: _read(folder / "schema.json") for module, folder in modules})
    texts = {
        f"{module}/{file.name}": _read(file)
        for module, folder in modules
        for file in sorted(folder.glob("*.cedar"))
    }
    return _checked(tuple(texts.items()), json.dumps(schema, sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=8)
def _checked(files: tuple[tuple[str, str], ...], schema: str) -> PolicySet:
    """The set of these texts by file; the same ones are checked and parsed once in a process, which takes 0.1 s."""
    texts = dict(files)
    whole = PolicySet("\n".join(text.strip() + "\n" for text in texts.values()), schema)
    _check_annotations(texts)
    _validate(whole, texts)
    return whole


def read_change(text: str, schema: str) -> PolicySet:
    """A set that somebody wants in force, checked as the shipped one is; raises BadPolicies."""
    whole = PolicySet(text, schema)
    try:
        modules = {action.split(".")[0] for action in whole.actions}
    except (ValueError, KeyError, TypeError) as error:
        raise BadPolicies(file="schema.json", reason=str(error)) from error
    _check_annotations({CHANGE: text}, tuple(f"{each}." for each in (*sorted(modules), "base", "site")))
    _validate(whole, {CHANGE: text})
    return whole


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicies(file=str(file), reason=str(error)) from error


def read_policies(file: str, text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The policies and the templates of a text as Cedar's JSON, by Cedar's own identifiers; raises BadPolicies."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise BadPolicies(file=file, reason=str(error)) from error
    return parsed["staticPolicies"], parsed["templates"]


def _check_annotations(texts: Mapping[str, str], prefixes: tuple[str, ...] | None = None) -> None:
    """Every policy has its name, once, and its words; names begin with the file's module or one of `prefixes`."""
    seen: set[str] = set()
    for file, text in texts.items():
        module = file.split("/")[0]
        own = prefixes or ((f"{module}.", "base.") if module == "authz" else (f"{module}.",))
        static, templates = read_policies(file, text)
        for key, policy in chain(static.items(), templates.items()):
            notes = policy.get("annotations", {})
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
        for template in templates.values():
            _check_template(file, template)


def _check_template(file: str, template: Mapping[str, Any]) -> None:
    """A grant opens something to a holder over an organ's part of the tree; it closes nothing and names every action."""
    identifier = template["annotations"]["id"]
    whole = template["principal"].get("slot") and "slot" in template["resource"].get(
        "in", template["resource"]
    )
    if (
        template["effect"] != "permit"
        or not whole
        or template["principal"]["op"] != "in"
        or template["action"]["op"] == "All"
    ):
        raise BadPolicies(
            file=file,
            reason=Text(
                f"{identifier}：授权模板须为 permit，列明操作，主体写 principal in ?principal，客体写 resource in ?resource",
                f"{identifier}: a template for grants is a permit that names its actions, principal in ?principal and resource in ?resource",
            ),
        )


def _validate(whole: PolicySet, texts: Mapping[str, str]) -> None:
    try:
        schema = whole.parsed_schema
    except ValueError as error:
        raise BadPolicies(file="schema.json", reason=str(error)) from error
    for file, text in texts.items():
        result = cedarpy.validate_policies(text, schema)
        if not result.validation_passed:
            raise BadPolicies(file=file, reason="; ".join(str(error.error) for error in result.errors))
