"""How witnessing stands, over HTTP: for auditors, security officers and administrators."""

from flask import Blueprint

from audit.service import Log
from audit.witness import by_file
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model


class WitnessOut(Model):
    """One witness of one tree: the largest size it has cosigned, and when it said so last."""

    tree: str
    witness: str
    key: str
    url: str | None
    size: int | None
    at: str | None
    error: str | None


class WitnessedLogOut(Model):
    """A log that this site witnesses, and how far."""

    origin: str
    tree: str
    size: int
    stopped: bool


class WitnessingOut(Model):
    """Both ways: who witnesses this log, what they found, and whose logs this site witnesses.

    `witnessed`: by tree, how many entries the newest checkpoint with a quorum covers. `suspects`: proofs of forks of others.
    """

    signed: int
    witnessed: dict[str, int]
    witnesses: list[WitnessOut]
    contradictions: list[str]
    keys: dict[str, str]
    logs: list[WitnessedLogOut]
    suspects: int


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operation on `log`."""
    api = Api("audit_witnessing", "/api/audit/v1", Text("见证", "Witnesses"))

    @api.get("/witnesses", summary=Text("查看见证情况", "See how witnessing stands"), problems=(Denied,))
    def witnesses(caller: Caller) -> WitnessingOut:
        return WitnessingOut.model_validate(by_file.read_for(log, caller.actor))

    return (api.blueprint,)
