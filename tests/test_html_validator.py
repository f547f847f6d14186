from __future__ import annotations

from pathlib import Path

from tests import html_validator

VALID = '<!doctype html><html lang="en"><head><title>x</title></head><body>%s</body></html>'


def test_each_violation_is_told_with_its_page_and_line(tmp_path: Path) -> None:
    pages = {
        "good": VALID % '<main><h1>x</h1><dialog id="d"></dialog><p inert>x</p></main>',
        "twice": VALID % '<p id="a">x</p>\n<p id="a">y</p>',
        "nested": VALID % "<span><div>x</div></span>",
        "unclosed": VALID % "<div>x",
    }
    found = html_validator.problems(pages, tmp_path)
    assert {line.partition(":")[0] for line in found} == {"twice", "nested", "unclosed"}
    assert "twice:2: Duplicate ID “a”." in found


def test_valid_pages_have_no_problems(tmp_path: Path) -> None:
    assert html_validator.problems({"good": VALID % "<p>x</p>"}, tmp_path) == []
