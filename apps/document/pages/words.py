"""The words of the pages: states, levels, deliveries and verbs, and the colour of each tag."""

from collections.abc import Iterable
from datetime import datetime

from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.models import State
from apps.document.states import LIFE
from yinxin.authz import LEVELS
from yinxin.distribution import Copy, Role
from yinxin.distribution import State as CopyState
from yinxin.text import Text
from yinxin.web import reader_language

LEVEL_TEXT = {
    "public": Text("公开", "public"),
    "internal": Text("内部", "internal"),
    "confidential": Text("秘密", "confidential"),
    "secret": Text("机密", "secret"),
    "top-secret": Text("绝密", "top secret"),
}
URGENCY_TEXT = {
    "": Text("普通", "ordinary"),
    "加急": Text("加急", "urgent"),
    "特急": Text("特急", "extra urgent"),
}
FILE_TEXT = {
    "layout.pdf": Text("排版稿（未盖章）", "The page as laid out, unsealed"),
    "layout.ofd": Text("排版稿（未盖章，OFD）", "The page as laid out, unsealed (OFD)"),
    "sealed.pdf": Text("盖章的公文（PDF）", "The sealed document (PDF)"),
    "sealed.ofd": Text("盖章的公文（OFD，国密印章）", "The sealed document (OFD, SM2 seal)"),
    "sealed.sm.p7s": Text("国密印章签名（SM2）", "The SM2 seal"),
}
DIRECTION_TEXT = {
    Direction.DOWN: Text("下行", "to lower organs"),
    Direction.UP: Text("上行", "to a higher organ"),
    Direction.LEVEL: Text("平行", "to organs not above or below"),
    Direction.PUBLIC: Text("公布", "to the public"),
    Direction.CONGRESS: Text("提请人大", "to the People's Congress"),
    Direction.ANY: Text("各向", "any way"),
}
MEANING = {
    "document.revise": Text(
        "换一份正文或改主送机关，旧稿留存", "Hand in another text or other recipients; the old one is kept"
    ),
    "document.attach": Text(
        "附上文件，负责人签发时一并签名",
        "Add a file; whoever signs the document off signs it too",
    ),
    "document.submit": Text(
        "交给核稿人审核，此后不能再改", "Goes to the reviewer; it cannot be changed after that"
    ),
    "document.approve": Text(
        "确认内容和格式无误，送负责人签发", "You find it in order; it goes to the leader"
    ),
    "document.send-back": Text("写明理由，退给起草人修改", "Back to the drafter, with your reason"),
    "document.sign-off": Text(
        "用您自己的证书签名，对内容负责", "You answer for it with your own certificate"
    ),
    "document.number": Text(
        "取得本机关本年度下一个文号并排版，文号不可收回",
        "Takes the organ's next number of the year and sets the page; a number is never taken back",
    ),
    "document.begin-seal": Text(
        "用密码机中的机关印章盖章，盖章后任何改动都会被发现",
        "Puts the organ's seal on with the key in the HSM; any change after that shows",
    ),
    "document.dispatch": Text(
        "发给全部主送和抄送机关；签收前可以撤回",
        "Goes to every recipient; it can be withdrawn until it is signed for",
    ),
    "document.receive": Text(
        "用您自己的证书签收，签收时间不可抵赖",
        "You sign for it with your own certificate; the time cannot be denied",
    ),
    "document.return": Text("写明理由并签名退回发文机关", "Back to the issuing organ, with a signed reason"),
    "document.give-back": Text(
        "发文机关要求清退：签名交回，此后本机关不再持有",
        "The sender recalls it: you sign that it is given back, and your organ has it no longer",
    ),
    "document.redispatch": Text(
        "把已签收的公文发给下级机关，由它们向本机关签收", "To organs below yours, which sign for it to you"
    ),
    "document.urge": Text("提醒尚未签收的机关，记录在案", "Reminds those who have not signed, on the record"),
    "document.withdraw": Text(
        "收回尚未签收的各份，对方不再能看到", "Takes back what nobody has signed for; they no longer see it"
    ),
    "document.recall": Text(
        "要求已签收的机关交回涉密件", "Has those who signed for it give their copies back"
    ),
    "document.export": Text(
        "一个文件，任何人不联网即可核验全部经过",
        "One file with which anybody can check the whole story, offline",
    ),
}

Pairs = list[tuple[str, str]]


def kind(code: str) -> Text:
    """A kind of document in words."""
    facts = KINDS[Kind(code)]
    return Text(facts.zh, facts.en)


def kind_rules() -> list[tuple[Text, Text, bool, str]]:
    """Each kind, where it goes, whether it must name a recipient, and how its title ends."""
    return [
        (Text(each.zh, each.en), DIRECTION_TEXT[each.direction], each.addressed, "、".join(each.endings))
        for each in KINDS.values()
    ]


def state(code: str) -> Text:
    """A state in words."""
    return LIFE.states[code]


def tag(code: str) -> str:
    """The colour of a state's tag."""
    return {"draft": "neutral", "sealed": "done", "dispatched": "done"}.get(code, "waiting")


def copy_tag(copy: Copy, now: datetime) -> str:
    """The colour of a copy's tag."""
    if copy.overdue(now) or copy.state == CopyState.RETURNED:
        return "refused"
    if copy.state in (CopyState.WITHDRAWN, CopyState.GIVEN_BACK):
        return "neutral"
    return "done" if copy.state == CopyState.RECEIVED else "waiting"


def role(code: str) -> Text:
    """Main or copy recipient, in words."""
    return Role(code).text


def verb(name: str) -> Text:
    """An act in words."""
    return Text("用印", "seal") if name == "document.begin-seal" else LIFE.transition(name).text


def step(name: str) -> Text:
    """An act as the timeline tells it."""
    return LIFE.transition(name).text


def meaning(name: str) -> Text:
    """What an act does, for whoever is about to do it."""
    return MEANING[name]


def level(code: str) -> Text:
    """A level of secrecy in words."""
    return LEVEL_TEXT[code]


def urgency(code: str | None) -> Text:
    """An urgency in words."""
    return URGENCY_TEXT[code or ""]


def file(name: str) -> Text:
    """A file of a document in words."""
    return FILE_TEXT.get(name, Text(name, name))


def kinds() -> Pairs:
    """Kinds to choose from."""
    return _pairs((each.value, kind(each.value)) for each in Kind)


def states() -> Pairs:
    """States to filter by."""
    return _pairs((each.value, LIFE.states[each]) for each in State)


def levels() -> Pairs:
    """Levels to choose from."""
    return _pairs((each, LEVEL_TEXT[each]) for each in LEVELS)


def urgencies() -> Pairs:
    """Urgencies to choose from."""
    return _pairs(URGENCY_TEXT.items())


def _pairs(items: Iterable[tuple[str, Text]]) -> Pairs:
    language = reader_language()
    return [(value, text(language)) for value, text in items]
