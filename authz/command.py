"""What commands have in common: those of authorization, and those of every module that propose something."""

from typing import Any

import click

from authz.service import Authz
from yinxin.command import acting, print_facts, service


def authz_of(context: click.Context) -> Authz:
    """Authorization of the installation that a command is run on."""
    authz: Authz = service(context, "authz")
    return authz


def propose(
    context: click.Context,
    kind: str,
    content: Any,
    *,
    reason: str,
    basis: str = "",
    as_json: bool,
    **more: Any,
) -> None:
    """Propose in the caller's name; print the proposal, its digest, how many must approve and until when, and `more`."""
    shown = authz_of(context).proposals.propose(acting(context), kind, content, reason=reason, basis=basis)
    told = {
        "proposal": shown.row.id,
        "digest": shown.row.digest,
        "needed": shown.needed,
        "expires": shown.fields()["expires"],
    }
    print_facts(told | more, as_json=as_json)
