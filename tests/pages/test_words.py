"""No string of these pages is untranslated."""

import re

import pytest

from apps.document.pages.acts import BUTTONS, PAGES
from apps.document.pages.dossier import EXPORT
from apps.document.pages.words import FILE_TEXT, KINDS, LEVEL_TEXT, MEANING
from apps.document.states import TRANSITIONS
from ops.console.show import OUTCOMES
from tests.pages.conftest import ROOT
from yinxin.act import Outcome
from yinxin.authz import LEVELS
from yinxin.web.catalogue import check, used

CHINESE = re.compile(r"[一-鿿]")
DIRECTORIES = ("apps/document", "authz/oidc", "ops/console")


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_word_is_translated(directory):
    assert len(used(ROOT / directory)) > 20
    check(ROOT / directory)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_no_template_says_anything_outside_the_catalogue(directory):
    for file in (ROOT / directory / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL)
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        assert not CHINESE.search(bare), file


def test_every_act_has_words():
    offered = {*BUTTONS, *PAGES, EXPORT}
    assert offered == MEANING.keys()
    assert offered <= TRANSITIONS.keys()
    assert set(LEVEL_TEXT) == set(LEVELS)
    assert set(OUTCOMES) == set(Outcome)
    for words in (*MEANING.values(), *LEVEL_TEXT.values(), *FILE_TEXT.values()):
        assert CHINESE.search(words.zh)
        assert not CHINESE.search(words.en)
    assert len(KINDS) == 15
