"""The OpenAPI document says what the code does."""

import re

import pytest

pytestmark = pytest.mark.engines("any")


def spec(world, lang="zh"):
    return world.client(None).get(f"/api/openapi.json?lang={lang}").json


def test_the_document_is_whole(world):
    document = spec(world)
    assert document["openapi"].startswith("3.1")
    operation = document["paths"]["/api/notes/v1/notes/{number}"]["get"]
    assert operation["summary"] == "便签"
    assert operation["security"] == [{"bearer": []}]
    assert operation["parameters"] == [
        {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
    ]
    assert operation["responses"]["404"]["content"]["application/problem+json"]["examples"].keys() == {
        "test.no_such_note"
    }
    assert spec(world, "en")["paths"]["/api/notes/v1/notes/{number}"]["get"]["summary"] == "A note"


def test_bodies_uploads_keys_and_public_operations(world):
    paths = spec(world)["paths"]
    write = paths["/api/notes/v1/notes"]["post"]
    assert write["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NoteIn"
    }
    assert {key: write["parameters"][0][key] for key in ("name", "in", "required")} == {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
    }
    upload = paths["/api/notes/v1/files"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(upload["properties"]) == {"attachment", "body"}
    assert paths["/api/notes/v1/raw"]["get"]["security"] == []
    assert [p["name"] for p in paths["/api/notes/v1/notes"]["get"]["parameters"]] == ["after", "limit", "tag"]


def test_every_reference_resolves_and_every_registered_operation_is_there(world):
    document = spec(world)
    names = set(re.findall(r"#/components/schemas/([^\"']+)", str(document)))
    assert names <= set(document["components"]["schemas"])
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in world.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") and not rule.endpoint.startswith("openapi")
    }
    assert routes == {(path, method) for path, item in document["paths"].items() for method in item}
