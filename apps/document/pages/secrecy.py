"""The period of secrecy and its basis as the page of a draft asks for them: of secrets alone, and one of a length, a day and a condition."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from apps.document import grading
from apps.document.desk import Desk
from yinxin.authz import Level
from yinxin.faults import BadValue
from yinxin.grade import CLASSIFIED, Grade, GradeRow, GradeTooLong, Secret, Unit, read
from yinxin.text import Text
from yinxin.web.errors import Fault, InvalidRequest
from yinxin.wire import Model

_ONE = (
    "保密期限只填一项：期限长短、解密日期或解密条件",
    "Give one of length, day and condition, not several",
)
_OF_SECRETS = Text(
    "已填写保密期限或定密依据，密级须选秘密、机密或绝密；不涉密的请清空这些内容",
    "A period or basis of secrecy is given: choose a classified level, or clear them if it is not classified",
)


class Secrecy(Model):
    """The fields; all of them left empty is the longest period that the level allows."""

    amount: int | None = Field(default=None, ge=1, le=1000)
    unit: Literal["years", "months", "days"] = "years"
    until: date | None = None
    condition: str = Field(default="", max_length=100)
    basis: str = Field(default="", max_length=400)

    @field_validator("until", "condition")
    @classmethod
    def _one(cls, value: date | str | None, info: ValidationInfo) -> date | str | None:
        before = [info.data.get(name) for name in ("amount", "until") if name != info.field_name]
        if value and any(before):
            raise BadValue(*_ONE)
        return value

    def grade(self, level: Secret) -> Grade:
        """The grade that the fields say."""
        return Grade(
            level,
            amount=self.amount,
            unit=Unit(self.unit),
            until=self.until,
            condition=self.condition.strip() or None,
            basis=self.basis.strip(),
        )


def grade_of(desk: Desk, level: Level, body: Secrecy) -> Grade | None:
    """The grade that the form says; None where it says nothing. Raises InvalidRequest at the level of what is no secret."""
    period = body.amount is not None or body.until is not None or bool(body.condition.strip())
    if not period and not body.basis.strip():
        return None
    if level not in CLASSIFIED:
        raise InvalidRequest(faults=(Fault("form", "/level", "not_classified", _OF_SECRETS),))
    if not period:
        return grading.longest(desk, level, body.basis.strip())
    return body.grade(level)


@contextmanager
def at_its_field(body: Secrecy) -> Iterator[None]:
    """A period that is too long is said at the field that it stands in."""
    try:
        yield
    except GradeTooLong as error:
        field = "/until" if body.until is not None else "/amount"
        fault = Fault("form", field, error.code, Text(error.text("zh"), error.text("en")))
        raise InvalidRequest(faults=(fault,)) from error


def as_filled(row: GradeRow | None) -> dict[str, object]:
    """What the fields say of a grade in force."""
    if row is None:
        return {}
    grade = read(row)
    return {
        "amount": grade.amount or "",
        "unit": grade.unit.value,
        "until": grade.until.isoformat() if grade.until else "",
        "condition": grade.condition or "",
        "basis": grade.basis,
    }
