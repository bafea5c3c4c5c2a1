"""Graded objects: level of secrecy, for how long and on which basis; extended, regraded and declassified on the record."""

from yinxin.grade.errors import GradeTooLong, NotClassified, NoTerm, NotLonger
from yinxin.grade.grades import Grades, read
from yinxin.grade.models import GradeRow, RuleRow
from yinxin.grade.period import CLASSIFIED, Grade, Secret, Unit

__all__ = [
    "CLASSIFIED",
    "Grade",
    "GradeRow",
    "GradeTooLong",
    "Grades",
    "NoTerm",
    "NotClassified",
    "NotLonger",
    "RuleRow",
    "Secret",
    "Unit",
    "read",
]
