"""What extracts and erasures can be refused for."""

from yinxin.errors import Conflict, Invalid, NotFound


class UnknownPersonalField(Invalid):
    """A field to withhold that no record can have: what was meant would be opened."""

    code = "audit.unknown_personal_field"
    zh = "没有“{field}”这一项个人信息，没有生成摘录；可用的有 {known}。"
    en = "There is no personal field {field}, and no extract was made; use one of {known}."


class NothingToExtract(NotFound):
    """No entry matches."""

    code = "audit.nothing_to_extract"
    zh = "没有符合条件的记录，没有生成摘录；请放宽条件。"
    en = "No entry matches and no extract was made; loosen the conditions."


class ExtractTooLarge(Invalid):
    """More entries than one file takes."""

    code = "audit.extract_too_large"
    zh = "符合条件的记录超过一份摘录最多的 {most} 条；请缩短时间或加条件。"
    en = "More entries match than the {most} that one extract takes; ask for a shorter time or add a condition."


class NothingToErase(NotFound):
    """No value is there that an erasure would be about: none was recorded, or all were erased before."""

    code = "audit.nothing_to_erase"
    zh = "没有可删除的个人信息：没有记录过，或已删除；未作任何更改。请核对人员编号、记录编号、字段和时间。"
    en = "There is no personal data to erase: none was recorded, or it was erased before; nothing was changed. Check person, entries, fields and time."


class PersonNotNamed(Invalid):
    """What is chosen by entries alone is somebody's: who decides must see whose, and she must not be among them."""

    code = "audit.person_not_named"
    zh = "记录 {event} 的“{field}”是某个人的个人信息，未作任何更改；请用 person 写明是谁的，或用 entries 和 fields 只选不属于任何人的内容。"
    en = "In entry {event} the field {field} is the personal data of somebody, and nothing was changed; say with person whose data is to be erased, or choose with entries and fields only what is nobody's."


class ErasureTooLarge(Invalid):
    """More fields than one transaction erases."""

    code = "audit.erasure_too_large"
    zh = "一次最多删除 {most} 项个人信息；请限定较早的截止时间，分次提出。"
    en = (
        "One erasure takes {most} personal fields at most; give an earlier until, and propose the rest apart."
    )


class ErasureTooEarly(Conflict):
    """A field that a law or a rule says must be kept longer."""

    code = "audit.erasure_too_early"
    zh = "记录 {event}（{verb}，{time}）的保存期未满，须保存至 {until}，未作任何更改；请用 until 只删除较早的记录，或先变更保存期。"
    en = "Entry {event} ({verb}, {time}) must be kept until {until} and nothing was changed; erase only older entries with until, or change the period first."


class UnderHold(Conflict):
    """Somebody's data, or everybody's, is ordered to be kept."""

    code = "audit.under_hold"
    zh = "{person} 的个人信息已被保全（提案 {proposal}，涉及记录 {event}），不得删除，未作任何更改；请先依法解除保全。"
    en = "The personal data of {person} is ordered to be kept (proposal {proposal}; entry {event} among it) and nothing was changed; have the order ended first."
