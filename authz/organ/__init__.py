"""Organs as they are founded, renamed, moved, merged, split and dissolved, each with what it was before."""

from authz.organ.dissolve import dissolve
from authz.organ.found import found
from authz.organ.merge import merge
from authz.organ.move import move
from authz.organ.rename import rename
from authz.organ.split import Part, split

__all__ = ["Part", "dissolve", "found", "merge", "move", "rename", "split"]
