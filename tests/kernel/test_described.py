"""The docstring below a field is its description in the contract and the manual.

Seen to fail when: inherited fields are left out; a nested class is looked for under its bare name.
"""

from typing import Generic, TypeVar

from pydantic import Field

from yinxin.described import Described, descriptions

T = TypeVar("T")


class Base(Described):
    shared: int
    """In every one."""


class Outer(Base):
    class Inner(Described):
        deep: str
        """Below."""

    inner: Inner
    """What is inside
    it, in two lines."""
    bare: int
    told: str = Field(description="said by hand")
    """Never shown."""


class Many(Described, Generic[T]):
    items: list[T]
    """All of them."""


def test_fields_are_described_by_their_docstrings() -> None:
    properties = Outer.model_json_schema()["properties"]
    assert properties["shared"]["description"] == "In every one."
    assert properties["inner"]["description"] == "What is inside\nit, in two lines."
    assert properties["told"]["description"] == "said by hand"
    assert "description" not in properties["bare"]


def test_a_nested_class_and_a_generic_one() -> None:
    schema = Outer.model_json_schema()
    assert schema["$defs"]["Inner"]["properties"]["deep"]["description"] == "Below."
    assert Many[int].model_json_schema()["properties"]["items"]["description"] == "All of them."


def test_a_class_made_in_a_function() -> None:
    class Local(Described):
        here: int
        """Near."""

    assert descriptions(Local) == {"here": "Near."}


def test_nothing_is_said_of_what_has_no_source() -> None:
    names: dict[str, object] = {"__name__": "typed", "Described": Described}
    exec("class Typed(Described):\n    here: int\n    'Near.'\n", names)  # noqa: S102 - as at a prompt
    typed = names["Typed"]
    assert isinstance(typed, type)
    assert issubclass(typed, Described)
    assert "description" not in typed.model_json_schema()["properties"]["here"]
