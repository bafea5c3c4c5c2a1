"""The legal life of a document: which verb leads from which states to which."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.document.models import State
from yinxin.module import Verb
from yinxin.text import Text


@dataclass(frozen=True, slots=True)
class Transition:
    """A verb's place in the life; `to` None leaves the state as it is."""

    text: Text
    sources: frozenset[State]
    to: State | None


def _t(zh: str, en: str, sources: tuple[State, ...], to: State | None) -> Transition:
    return Transition(Text(zh, en), frozenset(sources), to)


TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {
        "document.draft": _t("起草", "draft", (), State.DRAFT),
        "document.revise": _t("修改", "revise", (State.DRAFT,), None),
        "document.submit": _t("送审", "submit for review", (State.DRAFT,), State.IN_REVIEW),
        "document.approve": _t("核稿通过", "approve", (State.IN_REVIEW,), State.REVIEWED),
        "document.send-back": _t("退回修改", "send back", (State.IN_REVIEW, State.REVIEWED), State.DRAFT),
        "document.sign-off": _t("签发", "sign off", (State.REVIEWED,), State.SIGNED_OFF),
        "document.number": _t("编号排版", "number and lay out", (State.SIGNED_OFF,), State.NUMBERED),
        "document.begin-seal": _t(
            "开始用印", "begin sealing", (State.NUMBERED, State.SEALING), State.SEALING
        ),
        "document.seal": _t("用印", "seal", (State.SEALING,), State.SEALED),
        "document.dispatch": _t("发文", "dispatch", (State.SEALED,), State.DISPATCHED),
        "document.receive": _t("签收", "sign for", (State.DISPATCHED,), None),
        "document.return": _t("退文", "return", (State.DISPATCHED,), None),
        "document.export": _t("导出证据", "export evidence", (State.SEALED, State.DISPATCHED), None),
    }
)

VERBS = (
    *(Verb(name, transition.text) for name, transition in TRANSITIONS.items()),
    Verb("document.read", Text("查看公文", "read a document")),
)

STATE_TEXT: Mapping[State, Text] = MappingProxyType(
    {
        State.DRAFT: Text("草稿", "draft"),
        State.IN_REVIEW: Text("核稿中", "in review"),
        State.REVIEWED: Text("待签发", "awaiting sign-off"),
        State.SIGNED_OFF: Text("已签发", "signed off"),
        State.NUMBERED: Text("已编号", "numbered"),
        State.SEALING: Text("用印中", "being sealed"),
        State.SEALED: Text("已用印", "sealed"),
        State.DISPATCHED: Text("已发出", "dispatched"),
    }
)
