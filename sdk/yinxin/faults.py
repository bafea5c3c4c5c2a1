"""What is wrong with a value, in both languages, for every kind of fault that pydantic can find.

The stable code is pydantic's own error type. A validator of ours raises `BadValue`, which brings its two sentences.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from yinxin.text import Text


class BadValue(ValueError):
    """Raised by a field validator: what is wrong and how to put it right, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def first_fault(error: ValidationError) -> tuple[tuple[int | str, ...], Text]:
    """Where the first thing is wrong, and what: for files that people correct one thing at a time."""
    detail = error.errors(include_url=False, include_input=False)[0]
    return detail["loc"], sentence(detail)


def sentence(detail: Mapping[str, Any]) -> Text:
    """The two sentences for one entry of `ValidationError.errors()`."""
    context = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, BadValue):
        return cause.text
    template = SENTENCES.get(detail["type"], "取值无效")
    return Text(template.format_map(_Known(context)), detail["msg"])


class _Known(dict[str, Any]):
    """A context that lacks a name shows the name, so that no fault can fail to be told."""

    def __missing__(self, key: str) -> str:
        return f"〈{key}〉"


_DATE = "日期须写成 2026-11-22 的形式（{error}）"
_TIME = "时间须写成 09:30:00 的形式（{error}）"
_INSTANT = "时间须写成 2026-11-22T09:30:00+08:00 的形式（{error}）"
_INTERNAL = "此处的值无法使用"

#: Chinese sentence by pydantic error type; the English one is pydantic's own message
SENTENCES: dict[str, str] = {
    "no_such_attribute": "没有 {attribute} 这一属性",
    "json_invalid": "不是有效的 JSON：{error}",
    "json_type": "此处须是 JSON 文本",
    "needs_python_object": _INTERNAL,
    "recursion_loop": "内容嵌套成环",
    "recursion_depth_exceeded": "内容嵌套过深",
    "missing": "缺少此项",
    "frozen_field": "此项不可更改",
    "frozen_instance": "此对象不可更改",
    "extra_forbidden": "没有这一项，请核对名称",
    "invalid_key": "键必须是文本",
    "get_attribute_error": "读取属性失败：{error}",
    "model_type": "此处须是对象",
    "model_attributes_type": "此处须是对象",
    "dataclass_type": "此处须是对象",
    "dataclass_exact_type": "此处须是 {class_name}",
    "named_tuple_type": "此处须是列表或对象",
    "default_factory_not_called": "因其他项有误，无法取得默认值",
    "none_required": "此处须为空",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "multiple_of": "须是 {multiple_of} 的倍数",
    "finite_number": "须是有限的数",
    "too_short": "至少要有 {min_length} 项，现有 {actual_length} 项",
    "too_long": "至多 {max_length} 项，现有 {actual_length} 项",
    "iterable_type": "此处须是列表",
    "iteration_error": "列表无法读取：{error}",
    "string_type": "此处须是文本",
    "string_unicode": "文本不是有效的 Unicode",
    "string_too_short": "至少要有 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "文本的形式不符（{pattern}）",
    "string_not_ascii": "只能用 ASCII 字符",
    "enum": "须是 {expected} 之一",
    "dict_type": "此处须是对象",
    "frozen_dict_type": "此处须是对象",
    "ordered_dict_type": "此处须是对象",
    "counter_type": "此处须是计数对象",
    "mapping_type": "此处须是对象（{error}）",
    "list_type": "此处须是列表",
    "deque_type": "此处须是列表",
    "tuple_type": "此处须是列表",
    "set_type": "此处须是列表",
    "set_item_not_hashable": "列表中的项不可比较",
    "bool_type": "须是 true 或 false",
    "bool_parsing": "须是 true 或 false",
    "int_type": "须是整数",
    "int_parsing": "须是整数",
    "int_parsing_size": "整数过大",
    "int_from_float": "须是整数，不能带小数",
    "float_type": "须是数",
    "float_parsing": "须是数",
    "bytes_type": "须是字节数据",
    "bytes_too_short": "至少要有 {min_length} 字节",
    "bytes_too_long": "至多 {max_length} 字节",
    "bytes_invalid_encoding": "不是有效的 {encoding} 编码：{encoding_error}",
    "value_error": "取值无效：{error}",
    "assertion_error": "取值不符合要求：{error}",
    "literal_error": "须是 {expected} 之一",
    "missing_sentinel_error": "此项不可填写",
    "ellipsis_error": _INTERNAL,
    "date_type": "须是日期，如 2026-11-22",
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": "须是日期，不能带时刻",
    "date_past": "须是过去的日期",
    "date_future": "须是将来的日期",
    "time_type": "须是时间，如 09:30:00",
    "time_parsing": _TIME,
    "datetime_type": "须是时间，如 2026-11-22T09:30:00+08:00",
    "datetime_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_past": "须是过去的时间",
    "datetime_future": "须是将来的时间",
    "timezone_naive": "时间不能带时区",
    "timezone_aware": "时间必须带时区，如 +08:00",
    "timezone_offset": "时区偏移须是 {tz_expected} 秒，现为 {tz_actual} 秒",
    "time_delta_type": "须是时长，如 P3DT4H",
    "time_delta_parsing": "时长须写成 P3DT4H 的形式（{error}）",
    "frozen_set_type": "此处须是列表",
    "is_instance_of": "须是 {class}",
    "is_subclass_of": "须是 {class} 的子类",
    "callable_type": _INTERNAL,
    "union_tag_invalid": "类别 {tag} 无效，须是 {expected_tags} 之一",
    "union_tag_not_found": "缺少类别 {discriminator}",
    "arguments_type": _INTERNAL,
    "missing_argument": "缺少参数",
    "unexpected_keyword_argument": "多余的参数",
    "missing_keyword_only_argument": "缺少参数",
    "unexpected_positional_argument": "多余的参数",
    "missing_positional_only_argument": "缺少参数",
    "multiple_argument_values": "参数重复",
    "url_type": "须是网址",
    "url_parsing": "不是有效的网址：{error}",
    "url_syntax_violation": "网址不合语法：{error}",
    "url_too_long": "网址至多 {max_length} 个字符",
    "url_scheme": "网址须以 {expected_schemes} 开头",
    "uuid_type": "须是 UUID",
    "uuid_parsing": "不是有效的 UUID：{error}",
    "uuid_version": "须是第 {expected_version} 版 UUID",
    "decimal_type": "须是十进制数",
    "decimal_parsing": "须是十进制数",
    "decimal_max_digits": "总位数至多 {max_digits} 位",
    "decimal_max_places": "小数至多 {decimal_places} 位",
    "decimal_whole_digits": "整数部分至多 {whole_digits} 位",
    "fraction_type": "须是分数",
    "fraction_parsing": "不是有效的分数",
    "complex_type": "须是复数",
    "complex_str_parsing": "不是有效的复数",
}
