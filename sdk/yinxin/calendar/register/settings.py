"""Configuration of calendars."""

from yinxin.settings import Section


class CalendarSettings(Section):
    """Working-day calendars: nothing to set yet. They are data, published by proposal."""
