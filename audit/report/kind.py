"""What a kind of report is: which entries it rests on, what is shown of each, and what the platform has no source for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from audit.entries import Filters
from yinxin.text import Text

About = Literal["", "person", "object"]


@dataclass(frozen=True, slots=True)
class Source:
    """Acts that a report needs: `prefix` is a verb or a module with a dot, `missing` what is said while nobody records any."""

    prefix: str
    missing: Text


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report. It rests on the entries of any of `questions`, and of proposals of the kinds `proposals`.

    `facts` are shown in columns of their own; `counted` are fields by which entries are counted; `about` says whether it is
    about one person or thing; `people` whether only acts of people count; `controls` whether it is the map of controls, `whole` whether the whole log is checked;
    `added` whether modules contribute tables (`Module.reports`), of which one at least is needed.
    """

    name: str
    title: Text
    purpose: Text
    questions: tuple[Filters, ...] = ()
    proposals: frozenset[str] = frozenset()
    facts: tuple[tuple[str, Text], ...] = ()
    counted: tuple[str, ...] = ("verb",)
    sources: tuple[Source, ...] = ()
    about: About = ""
    people: bool = False
    controls: bool = False
    whole: bool = False
    added: bool = False

    def asked(self, about: str | None) -> tuple[Filters, ...]:
        """The questions, about this person or thing."""
        if self.about == "person":
            return (Filters(person=about),)
        return (Filters(object=about),) if self.about == "object" else self.questions


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name in files, and in words."""

    name: str
    text: Text


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report; its rows are text, in the order of the columns."""

    name: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


def verbs(*names: str) -> tuple[Filters, ...]:
    """One question for each act."""
    return tuple(Filters(verb=name) for name in names)


#: what counted fields are called
COUNTED: Mapping[str, Text] = {
    "verb": Text("按操作", "by act"),
    "outcome": Text("按结果", "by outcome"),
    "actor": Text("按操作者", "by who acted"),
    "organ": Text("按机关", "by organ"),
    "error": Text("按拒绝原因", "by reason of refusal"),
    "kind": Text("按对象种类", "by kind of object"),
    "profile": Text("按证书模板", "by profile"),
    "authority": Text("按签发机构", "by authority"),
    "algorithm": Text("按算法", "by algorithm"),
    "purpose": Text("按用途", "by purpose"),
}
