"""What an address asks for, read as far as it can be understood."""

from __future__ import annotations

import pytest

from accounts import parameters


@pytest.mark.parametrize(
    ("written", "number"),
    [("7", 7), (" 7 ", 7), ("007", 7), (str(2**63 - 1), 2**63 - 1), (str(2**63), None), ("9" * 5000, None)]
    + [(nothing, None) for nothing in ("", "-1", "1.5", "1e3", "²", "٣", "7\x00", "seven")],
)
def test_numbers_of_records(written: str, number: int | None) -> None:
    assert parameters.key({"member": written}, "member") == number


@pytest.mark.parametrize(
    ("written", "page"), [("3", 3), ("99999", 99_999), ("100000", 1), ("0", 1), ("-2", 1), ("", 1)]
)
def test_pages_count_from_one(written: str, page: int) -> None:
    assert parameters.page({"page": written}) == page


def test_texts_are_short_lines_that_a_database_takes() -> None:
    assert parameters.text({"q": " a\x00b\nc " + "x" * 200}, "q") == "a b c " + "x" * 94
    assert parameters.text({}, "q") == ""
