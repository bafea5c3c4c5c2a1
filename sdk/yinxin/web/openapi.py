"""The OpenAPI 3.1 document of everything registered, and a reference page made from it."""

import re
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, json, render_template
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from yinxin.errors import YinxinError
from yinxin.text import Language, Text
from yinxin.web._contract import JSON, MULTIPART, OCTETS, Raw
from yinxin.web._kit import kit, reader_language
from yinxin.web._stored import Stored
from yinxin.web.api import Api, Operation
from yinxin.web.errors import COMMON, AnswerLost, IdempotencyKeyNeeded, IdempotencyKeyReused, SignInRequired
from yinxin.web.problems import MEDIA_TYPE, TYPE_PREFIX, title_of

VERSION = "3.1.1"
TITLE = Text("印信平台接口", "Yinxin platform API")
_RANGE = Text("所请求的区间（Range）", "The range that was asked for")
_IN_ITS_OWN_NAME = Text("系统以自身名义调用", "a system calls in its own name")
_REF = "#/components/schemas/{model}"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code", "request", "retryable"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "facts": {"type": "object"},
        "request": {"type": "string"},
        "retryable": {"type": "boolean"},
        "entry": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("in", "pointer", "code", "detail")},
            },
        },
    },
}
Refs = dict[Any, dict[str, Any]]
_PATH_TYPES: dict[Any, dict[str, str]] = {int: {"type": "integer"}, str: {"type": "string"}}


def document(apis: Iterable[Api], language: Language) -> dict[str, Any]:
    """The OpenAPI document of `apis`, its words in `language`."""
    apis = tuple(apis)
    refs, schemas = _schemas(apis)
    paths: dict[str, Any] = {}
    for api in apis:
        for operation in api.operations:
            path = api.prefix + re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", operation.path)
            paths.setdefault(path, {})[operation.method.lower()] = _operation(api, operation, refs, language)
    return {
        "openapi": VERSION,
        "info": {"title": TITLE(language), "version": "1"},
        "tags": [{"name": api.name, "description": api.title(language)} for api in apis],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "system": {"type": "oauth2", "flows": {"clientCredentials": _flow(apis, language)}},
            },
        },
    }


def _flow(apis: Iterable[Api], language: Language) -> dict[str, Any]:
    """How systems get tokens of their own, and which scopes let them in (RFC 6749 4.4)."""
    scopes = {each.scope for api in apis for each in api.operations if each.scope}
    return {"tokenUrl": "/oidc/token", "scopes": dict.fromkeys(sorted(scopes), _IN_ITS_OWN_NAME(language))}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.public:
        return []
    return [{"bearer": []}, *([{"system": [operation.scope]}] if operation.scope else [])]


def _schemas(apis: Iterable[Api]) -> tuple[Refs, dict[str, Any]]:
    """How to refer to each model, and the definitions behind."""
    inputs: set[Any] = set()
    outputs: set[Any] = set()
    for operation in (each for api in apis for each in api.operations):
        contract = operation.contract
        inputs |= {model for model in (contract.body, contract.query) if model is not None}
        if _is_model(contract.answer):
            outputs.add(contract.answer)
    wanted: list[Any] = [(model, "validation") for model in inputs]
    wanted += [(model, "serialization") for model in outputs - inputs]
    wanted.sort(key=lambda pair: f"{pair[0].__module__}.{pair[0].__qualname__}")
    refs, schemas = models_json_schema(wanted, ref_template=_REF)
    return {model: ref for (model, _), ref in refs.items()}, dict(sorted(schemas.get("$defs", {}).items()))


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _operation(api: Api, operation: Operation, refs: Refs, language: Language) -> dict[str, Any]:
    contract = operation.contract
    out: dict[str, Any] = {
        "operationId": f"{api.name}.{operation.name}",
        "tags": [api.name],
        "summary": operation.summary(language),
        "security": _security(operation),
        "parameters": _parameters(operation),
        "responses": _responses(operation, refs, language),
    }
    if contract.incoming is not None:
        octets = {"type": "string", "contentMediaType": OCTETS}
        out["requestBody"] = {"required": True, "content": {OCTETS: {"schema": octets}}}
    elif contract.uploads:
        one = {"type": "string", "contentMediaType": "application/octet-stream"}
        parts: dict[str, Any] = {
            name: {"type": "array", "items": one} if name in contract.several else one
            for name in contract.uploads
        }
        required = [name for name, needed in contract.uploads.items() if needed]
        if contract.body is not None:
            parts["body"] = refs[contract.body]
        schema = {"type": "object", "required": required, "properties": parts}
        out["requestBody"] = {"required": True, "content": {MULTIPART: {"schema": schema}}}
    elif contract.body is not None:
        out["requestBody"] = {"required": True, "content": {JSON: {"schema": refs[contract.body]}}}
    return out


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    contract = operation.contract
    out: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_TYPES.get(kind, {"type": "string"})}
        for name, kind in contract.path.items()
    ]
    if contract.query is not None:
        schema = contract.query.model_json_schema(ref_template=_REF)
        required = schema.get("required", [])
        out += [
            {"name": name, "in": "query", "required": name in required, "schema": value}
            for name, value in schema.get("properties", {}).items()
        ]
    if operation.method != "GET" and not operation.public and not operation.unkept:
        key = {"type": "string", "minLength": 1, "maxLength": 128}
        out.append(
            {"name": "Idempotency-Key", "in": "header", "required": operation.needs_key, "schema": key}
        )
    return out


def _responses(operation: Operation, refs: Refs, language: Language) -> dict[str, Any]:
    answer = operation.contract.answer
    done: dict[str, Any] = {"description": operation.summary(language)}
    if _is_model(answer):
        done["content"] = {JSON: {"schema": refs[answer]}}
    elif answer is Raw:
        done["content"] = {"*/*": {}}
    responses: dict[str, Any] = {str(operation.status): done}
    if answer is Stored:
        done["content"] = {"*/*": {}}
        responses["206"] = {"description": _RANGE(language), "content": {"*/*": {}}}
    for problem in problems_of(operation):
        entry = responses.setdefault(
            str(problem.status),
            {
                "description": title_of(problem)(language),
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        detail = problem.zh if language == "zh" else problem.en
        example = {"type": TYPE_PREFIX + problem.code, "code": problem.code, "detail": detail}
        entry["content"][MEDIA_TYPE]["examples"][problem.code] = {"value": example}
    return dict(sorted(responses.items()))


def problems_of(operation: Operation) -> tuple[type[YinxinError], ...]:
    """Every problem the operation declares, and those that its contract implies."""
    implied: list[type[YinxinError]] = list(COMMON)
    if not operation.public:
        implied.append(SignInRequired)
    if operation.needs_key:
        implied += [IdempotencyKeyNeeded, IdempotencyKeyReused]
    if operation.secret is not None:
        implied.append(AnswerLost)
    return (*operation.problems, *(each for each in implied if each not in operation.problems))


blueprint = Blueprint("openapi", __name__)


@blueprint.get("/api/openapi.json")
def specification() -> Response:
    """The document."""
    text = json.dumps(document(kit().apis, reader_language()))
    return Response(text, mimetype=JSON)


@blueprint.get("/api")
def reference() -> str:
    """The document as a page."""
    apis = kit().apis
    return render_template(
        "yinxin/reference.html",
        apis=apis,
        problems_of=problems_of,
        document=document(apis, reader_language()),
    )
