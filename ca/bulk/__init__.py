"""Bulk enrolment from CSV: judged row by row, then issued in batches that go on after any crash."""

from ca.bulk.lists import Lists
from ca.bulk.service import Bulk

__all__ = ["Bulk", "Lists"]
