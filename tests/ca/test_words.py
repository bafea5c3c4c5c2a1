"""What people are told for names of the authority's things is there for every one of them."""

from typing import get_args

import pytest

from ca.hierarchy.tree import Standing
from ca.words import REASONS, STANDINGS, SUITES
from yinxin.crypto.status import Reason
from yinxin.crypto.suite import suite
from yinxin.errors import YinxinError


def test_every_reason_standing_and_suite_has_its_words() -> None:
    assert {each.value for each in Reason} - {"removeFromCRL", "aACompromise"} == set(REASONS)
    assert set(get_args(Standing)) == set(STANDINGS)
    with pytest.raises(YinxinError, match=", ".join(SUITES)):
        suite("none")
