"""The founded province that the laws are held against."""

from tests.laws.province import finished, folder, platform, template

__all__ = ["finished", "folder", "platform", "template"]
