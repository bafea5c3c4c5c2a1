"""The one error tree.

Every refusal and failure of the platform is a subclass of `YinxinError`. A leaf states, once and for good: a stable
`code`, the HTTP `status`, the process `exit` status, whether trying again can help, and one sentence in Chinese and
in English that says what happened and what to do. An instance carries facts; the text is made only at the edge:

    class WrongPin(Unavailable):
        code = "kms.wrong_pin"
        zh = "令牌 {token} 的口令不对:请核对口令文件 {file},未再次尝试。"
        en = "Token {token} refused the PIN: check the PIN file {file}; it was not tried again."

    raise WrongPin(token="yinxin", file="secrets/hsm-pin")

A fact that is words, and not a name or a number, is a `Text`, so that no sentence mixes the languages.

The manual's table is generated from `registered()`; a clash of codes or a missing sentence fails at import.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Any, ClassVar

from yinxin.text import Language, Text

_registry: dict[str, type["YinxinError"]] = {}


class YinxinError(Exception):
    """Root of the tree; raise leaves only. Facts are keyword arguments named by the leaf's sentences."""

    code: ClassVar[str] = ""
    status: ClassVar[int] = 500
    exit: ClassVar[int] = 70
    retryable: ClassVar[bool] = False
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            return  # a branch
        for language, sentence in (("zh", cls.zh), ("en", cls.en)):
            if not sentence:
                raise TypeError(f"{cls.__qualname__} has no {language} sentence")
        if _fields(cls.zh) != _fields(cls.en):
            raise TypeError(f"{cls.__qualname__}: the two sentences name different facts")
        known = _registry.setdefault(cls.code, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"error code {cls.code} belongs to {known.__module__}.{known.__qualname__}")

    def __init__(self, **facts: Any) -> None:
        missing = _fields(self.zh) - set(facts)
        if missing:
            raise TypeError(f"{type(self).__qualname__} needs the facts {sorted(missing)}")
        super().__init__(self.code)
        self.facts: Mapping[str, Any] = facts
        #: identifier of the audit entry that recorded this refusal, once it is recorded
        self.entry: str | None = None

    def text(self, language: Language = "zh") -> str:
        """The sentence for a reader, with the facts filled in; words and errors among them speak the same language."""
        facts = {name: spoken(fact, language) for name, fact in self.facts.items()}
        return (self.zh if language == "zh" else self.en).format_map(facts)

    def __str__(self) -> str:
        return f"[{self.code}] {self.text('en')}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), dict(self.facts)))


def spoken(fact: Any, language: Language) -> Any:
    """A fact as it stands in a sentence of this language."""
    if isinstance(fact, Text):
        return fact(language)
    return fact.text(language) if isinstance(fact, YinxinError) else fact


def _rebuild(kind: type[YinxinError], facts: dict[str, Any]) -> YinxinError:
    return kind(**facts)


def _fields(sentence: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(sentence) if name}


def registered() -> Mapping[str, type[YinxinError]]:
    """Every leaf imported so far, by code."""
    return dict(sorted(_registry.items()))


# Branches: what a caller may want to catch. HTTP status by RFC 9110; exit status by sysexits(3).


class Invalid(YinxinError):
    """The input is wrong; the caller can correct it."""

    status = 422
    exit = 65


class NotFound(YinxinError):
    """What was asked for is not there, or not for this caller to know."""

    status = 404
    exit = 66


class Conflict(YinxinError):
    """The state has moved on; look again before trying again."""

    status = 409
    exit = 73


class NotAuthenticated(YinxinError):
    """Nobody, or nobody we can recognise, is asking."""

    status = 401
    exit = 77


class NotPermitted(YinxinError):
    """The asker is known and may not do this."""

    status = 403
    exit = 77


class Unavailable(YinxinError):
    """A part that the act needs does not answer; nothing was done."""

    status = 503
    exit = 75
    retryable = True


class Misconfigured(YinxinError):
    """The configuration or the installation is wrong; an operator must act."""

    status = 500
    exit = 78


class Untrue(YinxinError):
    """A signature, proof or object does not hold."""

    status = 422
    exit = 65


class InternalError(YinxinError):
    """A fault of the platform itself; the detail stays in the operator's log."""

    code = "internal"
    zh = "系统内部错误，未做任何更改；请把请求号 {request} 报给管理员。"
    en = "An internal error; nothing was changed. Report request {request} to the administrator."
