"""What is refused of manuscripts."""

from yinxin.errors import Conflict, Invalid, NotFound


class NoSuchManuscript(NotFound):
    """None of this person's."""

    code = "document.no_such_manuscript"
    zh = "没有您的文稿 {manuscript}：它可能已经保存为公文或已放弃；请从公文列表重新打开。"
    en = "You have no manuscript {manuscript}: it may have been saved or given up; open it again from the list of documents."


class ManuscriptMovedOn(Conflict):
    """The same manuscript was changed elsewhere since: in another window, or on another computer."""

    code = "document.manuscript_moved_on"
    zh = "这份文稿已在另一个窗口改动（第 {turn} 次改动）：两边的内容都还在，请比较后决定保留哪一份。"
    en = "This manuscript was changed in another window (change {turn}): both texts are still there; compare them and decide which to keep."


class TextMovedOn(Conflict):
    """A version was saved since the one that this text was made from."""

    code = "document.text_moved_on"
    zh = "您修改的是第 {base} 稿，而公文已有第 {newest} 稿：没有覆盖任何内容，请比较后再保存。"
    en = "Your text was made from version {base}, and there is version {newest} by now: nothing was overwritten; compare them, then save."


class PlaceholdersLeft(Invalid):
    """What the template left to be filled in stands there still."""

    code = "document.placeholders_left"
    zh = "模板中的待填项还没有填写：{names}。请填写后保存。"
    en = "What the template leaves to be filled in is still there: {names}. Fill it in, then save."


class TooManyManuscripts(Conflict):
    """As many as one person may have under way."""

    code = "document.too_many_manuscripts"
    zh = "您已有 {limit} 份未保存的文稿：请先保存或放弃其中一些。"
    en = "You have {limit} manuscripts under way; save some or give some up first."
