"""Refusals that no module recorded: a signed-in caller's unsafe or forbidden request leaves an entry (law 1).

A stranger's malformed requests are not recorded here: anyone could fill the log with them. Failed sign-ins are the
authorization service's to record, with a limit on how often.
"""

from flask import request

from yinxin.errors import NotPermitted, YinxinError
from yinxin.web._kit import caller_so_far, kit
from yinxin.web.crosssite import SAFE

#: the verb in the log
REFUSED = "web.request"


def record_refusal(error: YinxinError) -> None:
    """Record `error` unless a module did, the platform itself failed, or nobody is signed in."""
    caller = caller_so_far()
    concerns = request.method not in SAFE or isinstance(error, NotPermitted)
    if error.entry is None and error.status < 500 and caller is not None and concerns:
        route = request.url_rule.rule if request.url_rule else "?"
        kit().store.refuse(caller.actor, REFUSED, f"route:{request.method} {route}", error)
