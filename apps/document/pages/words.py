"""The words of the pages: states, levels, deliveries and verbs, and the colour of each tag."""

from collections.abc import Iterable

from apps.document.layout.kinds import KINDS, Kind
from apps.document.models import DeliveryState, State
from apps.document.states import STATE_TEXT, TRANSITIONS
from yinxin.authz import LEVELS
from yinxin.errors import Language
from yinxin.text import Text
from yinxin.web import reader_language

LEVEL_TEXT = {
    "public": Text("公开", "public"),
    "internal": Text("内部", "internal"),
    "confidential": Text("秘密", "confidential"),
    "secret": Text("机密", "secret"),
    "top-secret": Text("绝密", "top secret"),
}
DELIVERY_TEXT = {
    DeliveryState.SENT: Text("待签收", "waiting"),
    DeliveryState.RECEIVED: Text("已签收", "signed for"),
    DeliveryState.RETURNED: Text("已退回", "returned"),
}
URGENCY_TEXT = {"": Text("普通", "ordinary"), "加急": Text("加急", "urgent"), "特急": Text("特急", "extra urgent")}
FILE_TEXT = {
    "layout.pdf": Text("排版稿(未盖章)", "the page as laid out, unsealed"),
    "sealed.pdf": Text("盖章的公文", "the sealed document"),
    "sealed.sm.p7s": Text("国密印章签名", "the SM2 seal"),
}

Pairs = list[tuple[str, str]]


def kind(code: str) -> Text:
    """A kind of document in words."""
    facts = KINDS[Kind(code)]
    return Text(facts.zh, facts.en)


def state(code: str) -> Text:
    """A state in words."""
    return STATE_TEXT[State(code)]


def tag(code: str) -> str:
    """The colour of a state's tag."""
    return {"draft": "neutral", "sealed": "done", "dispatched": "done"}.get(code, "waiting")


def delivery(code: str) -> Text:
    """What became of a copy, in words."""
    return DELIVERY_TEXT[DeliveryState(code)]


def delivery_tag(code: str) -> str:
    """The colour of a copy's tag."""
    return {"received": "done", "returned": "refused"}.get(code, "waiting")


def verb(name: str) -> Text:
    """An act in words."""
    return TRANSITIONS[name].text


def kinds() -> Pairs:
    """Kinds to choose from."""
    return _pairs((each.value, kind(each.value)) for each in Kind)


def states() -> Pairs:
    """States to filter by."""
    return _pairs((each.value, STATE_TEXT[each]) for each in State)


def levels() -> Pairs:
    """Levels to choose from."""
    return _pairs((each, LEVEL_TEXT[each]) for each in LEVELS)


def urgencies() -> Pairs:
    """Urgencies to choose from."""
    return _pairs(URGENCY_TEXT.items())


def _pairs(items: Iterable[tuple[str, Text]]) -> Pairs:
    language: Language = reader_language()
    return [(value, text(language)) for value, text in items]
