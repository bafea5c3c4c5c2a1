"""The words of the pages. Chinese stands in the code and is the msgid; each package brings `locale/en`."""

from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel, format_datetime, get_babel

from yinxin.text import Text
from yinxin.web._kit import reader_language

LOCALE = Path(__file__).parent / "locale"
#: readers are in one time zone; instants are kept in UTC
TIMEZONE = "Asia/Shanghai"


def install(app: Flask) -> None:
    """Chinese and English by gettext, and the filters that pages write values with."""
    Babel(
        app,
        default_locale="zh",
        default_timezone=TIMEZONE,
        default_translation_directories=str(LOCALE),
        locale_selector=reader_language,
    )
    app.jinja_env.filters["words"] = words
    app.jinja_env.filters["instant"] = instant


def add_catalogue(app: Flask, folder: Path) -> None:
    """Let `app` find the translations of another package too."""
    if folder.is_dir():
        get_babel(app).translation_directories.append(str(folder))


def words(text: Text | Any) -> str:
    """A bilingual label in the reader's language."""
    return str(getattr(text, reader_language()))


def instant(at: datetime) -> str:
    """An instant as readers write it, to the minute, in Beijing time."""
    return str(format_datetime(at, "yyyy-MM-dd HH:mm"))
