"""The legal life of a document: which verb leads from which states to which (Regulation 2012, chapters 5 to 7)."""

from apps.document.models import State
from yinxin.comment import Comments
from yinxin.distribution import Distribution
from yinxin.flow import Life, Transition
from yinxin.grade import Grades
from yinxin.text import Text

THING = Text("公文", "document")
#: the copies of dispatched documents, one for each recipient
COPIES = Distribution("document", THING)
GRADES = Grades("document")
COMMENTS = Comments("document")
#: the clock of those who countersign
COUNTERSIGN = "countersign"
_DONE = (State.SEALED, State.DISPATCHED)

LIFE = Life(
    name="document",
    thing=THING,
    states={
        State.DRAFT: Text("草稿", "draft"),
        State.IN_REVIEW: Text("核稿中", "in review"),
        State.COUNTERSIGNING: Text("会签中", "being countersigned"),
        State.REVIEWED: Text("待签发", "awaiting sign-off"),
        State.SIGNED_OFF: Text("已签发", "signed off"),
        State.NUMBERED: Text("已编号", "numbered"),
        State.SEALING: Text("用印中", "being sealed"),
        State.SEALED: Text("已用印", "sealed"),
        State.DISPATCHED: Text("已发出", "dispatched"),
    },
    transitions=(
        Transition("document.draft", Text("起草", "draft"), to=State.DRAFT),
        Transition("document.revise", Text("修改", "revise"), (State.DRAFT,)),
        Transition("document.attach", Text("添加附件", "attach a file"), (State.DRAFT,)),
        Transition("document.detach", Text("移除附件", "take a file off"), (State.DRAFT,)),
        Transition(
            "document.name-countersigners",
            Text("联署和会签机关", "name joint organs and countersigners"),
            (State.DRAFT,),
        ),
        Transition("document.submit", Text("送审", "submit for review"), (State.DRAFT,), State.IN_REVIEW),
        Transition("document.approve", Text("核稿通过", "approve"), (State.IN_REVIEW,), State.REVIEWED),
        Transition(
            "document.approve-joint",
            Text("核稿通过，送会签", "approve, for countersigning"),
            (State.IN_REVIEW,),
            State.COUNTERSIGNING,
            starts=(COUNTERSIGN,),
        ),
        *(
            Transition(
                verb,
                Text("会签", text),
                (State.COUNTERSIGNING,),
                State.COUNTERSIGNING,
                signed=True,
                instead=(State.REVIEWED,),
                ends=(COUNTERSIGN,),
            )
            for verb, text in (("document.countersign", "countersign"), ("document.concur", "consent to"))
        ),
        Transition(
            "document.refuse-countersign",
            Text("不同意会签", "refuse to countersign"),
            (State.COUNTERSIGNING,),
            State.DRAFT,
            reason=True,
            ends=(COUNTERSIGN,),
        ),
        Transition(
            "document.urge-countersign",
            Text("催办会签", "urge the countersigners"),
            (State.COUNTERSIGNING,),
            beside=True,
        ),
        Transition(
            "document.send-back",
            Text("退回修改", "send back"),
            (State.IN_REVIEW, State.COUNTERSIGNING, State.REVIEWED),
            State.DRAFT,
            reason=True,
            ends=(COUNTERSIGN,),
        ),
        Transition(
            "document.sign-off", Text("签发", "sign off"), (State.REVIEWED,), State.SIGNED_OFF, signed=True
        ),
        Transition("document.put-name-seal", Text("加盖签名章", "put the name seal on"), (State.SIGNED_OFF,)),
        Transition(
            "document.number", Text("编号排版", "number and lay out"), (State.SIGNED_OFF,), State.NUMBERED
        ),
        Transition(
            "document.begin-seal",
            Text("开始用印", "begin sealing"),
            (State.NUMBERED, State.SEALING),
            State.SEALING,
        ),
        # after a joint organ's seal it waits for the next: the issuing organ's is the last
        Transition(
            "document.seal",
            Text("用印", "seal"),
            (State.SEALING,),
            State.SEALED,
            instead=(State.NUMBERED,),
        ),
        Transition("document.dispatch", Text("发文", "dispatch"), (State.SEALED,), State.DISPATCHED),
        *COPIES.transitions((State.DISPATCHED,)),
        Transition("document.comment", Text("发表意见", "give an opinion"), tuple(State), beside=True),
        Transition("document.regrade", Text("变更密级", "regrade"), _DONE, signed=True, reason=True),
        Transition(
            "document.extend-secrecy",
            Text("延长保密期限", "extend the period of secrecy"),
            _DONE,
            signed=True,
            reason=True,
        ),
        Transition("document.declassify", Text("解密", "declassify"), _DONE, signed=True, reason=True),
        Transition("document.print", Text("打印编号件", "print a numbered copy"), _DONE, beside=True),
        Transition(
            "document.take-back-copy", Text("收回纸质件", "take a paper copy back"), _DONE, beside=True
        ),
        Transition(
            "document.destroy-copy",
            Text("销毁纸质件", "destroy a paper copy"),
            _DONE,
            reason=True,
            beside=True,
        ),
        Transition(
            "document.witness-destruction",
            Text("监销确认", "witness the destruction of a copy"),
            _DONE,
            beside=True,
        ),
        Transition(
            "document.export",
            Text("导出证据", "export evidence"),
            (State.SEALED, State.DISPATCHED),
            beside=True,
        ),
    ),
    clocks={COUNTERSIGN: Text("会签期限", "time to countersign")},
)
#: what the platform itself does when the period of secrecy is over
LAPSE = "document.lapse"
