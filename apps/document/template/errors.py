"""What is refused of templates."""

from yinxin.errors import Invalid, NotFound


class NameInUse(Invalid):
    """The organ has a template of this name."""

    code = "document.template_name_in_use"
    status = 409
    zh = "本机关已有名为“{name}”的模板：请换一个名称，或修改原有模板。"
    en = "Your organ has a template named “{name}” already: choose another name, or change that one."


class TemplateMovedOn(Invalid):
    """The template was changed since the version that this one was made from."""

    code = "document.template_moved_on"
    status = 409
    zh = "您修改的是模板的第 {base} 版，而现在已有第 {newest} 版：没有覆盖任何内容，请打开现行版比较后再改。"
    en = "You changed version {base} of the template, and there is version {newest} by now: nothing was overwritten; open that one, compare, and change it."


class NoSuchVersion(NotFound):
    """A version that there is not."""

    code = "document.no_such_version"
    zh = "没有第 {revision} 稿：请从版本列表中选择。"
    en = "There is no version {revision}: choose one of the list."
