"""Models whose fields are described by the docstring below each, read from the source only when somebody asks.

pydantic's own `use_attribute_docstrings` reads and parses the source of every model when its class is made; with
some 350 models that was 0.4 s of every process, for a text that only the contract and the manual show.
"""

import ast
import functools
import inspect
import sys
from collections.abc import Mapping

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """Base of models that stand in a contract or a manual: each field's docstring becomes its description there."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in descriptions(cls).items():
            field = cls.model_fields.get(name)
            if field is not None and (shown := properties.get(field.alias or name)) is not None:
                shown.setdefault("description", text)
        return schema


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field of `model`, also of those that it inherits; fields without one are left out."""
    found: dict[str, str] = {}
    for ancestor in reversed(model.__mro__):
        if issubclass(ancestor, BaseModel) and ancestor is not BaseModel:
            found |= _docstrings(ancestor.__module__).get(ancestor.__qualname__, {})
    return found


@functools.cache
def _docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """For each class of a module, by qualified name: the docstrings that stand below its annotated names.

    Of a module whose source is not there, as of what was typed at a prompt, nothing is said.
    """
    found: dict[str, dict[str, str]] = {}
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return found
    _collect(ast.parse(source), "", found)
    return found


def _collect(scope: ast.AST, prefix: str, found: dict[str, dict[str, str]]) -> None:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            found[f"{prefix}{node.name}"] = _of_class(node)
            _collect(node, f"{prefix}{node.name}.", found)
        elif isinstance(node, ast.FunctionDef):
            _collect(node, f"{prefix}{node.name}.<locals>.", found)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            _collect(node, prefix, found)


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            texts[field.target.id] = inspect.cleandoc(below.value.value)
    return texts
