"""The words of the pages: states, levels, copies and verbs, and the colour of each tag."""

from collections.abc import Iterable
from datetime import datetime

from apps.document.intake.states import LIFE as INTAKE_LIFE
from apps.document.joint.standing import Standing
from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.models import State
from apps.document.numbered.models import Medium
from apps.document.numbered.models import State as NumberedState
from apps.document.states import LIFE
from yinxin.authz import LEVEL_TEXT, LEVELS, Level
from yinxin.deadline import Unit
from yinxin.distribution import Copy, Role
from yinxin.distribution import State as CopyState
from yinxin.flow import ClockState
from yinxin.grade import CLASSIFIED, GradeRow, read
from yinxin.grade import Unit as LengthUnit
from yinxin.text import Text
from yinxin.web import reader_language

URGENCY_TEXT = {
    "": Text("普通", "ordinary"),
    "加急": Text("加急", "urgent"),
    "特急": Text("特急", "extra urgent"),
}
FILE_TEXT = {
    "name-seal.esl": Text("签名章（制章者签名的数据）", "The name seal, as its maker signed it"),
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
    "document.approve-joint": Text(
        "确认内容和格式无误，送各联署、会签机关会签",
        "You find it in order; it goes to the organs that countersign",
    ),
    "document.name-countersigners": Text(
        "与同级机关联合行文，或请其他机关会签",
        "Issue it jointly with organs of your level, or have others countersign",
    ),
    "document.countersign": Text(
        "用您自己的证书签名，本机关联署发文并盖章",
        "With your own certificate: your organ issues it too, and seals it",
    ),
    "document.concur": Text(
        "用您自己的证书签名，表示本机关同意；不联署、不盖章",
        "With your own certificate: your organ consents; it neither issues nor seals it",
    ),
    "document.refuse-countersign": Text("写明理由，退给起草人修改", "Back to the drafter, with your reason"),
    "document.urge-countersign": Text(
        "提醒尚未会签的机关，记录在案", "Reminds those who have not countersigned, on the record"
    ),
    "document.print": Text(
        "取得下一个份号并登记，打印件每页印有份号、持有机关和打印人",
        "Takes the next copy number and registers it; the print bears number, holder and who printed it on every page",
    ),
    "document.send-back": Text("写明理由，退给起草人修改", "Back to the drafter, with your reason"),
    "document.sign-off": Text(
        "用您自己的证书签名，对内容负责", "You answer for it with your own certificate"
    ),
    "document.put-name-seal": Text(
        "用您自己的签名章代替红色姓名；没有签名章的不必办理",
        "Your own name seal in the place of your name in red; without one there is nothing to do",
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

INTAKE_MEANING = {
    "document.propose": Text(
        "写明建议怎么办、由谁办，送负责人批示", "What should be done, and by whom; it goes to the leader"
    ),
    "document.instruct": Text(
        "看全文后写批示，用您自己的证书签名",
        "Read it, write your instruction, sign it with your own certificate",
    ),
    "document.assign": Text(
        "交给主办和会办岗位，开始计算期限", "To a main handler and joint ones; the time begins"
    ),
    "document.contribute": Text("作为会办岗位写明意见", "Your part as a joint handler"),
    "document.hurry": Text("提醒主办岗位，记录在案", "Reminds the handler, on the record"),
    "document.extend-handling": Text("期限届满前延长，须写明理由", "Before the time is over, with a reason"),
    "document.finish": Text("写明办理结果，停止计时", "What came of it; the clock stops"),
    "document.close": Text("只需知晓，不需办理", "It wants to be known, and nothing more"),
    "document.answer": Text("指明答复来文机关的公文", "Name the document that answers the sender"),
    "document.circulate": Text(
        "请各岗位阅读，未阅的会一直列着", "For posts to read; who has not is listed until she has"
    ),
    "document.mark-read": Text("记录您已经读过", "Notes that you have read it"),
}
TEXT_OF = {
    "document.propose": Text("拟办意见", "Proposal"),
    "document.contribute": Text("会办意见", "Your part"),
    "document.finish": Text("办理结果", "Result"),
    "document.close": Text("说明", "Why"),
    "document.extend-handling": Text("理由", "Reason"),
}
BOOK = {
    "open": Text("未签收", "not signed for"),
    "overdue": Text("逾期未签收", "overdue"),
    "received": Text("已签收", "signed for"),
    "returned": Text("已退文", "returned"),
    "withdrawn": Text("已撤回或清退", "withdrawn or given back"),
    "all": Text("全部", "all"),
}
#: how much of a term is little
_SOON = {Unit.WORKING_DAYS: 1, Unit.DAYS: 1, Unit.HOURS: 4}

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
    if copy.overdue(now) or copy.state in (CopyState.RETURNED, CopyState.REFUSED):
        return "refused"
    if copy.state in (CopyState.WITHDRAWN, CopyState.GIVEN_BACK):
        return "neutral"
    return "done" if copy.state == CopyState.RECEIVED else "waiting"


def countersigner_tag(each: Standing, now: datetime) -> str:
    """The colour of what an organ that countersigns has come to."""
    if each.state == "void" or each.late(now):
        return "refused"
    return {"signed": "done", "sealed": "done", "asked": "waiting"}.get(each.state, "neutral")


def medium(code: str) -> Text:
    """In the system or on paper, in words."""
    return Medium(code).text


def numbered_state(code: str) -> Text:
    """What became of a numbered copy, in words."""
    return NumberedState(code).text


def numbered_tag(code: str) -> str:
    """The colour of that."""
    return {"held": "done", "destroying": "waiting"}.get(code, "neutral")


def role(code: str) -> Text:
    """Main or copy recipient, in words."""
    return Role(code).text


def verb(name: str) -> Text:
    """An act in words."""
    if name == "document.instruct":
        return INTAKE_LIFE.transition(name).text
    return Text("用印", "seal") if name == "document.begin-seal" else LIFE.transition(name).text


def step(name: str) -> Text:
    """An act as the timeline tells it."""
    return LIFE.transition(name).text


def intake_state(code: str) -> Text:
    """How far an organ has come, in words."""
    return INTAKE_LIFE.states[code]


def intake_tag(code: str) -> str:
    """The colour of that."""
    return "done" if code in ("handled", "answered") else "waiting"


def intake_verb(name: str) -> Text:
    """An act on an incoming document in words."""
    return INTAKE_LIFE.transition(name).text


def intake_meaning(name: str) -> Text:
    """What such an act does, for whoever is about to do it."""
    return INTAKE_MEANING[name]


def intake_text(name: str) -> Text:
    """What the text of such an act is called."""
    return TEXT_OF.get(name, Text("说明", "Remark"))


def runs(clock: ClockState | None) -> bool:
    """Whether there is a clock, and it runs."""
    return clock is not None and clock.ended_at is None and clock.left is not None


def clock(clock: ClockState) -> Text:
    """How much time there is, in words."""
    left, unit = clock.left or 0, clock.period.term.unit.text
    if left < 0:
        return Text(f"超期 {-left} {unit.zh}", f"{-left} {unit.en} overdue")
    return Text(f"还剩 {left} {unit.zh}", f"{left} {unit.en} left")


def clock_tag(clock: ClockState) -> str:
    """Red when it is over, yellow shortly before, so that nobody has to count."""
    left = clock.left or 0
    if left < 0:
        return "refused"
    return "waiting" if left <= _SOON[clock.period.term.unit] else "neutral"


def units() -> Pairs:
    """Units of a term to choose from."""
    return _pairs((each.value, each.text) for each in (Unit.WORKING_DAYS, Unit.DAYS, Unit.HOURS))


def book() -> Pairs:
    """What the book of sent copies can be narrowed to."""
    return _pairs(BOOK.items())


def meaning(name: str) -> Text:
    """What an act does, for whoever is about to do it."""
    return MEANING[name]


def mark(row: GradeRow) -> str:
    """The mark of a classified document, as it is printed."""
    return read(row).mark


def level(code: Level) -> Text:
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


def secrets() -> Pairs:
    """Levels that are state secrets."""
    return _pairs((each, LEVEL_TEXT[each]) for each in CLASSIFIED)


def secret_units() -> Pairs:
    """What the length of a period of secrecy is counted in."""
    return _pairs((each.value, Text(each.text.zh, each.text.en.strip())) for each in LengthUnit)


def urgencies() -> Pairs:
    """Urgencies to choose from."""
    return _pairs(URGENCY_TEXT.items())


def _pairs(items: Iterable[tuple[str, Text]]) -> Pairs:
    language = reader_language()
    return [(value, text(language)) for value, text in items]
