"""The life of a record as an application declares it: states, the acts that lead from one to another, and clocks.

    LIFE = Life(
        name="leave",
        thing=Text("请假单", "leave request"),
        states={"asked": Text("待批", "asked for"), "granted": Text("已批准", "granted"), …},
        transitions=(
            Transition("leave.ask", Text("申请", "ask"), to="asked", starts=("answer",)),
            Transition("leave.grant", Text("批准", "grant"), ("asked",), "granted", signed=True),
            Transition("leave.refuse", Text("不批准", "refuse"), ("asked",), "refused", reason=True),
        ),
        clocks={"answer": Text("答复期限", "time to answer")},
    )

Who may do what stands in the policies, by the same verbs. A contradictory life is refused when it is declared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from yinxin.flow.errors import ReasonMissing, WrongState
from yinxin.module import Verb
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Transition:
    """An act's place in the life: from which states, and to which; `to` None leaves the state as it is.

    One without sources begins a record. `signed`: the person signs a statement with her own certificate. `reason`: it
    must say why. `starts` and `ends` name clocks; `stops` lets all that run stand still, `resumes` lets them go on,
    `extends` names the one that gets longer. `beside`: it changes what hangs on the record and not the record, so that nobody who
    acts on it at the same time has moved it for the others. `instead`: states that it may lead to as well; which one it is, the
    act finds out and writes into the record (the last of several who have to agree, say), and its `ends` count only then.
    """

    verb: str
    text: Text
    sources: tuple[str, ...] = ()
    to: str | None = None
    signed: bool = False
    reason: bool = False
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    stops: bool = False
    resumes: bool = False
    extends: str | None = None
    beside: bool = False
    instead: tuple[str, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether it has to do with time that is counted."""
        return bool(self.starts or self.stops or self.resumes or self.extends)

    def demand_reason(self, reason: str | None) -> None:
        """Raise ReasonMissing when it must say why and does not."""
        if self.reason and not (reason or "").strip():
            raise ReasonMissing(verb=self.text)


@dataclass(frozen=True, slots=True)
class Life:
    """The states of a record by name, in their order, its transitions and its clocks; `thing` is what people call it.

    `module` is whose verbs they are, when the life is not the only one of its module.
    """

    name: str
    thing: Text
    states: Mapping[str, Text]
    transitions: tuple[Transition, ...]
    clocks: Mapping[str, Text] = field(default_factory=dict)
    module: str = ""

    def __post_init__(self) -> None:
        """Refuse a life that nobody could live: unknown names, verbs twice, states that nothing leads to."""
        verbs = [each.verb for each in self.transitions]
        if strange := [verb for verb in verbs if not verb.startswith(f"{self.module or self.name}.")]:
            raise TypeError(f"{self.name}: {strange[0]} is a verb of somebody else's")
        if len(set(verbs)) != len(verbs):
            raise TypeError(f"{self.name}: a verb stands for two transitions")
        for each in self.transitions:
            named = {*each.sources, *([each.to] if each.to else []), *each.instead}
            if unknown := named - set(self.states):
                raise TypeError(f"{each.verb}: no state {min(unknown)}")
            clocks = {*each.starts, *each.ends, *([each.extends] if each.extends else [])}
            if unknown := clocks - set(self.clocks):
                raise TypeError(f"{each.verb}: no clock {min(unknown)}")
            if not each.sources and (each.to is None or each.stops or each.resumes or each.extends):
                raise TypeError(f"{each.verb}: what begins a record leads to a state, and stops no clock")
            if each.instead and each.to is None:
                raise TypeError(f"{each.verb}: what may lead elsewhere leads somewhere")
            if each.beside and (not each.sources or each.to is not None or each.timed or each.ends):
                raise TypeError(f"{each.verb}: what is done beside a record leads nowhere and turns no clock")
        if lost := set(self.states) - self._reached():
            raise TypeError(f"{self.name}: nothing leads to {min(lost)}")

    def _reached(self) -> set[str]:
        reached: set[str] = set()
        while (
            more := {
                state
                for each in self.transitions
                if each.to and (not each.sources or reached & set(each.sources))
                for state in (each.to, *each.instead)
            }
            - reached
        ):
            reached |= more
        return reached

    @property
    def read(self) -> str:
        """The act of reading a record, for the policies."""
        return self._own("read")

    @property
    def recount(self) -> str:
        """The act of counting deadlines again."""
        return self._own("recount-deadlines")

    def _own(self, verb: str) -> str:
        return f"{self.module}.{verb}-{self.name}" if self.module else f"{self.name}.{verb}"

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Everything that is recorded, for the module's registration."""
        more = [Verb(self.read, Text(f"查看{self.thing.zh}", f"read a {self.thing.en}"))]
        if self.clocks:
            more.append(Verb(self.recount, Text("重新计算期限", "count deadlines again")))
        return (*(Verb(each.verb, each.text) for each in self.transitions), *more)

    def transition(self, verb: str) -> Transition:
        """A transition by its verb; raises KeyError, for verbs come from code."""
        return next(each for each in self.transitions if each.verb == verb)

    def onward(self, state: str) -> tuple[Transition, ...]:
        """What fits a state, in the order of the declaration."""
        return tuple(each for each in self.transitions if state in each.sources)

    def ended(self, state: str) -> bool:
        """Whether nothing leads on from a state: no clock runs in it."""
        return not any(each.to not in (None, state) for each in self.onward(state))

    def in_turn(self, record: str, state: str, verb: str) -> Transition:
        """The transition; raises WrongState unless it leads on from `state`."""
        found = self.transition(verb)
        if state not in found.sources:
            raise WrongState(thing=self.thing, record=record, state=self.states[state], verb=found.text)
        return found
