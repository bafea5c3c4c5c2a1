"""Saved questions to the log."""

from audit.question.errors import QuestionEmpty, QuestionNameTaken, QuestionNotFound
from audit.question.questions import (
    Question,
    delete_for,
    keep_for,
    question_for,
    questions_for,
    share_for,
)

__all__ = [
    "Question",
    "QuestionEmpty",
    "QuestionNameTaken",
    "QuestionNotFound",
    "delete_for",
    "keep_for",
    "question_for",
    "questions_for",
    "share_for",
]
