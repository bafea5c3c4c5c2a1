"""Where a message stands, in words."""

from collections.abc import Mapping

from exchange.models import Direction, State
from yinxin.text import Text

STATES: Mapping[State, Text] = {
    State.WAITING: Text("待回执", "waiting for a receipt"),
    State.RECEIVED: Text("已接收", "received"),
    State.REFUSED: Text("被拒收", "refused"),
    State.EARLY: Text("提前到达", "came early"),
    State.DELIVERED: Text("已交付应用", "delivered"),
    State.UNDELIVERABLE: Text("无法交付", "undeliverable"),
}


def standing(direction: str, state: str) -> Text:
    """Where a message stands: what has been received here is still to be delivered."""
    if (direction, state) == (Direction.IN, State.RECEIVED):
        return Text("待交付应用", "to be delivered")
    return STATES[State(state)]
