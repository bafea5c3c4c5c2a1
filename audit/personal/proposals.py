"""Erasing personal data, and ordering it kept, is decided by several people (law 3)."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from audit.personal.erase import KIND, chosen, erase, permit
from audit.personal.errors import NothingToErase, PersonNotNamed
from audit.personal.models import HoldRow
from yinxin.clock import rfc3339
from yinxin.faults import BadValue
from yinxin.personal import FIELDS
from yinxin.proposal import Approved, Concerned, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Instant, Model

if TYPE_CHECKING:
    from typing import Self

    from audit.service import Log

Ground = Literal["purpose-ended", "period-over", "consent-withdrawn", "unlawful", "other"]
#: 个人信息保护法 第四十七条 第一款, its five numbers in order
GROUNDS: dict[str, Text] = {
    "purpose-ended": Text(
        "处理目的已实现、无法实现或者不再必要", "the purpose is fulfilled, cannot be or is needed no more"
    ),
    "period-over": Text(
        "停止提供服务或者保存期限已届满", "the service has ended or the period of keeping is over"
    ),
    "consent-withdrawn": Text("个人撤回同意", "the person has withdrawn consent"),
    "unlawful": Text("违反法律、行政法规或者约定处理", "it was processed against law or agreement"),
    "other": Text("法律、行政法规规定的其他情形", "another case that a law provides for"),
}
_DECIDERS = frozenset({"security-officer", "leader"})


class ErasureContent(Model):
    """Whose personal data is erased from the log, and on what ground."""

    person: str = Field(default="", max_length=200)
    """Whose: a person's stable identifier."""
    entries: list[str] = Field(default_factory=list, max_length=200)
    """Of these entries only, by identifier; needed where nobody is named. Without a person only what is recorded as nobody's can be chosen."""
    fields: list[str] = Field(default_factory=list, max_length=20)
    """These personal fields only."""
    until: Instant | None = None
    """Of entries before this time only."""
    ground: Ground
    """The case of 个人信息保护法 art. 47."""

    @model_validator(mode="after")
    def _about_somebody(self) -> "Self":
        if not self.person and not self.entries:
            raise BadValue(
                "请写明 person 或 entries：要删除谁的个人信息",
                "Give person or entries: whose data is to be erased",
            )
        unknown = sorted(set(self.fields) - FIELDS.keys())
        if unknown:
            known = ", ".join(FIELDS)
            raise BadValue(
                f"fields 中没有 {unknown[0]}：可用的有 {known}", f"fields: {unknown[0]} is none of {known}"
            )
        return self


class HoldContent(Model):
    """Whose personal data is kept whatever is asked, or is so no longer."""

    person: str = Field(default="", max_length=200)
    """A person's stable identifier; empty for everybody."""
    held: bool = True
    """Whether it is kept; false ends an earlier order."""


def _check(log: "Log", content: ErasureContent) -> None:
    """There is something to erase, and it may be."""
    with log.store.read() as session:
        permit(session, chosen(session, content), log.store.clock.now())


def _describe(log: "Log", content: ErasureContent) -> tuple[Text, ...]:
    try:
        with log.store.read() as session:
            fields = chosen(session, content)
    except NothingToErase:  # it may have been carried out: what it did stands with its outcome
        return (
            Text(
                "现在没有符合的个人信息：没有记录过，或已删除",
                "no such personal data is there now: none was recorded, or it was erased",
            ),
        )
    except PersonNotNamed as error:  # it cannot be carried out
        return (Text(error.text("zh"), error.text("en")),)
    names = sorted({each.name for each in fields})
    zh, en = "、".join(FIELDS[name].zh for name in names), ", ".join(FIELDS[name].en for name in names)
    archived = sum(each.archived for each in fields)
    ground = GROUNDS[content.ground]
    whose = Text(content.person or "不属于已知个人", content.person or "nobody known")
    return (
        Text(
            f"从审计日志中删除 {whose.zh} 的 {len(fields)} 项个人信息（{zh}），时间自 {rfc3339(fields[0].time)} 至 {rfc3339(fields[-1].time)}；其中 {archived} 项的记录已归档",
            f"erase {len(fields)} personal fields of {whose.en} from the log ({en}), of entries from {rfc3339(fields[0].time)} to {rfc3339(fields[-1].time)}; the entries of {archived} of them stand in archives",
        ),
        Text(f"情形：{ground.zh}", f"case: {ground.en}"),
        Text(
            "记录本身、其证明和检查点不变；删除不可恢复。备份中的内容随备份到期消失，已发出的摘录不受影响",
            "the entries, their proofs and the checkpoints stay as they are; what is erased cannot be brought back. Backups hold it until they expire, and extracts that were handed out are not reached",
        ),
    )


def _erase(log: "Log", approved: Approved[ErasureContent], session: Session) -> Outcome:
    return erase(session, approved, log.store.clock.now())


def _concerned(_log: "Log", content: ErasureContent) -> Concerned:
    return Concerned(people=frozenset({content.person} - {""}))


def _concerned_by_hold(_log: "Log", content: HoldContent) -> Concerned:
    """Whose data it is: she neither has it kept nor has an order about it ended. Everybody is nobody in particular."""
    return Concerned(people=frozenset({content.person} - {""}))


def _describe_hold(_log: "Log", content: HoldContent) -> tuple[Text, ...]:
    whose = Text(content.person or "所有人", content.person or "everybody")
    if content.held:
        return (
            Text(
                f"保全 {whose.zh} 在审计日志中的个人信息，期间不得删除",
                f"keep the personal data of {whose.en} in the log; none of it is erased meanwhile",
            ),
        )
    return (
        Text(
            f"解除对 {whose.zh} 个人信息的保全",
            f"end the order to keep the personal data of {whose.en}",
        ),
    )


def _hold(log: "Log", approved: Approved[HoldContent], session: Session) -> Outcome:
    content = approved.content
    session.add(
        HoldRow(
            proposal=approved.proposal,
            person=content.person,
            held=content.held,
            basis=approved.basis,
            since=log.store.clock.now(),
        )
    )
    session.flush()
    return {"person": content.person or "*", "held": content.held}


ERASE: ProposalKind["Log", Any] = ProposalKind(
    name=KIND,
    title=Text("删除审计日志中的个人信息", "erase personal data from the log"),
    content=ErasureContent,
    proposers=frozenset({"security-officer", "personnel-officer"}),
    approvers=_DECIDERS,
    check=_check,
    describe=_describe,
    concerned=_concerned,
    within=_erase,
    basis_required=True,
)
HOLD: ProposalKind["Log", Any] = ProposalKind(
    name="audit.hold",
    title=Text("保全个人信息或解除保全", "order personal data kept, or end such an order"),
    content=HoldContent,
    proposers=_DECIDERS,
    approvers=_DECIDERS,
    describe=_describe_hold,
    concerned=_concerned_by_hold,
    within=_hold,
    basis_required=True,
)
