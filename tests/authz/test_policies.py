"""Every way in which a set of policies cannot be put in force, and what the shipped ones are."""

import json

import pytest

from authz.errors import BadPolicies
from authz.policy_set import BASE, PolicySet, load_policies

from .conftest import FIXTURES

SCHEMA = {
    "entityTypes": {"Thing": {}},
    "actions": {"x.use": {"memberOf": [{"id": "write"}], "appliesTo": {"resourceTypes": ["Thing"]}}},
}
POLICY = '@id("x.use") @zh("可用") @en("may be used") permit (principal, action == Action::"x.use", resource is Thing)'

TEMPLATE = POLICY.replace("principal,", "principal in ?principal,").replace("Thing)", "Thing in ?resource)")


def folder(tmp_path, schema=SCHEMA, policies=POLICY + ";"):
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "schema.json").write_text(schema if isinstance(schema, str) else json.dumps(schema), "utf-8")
    (tmp_path / "x.cedar").write_text(policies, "utf-8")
    return {"x": tmp_path}


def test_the_shipped_policies_are_sound():
    policies = load_policies({})
    assert policies.actions >= {"authz.read", "authz.end-sessions", "authz.grant", "authz.change-policies"}
    assert set(policies.reasons) >= {"base.no-read-up", "base.three-powers", "authz.read"}


def test_the_same_folders_give_the_same_hash(tmp_path):
    one = load_policies({"test": FIXTURES, **folder(tmp_path)})
    two = load_policies({**folder(tmp_path), "test": FIXTURES})
    assert one.hash == two.hash
    assert PolicySet(one.text, one.schema).hash == one.hash
    assert load_policies({"test": FIXTURES}).hash != one.hash


def test_base_cannot_be_left_out(tmp_path):
    assert "base.no-read-up" in load_policies(folder(tmp_path)).reasons


def action(**fields):
    use = SCHEMA["actions"]["x.use"] | fields
    return SCHEMA | {"actions": {"x.use": use}}


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        (POLICY + " when { principal.clearence > 1 };", "clearence"),
        (POLICY + " when { resource.colour == 1 };", "colour"),
        (POLICY + " when { context.approvals > 1 };", "approvals"),
        (POLICY + " when { principal.clearance };", "Bool"),
        (POLICY.replace("x.use", "x.usee") + ";", "usee"),
        (POLICY + " when {", "unexpected"),
        (POLICY.replace('@id("x.use")', "") + ";", "@id"),
        (POLICY.replace('@id("x.use")', '@id("use")') + ";", "@id"),
        (POLICY.replace('@id("x.use")', '@id("y.use")') + ";", "@id"),
        (POLICY.replace('@id("x.use")', '@id("base.no-read-up")') + ";", "@id"),
        (POLICY + ";\n" + POLICY + ";", "@id"),
        (POLICY.replace('@zh("可用")', "") + ";", "@zh"),
        (POLICY.replace('@en("may be used")', '@en("")') + ";", "@en"),
        (POLICY.replace("(principal,", "(principal in ?principal,") + ";", "a template for grants is"),
        (TEMPLATE.replace("in ?principal", "== ?principal") + ";", "a template for grants is"),
        (TEMPLATE.replace("Thing in ?resource", "Thing") + ";", "a template for grants is"),
        (TEMPLATE.replace("permit", "forbid") + ";", "a template for grants is"),
        (TEMPLATE.replace('action == Action::"x.use"', "action") + ";", "a template for grants is"),
        (TEMPLATE.replace('@en("may be used")', "") + ";", "@en"),
    ],
)
def test_bad_policies_refuse_to_start(tmp_path, policies, says):
    with pytest.raises(BadPolicies) as caught:
        load_policies(folder(tmp_path, policies=policies))
    assert caught.value.facts["file"] == "x/x.cedar"
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        "[]",
        {"entityTypes": []},
        {"types": {}},
        action(memberOf=[]),
        action(memberOf=[{"id": "read"}, {"id": "write"}]),
        action(memberOf=[{"id": "key"}]),
        SCHEMA | {"actions": {"x.use": {"memberOf": [{"id": "write"}]}}},
        SCHEMA | {"actions": {"y.use": SCHEMA["actions"]["x.use"]}},
        SCHEMA | {"actions": {"read": SCHEMA["actions"]["x.use"]}},
        SCHEMA | {"entityTypes": {"Thing": {}, "Person": {}}},
        SCHEMA | {"entityTypes": {"Thing": {"shape": {"type": "Nothing"}}}},
    ],
    ids=str,
)
def test_bad_schemas_refuse_to_start(tmp_path, schema):
    with pytest.raises(BadPolicies):
        load_policies(folder(tmp_path, schema=schema))


def test_a_missing_folder_refuses_to_start(tmp_path):
    with pytest.raises(BadPolicies):
        load_policies({"x": tmp_path / "nowhere"})


def test_a_type_cannot_redefine_owner_or_level(tmp_path):
    attributes = {"level": {"type": "String"}}
    schema = SCHEMA | {"entityTypes": {"Thing": {"shape": {"type": "Record", "attributes": attributes}}}}
    with pytest.raises(BadPolicies):
        load_policies(folder(tmp_path, schema=schema))


def test_what_can_be_granted(tmp_path):
    policies = load_policies(folder(tmp_path, policies=TEMPLATE + ";"))
    (template,) = (each for each in policies.templates.values() if each.id == "x.use")
    assert (template.actions, template.resource, template.text.en) == ({"x.use"}, "Thing", "may be used")


def test_a_slice_holds_what_concerns_the_action_and_its_groups(tmp_path):
    policies = load_policies(folder(tmp_path))
    assert {"x.use", "base.no-read-up", "base.auditor-never-writes"} <= policies.concerning("x.use").keys()
    assert not {"authz.read", "base.administrator-no-keys"} & policies.concerning("x.use").keys()


def test_base_folder_is_ours():
    assert (BASE / "base.cedar").is_file()
