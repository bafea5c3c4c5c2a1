"""Grants: a template of the policies, opened to a person, a post or an organ, over a part of the tree, for a time."""

from authz.grant.grants import Grants
from authz.grant.records import Grant, Wanted

__all__ = ["Grant", "Grants", "Wanted"]
