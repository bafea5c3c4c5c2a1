"""The life of an incoming document: registered, proposed, instructed, handled within a term, answered."""

from apps.document.intake.models import State
from yinxin.flow import Life, Transition
from yinxin.text import Text

HANDLING = "handling"
_OPEN = (State.REGISTERED, State.PROPOSED, State.INSTRUCTED, State.HANDLING)
_UNDECIDED = (State.REGISTERED, State.PROPOSED, State.INSTRUCTED)

LIFE = Life(
    name="intake",
    module="document",
    thing=Text("收文", "incoming document"),
    states={
        State.REGISTERED: Text("已登记", "registered"),
        State.PROPOSED: Text("待批示", "awaiting instruction"),
        State.INSTRUCTED: Text("已批示", "instructed"),
        State.HANDLING: Text("承办中", "being handled"),
        State.HANDLED: Text("已办结", "handled"),
        State.ANSWERED: Text("已答复", "answered"),
    },
    transitions=(
        Transition("document.register", Text("登记", "register"), to=State.REGISTERED),
        Transition(
            "document.propose",
            Text("拟办", "propose"),
            (State.REGISTERED, State.PROPOSED),
            State.PROPOSED,
            reason=True,
        ),
        Transition(
            "document.instruct",
            Text("批示", "instruct"),
            _UNDECIDED,
            State.INSTRUCTED,
            signed=True,
            reason=True,
        ),
        Transition("document.assign", Text("交办", "assign"), _OPEN, State.HANDLING, starts=(HANDLING,)),
        Transition(
            "document.contribute",
            Text("会办意见", "contribute"),
            (State.HANDLING,),
            reason=True,
            beside=True,
        ),
        Transition("document.hurry", Text("催办", "hurry"), (State.HANDLING,)),
        Transition(
            "document.extend-handling",
            Text("延期", "extend the time"),
            (State.HANDLING,),
            reason=True,
            extends=HANDLING,
        ),
        Transition(
            "document.finish",
            Text("办结", "finish"),
            (State.HANDLING,),
            State.HANDLED,
            reason=True,
            ends=(HANDLING,),
        ),
        Transition("document.close", Text("阅结", "close"), _UNDECIDED, State.HANDLED, reason=True),
        Transition("document.answer", Text("答复", "answer"), (State.HANDLED,), State.ANSWERED),
        Transition("document.circulate", Text("传阅", "circulate"), tuple(State), beside=True),
        Transition("document.mark-read", Text("已阅", "mark as read"), tuple(State), beside=True),
    ),
    clocks={HANDLING: Text("办理期限", "time to handle it")},
)
