"""Configuration of official documents."""

from yinxin.settings import Section


class DocumentSettings(Section):
    """Official documents: nothing to set yet."""
