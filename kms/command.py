"""What the key centre's commands have in common."""

import click

from kms.service import KeyCentre
from yinxin.command import service


def centre_of(context: click.Context) -> KeyCentre:
    """The key centre of the installation that a command is run on."""
    centre: KeyCentre = service(context, "kms")
    return centre
