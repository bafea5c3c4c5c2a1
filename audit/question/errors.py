"""What keeping questions can fail by."""

from yinxin.errors import Conflict, Invalid, NotFound


class QuestionNotFound(NotFound):
    """No saved question of that identifier, or somebody else's that is not shared."""

    code = "audit.question_not_found"
    zh = "没有编号为 {question} 的查询，或者它属于他人且未共享；请从清单中选择。"
    en = "There is no question {question}, or it is somebody else's and not shared; choose from the list."


class QuestionNameTaken(Conflict):
    """The same auditor has a question of that name."""

    code = "audit.question_name_taken"
    zh = "您已有名为“{name}”的查询；请换一个名称，或先删除原有的。"
    en = "You have a question named “{name}” already; choose another name, or delete that one first."


class QuestionEmpty(Invalid):
    """A question without a single part asks for the whole log, and needs no keeping."""

    code = "audit.question_empty"
    zh = "没有填写任何条件；请至少填写一项再保存。"
    en = "Nothing was filled in; give at least one part before keeping the question."
