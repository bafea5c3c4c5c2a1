"""Changes of the directory as data: each is asked of the policies, rehearsed or made, and recorded.

A change says what it wants; its room (`authz.organ`, `authz.appointment`) knows how. The same values come from the
command line, over HTTP and from a page.
"""

from typing import Annotated

from pydantic import Field

from authz.change.base import Change, Differences
from authz.change.make import Changes
from authz.change.organs import DissolveOrgan, FoundOrgan, MergeOrgans, MoveOrgan, RenameOrgan, SplitOrgan
from authz.change.people import AlterPerson, Appoint, EndAppointment, Register, Reinstate, Retire, Transfer
from authz.change.posts import FoundPost, GiveRoles, GiveUpPost, NamePost

AnyChange = Annotated[
    FoundOrgan
    | RenameOrgan
    | MoveOrgan
    | MergeOrgans
    | SplitOrgan
    | DissolveOrgan
    | FoundPost
    | NamePost
    | GiveRoles
    | GiveUpPost
    | Register
    | AlterPerson
    | Retire
    | Reinstate
    | Appoint
    | EndAppointment
    | Transfer,
    Field(discriminator="kind"),
]

__all__ = [
    "AlterPerson",
    "AnyChange",
    "Appoint",
    "Change",
    "Changes",
    "Differences",
    "DissolveOrgan",
    "EndAppointment",
    "FoundOrgan",
    "FoundPost",
    "GiveRoles",
    "GiveUpPost",
    "MergeOrgans",
    "MoveOrgan",
    "NamePost",
    "Register",
    "Reinstate",
    "RenameOrgan",
    "Retire",
    "SplitOrgan",
    "Transfer",
]
