"""The linter: every certificate is judged before it is signed, and only what passed can be signed."""

from ca.lint.case import EDITION, Case, Finding
from ca.lint.judge import Cleared, findings, judge

__all__ = ["EDITION", "Case", "Cleared", "Finding", "findings", "judge"]
