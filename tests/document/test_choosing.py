"""What the page of a draft lets one choose from, and what it says of a period of secrecy that is none."""

from datetime import date
from typing import Any, Self

import pytest
from flask import Flask
from pydantic import ValidationError

from apps.document.pages import tree as trees
from apps.document.pages.secrecy import Secrecy, at_its_field
from apps.document.pages.tree import Tree, tree
from yinxin.client import Organ
from yinxin.grade import GradeTooLong
from yinxin.text import Text
from yinxin.web.errors import InvalidRequest

OWN = "office"


def organ(identifier: str, parent: str | None) -> Organ:
    name = {"zh": f"{identifier}政府", "en": f"government of {identifier}"}
    told = {"id": identifier, "parent": parent, "name": name, "short_name": identifier, "level": "county"}
    return Organ.model_validate(told | {"division": "990100", "uscc": None, "line": None, "status": "active"})


class Directory:
    """A province of so many cities with as many counties each."""

    def __init__(self, wide: int) -> None:
        self.wide = wide
        self.authz = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def organs(self) -> list[Organ]:
        cities = [organ(f"c{city}", OWN) for city in range(self.wide)]
        counties = [
            organ(f"c{city}-{it}", f"c{city}") for city in range(self.wide) for it in range(self.wide)
        ]
        return [organ(OWN, None), *cities, *counties]


class Caller:
    class actor:  # noqa: N801 - as the kit's caller has it
        organ = OWN


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a reader of the office is shown of a directory this wide, at this query."""
    monkeypatch.setattr(trees, "current_caller", Caller)
    monkeypatch.setattr(trees, "reader_language", lambda: "zh")

    def of(wide: int, query: str = "", **more: Any) -> Tree:
        monkeypatch.setattr(trees, "core", lambda: Directory(wide))
        with Flask("test").test_request_context(f"/documents/new?{query}"):
            return tree(**more)

    return of


def names(found: Tree) -> list[str]:
    return [each.id for each in found.rows]


def test_a_small_tree_is_shown_whole_and_a_large_one_by_branches(shown: Any) -> None:
    """Seen to fail when every branch of a large tree is open."""
    small = shown(3)
    assert len(small.rows) == 12
    assert [each.depth for each in small.rows[:3]] == [0, 1, 1]
    assert not any(each.below for each in small.rows)
    large = shown(40)
    assert len(large.rows) == 40
    assert {(each.below, each.open) for each in large.rows} == {(40, False)}
    branch = shown(40, "open=c7")
    assert len(branch.rows) == 80
    (opened,) = (each for each in branch.rows if each.open)
    assert (opened.id, opened.parent) == ("c7", OWN)
    assert names(branch)[8:10] == ["c7-0", "c7-1"]


def test_a_search_shows_the_first_and_says_how_many_there_are(shown: Any) -> None:
    found = shown(40, "find=C7")
    assert (names(found)[0], found.found, found.more) == ("c7", 41, 0)
    assert found.rows[1].within == "c7政府"
    many = shown(40, "find=government")
    assert (len(many.rows), many.found, many.more) == (100, 1640, 1540)
    assert shown(40, "find=nobody").found == 0


def test_what_is_chosen_is_there_wherever_it_stands(shown: Any) -> None:
    """Seen to fail when only what is shown anyway is kept."""
    found = shown(40, "find=c7", chosen=["c7-3", "c9-1", "c9-1", "gone"])
    assert [(each.id, each.within) for each in found.chosen] == [("c9-1", "c9政府")]
    below = shown(40, "open=c7", under="c7", without={"c7-3"})
    assert len(below.rows) == 39
    assert "c7-3" not in names(below)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": 5, "until": date(2030, 1, 1)}, "until"),
        ({"amount": 5, "condition": "验收后"}, "condition"),
        ({"until": date(2030, 1, 1), "condition": "验收后"}, "condition"),
    ],
)
def test_two_periods_are_refused_at_the_second(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Secrecy(**fields)
    assert [each["loc"] for each in caught.value.errors()] == [(field,)]


def test_a_period_that_is_too_long_is_said_where_it_stands() -> None:
    level = Text("机密", "secret")
    for fields, pointer in (({"amount": 300}, "/amount"), ({"until": date(2999, 1, 1)}, "/until")):
        with pytest.raises(InvalidRequest) as caught, at_its_field(Secrecy(**fields)):
            raise GradeTooLong(level=level, years=20)
        (fault,) = caught.value.faults
        assert (fault.pointer, "最长 20 年" in fault.text.zh) == (pointer, True)
