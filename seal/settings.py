"""Configuration of seals."""

from yinxin.settings import Section


class SealSettings(Section):
    """Seals: nothing to set yet."""
