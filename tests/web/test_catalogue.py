"""Every word of the kit's pages has its English translation, and the check notices when one has not."""

import shutil
from pathlib import Path

import pytest

import yinxin.web
from yinxin.web.catalogue import Untranslated, check, main, update, used

KIT = Path(yinxin.web.__file__).parent


def test_the_kit_is_translated():
    assert len(used(KIT)) > 20
    check(KIT)


@pytest.fixture
def package(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("{{ _('公文') }} {{ _('共 %(n)s 件', n=3) }}", "utf-8")
    (tmp_path / "pages.py").write_text("from flask_babel import gettext as _\nTITLE = _('收文')\n", "utf-8")
    return tmp_path


def fill(package, **more):
    po = package / "locale/en/LC_MESSAGES/messages.po"
    text = po.read_text("utf-8")
    for zh, en in {"公文": "Document", "共 %(n)s 件": "%(n)s in all", "收文": "Received", **more}.items():
        text = text.replace(f'msgid "{zh}"\nmsgstr ""', f'msgid "{zh}"\nmsgstr "{en}"')
    po.write_text(text, "utf-8")


def test_what_is_missing_is_named(package, capsys):
    with pytest.raises(Untranslated) as caught:
        check(package)
    assert len(caught.value.problems) == 3
    assert main([str(package)]) == 1
    assert "'公文'" in capsys.readouterr().err
    fill(package)
    with pytest.raises(Untranslated, match="not compiled"):
        check(package)
    assert main([str(package)]) == 0
    check(package)


def test_translations_survive_and_stale_ones_go(package):
    update(package)
    fill(package)
    (package / "pages.py").write_text("from flask_babel import gettext as _\nTITLE = _('发文')\n", "utf-8")
    with pytest.raises(Untranslated, match="no longer used"):
        check(package)
    update(package)
    text = (package / "locale/en/LC_MESSAGES/messages.po").read_text("utf-8")
    assert 'msgstr "Document"' in text
    assert "收文" not in text


def test_placeholders_must_agree(package):
    update(package)
    fill(package, **{"共 %(n)s 件": "%(m)s in all"})
    with pytest.raises(Untranslated, match="placeholders"):
        check(package)


def test_what_is_said_twice_is_named(package):
    update(package)
    fill(package, 收文="Whatever came in today.Whatever came in today.")
    with pytest.raises(Untranslated, match="twice"):
        check(package)


def test_nothing_to_translate(tmp_path):
    check(tmp_path)
    shutil.rmtree(tmp_path)
