"""No string of these pages is untranslated."""

import re

import pytest
from babel.messages.pofile import read_po

from apps.document.pages.acts import BUTTONS, PAGES
from apps.document.pages.dossier import EXPORT
from apps.document.pages.words import FILE_TEXT, KINDS, MEANING
from apps.document.states import LIFE
from ops.console.show import OUTCOMES
from tests.pages.conftest import ROOT
from yinxin.act import Outcome
from yinxin.authz import LEVEL_TEXT, LEVELS
from yinxin.web.catalogue import check, used

CHINESE = re.compile(r"[一-鿿]")
DIRECTORIES = ("apps/document", "audit", "authz/oidc", "ops/console")


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_word_is_translated(directory):
    assert len(used(ROOT / directory)) > 20
    check(ROOT / directory)


def test_a_word_means_one_thing():
    """One server loads all catalogues, and of two translations the one that came last would be on every page."""
    meanings: dict[str, set[str]] = {}
    for directory in (*DIRECTORIES, "sdk/yinxin/web"):
        with (ROOT / directory / "locale/en/LC_MESSAGES/messages.po").open("rb") as file:
            for message in read_po(file):
                meanings.setdefault(str(message.id), set()).add(str(message.string))
    assert {word: said for word, said in meanings.items() if word and len(said) > 1} == {}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_no_template_says_anything_outside_the_catalogue(directory):
    for file in (ROOT / directory / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL)
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        assert not CHINESE.search(bare), file


def test_every_act_has_words():
    offered = {*BUTTONS, *PAGES, EXPORT}
    assert offered == MEANING.keys()
    assert offered <= {each.verb for each in LIFE.transitions}
    assert set(LEVEL_TEXT) == set(LEVELS)
    assert set(OUTCOMES) == set(Outcome)
    for words in (*MEANING.values(), *LEVEL_TEXT.values(), *FILE_TEXT.values()):
        assert CHINESE.search(words.zh)
        assert not CHINESE.search(words.en)
    assert len(KINDS) == 15
