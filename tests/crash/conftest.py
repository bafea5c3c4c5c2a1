"""A forkserver that has imported everything and opened nothing: each run is a fork of it."""

from tests.laws.province import finished, folder, template

__all__ = ["finished", "folder", "template"]
