"""What is refused of templates."""

from yinxin.errors import Conflict, NotFound


class NameInUse(Conflict):
    """The organ has a template of this name."""

    code = "document.template_name_in_use"
    zh = "本机关已有名为“{name}”的模板：请换一个名称，或修改原有模板。"
    en = "Your organ has a template named “{name}” already: choose another name, or change that one."


class NoSuchVersion(NotFound):
    """A version that there is not."""

    code = "document.no_such_version"
    zh = "没有第 {revision} 稿：请从版本列表中选择。"
    en = "There is no version {revision}: choose one of the list."
