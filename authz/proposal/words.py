"""The words for where a proposal stands."""

from collections.abc import Mapping

from authz.proposal.models import State
from yinxin.text import Text

STATES: Mapping[State, Text] = {
    State.OPEN: Text("待批准", "waiting for approval"),
    State.APPROVED: Text("已批准待执行", "approved and not carried out yet"),
    State.EXECUTING: Text("执行中", "being carried out"),
    State.EXECUTED: Text("已执行", "carried out"),
    State.FAILED: Text("执行失败", "failed"),
    State.REFUSED: Text("已否决", "refused"),
    State.WITHDRAWN: Text("已撤回", "withdrawn"),
    State.EXPIRED: Text("已过期", "expired"),
}
