"""The small province of the laws."""

from tests.laws.province import finished, template

__all__ = ["finished", "template"]
