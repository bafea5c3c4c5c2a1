"""How official documents register themselves."""

from pathlib import Path

from flask import Blueprint

from apps.document.api import routes
from apps.document.pages import pages
from apps.document.service import Documents
from apps.document.settings import DocumentSettings
from apps.document.states import VERBS
from yinxin.module import Module
from yinxin.text import Text


def _faces(service: Documents) -> tuple[Blueprint, ...]:
    return (*routes(service), *pages(service))


MODULE: Module[Documents] = Module(
    name="document",
    title=Text("公文", "Official documents"),
    settings=DocumentSettings,
    verbs=VERBS,
    models="apps.document.models",
    routes=_faces,
    policies=Path(__file__).parent / "policies",
)
