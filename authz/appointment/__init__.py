"""People in posts: entered, appointed, transferred, retired; posts as they are founded, changed and given up."""

from authz.appointment.appoint import appoint, end, transfer
from authz.appointment.person import alter_person, register, reinstate, retire
from authz.appointment.post import found_post, give_roles, give_up, name_post

__all__ = [
    "alter_person",
    "appoint",
    "end",
    "found_post",
    "give_roles",
    "give_up",
    "name_post",
    "register",
    "reinstate",
    "retire",
    "transfer",
]
