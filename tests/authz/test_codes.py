"""Division codes by level and place, credit codes with both check digits.

Seen to fail when: the organisation code's weights are in another order; `area` looks at four digits only.
"""

import pytest

from authz import errors
from authz.directory.codes import area, check_division, check_uscc, check_within, organisation_code

#: two codes of real organs, as registered
REAL = ("12441500196720244T", "11511301008778183N")


@pytest.mark.parametrize("code", REAL)
def test_real_codes_hold_and_no_single_slip_does(code: str) -> None:
    check_uscc("x", code)
    for place in range(18):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if other != code[place]:
                with pytest.raises(errors.BadUscc):
                    check_uscc("x", code[:place] + other + code[place + 1 :])
    for place in range(17):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        if swapped != code:
            with pytest.raises(errors.BadUscc):
                check_uscc("x", swapped)


def test_a_credit_code_with_a_wrong_organisation_code_inside() -> None:
    """The outer digit is right for it, the inner is not."""
    with pytest.raises(errors.BadUscc):
        check_uscc("x", "1199000000000001X8")


def test_the_organisation_code_in_its_old_spelling() -> None:
    assert organisation_code(REAL[1]) == "00877818-3"


@pytest.mark.parametrize(
    ("level", "good", "bad"),
    [
        ("province", "510000", ("510100", "000000", "51", "510001")),
        ("city", "510100", ("510000", "510101", "000100")),
        ("county", "510104", ("510100", "510004", "510104001")),
        ("township", "510104001", ("510104", "510104000", "5101040011")),
        ("township", "510104001002", ("510104000002",)),
        ("department", "510000", ("000000", "5100", "５１００００")),
    ],
)
def test_each_level_has_its_form(level: str, good: str, bad: tuple[str, ...]) -> None:
    check_division("x", level, good)
    for each in bad:
        with pytest.raises(errors.BadDivision):
            check_division("x", level, each)


def test_county_within_city_within_province() -> None:
    assert [area(code) for code in ("510000", "510100", "510104", "510104001", "510104001000")] == [
        "51",
        "5101",
        "510104",
        "510104001",
        "510104001",
    ]
    check_within("x", "510104", "city", "510100")
    check_within("x", "429004", "province", "420000")  # a county that the province governs itself
    for division, above in (("510204", "510100"), ("520100", "510000"), ("510105001", "510104")):
        with pytest.raises(errors.DivisionOutside):
            check_within("x", division, "above", above)
